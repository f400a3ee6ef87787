/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/bytes.h"
#include "aloft/layout.h"
#include "boot_rows.h"
#include "host/hashes.h"
#include "mini_image.h"
#include "models/boot_loader.h"

/* A device of our own making for the table of decisions: 64 KiB slots in 2 MiB. */
#define FLASH_BYTES  0x200000u
#define OTADATA_ADDR 0x9000u
#define SLOT_BYTES   0x10000u
#define OTA_ADDR     0x20000u
#define FACTORY_ADDR 0x180000u
#define TEST_ADDR    0x190000u

struct device {
    uint8_t *bytes;
    struct flash flash;
    struct boot_loader boot;
    struct error e;
};

static void on_violation(void *ctx, uint32_t addr)
{
    (void)ctx;
    fail_msg("a program at 0x%x asks a 0 to become 1", addr);
}

static void device_begin(struct device *d, uint32_t flash_bytes, const struct aloft_chip *chip,
                         bool has_rollback)
{
    const struct flash_hooks hooks = {NULL, NULL, on_violation};

    d->bytes = malloc(flash_bytes);
    assert_non_null(d->bytes);
    memset(d->bytes, 0xFF, flash_bytes);
    flash_init(&d->flash, d->bytes, flash_bytes, &hooks);
    d->boot = (struct boot_loader){.flash = &d->flash,
                                   .chip = chip,
                                   .has_rollback = has_rollback,
                                   .sha256 = hash_new_sha256(),
                                   .md5 = hash_new_md5()};
}

static void device_end(struct device *d)
{
    hash_free((struct aloft_hash *)(uintptr_t)d->boot.sha256);
    hash_free((struct aloft_hash *)(uintptr_t)d->boot.md5);
    free(d->bytes);
}

static void put_image(struct device *d, uint32_t addr, const char *version)
{
    mini_image_make(d->boot.chip, version, d->bytes + addr);
}

static void put_otadata(struct device *d, uint32_t addr, const struct aloft_otadata *otadata)
{
    memset(d->bytes + addr, 0xFF, ALOFT_OTADATA_BYTES);
    aloft_otadata_entry_encode(&otadata->entry[0], d->bytes + addr);
    aloft_otadata_entry_encode(&otadata->entry[1], d->bytes + addr + 0x1000);
}

static void add_partition(struct aloft_partition_table *t, uint8_t type, uint8_t subtype,
                          uint32_t addr, uint32_t size)
{
    t->entries[t->n_entries++] =
        (struct aloft_partition){.type = type, .subtype = subtype, .off = addr, .size_bytes = size};
}

static void put_table(struct device *d, uint32_t slots)
{
    struct aloft_partition_table t = {0};

    add_partition(&t, 1, 0, OTADATA_ADDR, 0x2000);
    for (uint8_t i = 0; i < 16; i++) {
        if ((slots >> i) & 1) {
            add_partition(&t, 0, (uint8_t)(0x10 + i), OTA_ADDR + i * SLOT_BYTES, SLOT_BYTES);
        }
    }
    if (slots & ROW_FACTORY) {
        add_partition(&t, 0, 0, FACTORY_ADDR, SLOT_BYTES);
    }
    if (slots & ROW_TEST) {
        add_partition(&t, 0, 0x20, TEST_ADDR, SLOT_BYTES);
    }
    assert_err(aloft_partition_table_encode(&t, NULL, d->bytes + 0x8000), ALOFT_ERR_OK);
}

static uint32_t addr_of(int slot)
{
    if (slot == ALOFT_BOOT_FACTORY) {
        return FACTORY_ADDR;
    }
    return slot == ALOFT_BOOT_TEST ? TEST_ADDR : OTA_ADDR + (uint32_t)slot * SLOT_BYTES;
}

/* Good ones boot; of the others, every second is half overwritten and the rest is erased flash. */
static void put_images(struct device *d, const struct boot_row *row)
{
    static const int slots[] = {0, 1, 2, ALOFT_BOOT_FACTORY, ALOFT_BOOT_TEST};

    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        uint32_t bit = slots[i] == ALOFT_BOOT_FACTORY ? ROW_FACTORY
                       : slots[i] == ALOFT_BOOT_TEST  ? ROW_TEST
                                                      : 1u << slots[i];
        char version[16];
        (void)snprintf(version, sizeof version, "slot%d", slots[i]);
        if (row->good & bit) {
            put_image(d, addr_of(slots[i]), version);
        } else if (i % 2 == 0) {
            put_image(d, addr_of(slots[i]), version);
            memset(d->bytes + addr_of(slots[i]) + 100, 0, 50);
        }
    }
}

