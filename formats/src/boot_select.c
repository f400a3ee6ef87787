/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/boot_select.h"

#include <string.h>

/* The boot loader's steps of facts/esp-formats.md 3.2 and 3.3, in its order: rows of
 * tests/unit/test_boot_select.c show every decision. */

void aloft_boot_facts_from_table(const struct aloft_partition_table *table,
                                 struct aloft_boot_facts *ret_facts)
{
    memset(ret_facts, 0, sizeof *ret_facts);
    for (size_t i = 0; i < table->n_entries; i++) {
        const struct aloft_partition *p = &table->entries[i];
        if (p->type != ALOFT_PARTITION_APP) {
            continue;
        }
        if (p->subtype == ALOFT_PARTITION_APP_FACTORY) {
            ret_facts->has_factory = true;
        } else if (p->subtype == ALOFT_PARTITION_APP_TEST) {
            ret_facts->has_test = true;
        } else if ((p->subtype & 0xF0) == ALOFT_PARTITION_APP_OTA_0) {
            ret_facts->slot_exists[p->subtype & 0x0F] = true;
            ret_facts->n_slots++;
        }
    }
}

/* The boot loader finds slot N only below the number of slots: ota_0 + ota_2 leaves ota_2 unseen.
 */
static bool is_slot(const struct aloft_boot_facts *facts, uint32_t slot)
{
    return slot < facts->n_slots && slot < ALOFT_BOOT_SLOTS_MAX && facts->slot_exists[slot];
}

static bool is_too_old(const struct aloft_boot_facts *facts, uint32_t slot)
{
    return facts->has_anti_rollback && slot < ALOFT_BOOT_SLOTS_MAX &&
           facts->slot_version[slot] < facts->efuse_version;
}

/* aloft_otadata_active(), deaf to entries whose app is too old (3.6). */
static int find_active(const struct aloft_boot_facts *facts, const struct aloft_otadata *otadata)
{
    struct aloft_otadata seen = *otadata;

    for (int i = 0; i < 2; i++) {
        if (is_too_old(facts, aloft_otadata_slot(&seen.entry[i], facts->n_slots))) {
            aloft_otadata_entry_blank(&seen.entry[i]);
        }
    }
    return aloft_otadata_active(&seen);
}

static void abort_pending(struct aloft_boot_plan *plan)
{
    for (int i = 0; i < 2; i++) {
        if (plan->otadata.entry[i].state == ALOFT_OTA_PENDING_VERIFY) {
            plan->otadata.entry[i].state = ALOFT_OTA_ABORTED; /* whatever its CRC */
            plan->dirty[i] = true;
        }
    }
}

/* Blank, or never written whole. */
static bool is_initial_entry(const struct aloft_otadata_entry *e)
{
    struct aloft_otadata_entry fitting;

    aloft_otadata_entry_make(&fitting, e->seq, e->state);
    return e->seq == 0xFFFFFFFFu || e->crc != fitting.crc;
}

/* Where to begin; ALOFT_BOOT_FACTORY also when there is no factory app (the scan of 3.3 follows).
 */
static int first_choice(const struct aloft_boot_facts *facts, struct aloft_boot_plan *plan)
{
    struct aloft_otadata_entry *e = plan->otadata.entry;

    if (facts->n_slots == 0 ||
        (aloft_otadata_is_rejected(&e[0]) && aloft_otadata_is_rejected(&e[1]))) {
        if (facts->has_factory) {
            return ALOFT_BOOT_FACTORY;
        }
        plan->is_initial = is_initial_entry(&e[0]) && is_initial_entry(&e[1]);
        return 0;
    }
    int active = find_active(facts, &plan->otadata);
    if (active < 0) {
        return ALOFT_BOOT_FACTORY;
    }
    if (facts->has_rollback && e[active].state == ALOFT_OTA_NEW) {
        e[active].state = ALOFT_OTA_PENDING_VERIFY;
        plan->dirty[active] = true;
    }
    uint32_t slot = aloft_otadata_slot(&e[active], facts->n_slots);
    return slot < ALOFT_BOOT_SLOTS_MAX ? (int)slot : ALOFT_BOOT_SLOTS_MAX;
}

static void add_slot(const struct aloft_boot_facts *facts, int slot, struct aloft_boot_plan *plan)
{
    if (is_slot(facts, (uint32_t)slot) && !is_too_old(facts, (uint32_t)slot)) {
        plan->order[plan->n_order++] = slot;
    }
}

/* Down from the choice, the factory app, up from the choice, the test app (3.3). */
static void list_order(const struct aloft_boot_facts *facts, int choice,
                       struct aloft_boot_plan *plan)
{
    for (int slot = choice; slot >= 0; slot--) {
        add_slot(facts, slot, plan);
    }
    if (facts->has_factory) {
        plan->order[plan->n_order++] = ALOFT_BOOT_FACTORY;
    }
    for (int slot = choice + 1; slot < ALOFT_BOOT_SLOTS_MAX; slot++) {
        add_slot(facts, slot, plan);
    }
    if (facts->has_test) {
        plan->order[plan->n_order++] = ALOFT_BOOT_TEST;
    }
}

void aloft_boot_plan_make(const struct aloft_boot_facts *facts, const struct aloft_otadata *before,
                          struct aloft_boot_plan *ret_plan)
{
    int choice = ALOFT_BOOT_FACTORY;

    memset(ret_plan, 0, sizeof *ret_plan);
    if (before) {
        ret_plan->otadata = *before;
        if (facts->has_rollback) {
            abort_pending(ret_plan);
        }
        choice = first_choice(facts, ret_plan);
    } else {
        aloft_otadata_entry_blank(&ret_plan->otadata.entry[0]);
        aloft_otadata_entry_blank(&ret_plan->otadata.entry[1]);
    }
    list_order(facts, choice, ret_plan);
}

/* An app that is proven, or the first one on a blank device, sets the lowest version allowed. */
static bool sets_efuse(const struct aloft_boot_facts *facts, const struct aloft_boot_plan *plan,
                       int booted)
{
    if (plan->is_initial) {
        return true;
    }
    int active = find_active(facts, &plan->otadata);
    if (active < 0) {
        return false;
    }
    const struct aloft_otadata_entry *e = &plan->otadata.entry[active];
    return e->state == ALOFT_OTA_VALID && aloft_otadata_slot(e, facts->n_slots) == (uint32_t)booted;
}

void aloft_boot_plan_booted(const struct aloft_boot_facts *facts, struct aloft_boot_plan *plan,
                            int booted, uint32_t *ret_efuse)
{
    plan->dirty[0] = false;
    plan->dirty[1] = false;
    *ret_efuse = facts->efuse_version;
    if (booted < 0 || booted >= ALOFT_BOOT_SLOTS_MAX || !is_slot(facts, (uint32_t)booted)) {
        return;
    }
    if (facts->has_anti_rollback && facts->slot_version[booted] > facts->efuse_version &&
        sets_efuse(facts, plan, booted)) {
        *ret_efuse = facts->slot_version[booted];
    }
    if (plan->is_initial) {
        aloft_otadata_entry_make(&plan->otadata.entry[0], (uint32_t)booted + 1, ALOFT_OTA_VALID);
        plan->dirty[0] = true;
    }
}
