/* SPDX-License-Identifier: Apache-2.0 */
#include "models/boot_flash.h"

#include <string.h>

#include "aloft/limits.h"

static enum aloft_err store_dirty(const struct boot_loader *b, const struct boot_flash *flash,
                                  const struct aloft_boot_plan *plan, struct error *e)
{
    for (int i = 0; i < 2; i++) {
        if (!plan->dirty[i]) {
            continue;
        }
        enum aloft_err err = boot_flash_store_entry(b, flash, i, &plan->otadata.entry[i], e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return ALOFT_ERR_OK;
}

static void fill_result(const struct aloft_partition *p, const struct aloft_app_image *img,
                        int slot, struct boot_result *ret_result)
{
    *ret_result = (struct boot_result){.slot = slot,
                                       .addr = p->off,
                                       .size_bytes = p->size_bytes,
                                       .has_desc = img->has_desc,
                                       .desc = img->desc};
}

static enum aloft_err try_candidates(const struct boot_loader *b, const struct boot_flash *flash,
                                     const struct aloft_boot_plan *plan,
                                     struct boot_result *ret_result, struct error *e)
{
    enum aloft_err first = ALOFT_ERR_OK;

    for (uint32_t i = 0; i < plan->n_order; i++) {
        const struct aloft_partition *p = boot_flash_find_app(flash, plan->order[i]);
        struct aloft_app_image img;
        enum aloft_err err = boot_flash_verify(b, p, &img);
        if (err == ALOFT_ERR_OK) {
            fill_result(p, &img, plan->order[i], ret_result);
            return ALOFT_ERR_OK;
        }
        first = i == 0 ? err : first;
    }
    if (plan->n_order == 0) {
        return fail(e, ALOFT_ERR_NOT_FOUND,
                    "nothing bootable: there is no app partition, or none with a secure version "
                    "of at least %u",
                    b->efuse ? efuse_version(b->efuse) : 0);
    }
    return fail(e, ALOFT_ERR_NOT_FOUND, "nothing bootable in %u app partitions; the first one: %s",
                plan->n_order, aloft_err_text(first));
}

static bool became(const struct aloft_boot_plan *plan, int index, uint32_t state)
{
    return plan->dirty[index] && plan->otadata.entry[index].state == state;
}

/* What otadata tells of this boot, while `plan->dirty` still shows what it changed. */
static enum aloft_boot_reason find_reason(const struct aloft_boot_plan *plan, uint32_t n_slots,
                                          int booted, enum aloft_boot_reason cause)
{
    int active = aloft_otadata_active(&plan->otadata);
    bool has_choice = active >= 0 && n_slots > 0;
    bool is_choice =
        has_choice && aloft_otadata_slot(&plan->otadata.entry[active], n_slots) == (uint32_t)booted;

    if (is_choice && became(plan, active, ALOFT_OTA_PENDING_VERIFY)) {
        return ALOFT_BOOT_UPGRADE;
    }
    if ((has_choice && !is_choice) || became(plan, 0, ALOFT_OTA_ABORTED) ||
        became(plan, 1, ALOFT_OTA_ABORTED)) {
        return ALOFT_BOOT_ROLLBACK;
    }
    return cause;
}

static void get_facts(const struct boot_loader *b, const struct boot_flash *flash,
                      struct aloft_boot_facts *ret_facts)
{
    aloft_boot_facts_from_table(&flash->table, ret_facts);
    ret_facts->has_rollback = b->has_rollback;
    if (!b->efuse) {
        return;
    }
    ret_facts->has_anti_rollback = true;
    ret_facts->efuse_version = efuse_version(b->efuse);
    for (int i = 0; i < ALOFT_BOOT_SLOTS_MAX; i++) {
        if (ret_facts->slot_exists[i]) {
            ret_facts->slot_version[i] =
                boot_flash_secure_version(b, boot_flash_find_app(flash, i));
        }
    }
}

enum aloft_err boot_loader_run(const struct boot_loader *b, enum aloft_boot_reason cause,
                               struct boot_result *ret_result, struct error *e)
{
    struct boot_flash flash;
    struct aloft_boot_facts facts;
    struct aloft_boot_plan plan;
    enum aloft_err err = boot_flash_load(b, &flash, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    get_facts(b, &flash, &facts);
    aloft_boot_plan_make(&facts, flash.otadata ? &flash.entries : NULL, &plan);
    err = store_dirty(b, &flash, &plan, e);
    if (err == ALOFT_ERR_OK) {
        err = try_candidates(b, &flash, &plan, ret_result, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    ret_result->reason = find_reason(&plan, facts.n_slots, ret_result->slot, cause);
    uint32_t version = 0;
    aloft_boot_plan_booted(&facts, &plan, ret_result->slot, &version);
    if (b->efuse) {
        ret_result->efuse_err = efuse_raise(b->efuse, version);
    }
    return store_dirty(b, &flash, &plan, e);
}

static enum aloft_err write_table(const struct boot_loader *b, uint32_t addr,
                                  const struct aloft_partition *entries, size_t n_entries,
                                  bool has_md5)
{
    struct aloft_partition_table table = {.n_entries = n_entries, .has_md5 = has_md5};
    uint8_t buf[ALOFT_PARTITION_TABLE_BYTES];

    if (n_entries > ALOFT_PARTITION_MAX) {
        return ALOFT_ERR_TOO_BIG;
    }
    memcpy(table.entries, entries, n_entries * sizeof *entries);
    enum aloft_err err = aloft_partition_table_encode(&table, b->md5, buf);
    return err == ALOFT_ERR_OK ? flash_program(b->flash, addr, buf, sizeof buf) : err;
}

static enum aloft_err write_tables(const struct boot_loader *b, const struct aloft_layout *layout)
{
    enum aloft_err err =
        write_table(b, ALOFT_PARTITION_TABLE_OFF, layout->primary, layout->n_primary, false);
    const struct aloft_partition *container =
        aloft_partition_by_label(layout->primary, layout->n_primary, "at_customize");

    if (err != ALOFT_ERR_OK || !container || layout->n_secondary == 0) {
        return err;
    }
    return write_table(b, container->off, layout->secondary, layout->n_secondary, true);
}

enum aloft_err boot_loader_format(const struct boot_loader *b, const struct aloft_layout *layout,
                                  const uint8_t *app, size_t app_len, struct error *e)
{
    const struct aloft_partition *slot = aloft_partition_by_type(
        layout->primary, layout->n_primary, ALOFT_PARTITION_APP, ALOFT_PARTITION_APP_OTA_0);

    if (!slot) {
        slot = aloft_partition_by_type(layout->primary, layout->n_primary, ALOFT_PARTITION_APP,
                                       ALOFT_PARTITION_APP_FACTORY);
    }
    if (!slot) {
        return fail(e, ALOFT_ERR_NOT_FOUND, "layout %s has no slot for an app", layout->name);
    }
    if (b->flash->size_bytes != layout->flash_bytes) {
        return fail(e, ALOFT_ERR_ARG, "layout %s wants a flash of %u bytes, this one has %u",
                    layout->name, layout->flash_bytes, b->flash->size_bytes);
    }
    if (app && app_len > slot->size_bytes) {
        return fail(e, ALOFT_ERR_TOO_BIG, "the app has %zu bytes, slot %s of layout %s takes %u",
                    app_len, slot->label, layout->name, slot->size_bytes);
    }
    enum aloft_err err = flash_erase(b->flash, 0, layout->flash_bytes);
    if (err == ALOFT_ERR_OK) {
        err = write_tables(b, layout);
    }
    if (err == ALOFT_ERR_OK && app) {
        err = flash_program(b->flash, slot->off, app, app_len);
    }
    if (err != ALOFT_ERR_OK) {
        return fail(e, err, "the flash cannot be formatted: %s", aloft_err_text(err));
    }
    return ALOFT_ERR_OK;
}