static void check_row(size_t i, const struct aloft_chip *chip, bool has_rollback)
{
    const struct boot_row *row = &boot_rows[i];
    struct aloft_otadata before;
    struct aloft_otadata after;
    struct boot_result result;
    struct device d;
    uint8_t wanted[ALOFT_OTADATA_BYTES];

    device_begin(&d, FLASH_BYTES, chip, has_rollback);
    put_table(&d, row->slots);
    put_images(&d, row);
    boot_cells_get_otadata(row->before, &before);
    boot_cells_get_otadata(row->after, &after);
    put_otadata(&d, OTADATA_ADDR, &after);
    memcpy(wanted, d.bytes + OTADATA_ADDR, sizeof wanted);
    put_otadata(&d, OTADATA_ADDR, &before);

    enum aloft_err err = boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &result, &d.e);
    if (row->boots == ROW_RESET) {
        assert_err(err, ALOFT_ERR_NOT_FOUND);
    } else {
        char version[16];
        (void)snprintf(version, sizeof version, "slot%d", row->boots);
        if (err != ALOFT_ERR_OK || result.slot != row->boots) {
            fail_msg("row %zu on %s: boots %d, wanted %d", i + 1, chip->name, result.slot,
                     row->boots);
        }
        assert_string_equal(result.desc.version, version);
        assert_int_equal(result.addr, addr_of(row->boots));
        assert_int_equal(result.size_bytes, SLOT_BYTES);
    }
    if (memcmp(d.bytes + OTADATA_ADDR, wanted, sizeof wanted) != 0) {
        fail_msg("row %zu on %s: otadata differs", i + 1, chip->name);
    }
    device_end(&d);
}

static void run__takes_every_decision_on_a_real_flash(void **state)
{
    (void)state;
    static const char *const chips[] = {"esp32", "esp32c2", "esp32c3", "esp32c6", "esp32c61"};

    for (size_t c = 0; c < sizeof chips / sizeof chips[0]; c++) {
        const struct aloft_chip *chip = aloft_chip_by_name(chips[c]);
        assert_non_null(chip);
        for (size_t i = 0; i < N_BOOT_ROWS; i++) {
            if (boot_rows[i].build == ANY || boot_rows[i].build == RB) {
                check_row(i, chip, true);
            }
            if (boot_rows[i].build == ANY || boot_rows[i].build == NO_RB) {
                check_row(i, chip, false);
            }
        }
    }
}

/* A formatted device of a layout with the app "old" in it. */
static void begin_layout(struct device *d, const struct aloft_layout *layout)
{
    uint8_t app[MINI_IMAGE_BYTES];

    device_begin(d, layout->flash_bytes, aloft_chip_by_id(layout->chip_id), layout->has_rollback);
    assert_non_null(d->boot.chip);
    mini_image_make(d->boot.chip, "old", app);
    assert_err(boot_loader_format(&d->boot, layout, app, sizeof app, &d->e), ALOFT_ERR_OK);
}

