/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "web/dns.h"

/* The DNS answers of the captive portal (facts/at-commands.md 3.6, 6.3 row 40; RFC 1035). */

static const uint8_t ip[] = {192, 168, 4, 1};

#define HEAD(flags)  "\x12\x34" flags
#define COUNTS(a, b) "\0" a "\0\0\0\0\0" b
#define NAME         "\7example\3com\0"
#define ANSWER       "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\xa8\4\1"
/* An OPT record as resolvers send it: 1232 bytes, no options (RFC 6891). */
#define OPT "\0\0\x29\4\xd0\0\0\0\0\0\0"

static void expect_bytes(const void *query, size_t query_len, const void *wanted, size_t wanted_len)
{
    uint8_t packet[512];

    memcpy(packet, query, query_len);
    size_t len = aloft_dns_answer(packet, query_len, ip);
    assert_int_equal(len, wanted_len);
    assert_memory_equal(packet, wanted, wanted_len);
}

#define EXPECT(query, wanted) expect_bytes(query, sizeof(query) - 1, wanted, sizeof(wanted) - 1)

static void test_row_40_an_address_is_the_soft_aps(void **state)
{
    (void)state;
    EXPECT(HEAD("\1\0") COUNTS("\1", "\0") NAME "\0\1\0\1",
           HEAD("\x81\x80") "\0\1\0\1\0\0\0\0" NAME "\0\1\0\1" ANSWER);
}

static void test_row_40_other_types_exist_without_records(void **state)
{
    (void)state;
    EXPECT(HEAD("\1\0") COUNTS("\1", "\0") NAME "\0\x1c\0\1", /* AAAA */
           HEAD("\x81\x80") COUNTS("\1", "\0") NAME "\0\x1c\0\1");
    EXPECT(HEAD("\1\0") COUNTS("\1", "\0") NAME "\0\x41\0\1", /* HTTPS */
           HEAD("\x81\x80") COUNTS("\1", "\0") NAME "\0\x41\0\1");
    EXPECT(HEAD("\1\0") COUNTS("\1", "\0") NAME "\0\1\0\3", /* class CHAOS */
           HEAD("\x81\x80") COUNTS("\1", "\0") NAME "\0\1\0\3");
}

static void test_any_gets_the_address(void **state)
{
    (void)state;
    EXPECT(HEAD("\0\0") COUNTS("\1", "\0") NAME "\0\xff\0\xff",
           HEAD("\x80\x80") "\0\1\0\1\0\0\0\0" NAME "\0\xff\0\xff" ANSWER);
}

static void test_row_40_edns_and_what_follows_are_left_out(void **state)
{
    (void)state;
    EXPECT(HEAD("\1\x20") COUNTS("\1", "\1") NAME "\0\1\0\1" OPT,
           HEAD("\x81\x80") "\0\1\0\1\0\0\0\0" NAME "\0\1\0\1" ANSWER);
    EXPECT(HEAD("\1\0") COUNTS("\1", "\1") NAME "\0\x1c\0\1" OPT,
           HEAD("\x81\x80") COUNTS("\1", "\0") NAME "\0\x1c\0\1");
}

static void test_row_40_queries_with_ad_cd_z_or_a_code_are_answered(void **state)
{
    (void)state;
    EXPECT(HEAD("\1\x20") COUNTS("\1", "\0") NAME "\0\1\0\1",
           HEAD("\x81\x80") "\0\1\0\1\0\0\0\0" NAME "\0\1\0\1" ANSWER);
    EXPECT(HEAD("\1\x10") COUNTS("\1", "\0") NAME "\0\1\0\1",
           HEAD("\x81\x90") "\0\1\0\1\0\0\0\0" NAME "\0\1\0\1" ANSWER);
    EXPECT(HEAD("\7\x4f") COUNTS("\1", "\0") NAME "\0\1\0\1",
           HEAD("\x81\x80") "\0\1\0\1\0\0\0\0" NAME "\0\1\0\1" ANSWER);
}

static void test_the_root_is_a_name_too(void **state)
{
    (void)state;
    EXPECT(HEAD("\1\0") COUNTS("\1", "\0") "\0"
                                           "\0\1\0\1",
           HEAD("\x81\x80") "\0\1\0\1\0\0\0\0"
                            "\0"
                            "\0\1\0\1" ANSWER);
}

static void test_row_40_other_opcodes_are_not_implemented(void **state)
{
    (void)state;
    EXPECT(HEAD("\x29\0") COUNTS("\1", "\0") NAME "\0\6\0\1", /* UPDATE */
           HEAD("\xa9\x84") "\0\0\0\0\0\0\0\0");
    EXPECT(HEAD("\x10\0") "\0\0\0\0\0\0\0\0", HEAD("\x90\x84") "\0\0\0\0\0\0\0\0");
}

