/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "process/memory.h"

static void parse__reads_kibibytes_and_caps_them(void **state)
{
    static const struct {
        const char *text;
        bool is_known;
        uint32_t bytes;
    } rows[] = {
        {"MemTotal:       24682416 kB\nMemFree:  7 kB\nMemAvailable:       99 kB\n", true,
         99 * 1024},
        {"x\nMemAvailable: 2097151 kB\n", true, 2097151u * 1024},
        {"x\nMemAvailable: 2097152 kB\n", true, INT32_MAX},
        {"x\nMemAvailable: 99999999999999999999 kB\n", true, INT32_MAX},
        {"MemTotal: 5 kB\nMemFree: 7 kB\n", false, 0},
        {"x\nMemAvailable: 5", false, 0},
        {"", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t bytes = 0;
        assert_int_equal(memory_parse(rows[i].text, &bytes), rows[i].is_known);
        assert_int_equal(bytes, rows[i].bytes);
    }
}

static void available__is_something_on_linux(void **state)
{
    uint32_t bytes = 0;

    (void)state;
    assert_true(memory_available(&bytes));
    assert_true(bytes > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__reads_kibibytes_and_caps_them),
        cmocka_unit_test(available__is_something_on_linux),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
