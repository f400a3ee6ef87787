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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__writes_numbers),
        cmocka_unit_test(text__fills_its_buffer_to_the_last_byte),
        cmocka_unit_test(text__leaves_out_the_piece_that_does_not_fit_and_all_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
