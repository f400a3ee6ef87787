/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "aloft/bytes.h"
#include "boot_device.h"
#include "boot_rows.h"
#include "mini_image.h"

static void assert_table(const struct device *d, uint32_t addr,
                         const struct aloft_partition *entries, size_t n, bool has_md5)
{
    struct aloft_partition_table t;

    assert_err(aloft_partition_table_parse(d->bytes + addr, ALOFT_PARTITION_TABLE_BYTES,
                                           d->flash.size_bytes, d->boot.md5, &t),
               ALOFT_ERR_OK);
    assert_int_equal(t.n_entries, n);
    assert_int_equal(t.has_md5, has_md5);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(t.entries[i].label, entries[i].label);
        assert_int_equal(t.entries[i].off, entries[i].off);
    }
}

static void check_first_boot(const struct aloft_layout *layout)
{
    const struct aloft_partition *factory =
        aloft_partition_by_label(layout->primary, layout->n_primary, "factory");
    uint32_t container =
        aloft_partition_by_label(layout->primary, layout->n_primary, "at_customize")->off;
    struct aloft_otadata_entry first, second;
    struct boot_result result;
    struct device d;

    device_begin_layout(&d, layout);
    assert_table(&d, 0x8000, layout->primary, layout->n_primary, false);
    assert_table(&d, container, layout->secondary, layout->n_secondary, true);
    assert_true(aloft_bytes_are(d.bytes, 0x8000, 0xFF));
    assert_true(aloft_bytes_are(d.bytes + device_otadata_of(layout), ALOFT_OTADATA_BYTES, 0xFF));
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &result, &d.e), ALOFT_ERR_OK);
    assert_int_equal(result.slot, factory ? ALOFT_BOOT_FACTORY : 0);
    assert_int_equal(result.reason, ALOFT_BOOT_POWER);
    assert_string_equal(result.desc.version, "old");
    assert_string_equal(result.desc.project_name, "esp-at");
    aloft_otadata_entry_parse(d.bytes + device_otadata_of(layout), &first);
    aloft_otadata_entry_parse(d.bytes + device_otadata_of(layout) + 0x1000, &second);
    assert_int_equal(first.seq, factory ? 0xFFFFFFFF : 1);
    assert_int_equal(first.state, factory ? ALOFT_OTA_UNDEFINED : ALOFT_OTA_VALID);
    assert_int_equal(second.seq, 0xFFFFFFFF);
    device_end(&d);
}

static void format__makes_every_layout_bootable(void **state)
{
    (void)state;
    const struct aloft_layout *layout;
    size_t n = 0;

    for (; (layout = aloft_layout_at(n)) != NULL; n++) {
        check_first_boot(layout);
    }
    assert_true(n >= 7);
}

static void format__refuses_what_does_not_fit(void **state)
{
    (void)state;
    const struct aloft_layout *layout = aloft_layout_by_name("esp32c3_default");
    uint8_t *app = calloc(1, 0x1D0001);
    struct device d;

    device_begin(&d, layout->flash_bytes, aloft_chip_by_id(layout->chip_id), true);
    assert_err(boot_loader_format(&d.boot, layout, app, 0x1D0001, &d.e), ALOFT_ERR_TOO_BIG);
    assert_non_null(strstr(d.e.sentence, "ota_0"));
    assert_err(boot_loader_format(&d.boot, layout, NULL, 0, &d.e), ALOFT_ERR_OK);
    d.flash.size_bytes = 0x200000;
    assert_err(boot_loader_format(&d.boot, layout, app, 1, &d.e), ALOFT_ERR_ARG);
    free(app);
    device_end(&d);
}

