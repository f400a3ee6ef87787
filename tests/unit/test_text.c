/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "text.h"

static void text__writes_numbers(void **state)
{
    (void)state;
    char buf[64];
    struct aloft_text t;

    aloft_text_init(&t, buf, sizeof buf);
    aloft_text_add_int(&t, INT32_MIN);
    aloft_text_add_char(&t, ' ');
    aloft_text_add_uint(&t, UINT32_MAX);
    aloft_text_add_char(&t, ' ');
    aloft_text_add_hex(&t, 0xBEEF, 1);
    aloft_text_add_char(&t, ' ');
    aloft_text_add_hex(&t, 0, 8);
    aloft_text_add_char(&t, ' ');
    aloft_text_add_hex_bytes(&t, (const uint8_t *)"\x0a\xff", 2, '\0');
    assert_string_equal(buf, "-2147483648 4294967295 beef 00000000 0aff");
    assert_int_equal(t.len, 41);
    assert_false(t.is_cut);
}

static void text__fills_its_buffer_to_the_last_byte(void **state)
{
    (void)state;
    char buf[5];
    struct aloft_text t;

    aloft_text_init(&t, buf, sizeof buf);
    aloft_text_add(&t, "abcd");
    assert_false(t.is_cut);
    assert_string_equal(buf, "abcd");
    aloft_text_add(&t, "");
    assert_false(t.is_cut);
    aloft_text_add_char(&t, 'e');
    assert_true(t.is_cut);
    assert_string_equal(buf, "abcd");
}

/* Half a number, or a text with a hole, would be worse than a short one. */
static void text__leaves_out_the_piece_that_does_not_fit_and_all_after_it(void **state)
{
    (void)state;
    char buf[5];
    struct aloft_text t;

    aloft_text_init(&t, buf, sizeof buf);
    aloft_text_add(&t, "ab");
    aloft_text_add_uint(&t, 1234);
    aloft_text_add_char(&t, 'c');
    assert_true(t.is_cut);
    assert_string_equal(buf, "ab");
    assert_int_equal(t.len, 2);
}

/* RFC 5952 4, and what Python's ipaddress prints. */
static void text__writes_ipv6_as_short_as_it_may(void **state)
{
    static const struct {
        uint8_t ip[16];
        const char *wanted;
    } rows[] = {
        {{0}, "::"},
        {{[15] = 1}, "::1"},
        {{0x20, 1, 0x0d, 0xb8, [15] = 1}, "2001:db8::1"},
        {{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, "2001:db8:0:1:1:1:1:1"},
        {{0x20, 1, [7] = 1, [15] = 1}, "2001:0:0:1::1"},
        {{0x20, 1, 0x0d, 0xb8, [9] = 1, [15] = 1}, "2001:db8::1:0:0:1"},
        {{0xfe, 0x80, [8] = 0x7e, 0xdf, 0xa1, 0xff, 0xfe, 0, 0, 0x0a}, "fe80::7edf:a1ff:fe00:a"},
        {{0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}, "1:2:3:4:5:6:7:8"},
        {{[1] = 1}, "1::"},
        {{[1] = 1, [5] = 1, [9] = 1, [13] = 1}, "1:0:1:0:1:0:1:0"},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
          0xff},
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[40];
        struct aloft_text t;
        aloft_text_init(&t, buf, sizeof buf);
        aloft_text_add_ipv6(&t, rows[i].ip);
        assert_string_equal(buf, rows[i].wanted);
        assert_false(t.is_cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__writes_numbers),
        cmocka_unit_test(text__writes_ipv6_as_short_as_it_may),
        cmocka_unit_test(text__fills_its_buffer_to_the_last_byte),
        cmocka_unit_test(text__leaves_out_the_piece_that_does_not_fit_and_all_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
