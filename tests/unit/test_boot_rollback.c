/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "aloft/bytes.h"
#include "boot_device.h"
#include "boot_rows.h"

/* Mark-invalid and anti-rollback (facts/esp-formats.md 3.5, 3.6). */

#define OTA_0 0x60000u
#define OTA_1 0x230000u
#define SLOT  0x1D0000u

/* clang-format off */
#define NONE         {false, 0, 0, false}
#define AT(seq, st)  {true, seq, ALOFT_OTA_##st, false}
#define BAD(seq, st) {true, seq, ALOFT_OTA_##st, true}
/* clang-format on */

static uint32_t state_of(const struct device *d, int index)
{
    struct aloft_otadata_entry e;

    aloft_otadata_entry_parse(d->bytes + 0xD000 + index * 0x1000, &e);
    return e.state;
}

/* Runs "new" from ota_1, unconfirmed, with "old" in ota_0. */
static void begin_unconfirmed(struct device *d, struct boot_result *ret_result)
{
    device_begin_layout(d, aloft_layout_by_name("esp32c3_default"));
    assert_err(boot_loader_run(&d->boot, ALOFT_BOOT_POWER, ret_result, &d->e), ALOFT_ERR_OK);
    device_put_image(d, OTA_1, "new");
    assert_err(boot_loader_select(&d->boot, 1, &d->e), ALOFT_ERR_OK);
    assert_err(boot_loader_run(&d->boot, ALOFT_BOOT_RESTART, ret_result, &d->e), ALOFT_ERR_OK);
    assert_int_equal(ret_result->slot, 1);
}

static void reject__leads_back_to_the_image_before(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;

    begin_unconfirmed(&d, &r);
    assert_err(boot_loader_reject(&d.boot, r.slot, &d.e), ALOFT_ERR_OK);
    assert_int_equal(state_of(&d, 0), ALOFT_OTA_VALID);
    assert_int_equal(state_of(&d, 1), ALOFT_OTA_INVALID);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_ROLLBACK, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, 0);
    assert_int_equal(r.reason, ALOFT_BOOT_ROLLBACK);
    assert_false(boot_loader_is_unconfirmed(&d.boot, 0));
    assert_false(boot_loader_is_pending(&d.boot, 0));
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, 0);
    assert_int_equal(r.reason, ALOFT_BOOT_RESTART);
    device_end(&d);
}

/* An image on trial that selected another one is no longer what a confirmation speaks of. */
static void confirm__leaves_an_image_alone_that_was_selected_since(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;

    begin_unconfirmed(&d, &r);
    assert_err(boot_loader_select(&d.boot, 0, &d.e), ALOFT_ERR_OK);
    assert_err(boot_loader_confirm(&d.boot, r.slot, &d.e), ALOFT_ERR_OK);
    assert_int_equal(state_of(&d, 0), ALOFT_OTA_NEW);
    assert_int_equal(state_of(&d, 1), ALOFT_OTA_PENDING_VERIFY);
    device_end(&d);
}

/* One row per situation of facts/esp-formats.md 3.5 and 8.2 (the two last sentences on set-boot).
 */
