/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdbool.h>
#include <string.h>

#include "models/flash.h"

#define SIZE 0x4000u

static uint8_t s_bytes[SIZE];
static struct flash s_flash;

/* What the hooks heard, in order. */
static struct {
    uint32_t addr, len;
} s_stored[8];
static size_t s_n_stored;
static enum aloft_err s_store_answer;
static uint32_t s_violation;

#define NO_VIOLATION 0xFFFFFFFFu

static enum aloft_err on_store(void *ctx, uint32_t addr, uint32_t len)
{
    assert_ptr_equal(ctx, s_bytes);
    assert_true(s_n_stored < sizeof s_stored / sizeof s_stored[0]);
    s_stored[s_n_stored].addr = addr;
    s_stored[s_n_stored].len = len;
    s_n_stored++;
    return s_store_answer;
}

static void on_violation(void *ctx, uint32_t addr)
{
    assert_ptr_equal(ctx, s_bytes);
    s_violation = addr;
}

static int begin(void **state)
{
    (void)state;
    const struct flash_hooks hooks = {s_bytes, on_store, on_violation};
    memset(s_bytes, 0xFF, sizeof s_bytes);
    s_n_stored = 0;
    s_store_answer = ALOFT_ERR_OK;
    s_violation = NO_VIOLATION;
    flash_init(&s_flash, s_bytes, SIZE, &hooks);
    return 0;
}

static void assert_stored(size_t i, uint32_t addr, uint32_t len)
{
    assert_true(i < s_n_stored);
    assert_int_equal(s_stored[i].addr, addr);
    assert_int_equal(s_stored[i].len, len);
}

static void program__only_clears_bits(void **state)
{
    (void)state;
    const uint8_t first[3] = {0xF0, 0x55, 0xFF};
    const uint8_t second[3] = {0x30, 0x0F, 0xFE};

    assert_err(flash_program(&s_flash, 1, first, 3), ALOFT_ERR_OK);
    assert_int_equal(s_violation, NO_VIOLATION);
    assert_err(flash_program(&s_flash, 1, second, 3), ALOFT_ERR_OK);
    assert_int_equal(s_violation, 2); /* 0x0F over 0x55 asks for set bits */
    const uint8_t wanted[5] = {0xFF, 0x30, 0x05, 0xFE, 0xFF};
    assert_memory_equal(s_bytes, wanted, sizeof wanted);
}

static void program__repeats_without_violation(void **state)
{
    (void)state;
    const uint8_t word[4] = {1, 2, 3, 4};

    assert_err(flash_program(&s_flash, 0, word, 4), ALOFT_ERR_OK);
    assert_err(flash_program(&s_flash, 0, word, 4), ALOFT_ERR_OK);
    assert_int_equal(s_violation, NO_VIOLATION);
}

static void erase__sets_whole_sectors(void **state)
{
    (void)state;
    memset(s_bytes, 0, sizeof s_bytes);
    assert_err(flash_erase(&s_flash, 0x1000, 0x2000), ALOFT_ERR_OK);
    for (uint32_t i = 0; i < SIZE; i++) {
        assert_int_equal(s_bytes[i], i >= 0x1000 && i < 0x3000 ? 0xFF : 0);
    }
    assert_err(flash_erase(&s_flash, 0x800, 0x1000), ALOFT_ERR_ARG);
    assert_err(flash_erase(&s_flash, 0x1000, 0x800), ALOFT_ERR_ARG);
    assert_int_equal(s_n_stored, 1);
}