static uint32_t otadata_of(const struct aloft_layout *layout)
{
    return aloft_partition_by_label(layout->primary, layout->n_primary, "otadata")->off;
}

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

    begin_layout(&d, layout);
    assert_table(&d, 0x8000, layout->primary, layout->n_primary, false);
    assert_table(&d, container, layout->secondary, layout->n_secondary, true);
    assert_true(aloft_bytes_are(d.bytes, 0x8000, 0xFF));
    assert_true(aloft_bytes_are(d.bytes + otadata_of(layout), ALOFT_OTADATA_BYTES, 0xFF));
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &result, &d.e), ALOFT_ERR_OK);
    assert_int_equal(result.slot, factory ? ALOFT_BOOT_FACTORY : 0);
    assert_int_equal(result.reason, ALOFT_BOOT_POWER);
    assert_string_equal(result.desc.version, "old");
    assert_string_equal(result.desc.project_name, "esp-at");
    aloft_otadata_entry_parse(d.bytes + otadata_of(layout), &first);
    aloft_otadata_entry_parse(d.bytes + otadata_of(layout) + 0x1000, &second);
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

    begin_layout(&d, aloft_layout_by_name("esp32c3_default"));
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    assert_err(boot_loader_spare(&d.boot, r.slot, &spare, &d.e), ALOFT_ERR_OK);
    assert_int_equal(spare.index, 1);
    assert_int_equal(spare.addr, 0x230000);
    assert_int_equal(spare.size_bytes, 0x1D0000);
    assert_false(boot_loader_is_pending(&d.boot, 0));

    put_image(&d, spare.addr, "new");
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

    begin_layout(&d, aloft_layout_by_name("esp32_default"));
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    put_image(&d, 0x280000, "new");
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

    begin_layout(&d, aloft_layout_by_name("esp32c5_default"));
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    put_image(&d, 0x2C0000, "new");
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

    begin_layout(&d, aloft_layout_by_name("esp32c3_default"));
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    put_image(&d, 0x230000, "new");
    assert_err(boot_loader_select(&d.boot, 1, &d.e), ALOFT_ERR_OK);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_RESTART, &r, &d.e), ALOFT_ERR_OK);
    assert_err(boot_loader_confirm(&d.boot, 1, &d.e), ALOFT_ERR_OK);
    d.bytes[0x230000 + 200] ^= 1;
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    assert_int_equal(r.slot, 0);

    assert_err(flash_erase(&d.flash, 0x230000, 0x1D0000), ALOFT_ERR_OK);
    put_image(&d, 0x230000, "newer");
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

    begin_layout(&d, aloft_layout_by_name("esp32c3_default"));
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
        begin_layout(&d, aloft_layout_by_name(names[i]));
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

    device_begin(&d, FLASH_BYTES, aloft_chip_by_name("esp32"), true);
    put_table(&d, ROW_FACTORY | 0x7);
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

    device_begin(&d, FLASH_BYTES, aloft_chip_by_name("esp32"), true);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_NOT_FOUND);
    memset(d.bytes + 0x8000, 0, 0x1000);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_MAGIC);
    add_partition(&t, 1, 0, OTADATA_ADDR, 0x1000);
    add_partition(&t, 0, 0x10, OTA_ADDR, SLOT_BYTES);
    put_image(&d, OTA_ADDR, "x");
    assert_err(aloft_partition_table_encode(&t, NULL, d.bytes + 0x8000), ALOFT_ERR_OK);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_RANGE);
    t.entries[0].subtype = 0x02; /* no otadata at all: boots, and writes nothing */
    assert_err(aloft_partition_table_encode(&t, NULL, d.bytes + 0x8000), ALOFT_ERR_OK);
    flash_cut_power_after(&d.flash, 0);
    assert_err(boot_loader_run(&d.boot, ALOFT_BOOT_POWER, &r, &d.e), ALOFT_ERR_OK);
    assert_err(boot_loader_select(&d.boot, 0, &d.e), ALOFT_ERR_NOT_FOUND);
    device_end(&d);
}

/* Power cuts: an act is repeated from the same flash, cut after 0, 1, 2, ... units, until it gets
 * through; after each cut the next power-on must boot a whole image. */

struct cut {
    const struct aloft_layout *layout;
    struct boot_cell cells[2];
    enum aloft_err (*act)(struct device *d);
    int boots_if_done; /* slot at the first power-on after the act got through */
};

static enum aloft_err act_select_0(struct device *d)
{
    return boot_loader_select(&d->boot, 0, &d->e);
}

static enum aloft_err act_select_1(struct device *d)
{
    return boot_loader_select(&d->boot, 1, &d->e);
}

static enum aloft_err act_boot(struct device *d)
{
    struct boot_result r;
    return boot_loader_run(&d->boot, ALOFT_BOOT_POWER, &r, &d->e);
}

static enum aloft_err act_boot_and_confirm(struct device *d)
{
    struct boot_result r;
    enum aloft_err err = boot_loader_run(&d->boot, ALOFT_BOOT_POWER, &r, &d->e);
    return err == ALOFT_ERR_OK ? boot_loader_confirm(&d->boot, r.slot, &d->e) : err;
}