static const struct {
    const char *what;
    uint32_t slots;
    uint32_t good;
    struct boot_cell before[2];
    int running;
    enum aloft_err err;
    struct boot_cell after[2];
} rejects[] = {
    /* clang-format off */
    {"the other entry is valid", 0x3, 0x3,
     {AT(1, VALID), AT(2, PENDING_VERIFY)}, 1, ALOFT_ERR_OK,
     {AT(1, VALID), AT(2, INVALID)}},
    {"and the running image in the first one", 0x3, 0x3,
     {AT(3, PENDING_VERIFY), AT(2, UNDEFINED)}, 0, ALOFT_ERR_OK,
     {AT(3, INVALID), AT(2, UNDEFINED)}},
    {"no other entry", 0x3, 0x3,
     {NONE, AT(2, PENDING_VERIFY)}, 1, ALOFT_ERR_STATE,
     {NONE, AT(2, PENDING_VERIFY)}},
    {"the other entry is aborted", 0x3, 0x3,
     {AT(1, ABORTED), AT(2, PENDING_VERIFY)}, 1, ALOFT_ERR_STATE,
     {AT(1, ABORTED), AT(2, PENDING_VERIFY)}},
    {"the other entry has a bad CRC", 0x3, 0x3,
     {BAD(1, VALID), AT(2, PENDING_VERIFY)}, 1, ALOFT_ERR_STATE,
     {BAD(1, VALID), AT(2, PENDING_VERIFY)}},
    {"the image of the other entry is broken", 0x3, 0x2,
     {AT(1, VALID), AT(2, PENDING_VERIFY)}, 1, ALOFT_ERR_STATE,
     {AT(1, VALID), AT(2, PENDING_VERIFY)}},
    {"no other entry, but a good factory app", ROW_FACTORY | 0x3, ROW_FACTORY | 0x3,
     {NONE, AT(2, PENDING_VERIFY)}, 1, ALOFT_ERR_OK,
     {NONE, AT(2, INVALID)}},
    {"no other entry, and the factory app is broken", ROW_FACTORY | 0x3, 0x3,
     {NONE, AT(2, PENDING_VERIFY)}, 1, ALOFT_ERR_STATE,
     {NONE, AT(2, PENDING_VERIFY)}},
    {"a broken image of the other entry hides the factory app", ROW_FACTORY | 0x3, ROW_FACTORY | 0x2,
     {AT(1, VALID), AT(2, PENDING_VERIFY)}, 1, ALOFT_ERR_STATE,
     {AT(1, VALID), AT(2, PENDING_VERIFY)}},
    {"both entries select the running slot", 0x3, 0x3,
     {AT(4, VALID), AT(2, VALID)}, 1, ALOFT_ERR_STATE,
     {AT(4, VALID), AT(2, VALID)}},
    {"another slot is selected", 0x3, 0x3,
     {AT(1, VALID), AT(2, VALID)}, 0, ALOFT_ERR_STATE,
     {AT(1, VALID), AT(2, VALID)}},
    {"nothing is selected", 0x3, 0x3,
     {NONE, NONE}, 0, ALOFT_ERR_STATE,
     {NONE, NONE}},
    /* clang-format on */
};

static void reject__only_where_another_image_would_boot(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rejects / sizeof rejects[0]; i++) {
        struct aloft_otadata otadata;
        struct device d;
        uint8_t wanted[ALOFT_OTADATA_BYTES];

        device_begin(&d, DEVICE_FLASH_BYTES, aloft_chip_by_name("esp32c3"), true);
        device_put_table(&d, rejects[i].slots);
        for (int slot = 0; slot < 2; slot++) {
            device_put_image(&d, device_addr_of(slot), "app");
            d.bytes[device_addr_of(slot) + 200] ^= rejects[i].good >> slot & 1 ? 0 : 1;
        }
        device_put_image(&d, DEVICE_FACTORY_ADDR, "factory");
        d.bytes[DEVICE_FACTORY_ADDR + 200] ^= rejects[i].good & ROW_FACTORY ? 0 : 1;
        boot_cells_get_otadata(rejects[i].after, &otadata);
        device_put_otadata(&d, DEVICE_OTADATA_ADDR, &otadata);
        memcpy(wanted, d.bytes + DEVICE_OTADATA_ADDR, sizeof wanted);
        boot_cells_get_otadata(rejects[i].before, &otadata);
        device_put_otadata(&d, DEVICE_OTADATA_ADDR, &otadata);
        enum aloft_err err = boot_loader_reject(&d.boot, rejects[i].running, &d.e);
        if (err != rejects[i].err || memcmp(d.bytes + DEVICE_OTADATA_ADDR, wanted, sizeof wanted)) {
            fail_msg("%s: %s", rejects[i].what, aloft_err_name(err));
        }
        device_end(&d);
    }
}

/* Anti-rollback: what is too old is not a way back either. */
static void reject__does_not_lead_to_an_image_that_is_too_old(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;

    begin_unconfirmed(&d, &r);
    device_set_efuse(&d, 0x1);
    assert_err(boot_loader_reject(&d.boot, r.slot, &d.e), ALOFT_ERR_STATE);
    assert_int_equal(state_of(&d, 1), ALOFT_OTA_PENDING_VERIFY);
    device_end(&d);
}

