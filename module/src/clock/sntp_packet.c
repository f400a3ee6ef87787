/* SPDX-License-Identifier: Apache-2.0 */
#include "clock/sntp_packet.h"

#include <stdbool.h>
#include <string.h>

#define REQUEST_HEAD     0x23 /* Leap indicator 0, version 4, mode 3 (client). */
#define MODE_MASK        0x07
#define MODE_SERVER      4
#define VERSION_SHIFT    3
#define VERSION_MASK     0x07
#define VERSION          4
#define LEAP_SHIFT       6
#define LEAP_NOT_KNOWN   3 /* The clock is not synchronised. */
#define STRATUM_MAX      15
#define UNIX_OFFSET      2208988800u /* Seconds from 1900 to 1970. */
#define SECOND_ERA_BELOW 0x80000000u /* RFC 4330 3: without its first bit a time is after 2036. */

enum {
    HEAD_OFF = 0,
    STRATUM_OFF = 1,
    KISS_OFF = 12, /* Reference identifier: stratum 0 says why. */
    ORIGINATE_OFF = 24,
    TRANSMIT_OFF = 40,
};

static uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void aloft_sntp_encode(const uint8_t *cookie, uint8_t *ret_packet)
{
    memset(ret_packet, 0, ALOFT_SNTP_BYTES);
    ret_packet[HEAD_OFF] = REQUEST_HEAD;
    memcpy(ret_packet + TRANSMIT_OFF, cookie, ALOFT_SNTP_COOKIE_BYTES);
}

/* DENY and RSTR are for good; all other codes (RATE, INIT, ...) pass. */
static enum aloft_err judge_kiss(const uint8_t *packet)
{
    const uint8_t *code = packet + KISS_OFF;

    return memcmp(code, "DENY", 4) == 0 || memcmp(code, "RSTR", 4) == 0 ? ALOFT_ERR_STATE
                                                                        : ALOFT_ERR_UNSUPPORTED;
}

enum aloft_err aloft_sntp_parse(const uint8_t *packet, size_t len, const uint8_t *cookie,
                                struct aloft_sntp_time *ret_time)
{
    if (len < ALOFT_SNTP_BYTES || (packet[HEAD_OFF] & MODE_MASK) != MODE_SERVER ||
        (packet[HEAD_OFF] >> VERSION_SHIFT & VERSION_MASK) != VERSION ||
        memcmp(packet + ORIGINATE_OFF, cookie, ALOFT_SNTP_COOKIE_BYTES) != 0) {
        return ALOFT_ERR_HEADER;
    }
    if (packet[STRATUM_OFF] == 0) {
        return judge_kiss(packet);
    }
    uint32_t seconds = get_be32(packet + TRANSMIT_OFF);
    uint32_t fraction = get_be32(packet + TRANSMIT_OFF + 4);
    bool is_before_1970 = seconds >= SECOND_ERA_BELOW && seconds < UNIX_OFFSET;
    if (packet[STRATUM_OFF] > STRATUM_MAX || packet[HEAD_OFF] >> LEAP_SHIFT == LEAP_NOT_KNOWN ||
        is_before_1970 || (seconds == 0 && fraction == 0)) {
        return ALOFT_ERR_UNSUPPORTED;
    }
    /* Modulo 2^32 this holds for both eras. */
    ret_time->unix_s = seconds - UNIX_OFFSET;
    ret_time->ms = (uint16_t)((uint64_t)fraction * 1000 >> 32);
    return ALOFT_ERR_OK;
}
