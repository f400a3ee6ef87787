/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "boot_device.h"
#include "boot_rows.h"

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

static enum aloft_err act_boot_and_reject(struct device *d)
{
    struct boot_result r;
    enum aloft_err err = boot_loader_run(&d->boot, ALOFT_BOOT_POWER, &r, &d->e);
    return err == ALOFT_ERR_OK ? boot_loader_reject(&d->boot, r.slot, &d->e) : err;
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
        device_begin_layout(&d, c->layout);
        device_put_image(&d, ota_1->off, "new");
        device_put_otadata(&d, device_otadata_of(c->layout), &otadata);
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
        {{AT(1, VALID), AT(2, NEW)}, act_boot_and_reject, {0, 0}, {9, 18}},
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

/* The way back of AT+SYSROLLBACK and of the limit: from the first unit on it leads nowhere else,
 * also where the fallback scan would begin with the image that was given up. */
static void power_cut__in_a_reject_never_boots_what_was_given_up(void **state)
{
    static const struct boot_cell rows[][2] = {
        {AT(3, PENDING_VERIFY), AT(2, VALID)},
        {AT(1, VALID), AT(2, PENDING_VERIFY)},
    };
    const struct aloft_layout *layout = aloft_layout_by_name("esp32c3_default");
    (void)state;

    for (int running = 0; running < 2; running++) {
        struct aloft_otadata otadata;
        enum aloft_err err = ALOFT_ERR_FLASH;
        boot_cells_get_otadata(rows[running], &otadata);
        for (uint64_t n_units = 0; err != ALOFT_ERR_OK; n_units++) {
            struct device d;
            device_begin_layout(&d, layout);
            device_put_image(
                &d, aloft_partition_by_label(layout->primary, layout->n_primary, "ota_1")->off,
                "new");
            device_put_otadata(&d, device_otadata_of(layout), &otadata);
            flash_cut_power_after(&d.flash, n_units);
            err = boot_loader_reject(&d.boot, running, &d.e);
            assert_boots_whole(&d, 1 - running);
            assert_boots_whole(&d, 1 - running);
            device_end(&d);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cut__at_every_unit_boots_a_whole_image),
        cmocka_unit_test(power_cut__in_a_reject_never_boots_what_was_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