static void efuse__counts_bits_and_burns_the_lowest(void **state)
{
    (void)state;
    struct efuse efuse = {.bits = 0x0, .n_bits = 4};

    assert_int_equal(efuse_version(&efuse), 0);
    assert_err(efuse_raise(&efuse, 2), ALOFT_ERR_OK);
    assert_int_equal(efuse.bits, 0x3);
    assert_err(efuse_raise(&efuse, 1), ALOFT_ERR_OK);
    assert_int_equal(efuse.bits, 0x3);
    assert_err(efuse_raise(&efuse, 5), ALOFT_ERR_RANGE);
    assert_int_equal(efuse.bits, 0x3);
    assert_err(efuse_raise(&efuse, 4), ALOFT_ERR_OK);
    assert_int_equal(efuse.bits, 0xF);
    efuse = (struct efuse){.bits = 0x5, .n_bits = 16}; /* burnt by somebody else */
    assert_int_equal(efuse_version(&efuse), 2);
    assert_err(efuse_raise(&efuse, 3), ALOFT_ERR_OK);
    assert_int_equal(efuse.bits, 0x7);
    efuse = (struct efuse){.bits = 0x7FFFFFFF, .n_bits = 32};
    assert_err(efuse_raise(&efuse, 32), ALOFT_ERR_OK);
    assert_int_equal(efuse.bits, 0xFFFFFFFF);
}

/* facts/esp-formats.md 3.6. */
static void efuse__is_as_wide_as_the_chip_has_it(void **state)
{
    (void)state;
    const struct aloft_chip *chip;

    for (size_t i = 0; (chip = aloft_chip_at(i)) != NULL; i++) {
        unsigned wanted = strcmp(chip->name, "esp32") == 0     ? 32
                          : strcmp(chip->name, "esp32c2") == 0 ? 4
                          : strcmp(chip->name, "esp32c5") == 0 ? 9
                                                               : 16;
        assert_int_equal(chip->secure_version_bits, wanted);
    }
}

static enum aloft_err store_nothing(void *ctx, uint32_t bits)
{
    (void)ctx;
    (void)bits;
    return ALOFT_ERR_IO;
}

static void efuse__that_cannot_be_stored_is_not_burnt(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;

    device_begin_layout(&d, aloft_layout_by_name("esp32c3_default"));
    device_put_versioned_image(&d, OTA_0, "old", 3);
    device_set_efuse(&d, 0);
    d.efuse.store = store_nothing;
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    assert_err(r.efuse_err, ALOFT_ERR_IO);
    assert_int_equal(r.slot, 0);
    assert_int_equal(d.efuse.bits, 0);
    d.efuse.store = NULL;
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
    assert_err(r.efuse_err, ALOFT_ERR_OK);
    assert_int_equal(d.efuse.bits, 0x7);
    device_end(&d);
}

/* The build tools would not make such an app; it boots, and the eFuse stays. */
static void efuse__narrower_than_the_version_stops_no_boot(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;

    device_begin_layout(&d, aloft_layout_by_name("esp32c2_default"));
    device_put_versioned_image(&d, OTA_0, "old", 5);
    device_set_efuse(&d, 0x1);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    assert_err(r.efuse_err, ALOFT_ERR_RANGE);
    assert_int_equal(d.efuse.bits, 0x1);
    device_end(&d);
}

/* The eFuse follows the proof: neither the choice nor the first boot raises it. */
static void upgrade__raises_the_efuse_when_it_is_confirmed(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;

    device_begin_layout(&d, aloft_layout_by_name("esp32c3_default"));
    device_put_versioned_image(&d, OTA_0, "old", 1);
    device_set_efuse(&d, 0);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(d.efuse.bits, 0x1); /* initial contents */
    device_put_versioned_image(&d, OTA_1, "new", 4);
    assert_err(boot_loader_select(&d.boot, 1, &d.e), ALOFT_ERR_OK);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, 1);
    assert_int_equal(d.efuse.bits, 0x1);
    assert_err(boot_loader_confirm(&d.boot, 1, &d.e), ALOFT_ERR_OK);
    assert_int_equal(d.efuse.bits, 0xF);

    /* No way back to the old one any more, not even as a fallback. */
    d.bytes[OTA_1 + 200] ^= 1;
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_NOT_FOUND);
    assert_non_null(strstr(d.e.sentence, "checksum"));
    device_end(&d);
}

