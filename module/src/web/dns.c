/* SPDX-License-Identifier: Apache-2.0 */
#include "web/dns.h"

#include <stdbool.h>
#include <string.h>

/* RFC 1035 4.1; RFC 6895 for the numbers. All in network byte order. */
#define HEAD_BYTES     12
#define FLAGS_OFF      2
#define COUNTS_OFF     4
#define QR             0x80 /* In the first byte of the flags: this is an answer. */
#define OPCODE         0x78
#define RD             0x01
#define RA             0x80 /* In the second one. */
#define CD             0x10 /* Copied: RFC 4035 3.2.2. */
#define RCODE_NO_ERROR 0
#define RCODE_FORMAT   1
#define RCODE_NOT_IMPL 4
#define LABEL_MAX      63
#define NAME_MAX       255 /* With the length bytes and the root. */
#define TYPE_A         1
#define TYPE_ANY       255
#define CLASS_IN       1
#define CLASS_ANY      255

static uint16_t get_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* Offset behind the name at `HEAD_BYTES`; 0 if it is none. A question has nothing to point back
 * at, so pointers are refused, and with them loops. */
static size_t skip_name(const uint8_t *packet, size_t len)
{
    size_t at = HEAD_BYTES;

    while (at < len && packet[at] != 0) {
        if (packet[at] > LABEL_MAX) {
            return 0;
        }
        at += 1u + packet[at];
    }
    return at < len && at + 1 - HEAD_BYTES <= NAME_MAX ? at + 1 : 0;
}

static void write_head(uint8_t *packet, uint8_t rcode, bool has_question, bool has_answer)
{
    packet[FLAGS_OFF] = (uint8_t)((packet[FLAGS_OFF] & (OPCODE | RD)) | QR);
    packet[FLAGS_OFF + 1] = (uint8_t)((packet[FLAGS_OFF + 1] & CD) | RA | rcode);
    memset(packet + COUNTS_OFF, 0, HEAD_BYTES - COUNTS_OFF);
    packet[COUNTS_OFF + 1] = has_question;
    packet[COUNTS_OFF + 3] = has_answer;
}

static size_t refuse(uint8_t *packet, uint8_t rcode)
{
    write_head(packet, rcode, false, false);
    return HEAD_BYTES;
}

size_t aloft_dns_answer(uint8_t *packet, size_t len, const uint8_t *ip)
{
    /* The name of the question, type A, class IN, 300 s, four bytes. */
    static const uint8_t record[] = {0xC0, HEAD_BYTES, 0, TYPE_A, 0, CLASS_IN, 0, 0, 1, 44, 0, 4};

    if (len < HEAD_BYTES || (packet[FLAGS_OFF] & QR) != 0) {
        return 0;
    }
    if ((packet[FLAGS_OFF] & OPCODE) != 0) {
        return refuse(packet, RCODE_NOT_IMPL);
    }
    size_t name_end = get_be16(packet + COUNTS_OFF) == 1 ? skip_name(packet, len) : 0;
    if (name_end == 0 || len - name_end < 4) {
        return refuse(packet, RCODE_FORMAT);
    }
    uint16_t type = get_be16(packet + name_end);
    uint16_t class = get_be16(packet + name_end + 2);
    bool has_answer =
        (type == TYPE_A || type == TYPE_ANY) && (class == CLASS_IN || class == CLASS_ANY);
    size_t end = name_end + 4;
    write_head(packet, RCODE_NO_ERROR, true, has_answer);
    if (has_answer) {
        memcpy(packet + end, record, sizeof record);
        memcpy(packet + end + sizeof record, ip, 4);
        end += sizeof record + 4;
    }
    return end;
}
