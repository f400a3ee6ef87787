/* SPDX-License-Identifier: Apache-2.0 */
#include "models/boot_loader.h"

#include <string.h>

#include "aloft/limits.h"
#include "aloft/otadata.h"
#include "aloft/partition_table.h"

#define READ_BYTES     4096u
#define SLOT_BYTES_MAX (16u * 1024 * 1024) /* facts/esp-formats.md 1.7, check 1 */

static enum aloft_err load_table(const struct boot_loader *b,
                                 struct aloft_partition_table *ret_table, struct error *e)
{
    uint8_t buf[ALOFT_PARTITION_TABLE_BYTES];
    enum aloft_err err = flash_read(b->flash, ALOFT_PARTITION_TABLE_OFF, buf, sizeof buf);

    if (err == ALOFT_ERR_OK) {
        err = aloft_partition_table_parse(buf, sizeof buf, b->flash->size_bytes, b->md5, ret_table);
    }
    if (err != ALOFT_ERR_OK) {
        return fail(e, err, "the flash has no usable partition table at 0x%x: %s",
                    ALOFT_PARTITION_TABLE_OFF, aloft_err_text(err));
    }
    return ALOFT_ERR_OK;
}

/* The last data/ota entry counts; NULL without one (facts/esp-formats.md 2.1). */
static const struct aloft_partition *find_otadata(const struct aloft_partition_table *table)
{
    const struct aloft_partition *found = NULL;

    for (size_t i = 0; i < table->n_entries; i++) {
        const struct aloft_partition *p = &table->entries[i];
        if (p->type == ALOFT_PARTITION_DATA && p->subtype == ALOFT_PARTITION_DATA_OTA) {
            found = p;
        }
    }
    return found;
}

static enum aloft_err load_otadata(const struct boot_loader *b, const struct aloft_partition *where,
                                   struct aloft_otadata *ret_otadata, struct error *e)
{
    if (where->size_bytes < ALOFT_OTADATA_BYTES) {
        return fail(e, ALOFT_ERR_RANGE, "the otadata partition has 0x%x bytes, it needs 0x%x",
                    where->size_bytes, ALOFT_OTADATA_BYTES);
    }
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t buf[ALOFT_OTADATA_ENTRY_BYTES];
        enum aloft_err err =
            flash_read(b->flash, where->off + i * ALOFT_SECTOR_BYTES, buf, sizeof buf);
        if (err != ALOFT_ERR_OK) {
            return fail(e, err, "otadata cannot be read: %s", aloft_err_text(err));
        }
        aloft_otadata_entry_parse(buf, &ret_otadata->entry[i]);
    }
    return ALOFT_ERR_OK;
}

/* Power loss between the two steps leaves a blank entry; the other sector still rules. */
static enum aloft_err store_entry(const struct boot_loader *b, const struct aloft_partition *where,
                                  int index, const struct aloft_otadata_entry *entry,
                                  struct error *e)
{
    uint32_t addr = where->off + (uint32_t)index * ALOFT_SECTOR_BYTES;
    uint8_t buf[ALOFT_OTADATA_ENTRY_BYTES];