/* A power cut between the entry and the eFuse: the next boot makes up for it. */
static void upgrade__confirmed_without_efuse_raises_it_at_the_next_boot(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;

    begin_unconfirmed(&d, &r);
    device_put_versioned_image(&d, OTA_1, "new", 2);
    device_set_efuse(&d, 0);
    d.efuse.store = store_nothing;
    assert_err(boot_loader_confirm(&d.boot, 1, &d.e), ALOFT_ERR_IO);
    assert_false(boot_loader_is_unconfirmed(&d.boot, 1));
    d.efuse.store = NULL;
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, 1);
    assert_int_equal(d.efuse.bits, 0x3);
    device_end(&d);
}

/* An image that is given up must not have raised the eFuse above the one that comes back. */
static void upgrade__rolled_back_leaves_the_efuse(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;

    begin_unconfirmed(&d, &r);
    device_put_versioned_image(&d, OTA_1, "new", 2);
    device_set_efuse(&d, 0);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, 0);
    assert_int_equal(r.reason, ALOFT_BOOT_ROLLBACK);
    assert_int_equal(d.efuse.bits, 0);
    device_end(&d);
}

static void select__of_an_older_image_erases_its_slot(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;

    device_begin_layout(&d, aloft_layout_by_name("esp32c3_default"));
    device_put_versioned_image(&d, OTA_0, "old", 3);
    device_set_efuse(&d, 0x7);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    device_put_versioned_image(&d, OTA_1, "older", 2);
    assert_err(boot_loader_select(&d.boot, 1, &d.e), ALOFT_ERR_SECURE_VERSION);
    assert_string_equal(d.e.sentence, "the image in ota_1 has secure version 2, this device takes "
                                      "3 and up; the slot was erased");
    assert_true(aloft_bytes_are(d.bytes + OTA_1, SLOT, 0xFF));
    assert_false(boot_loader_is_pending(&d.boot, 0));
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, 0);
    assert_int_equal(r.reason, ALOFT_BOOT_RESTART);

    device_put_versioned_image(&d, OTA_1, "as old", 3);
    assert_err(boot_loader_select(&d.boot, 1, &d.e), ALOFT_ERR_OK);
    device_end(&d);
}

/* Factory and test apps should not exist with anti-rollback; where they do, each load attempt asks
 * them too. */
static void run__asks_the_factory_and_test_apps_too(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;

    device_begin(&d, DEVICE_FLASH_BYTES, aloft_chip_by_name("esp32"), true);
    device_put_table(&d, ROW_FACTORY | ROW_TEST | 0x1);
    device_put_versioned_image(&d, DEVICE_FACTORY_ADDR, "factory", 1);
    device_put_versioned_image(&d, DEVICE_TEST_ADDR, "test", 2);
    device_set_efuse(&d, 0x3);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, ALOFT_BOOT_TEST);
    assert_int_equal(d.efuse.bits, 0x3);
    device_put_versioned_image(&d, DEVICE_TEST_ADDR, "test", 1);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_NOT_FOUND);
    device_end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reject__leads_back_to_the_image_before),
        cmocka_unit_test(confirm__leaves_an_image_alone_that_was_selected_since),
        cmocka_unit_test(reject__only_where_another_image_would_boot),
        cmocka_unit_test(reject__does_not_lead_to_an_image_that_is_too_old),
        cmocka_unit_test(efuse__counts_bits_and_burns_the_lowest),
        cmocka_unit_test(efuse__is_as_wide_as_the_chip_has_it),
        cmocka_unit_test(efuse__that_cannot_be_stored_is_not_burnt),
        cmocka_unit_test(efuse__narrower_than_the_version_stops_no_boot),
        cmocka_unit_test(upgrade__raises_the_efuse_when_it_is_confirmed),
        cmocka_unit_test(upgrade__confirmed_without_efuse_raises_it_at_the_next_boot),
        cmocka_unit_test(upgrade__rolled_back_leaves_the_efuse),
        cmocka_unit_test(select__of_an_older_image_erases_its_slot),
        cmocka_unit_test(run__asks_the_factory_and_test_apps_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