static void assert_boots_whole(struct device *d, int wanted_slot)
{
    static const char *const versions[] = {"old", "new"};
    struct boot_result r;

    flash_cut_power_after(&d->flash, FLASH_UNITS_ENDLESS);
    assert_err(boot_loader_run(&d->boot, ALOFT_BOOT_POWER, &r, &d->e), ALOFT_ERR_OK);
    assert_in_range(r.slot, 0, 1);
    assert_string_equal(r.desc.version, versions[r.slot]);
    if (wanted_slot >= 0) {
        assert_int_equal(r.slot, wanted_slot);
    }
}

static uint64_t check_cut(const struct cut *c)
{
    struct aloft_otadata otadata;
    const struct aloft_partition *ota_1 =
        aloft_partition_by_label(c->layout->primary, c->layout->n_primary, "ota_1");
    enum aloft_err err = ALOFT_ERR_FLASH;
    uint64_t n_units = 0;

    boot_cells_get_otadata(c->cells, &otadata);
    for (; err != ALOFT_ERR_OK; n_units++) {
        struct device d;
        begin_layout(&d, c->layout);
        put_image(&d, ota_1->off, "new");
        put_otadata(&d, otadata_of(c->layout), &otadata);
        flash_cut_power_after(&d.flash, n_units);
        err = c->act(&d);
        assert_true(err == ALOFT_ERR_OK || err == ALOFT_ERR_FLASH);
        assert_boots_whole(&d, err == ALOFT_ERR_OK ? c->boots_if_done : -1);
        device_end(&d);
    }
    return n_units - 1;
}

#define NONE                                                                                       \
    {                                                                                              \
        false, 0, 0, false                                                                         \
    }
#define AT(seq, st)                                                                                \
    {                                                                                              \
        true, seq, ALOFT_OTA_##st, false                                                           \
    }

static void power_cut__at_every_unit_boots_a_whole_image(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        struct boot_cell cells[2];
        enum aloft_err (*act)(struct device *d);
        int boots_if_done[2]; /* without and with rollback */
        uint64_t n_units[2];  /* an entry is 1 sector and 8 words */
    } rows[] = {
        {{NONE, NONE}, act_boot, {0, 0}, {9, 9}},
        {{AT(1, VALID), NONE}, act_select_1, {1, 1}, {9, 9}},
        {{AT(2, VALID), NONE}, act_select_0, {0, 0}, {9, 9}},
        {{AT(1, VALID), AT(2, VALID)}, act_select_0, {0, 0}, {9, 9}},
        {{AT(3, VALID), AT(2, VALID)}, act_select_1, {1, 1}, {9, 9}},
        {{AT(3, VALID), AT(2, VALID)}, act_select_0, {0, 0}, {9, 9}},
        {{AT(1, VALID), AT(2, NEW)}, act_boot, {1, 0}, {0, 9}},
        {{AT(1, VALID), AT(2, PENDING_VERIFY)}, act_boot, {1, 0}, {0, 9}},
        {{NONE, AT(2, PENDING_VERIFY)}, act_boot, {1, 0}, {0, 9}},
        {{AT(1, PENDING_VERIFY), AT(2, PENDING_VERIFY)}, act_boot, {1, 0}, {0, 18}},
        {{AT(1, VALID), AT(2, NEW)}, act_boot_and_confirm, {1, 1}, {0, 18}},
    };
    /* clang-format on */
    static const char *const names[] = {"esp32_default", "esp32c3_default", "esp32c5_default"};

    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        const struct aloft_layout *layout = aloft_layout_by_name(names[k]);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct cut c = {layout,
                            {rows[i].cells[0], rows[i].cells[1]},
                            rows[i].act,
                            rows[i].boots_if_done[layout->has_rollback]};
            uint64_t n = check_cut(&c);
            if (n != rows[i].n_units[layout->has_rollback]) {
                fail_msg("row %zu on %s took %llu units", i, names[k], (unsigned long long)n);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__takes_every_decision_on_a_real_flash),
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
        cmocka_unit_test(power_cut__at_every_unit_boots_a_whole_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