    aloft_otadata_entry_encode(entry, buf);
    enum aloft_err err = flash_erase(b->flash, addr, ALOFT_SECTOR_BYTES);
    if (err == ALOFT_ERR_OK) {
        err = flash_program(b->flash, addr, buf, sizeof buf);
    }
    if (err != ALOFT_ERR_OK) {
        return fail(e, err, "boot entry %d cannot be written: %s", index, aloft_err_text(err));
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err store_dirty(const struct boot_loader *b, const struct aloft_partition *where,
                                  const struct aloft_boot_plan *plan, struct error *e)
{
    for (int i = 0; i < 2; i++) {
        if (!plan->dirty[i]) {
            continue;
        }
        enum aloft_err err = store_entry(b, where, i, &plan->otadata.entry[i], e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return ALOFT_ERR_OK;
}

/* Both, as every decision of the app needs them. */
static enum aloft_err load_boot_entries(const struct boot_loader *b,
                                        struct aloft_partition_table *ret_table,
                                        const struct aloft_partition **ret_where,
                                        struct aloft_otadata *ret_otadata, struct error *e)
{
    enum aloft_err err = load_table(b, ret_table, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    const struct aloft_partition *where = find_otadata(ret_table);
    if (!where) {
        return fail(e, ALOFT_ERR_NOT_FOUND, "the partition table has no otadata");
    }
    *ret_where = where;
    return load_otadata(b, where, ret_otadata, e);
}

static const struct aloft_partition *find_app(const struct aloft_partition_table *table, int slot)
{
    uint8_t subtype = (uint8_t)(ALOFT_PARTITION_APP_OTA_0 + slot);

    if (slot == ALOFT_BOOT_FACTORY) {
        subtype = ALOFT_PARTITION_APP_FACTORY;
    } else if (slot == ALOFT_BOOT_TEST) {
        subtype = ALOFT_PARTITION_APP_TEST;
    }
    return aloft_partition_by_type(table->entries, table->n_entries, ALOFT_PARTITION_APP, subtype);
}

/* The app counts ota_0, ota_1, ... up to the first gap, unlike the boot loader
 * (facts/esp-formats.md 2.1). */
static uint32_t count_slots(const struct aloft_partition_table *table)
{
    uint32_t n = 0;

    while (n < ALOFT_BOOT_SLOTS_MAX && find_app(table, (int)n)) {
        n++;
    }
    return n;
}

static enum aloft_err feed_image(const struct boot_loader *b, const struct aloft_partition *p,
                                 struct aloft_app_image *img)
{
    uint8_t buf[READ_BYTES];

    for (uint32_t off = 0; off < p->size_bytes && !aloft_app_image_is_complete(img);) {
        uint32_t n = p->size_bytes - off < READ_BYTES ? p->size_bytes - off : READ_BYTES;
        enum aloft_err err = flash_read(b->flash, p->off + off, buf, n);
        size_t used = 0;
        if (err == ALOFT_ERR_OK) {
            err = aloft_app_image_feed(img, buf, n, &used);
        }
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        off += n;
    }
    return aloft_app_image_finish(img);
}

/* Judge the image in a partition as the boot loader does (facts/esp-formats.md 1.7). */
static enum aloft_err verify(const struct boot_loader *b, const struct aloft_partition *p,
                             struct aloft_app_image *ret_img)
{
    const struct aloft_app_rules rules = {
        .chip = b->chip, .chip_revision = b->chip_revision, .slot_bytes = p->size_bytes};

    if (p->size_bytes > SLOT_BYTES_MAX) {
        return ALOFT_ERR_TOO_BIG;
    }
    aloft_app_image_init(ret_img, &rules, b->sha256);
    return feed_image(b, p, ret_img);
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

static enum aloft_err try_candidates(const struct boot_loader *b,
                                     const struct aloft_partition_table *table,
                                     const struct aloft_boot_plan *plan,
                                     struct boot_result *ret_result, struct error *e)
{
    enum aloft_err first = ALOFT_ERR_NOT_FOUND;

    for (uint32_t i = 0; i < plan->n_order; i++) {
        const struct aloft_partition *p = find_app(table, plan->order[i]);
        struct aloft_app_image img;
        enum aloft_err err = verify(b, p, &img);
        if (err == ALOFT_ERR_OK) {
            fill_result(p, &img, plan->order[i], ret_result);
            return ALOFT_ERR_OK;
        }
        first = i == 0 ? err : first;
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

enum aloft_err boot_loader_run(const struct boot_loader *b, enum aloft_boot_reason cause,
                               struct boot_result *ret_result, struct error *e)
{
    struct aloft_partition_table table;
    struct aloft_boot_facts facts;
    struct aloft_boot_plan plan;
    struct aloft_otadata otadata;
    enum aloft_err err = load_table(b, &table, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    aloft_boot_facts_from_table(&table, &facts);
    facts.has_rollback = b->has_rollback;
    const struct aloft_partition *where = find_otadata(&table);
    if (where) {
        err = load_otadata(b, where, &otadata, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    aloft_boot_plan_make(&facts, where ? &otadata : NULL, &plan);
    err = store_dirty(b, where, &plan, e);
    if (err == ALOFT_ERR_OK) {
        err = try_candidates(b, &table, &plan, ret_result, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    ret_result->reason = find_reason(&plan, facts.n_slots, ret_result->slot, cause);
    uint32_t efuse = 0; /* AT does not use anti-rollback */
    aloft_boot_plan_booted(&facts, &plan, ret_result->slot, &efuse);
    return store_dirty(b, where, &plan, e);
}

enum aloft_err boot_loader_spare(const struct boot_loader *b, int running,
                                 struct aloft_slot *ret_slot, struct error *e)
{
    struct aloft_partition_table table;
    enum aloft_err err = load_table(b, &table, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    uint32_t n = count_slots(&table);
    uint32_t spare = 0;
    if (running >= 0 && running < ALOFT_BOOT_SLOTS_MAX && n > 0) {
        spare = ((uint32_t)running + 1) % n;
    }
    if (n == 0 || (int)spare == running) {
        return fail(e, ALOFT_ERR_NO_SLOT, "the partition table has no slot to upgrade into");
    }
    const struct aloft_partition *p = find_app(&table, (int)spare);
    *ret_slot =
        (struct aloft_slot){.index = (uint8_t)spare, .addr = p->off, .size_bytes = p->size_bytes};
    return ALOFT_ERR_OK;
}

/* The entry to write. One that selects the slot already is itself rewritten, as ESP-IDF 6 does: its
 * image went bad and another one runs. Beside it, as ESP-IDF 5 has it, it would rule again once the
 * new image is given up, and boot that image for ever (facts/esp-formats.md 3.4). */
static enum aloft_err next_entry(const struct boot_loader *b, const struct aloft_otadata *otadata,
                                 uint32_t slot, uint32_t n_slots, int *ret_index,
                                 struct aloft_otadata_entry *ret_entry)
{
    uint32_t state = b->has_rollback ? ALOFT_OTA_NEW : ALOFT_OTA_UNDEFINED;
    int active = aloft_otadata_active(otadata);
    enum aloft_err err = aloft_otadata_next(otadata, slot, n_slots, state, ret_index, ret_entry);

    if (err == ALOFT_ERR_OK && active >= 0 && otadata->entry[active].seq == ret_entry->seq) {
        *ret_index = active;
    }
    return err;
}

enum aloft_err boot_loader_select(const struct boot_loader *b, uint32_t slot, struct error *e)
{
    struct aloft_partition_table table;
    const struct aloft_partition *where = NULL;
    struct aloft_otadata otadata;
    struct aloft_otadata_entry entry;
    struct aloft_app_image img;
    int index = 0;
    enum aloft_err err = load_boot_entries(b, &table, &where, &otadata, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    err = next_entry(b, &otadata, slot, count_slots(&table), &index, &entry);
    if (err != ALOFT_ERR_OK) {
        return fail(e, err, "ota_%u cannot be selected: %s", slot, aloft_err_text(err));
    }
    err = verify(b, find_app(&table, (int)slot), &img);
    if (err != ALOFT_ERR_OK) {
        return fail(e, err, "the image in ota_%u is not bootable: %s", slot, aloft_err_text(err));
    }
    return store_entry(b, where, index, &entry, e);
}

enum aloft_err boot_loader_confirm(const struct boot_loader *b, int running, struct error *e)
{
    struct aloft_partition_table table;
    const struct aloft_partition *where = NULL;
    struct aloft_otadata otadata;

    if (!boot_loader_is_unconfirmed(b, running)) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = load_boot_entries(b, &table, &where, &otadata, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    int active = aloft_otadata_active(&otadata);
    if (active < 0 || otadata.entry[active].state != ALOFT_OTA_PENDING_VERIFY) {
        return ALOFT_ERR_OK; /* another entry rules already */
    }
    otadata.entry[active].state = ALOFT_OTA_VALID;
    return store_entry(b, where, active, &otadata.entry[active], e);
}

bool boot_loader_is_unconfirmed(const struct boot_loader *b, int running)
{
    struct aloft_partition_table table;
    const struct aloft_partition *where = NULL;
    struct aloft_otadata otadata;

    if (running < 0 || load_boot_entries(b, &table, &where, &otadata, NULL) != ALOFT_ERR_OK) {
        return false;
    }
    uint32_t n = count_slots(&table);
    return n > 0 &&
           aloft_otadata_slot_state(&otadata, (uint32_t)running, n) == ALOFT_OTA_PENDING_VERIFY;
}

bool boot_loader_is_pending(const struct boot_loader *b, int running)
{
    struct aloft_partition_table table;
    const struct aloft_partition *where = NULL;
    struct aloft_otadata otadata;
    struct aloft_app_image img;

    if (load_boot_entries(b, &table, &where, &otadata, NULL) != ALOFT_ERR_OK) {
        return false;
    }
    int active = aloft_otadata_active(&otadata);
    uint32_t n = count_slots(&table);
    if (active < 0 || n == 0) {
        return false;
    }
    int slot = (int)aloft_otadata_slot(&otadata.entry[active], n);
    return slot != running && verify(b, find_app(&table, slot), &img) == ALOFT_ERR_OK;
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
