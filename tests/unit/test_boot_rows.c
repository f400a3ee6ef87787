/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "boot_device.h"
#include "boot_rows.h"

/* The tables of facts/esp-formats.md 8.2 on a real flash: images, partition table and otadata stand
 * in it, the boot loader model runs, and its bytes are compared. One test per row. */

static uint32_t bit_of(int slot)
{
    if (slot == ALOFT_BOOT_FACTORY) {
        return ROW_FACTORY;
    }
    return slot == ALOFT_BOOT_TEST ? ROW_TEST : 1u << slot;
}

/* Good ones boot; of the others, every second is half overwritten and the rest is erased flash. */
static void put_images(struct device *d, const struct boot_row *row)
{
    static const int slots[] = {0, 1, 2, ALOFT_BOOT_FACTORY, ALOFT_BOOT_TEST};

    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        uint32_t addr = device_addr_of(slots[i]);
        bool is_good = (row->good & bit_of(slots[i])) != 0;
        char version[16];
        (void)snprintf(version, sizeof version, "slot%d", slots[i]);
        if (is_good || i % 2 == 0) {
            device_put_versioned_image(d, addr, version, i < 2 ? row->versions[i] : 0);
        }
        if (!is_good && i % 2 == 0) {
            memset(d->bytes + addr + 100, 0, 50);
        }
    }
}

static void begin_row(struct device *d, const struct boot_row *row, const struct aloft_chip *chip,
                      bool has_rollback)
{
    struct aloft_otadata before;

    device_begin(d, DEVICE_FLASH_BYTES, chip, has_rollback);
    device_put_table(d, row->slots);
    put_images(d, row);
    boot_cells_get_otadata(row->before, &before);
    device_put_otadata(d, DEVICE_OTADATA_ADDR, &before);
    if (row->build == ANTI_RB) {
        device_set_efuse(d, (1u << row->efuse_before) - 1);
    }
}

static void assert_booted(const struct boot_row *row, enum aloft_err err,
                          const struct boot_result *result)
{
    char version[16];

    if (row->boots == ROW_RESET) {
        assert_err(err, ALOFT_ERR_NOT_FOUND);
        return;
    }
    (void)snprintf(version, sizeof version, "slot%d", row->boots);
    assert_err(err, ALOFT_ERR_OK);
    assert_int_equal(result->slot, row->boots);
    assert_string_equal(result->desc.version, version);
    assert_int_equal(result->addr, device_addr_of(row->boots));
    assert_int_equal(result->size_bytes, DEVICE_SLOT_BYTES);
}

/* Both sectors byte for byte: what is not an entry must stay erased. */
static void assert_otadata(struct device *d, const struct boot_cell *cells)
{
    uint8_t got[ALOFT_OTADATA_BYTES];
    struct aloft_otadata wanted;

    memcpy(got, d->bytes + DEVICE_OTADATA_ADDR, sizeof got);
    boot_cells_get_otadata(cells, &wanted);
    device_put_otadata(d, DEVICE_OTADATA_ADDR, &wanted);
    assert_memory_equal(got, d->bytes + DEVICE_OTADATA_ADDR, sizeof got);
}

static void check_row(const struct boot_row *row, const struct aloft_chip *chip, bool has_rollback)
{
    struct boot_result result = {0};
    struct device d;

    begin_row(&d, row, chip, has_rollback);
    enum aloft_err err = boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &result, &d.e);
    assert_booted(row, err, &result);
    assert_otadata(&d, row->after);
    if (row->build == ANTI_RB) {
        assert_int_equal(d.efuse.bits, (1u << row->efuse_after) - 1);
    }
    device_end(&d);
}

/* By the chips that differ in what they take, and by every boot loader the row is about. */
static void row_boots_as_the_table_says(void **state)
{
    static const char *const chips[] = {"esp32", "esp32c2", "esp32c3", "esp32c6", "esp32c61"};
    const struct boot_row *row = *state;

    for (size_t i = 0; i < sizeof chips / sizeof chips[0]; i++) {
        const struct aloft_chip *chip = aloft_chip_by_name(chips[i]);
        assert_non_null(chip);
        if (row->build != NO_RB) {
            check_row(row, chip, true);
        }
        if (row->build != RB) {
            check_row(row, chip, false);
        }
    }
}

/* The set-boot sequences, from blank otadata: the app writes NEW with rollback, else UNDEFINED. To
 * select what is selected already follows ESP-IDF 6 (see boot_loader_select()). */

struct set_boot {
    uint32_t slot;
    uint32_t seq[2]; /* afterwards; 0 = blank */
};

static void check_set_boot(uint32_t n_slots, const struct set_boot *steps, size_t n_steps,
                           bool has_rollback)
{
    struct device d;

    device_begin(&d, DEVICE_FLASH_BYTES, aloft_chip_by_name("esp32c3"), has_rollback);
    device_put_table(&d, (1u << n_slots) - 1);
    for (uint32_t i = 0; i < n_slots; i++) {
        device_put_image(&d, device_addr_of((int)i), "any");
    }
    for (size_t i = 0; i < n_steps; i++) {
        uint32_t written = has_rollback ? ALOFT_OTA_NEW : ALOFT_OTA_UNDEFINED;
        struct boot_cell cells[2] = {{steps[i].seq[0] != 0, steps[i].seq[0], written, false},
                                     {steps[i].seq[1] != 0, steps[i].seq[1], written, false}};
        assert_err(boot_loader_select(&d.boot, steps[i].slot, &d.e), ALOFT_ERR_OK);
        assert_otadata(&d, cells);
    }
    device_end(&d);
}

static void set_boot__of_two_slots_follows_the_sequence(void **state)
{
    (void)state;
    static const struct set_boot steps[] = {
        {1, {2, 0}}, {0, {2, 3}}, {1, {4, 3}}, {1, {4, 3}}, {0, {4, 5}},
    };

    check_set_boot(2, steps, sizeof steps / sizeof steps[0], false);
    check_set_boot(2, steps, sizeof steps / sizeof steps[0], true);
}

static void set_boot__of_three_slots_follows_the_sequence(void **state)
{
    (void)state;
    static const struct set_boot steps[] = {
        {0, {1, 0}}, {2, {1, 3}}, {1, {5, 3}}, {0, {5, 7}}, {0, {5, 7}},
    };

    check_set_boot(3, steps, sizeof steps / sizeof steps[0], false);
    check_set_boot(3, steps, sizeof steps / sizeof steps[0], true);
}

#define N_SEQUENCES 2u

int main(void)
{
    static char names[N_BOOT_ROWS][32];
    static struct boot_row rows[N_BOOT_ROWS];
    struct CMUnitTest tests[N_BOOT_ROWS + N_SEQUENCES] = {0};

    _Static_assert(N_BOOT_ROWS == 26, "facts/esp-formats.md 8.2 has 26 rows");
    memcpy(rows, boot_rows, sizeof rows);
    for (size_t i = 0; i < N_BOOT_ROWS; i++) {
        (void)snprintf(names[i], sizeof names[i], "row_%zu_of_8_2", i + 1);
        tests[i] = (struct CMUnitTest){
            .name = names[i], .test_func = row_boots_as_the_table_says, .initial_state = &rows[i]};
    }
    tests[N_BOOT_ROWS] =
        (struct CMUnitTest)cmocka_unit_test(set_boot__of_two_slots_follows_the_sequence);
    tests[N_BOOT_ROWS + 1] =
        (struct CMUnitTest)cmocka_unit_test(set_boot__of_three_slots_follows_the_sequence);
    return cmocka_run_group_tests_name("boot decisions", tests, NULL, NULL);
}
