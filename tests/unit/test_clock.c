/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdbool.h>
#include <string.h>

#include "clock/calendar.h"
#include "clock/sntp_packet.h"

/* The calendar against Python's time.asctime(); the packet against RFC 4330. */

static void calendar__agrees_with_asctime(void **state)
{
    static const struct {
        uint32_t unix_s;
        int32_t zone_s;
        const char *wanted;
    } rows[] = {
        {0u, 0, "Thu Jan  1 00:00:00 1970"},
        {1634665676u, 0, "Tue Oct 19 17:47:56 2021"},
        {951782400u, 0, "Tue Feb 29 00:00:00 2000"},
        {951868800u, 0, "Wed Mar  1 00:00:00 2000"},
        {4107542399u, 0, "Sun Feb 28 23:59:59 2100"},
        {4107542400u, 0, "Mon Mar  1 00:00:00 2100"},
        {4294967295u, 0, "Sun Feb  7 06:28:15 2106"},
        {86399u, 0, "Thu Jan  1 23:59:59 1970"},
        {68255999u, 0, "Tue Feb 29 23:59:59 1972"},
        {68256000u, 0, "Wed Mar  1 00:00:00 1972"},
        {2147483647u, 0, "Tue Jan 19 03:14:07 2038"},
        {2147483648u, 0, "Tue Jan 19 03:14:08 2038"},
        {1735689599u, 0, "Tue Dec 31 23:59:59 2024"},
        {1735689600u, 0, "Wed Jan  1 00:00:00 2025"},
        {0u, -43200, "Wed Dec 31 12:00:00 1969"},
        {1634665676u, 28800, "Wed Oct 20 01:47:56 2021"},
        {1634665676u, 19800, "Tue Oct 19 23:17:56 2021"},
        {4294967295u, 50400, "Sun Feb  7 20:28:15 2106"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[32];
        struct aloft_text t;
        aloft_text_init(&t, buf, sizeof buf);
        aloft_calendar_add(&t, rows[i].unix_s, rows[i].zone_s);
        assert_string_equal(buf, rows[i].wanted);
    }
}

static const uint8_t s_cookie[] = {1, 2, 3, 4, 5, 6, 7, 8};

/* 2021-10-19 17:47:56.5 of a server of stratum 2. */
static void make_answer(uint8_t *packet)
{
    memset(packet, 0, ALOFT_SNTP_BYTES);
    packet[0] = 0x24; /* leap 0, version 4, mode 4 */
    packet[1] = 2;
    memcpy(packet + 24, s_cookie, sizeof s_cookie);
    /* 1634665676 + 2208988800 */
    memcpy(packet + 40, "\xe5\x19\x83\x4c\x80\x00\x00\x00", 8);
}

static void request__is_48_bytes_of_version_4_and_mode_3(void **state)
{
    uint8_t wanted[ALOFT_SNTP_BYTES] = {0x23};
    uint8_t packet[ALOFT_SNTP_BYTES];

    (void)state;
    memcpy(wanted + 40, s_cookie, sizeof s_cookie);
    aloft_sntp_encode(s_cookie, packet);
    assert_memory_equal(packet, wanted, sizeof wanted);
}

static void answer__tells_the_time(void **state)
{
    uint8_t packet[ALOFT_SNTP_BYTES];
    struct aloft_sntp_time time;

    (void)state;
    make_answer(packet);
    assert_err(aloft_sntp_parse(packet, sizeof packet, s_cookie, &time), ALOFT_ERR_OK);
    assert_int_equal(time.unix_s, 1634665676);
    assert_int_equal(time.ms, 500);
}

/* What RFC 4330 5 wants to be checked, each alone. */
static void answer__is_refused_for_one_wrong_field(void **state)
{
    static const struct {
        uint8_t off;
        const char *bytes;
        uint8_t len;
        enum aloft_err err;
    } rows[] = {
        {0, "\x23", 1, ALOFT_ERR_HEADER},      /* mode 3: our own request reflected */
        {0, "\x25", 1, ALOFT_ERR_HEADER},      /* mode 5: broadcast */
        {0, "\x1c", 1, ALOFT_ERR_HEADER},      /* version 3 */
        {24, "\x02", 1, ALOFT_ERR_HEADER},     /* another originate timestamp */
        {31, "\x09", 1, ALOFT_ERR_HEADER},     /* its last byte */
        {0, "\xe4", 1, ALOFT_ERR_UNSUPPORTED}, /* leap 3: not synchronised */
        {1, "\x10", 1, ALOFT_ERR_UNSUPPORTED}, /* stratum 16 */
        {1, "\x00", 1, ALOFT_ERR_UNSUPPORTED}, /* stratum 0, no code */
        {40, "\0\0\0\0\0\0\0\0", 8, ALOFT_ERR_UNSUPPORTED},
        {40, "\x83\xaa\x7e\x7f", 4, ALOFT_ERR_UNSUPPORTED}, /* 1969 */
        {40, "\x80\x00\x00\x00", 4, ALOFT_ERR_UNSUPPORTED}, /* 1968 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t packet[ALOFT_SNTP_BYTES];
        struct aloft_sntp_time time = {77, 7};
        make_answer(packet);
        memcpy(packet + rows[i].off, rows[i].bytes, rows[i].len);
        assert_err(aloft_sntp_parse(packet, sizeof packet, s_cookie, &time), rows[i].err);
        assert_int_equal(time.unix_s, 77);
    }
}

static void answer__of_stratum_0_may_want_silence(void **state)
{
    static const struct {
        const char *code;
        enum aloft_err err;
    } rows[] = {
        {"DENY", ALOFT_ERR_STATE},
        {"RSTR", ALOFT_ERR_STATE},
        {"RATE", ALOFT_ERR_UNSUPPORTED},
        {"INIT", ALOFT_ERR_UNSUPPORTED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t packet[ALOFT_SNTP_BYTES];
        struct aloft_sntp_time time;
        make_answer(packet);
        packet[1] = 0;
        memcpy(packet + 12, rows[i].code, 4);
        assert_err(aloft_sntp_parse(packet, sizeof packet, s_cookie, &time), rows[i].err);
        packet[24] = 0; /* a stranger's refusal refuses nothing */
        assert_err(aloft_sntp_parse(packet, sizeof packet, s_cookie, &time), ALOFT_ERR_HEADER);
    }
}

static void answer__may_be_longer_but_not_shorter(void **state)
{
    uint8_t packet[ALOFT_SNTP_BYTES + 20] = {0};
    struct aloft_sntp_time time;

    (void)state;
    make_answer(packet);
    assert_err(aloft_sntp_parse(packet, sizeof packet, s_cookie, &time), ALOFT_ERR_OK);
    for (size_t len = 0; len < ALOFT_SNTP_BYTES; len++) {
        assert_err(aloft_sntp_parse(packet, len, s_cookie, &time), ALOFT_ERR_HEADER);
    }
}

/* RFC 4330 3: the 32 bits begin anew in February 2036. */
static void answer__after_2036_counts_on(void **state)
{
    static const struct {
        const char *seconds;
        uint32_t unix_s;
    } rows[] = {
        {"\x83\xaa\x7e\x80", 0},           {"\xff\xff\xff\xff", 2085978495},
        {"\x00\x00\x00\x00", 2085978496},  {"\x00\x00\x00\x01", 2085978497},
        {"\x7f\xff\xff\xff", 4233462143u},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t packet[ALOFT_SNTP_BYTES];
        struct aloft_sntp_time time;
        make_answer(packet);
        memcpy(packet + 40, rows[i].seconds, 4);
        assert_err(aloft_sntp_parse(packet, sizeof packet, s_cookie, &time), ALOFT_ERR_OK);
        assert_int_equal(time.unix_s, rows[i].unix_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calendar__agrees_with_asctime),
        cmocka_unit_test(request__is_48_bytes_of_version_4_and_mode_3),
        cmocka_unit_test(answer__tells_the_time),
        cmocka_unit_test(answer__is_refused_for_one_wrong_field),
        cmocka_unit_test(answer__of_stratum_0_may_want_silence),
        cmocka_unit_test(answer__may_be_longer_but_not_shorter),
        cmocka_unit_test(answer__after_2036_counts_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
