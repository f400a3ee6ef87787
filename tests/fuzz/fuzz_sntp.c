/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "clock/calendar.h"
#include "clock/sntp_packet.h"

/* Parsers: module/src/clock/sntp_packet.c module/src/clock/calendar.c */

#define CALENDAR_BYTES 32

/* The time is shown in a zone the last byte chooses. */
static void show(const struct aloft_sntp_time *time, int8_t quarters)
{
    char buf[CALENDAR_BYTES];
    struct aloft_text t;

    aloft_text_init(&t, buf, sizeof buf);
    aloft_calendar_add(&t, time->unix_s, quarters % 57 * 900);
    MUST(t.len == 24 && !t.is_cut && time->ms < 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t cookie[ALOFT_SNTP_COOKIE_BYTES] = "cookie!!";
    uint8_t request[ALOFT_SNTP_BYTES];
    struct aloft_sntp_time time = {0, 0};
    enum aloft_err err = aloft_sntp_parse(data, size, cookie, &time);

    MUST(err == ALOFT_ERR_OK || (time.unix_s == 0 && time.ms == 0));
    MUST(err == ALOFT_ERR_HEADER || memcmp(data + 24, cookie, sizeof cookie) == 0);
    if (err == ALOFT_ERR_OK) {
        show(&time, (int8_t)data[size - 1]);
    }
    aloft_sntp_encode(cookie, request);
    MUST(aloft_sntp_parse(request, sizeof request, request + 40, &time) == ALOFT_ERR_HEADER);
    return 0;
}