static void upgrade__passes_from_new_to_valid(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;
    struct aloft_slot spare;

    device_begin_layout(&d, aloft_layout_by_name("esp32c3_default"));
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    assert_err(boot_loader_spare(&d.boot, r.slot, &spare, &d.e), ALOFT_ERR_OK);
    assert_int_equal(spare.index, 1);
    assert_int_equal(spare.addr, 0x230000);
    assert_int_equal(spare.size_bytes, 0x1D0000);
    assert_false(boot_loader_is_pending(&d.boot, 0));

    device_put_image(&d, spare.addr, "new");
    assert_err(boot_loader_select(&d.boot, spare.index, &d.e), ALOFT_ERR_OK);
    assert_true(boot_loader_is_pending(&d.boot, 0));
    assert_false(boot_loader_is_unconfirmed(&d.boot, 0));

    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, 1);
    assert_int_equal(r.reason, ALOFT_BOOT_UPGRADE);
    assert_string_equal(r.desc.version, "new");
    assert_true(boot_loader_is_unconfirmed(&d.boot, 1));
    assert_err(boot_loader_confirm(&d.boot, 1, &d.e), ALOFT_ERR_OK);
    assert_false(boot_loader_is_unconfirmed(&d.boot, 1));
    assert_err(boot_loader_confirm(&d.boot, 1, &d.e), ALOFT_ERR_OK);

    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, 1);
    assert_int_equal(r.reason, ALOFT_BOOT_RESTART);
    assert_err(boot_loader_spare(&d.boot, r.slot, &spare, &d.e), ALOFT_ERR_OK);
    assert_int_equal(spare.index, 0);
    device_end(&d);
}

static void upgrade__without_confirmation_is_rolled_back(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;

    device_begin_layout(&d, aloft_layout_by_name("esp32_default"));
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    device_put_image(&d, 0x280000, "new");
    assert_err(boot_loader_select(&d.boot, 1, &d.e), ALOFT_ERR_OK);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, 1);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, 0);
    assert_int_equal(r.reason, ALOFT_BOOT_ROLLBACK);
    assert_false(boot_loader_is_pending(&d.boot, 0));
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.reason, ALOFT_BOOT_RESTART);
    device_end(&d);
}

/* The selected image went bad after it was verified: the old one runs and can be upgraded again. */
static void fallback__is_no_pending_upgrade(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;

    device_begin_layout(&d, aloft_layout_by_name("esp32c5_default"));
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    device_put_image(&d, 0x2C0000, "new");
    assert_err(boot_loader_select(&d.boot, 1, &d.e), ALOFT_ERR_OK);
    d.bytes[0x2C0000 + 200] ^= 1;
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, 0);
    assert_int_equal(r.reason, ALOFT_BOOT_ROLLBACK);
    assert_false(boot_loader_is_pending(&d.boot, 0));
    device_end(&d);
}

/* The bad image is replaced by one that does not come up either: its old VALID entry must not boot
 * it for ever (facts/esp-formats.md 3.4, the rule of 6.x). */
static void fallback__upgraded_without_confirmation_is_rolled_back(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;

    device_begin_layout(&d, aloft_layout_by_name("esp32c3_default"));
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    device_put_image(&d, 0x230000, "new");
    assert_err(boot_loader_select(&d.boot, 1, &d.e), ALOFT_ERR_OK);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
    assert_err(boot_loader_confirm(&d.boot, 1, &d.e), ALOFT_ERR_OK);
    d.bytes[0x230000 + 200] ^= 1;
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, 0);

    assert_err(flash_erase(&d.flash, 0x230000, 0x1D0000), ALOFT_ERR_OK);
    device_put_image(&d, 0x230000, "newer");
    assert_err(boot_loader_select(&d.boot, 1, &d.e), ALOFT_ERR_OK);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, 1);
    assert_int_equal(r.reason, ALOFT_BOOT_UPGRADE);
    assert_true(boot_loader_is_unconfirmed(&d.boot, 1));
    for (int i = 0; i < 2; i++) {
        assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
        assert_int_equal(r.slot, 0);
    }
    device_end(&d);
}