static void operations__keep_inside_the_flash(void **state)
{
    (void)state;
    uint8_t buf[8] = {0};
    static const struct {
        uint32_t addr;
        size_t len;
        bool is_inside;
    } rows[] = {
        {SIZE - 8, 8, true},  {SIZE, 0, true},        {SIZE - 7, 8, false},
        {SIZE + 1, 0, false}, {0xFFFFFFFF, 8, false}, {8, SIZE_MAX - 4, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum aloft_err wanted = rows[i].is_inside ? ALOFT_ERR_OK : ALOFT_ERR_RANGE;
        assert_err(flash_read(&s_flash, rows[i].addr, buf, rows[i].len), wanted);
        assert_err(flash_program(&s_flash, rows[i].addr, buf, rows[i].len), wanted);
    }
    assert_err(flash_erase(&s_flash, SIZE - 0x1000, 0x1000), ALOFT_ERR_OK);
    assert_err(flash_erase(&s_flash, SIZE - 0x1000, 0x2000), ALOFT_ERR_RANGE);
    assert_err(flash_erase(&s_flash, 0xFFFFF000, 0x1000), ALOFT_ERR_RANGE);
}

static void store__hears_each_operation_in_order(void **state)
{
    (void)state;
    const uint8_t bytes[5] = {0};

    assert_err(flash_erase(&s_flash, 0x1000, 0x1000), ALOFT_ERR_OK);
    assert_err(flash_program(&s_flash, 0x1003, bytes, 5), ALOFT_ERR_OK);
    assert_err(flash_program(&s_flash, 0x1003, bytes, 0), ALOFT_ERR_OK);
    assert_int_equal(s_n_stored, 2);
    assert_stored(0, 0x1000, 0x1000);
    assert_stored(1, 0x1003, 5);
    s_store_answer = ALOFT_ERR_IO;
    assert_err(flash_program(&s_flash, 0, bytes, 5), ALOFT_ERR_IO);
}

static void power_cut__leaves_part_of_a_program(void **state)
{
    (void)state;
    const uint8_t bytes[10] = {0};

    flash_cut_power_after(&s_flash, 3);
    assert_err(flash_program(&s_flash, 0, bytes, 10), ALOFT_ERR_OK); /* 4 + 4 + 2 */
    flash_cut_power_after(&s_flash, 2);
    assert_err(flash_program(&s_flash, 0x10, bytes, 10), ALOFT_ERR_FLASH);
    assert_int_equal(s_bytes[0x17], 0);
    assert_int_equal(s_bytes[0x18], 0xFF);
    assert_stored(1, 0x10, 8);
    assert_err(flash_program(&s_flash, 0x20, bytes, 1), ALOFT_ERR_FLASH);
    assert_err(flash_erase(&s_flash, 0, 0x1000), ALOFT_ERR_FLASH);
    assert_int_equal(s_bytes[0], 0);
    assert_int_equal(s_bytes[0x20], 0xFF);
    assert_int_equal(s_n_stored, 2);
    flash_cut_power_after(&s_flash, FLASH_UNITS_ENDLESS);
    assert_err(flash_erase(&s_flash, 0, 0x1000), ALOFT_ERR_OK);
}

static void power_cut__leaves_whole_sectors_of_an_erase(void **state)
{
    (void)state;
    memset(s_bytes, 0, sizeof s_bytes);
    flash_cut_power_after(&s_flash, 2);
    assert_err(flash_erase(&s_flash, 0, 0x3000), ALOFT_ERR_FLASH);
    assert_int_equal(s_bytes[0x1FFF], 0xFF);
    assert_int_equal(s_bytes[0x2000], 0);
    assert_stored(0, 0, 0x2000);
}

static void hooks__may_be_absent(void **state)
{
    (void)state;
    const uint8_t word[4] = {0x0F, 0xFF, 0xFF, 0xFF};

    s_bytes[0] = 0xF0;
    flash_init(&s_flash, s_bytes, SIZE, NULL);
    assert_err(flash_program(&s_flash, 0, word, 4), ALOFT_ERR_OK);
    assert_int_equal(s_bytes[0], 0);
    assert_err(flash_erase(&s_flash, 0, 0x1000), ALOFT_ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(program__only_clears_bits, begin),
        cmocka_unit_test_setup(program__repeats_without_violation, begin),
        cmocka_unit_test_setup(erase__sets_whole_sectors, begin),
        cmocka_unit_test_setup(operations__keep_inside_the_flash, begin),
        cmocka_unit_test_setup(store__hears_each_operation_in_order, begin),
        cmocka_unit_test_setup(power_cut__leaves_part_of_a_program, begin),
        cmocka_unit_test_setup(power_cut__leaves_whole_sectors_of_an_erase, begin),
        cmocka_unit_test_setup(hooks__may_be_absent, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
