/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "aloft/bytes.h"

/* facts/esp-formats.md 0.1: check values for ASCII 123456789. */
static void crc32__gives_the_check_values_of_both_seeds(void **state)
{
    (void)state;
    const uint8_t *text = (const uint8_t *)"123456789";
    assert_int_equal(aloft_crc32(0, text, 9), 0xCBF43926);
    assert_int_equal(aloft_crc32(0xFFFFFFFF, text, 9), 0xD202D277);
}

static void crc32__continues_a_sum(void **state)
{
    (void)state;
    const uint8_t *text = (const uint8_t *)"123456789";
    assert_int_equal(aloft_crc32(aloft_crc32(0, text, 4), text + 4, 5), 0xCBF43926);
}

static void little_endian__round_trips(void **state)
{
    (void)state;
    uint8_t buf[4];
    aloft_put_le32(buf, 0x12345678);
    assert_int_equal(buf[0], 0x78);
    assert_int_equal(buf[3], 0x12);
    assert_int_equal(aloft_get_le32(buf), 0x12345678);
    assert_int_equal(aloft_get_le16(buf), 0x5678);
}

static void get_text__ends_a_full_field(void **state)
{
    (void)state;
    char out[5];
    aloft_get_text((const uint8_t *)"abcd", 4, out, sizeof out);
    assert_string_equal(out, "abcd");
    aloft_get_text((const uint8_t *)"ab\0d", 4, out, sizeof out);
    assert_string_equal(out, "ab");
    aloft_get_text((const uint8_t *)"abcdef", 6, out, sizeof out);
    assert_string_equal(out, "abcd");
}

static void hex_digit__knows_both_cases_and_nothing_else(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char *digits = "0123456789abcdefABCDEF";
        const char *at = c != 0 ? strchr(digits, c) : NULL;
        unsigned value = !at                ? 16
                         : at - digits < 16 ? (unsigned)(at - digits)
                                            : (unsigned)(at - digits) - 6;
        assert_int_equal(aloft_hex_digit((char)c), value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32__gives_the_check_values_of_both_seeds),
        cmocka_unit_test(crc32__continues_a_sum),
        cmocka_unit_test(little_endian__round_trips),
        cmocka_unit_test(get_text__ends_a_full_field),
        cmocka_unit_test(hex_digit__knows_both_cases_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