static void select__refuses_a_bad_image_and_writes_nothing(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;

    device_begin_layout(&d, aloft_layout_by_name("esp32c3_default"));
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    flash_cut_power_after(&d.flash, 0);
    assert_err(boot_loader_select(&d.boot, 1, &d.e), ALOFT_ERR_MAGIC);
    assert_non_null(strstr(d.e.sentence, "ota_1"));
    mini_image_make(aloft_chip_by_name("esp32c6"), "alien", d.bytes + 0x230000);
    assert_err(boot_loader_select(&d.boot, 1, &d.e), ALOFT_ERR_CHIP);
    assert_err(boot_loader_select(&d.boot, 2, &d.e), ALOFT_ERR_RANGE);
    device_end(&d);
}

static void spare__is_missing_where_there_is_one_slot(void **state)
{
    (void)state;
    static const char *const names[] = {"esp32c2-2mb", "esp32c3_rainmaker", "esp32-d2wd"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct device d;
        struct boot_result r;
        struct aloft_slot spare;
        device_begin_layout(&d, aloft_layout_by_name(names[i]));
        assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
        assert_err(boot_loader_spare(&d.boot, r.slot, &spare, &d.e), ALOFT_ERR_NO_SLOT);
        device_end(&d);
    }
}

static void spare__is_the_lowest_slot_for_the_factory_app(void **state)
{
    (void)state;
    struct device d;
    struct aloft_slot spare;

    device_begin(&d, DEVICE_FLASH_BYTES, aloft_chip_by_name("esp32"), true);
    device_put_table(&d, ROW_FACTORY | 0x7);
    assert_err(boot_loader_spare(&d.boot, ALOFT_BOOT_FACTORY, &spare, &d.e), ALOFT_ERR_OK);
    assert_int_equal(spare.index, 0);
    assert_err(boot_loader_spare(&d.boot, 2, &spare, &d.e), ALOFT_ERR_OK);
    assert_int_equal(spare.index, 0);
    device_end(&d);
}

static void run__refuses_a_flash_it_cannot_read(void **state)
{
    (void)state;
    struct device d;
    struct boot_result r;
    struct aloft_partition_table t = {0};

    device_begin(&d, DEVICE_FLASH_BYTES, aloft_chip_by_name("esp32"), true);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_NOT_FOUND);
    memset(d.bytes + 0x8000, 0, 0x1000);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_MAGIC);
    t.n_entries = 2;
    t.entries[0] = (struct aloft_partition){
        .type = ALOFT_PARTITION_DATA, .off = DEVICE_OTADATA_ADDR, .size_bytes = 0x1000};
    t.entries[1] = (struct aloft_partition){.subtype = ALOFT_PARTITION_APP_OTA_0,
                                            .off = DEVICE_OTA_ADDR,
                                            .size_bytes = DEVICE_SLOT_BYTES};
    device_put_image(&d, DEVICE_OTA_ADDR, "x");
    assert_err(aloft_partition_table_encode(&t, NULL, d.bytes + 0x8000), ALOFT_ERR_OK);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_RANGE);
    t.entries[0].subtype = 0x02; /* no otadata at all: boots, and writes nothing */
    assert_err(aloft_partition_table_encode(&t, NULL, d.bytes + 0x8000), ALOFT_ERR_OK);
    flash_cut_power_after(&d.flash, 0);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    assert_err(boot_loader_select(&d.boot, 0, &d.e), ALOFT_ERR_NOT_FOUND);
    device_end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format__makes_every_layout_bootable),
        cmocka_unit_test(format__refuses_what_does_not_fit),
        cmocka_unit_test(upgrade__passes_from_new_to_valid),
        cmocka_unit_test(upgrade__without_confirmation_is_rolled_back),
        cmocka_unit_test(fallback__is_no_pending_upgrade),
        cmocka_unit_test(fallback__upgraded_without_confirmation_is_rolled_back),
        cmocka_unit_test(select__refuses_a_bad_image_and_writes_nothing),
        cmocka_unit_test(spare__is_missing_where_there_is_one_slot),
        cmocka_unit_test(spare__is_the_lowest_slot_for_the_factory_app),
        cmocka_unit_test(run__refuses_a_flash_it_cannot_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