static void test_answers_and_stumps_are_never_answered(void **state)
{
    (void)state;
    EXPECT(HEAD("\x81\x80") COUNTS("\1", "\0") NAME "\0\1\0\1", "");
    EXPECT(HEAD("\x90\0") "\0\0\0\0\0\0\0\0", "");
    EXPECT(HEAD("\1\0") "\0\1\0\0\0\0\0", "");
    EXPECT("", "");
}

static void test_row_40_no_or_several_questions_are_a_format_error(void **state)
{
    (void)state;
    EXPECT(HEAD("\1\0") "\0\0\0\0\0\0\0\0", HEAD("\x81\x81") "\0\0\0\0\0\0\0\0");
    EXPECT(HEAD("\1\0") COUNTS("\2", "\0") NAME "\0\1\0\1" NAME "\0\1\0\1",
           HEAD("\x81\x81") "\0\0\0\0\0\0\0\0");
    EXPECT(HEAD("\1\0") "\1\1\0\0\0\0\0\0" NAME "\0\1\0\1", HEAD("\x81\x81") "\0\0\0\0\0\0\0\0");
}

static void test_broken_names_are_a_format_error(void **state)
{
    (void)state;
    /* cut in a label, before the root, before the class; a pointer to itself; a reserved type */
    EXPECT(HEAD("\1\0") COUNTS("\1", "\0") "\7exam", HEAD("\x81\x81") "\0\0\0\0\0\0\0\0");
    EXPECT(HEAD("\1\0") COUNTS("\1", "\0") "\3com", HEAD("\x81\x81") "\0\0\0\0\0\0\0\0");
    EXPECT(HEAD("\1\0") COUNTS("\1", "\0") NAME "\0\1\0", HEAD("\x81\x81") "\0\0\0\0\0\0\0\0");
    EXPECT(HEAD("\1\0") COUNTS("\1", "\0") "\xc0\x0c\0\1\0\1", HEAD("\x81\x81") "\0\0\0\0\0\0\0\0");
    EXPECT(HEAD("\1\0") COUNTS("\1", "\0") "\x40z\0\0\1\0\1", HEAD("\x81\x81") "\0\0\0\0\0\0\0\0");
}

#define SIXTEEN "0123456789abcdef"

static void test_a_label_has_at_most_63_bytes(void **state)
{
    (void)state;
    EXPECT(HEAD("\1\0") COUNTS("\1", "\0") "\x40" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "\0\0\1\0\1",
           HEAD("\x81\x81") "\0\0\0\0\0\0\0\0");
}

static void make_query(uint8_t *packet, size_t name_len, size_t *ret_len)
{
    static const uint8_t head[] = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    size_t at = sizeof head;
    size_t end = at + name_len - 1;

    memset(packet, 'x', 512);
    memcpy(packet, head, sizeof head);
    while (at < end) {
        size_t label_len = end - at - 1 < 63 ? end - at - 1 : 63;
        label_len = end - at - 1 - label_len == 1 ? label_len - 1 : label_len;
        packet[at] = (uint8_t)label_len;
        at += 1 + label_len;
    }
    memcpy(packet + end, "\0\0\1\0\1", 5);
    *ret_len = end + 5;
}

static void test_a_name_of_255_bytes_is_answered_and_a_longer_one_is_not(void **state)
{
    uint8_t packet[512];
    size_t len = 0;

    (void)state;
    make_query(packet, 255, &len);
    assert_int_equal(aloft_dns_answer(packet, len, ip), ALOFT_DNS_ANSWER_MAX);
    make_query(packet, 256, &len);
    assert_int_equal(aloft_dns_answer(packet, len, ip), 12);
    assert_int_equal(packet[3], 0x81);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_40_an_address_is_the_soft_aps),
        cmocka_unit_test(test_row_40_other_types_exist_without_records),
        cmocka_unit_test(test_any_gets_the_address),
        cmocka_unit_test(test_row_40_edns_and_what_follows_are_left_out),
        cmocka_unit_test(test_row_40_queries_with_ad_cd_z_or_a_code_are_answered),
        cmocka_unit_test(test_the_root_is_a_name_too),
        cmocka_unit_test(test_row_40_other_opcodes_are_not_implemented),
        cmocka_unit_test(test_answers_and_stumps_are_never_answered),
        cmocka_unit_test(test_row_40_no_or_several_questions_are_a_format_error),
        cmocka_unit_test(test_broken_names_are_a_format_error),
        cmocka_unit_test(test_a_label_has_at_most_63_bytes),
        cmocka_unit_test(test_a_name_of_255_bytes_is_answered_and_a_longer_one_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
