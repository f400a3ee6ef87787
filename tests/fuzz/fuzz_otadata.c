/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "aloft/boot_select.h"
#include "aloft/bytes.h"

/* Parsers: formats/src/otadata.c formats/src/boot_select.c */

#define ENTRIES_BYTES (2 * ALOFT_OTADATA_ENTRY_BYTES)
/* Behind the entries: flags, version and eFuse, slot to select, slot mask (2). */
#define INPUT_BYTES (ENTRIES_BYTES + 5)

static struct aloft_boot_facts facts_of(const uint8_t *p)
{
    struct aloft_boot_facts facts = {.has_factory = p[0] & 1,
                                     .has_test = p[0] & 2,
                                     .has_rollback = p[0] & 4,
                                     .has_anti_rollback = p[0] & 8,
                                     .efuse_version = p[1] & 0x0F};

    for (uint32_t i = 0; i < ALOFT_BOOT_SLOTS_MAX; i++) {
        facts.slot_exists[i] = (aloft_get_le16(p + 3) >> i) & 1;
        facts.slot_version[i] = (p[1] >> 4) ^ (i & 3);
        facts.n_slots += facts.slot_exists[i];
    }
    return facts;
}

static bool is_same(const struct aloft_otadata_entry *a, const struct aloft_otadata_entry *b)
{
    uint8_t bytes[ENTRIES_BYTES];

    aloft_otadata_entry_encode(a, bytes);
    aloft_otadata_entry_encode(b, bytes + ALOFT_OTADATA_ENTRY_BYTES);
    return memcmp(bytes, bytes + ALOFT_OTADATA_ENTRY_BYTES, ALOFT_OTADATA_ENTRY_BYTES) == 0;
}

static void check_order(const struct aloft_boot_facts *facts, const struct aloft_boot_plan *plan)
{
    MUST(plan->n_order <= ALOFT_BOOT_ORDER_MAX);
    for (uint32_t i = 0; i < plan->n_order; i++) {
        int slot = plan->order[i];
        MUST(slot == ALOFT_BOOT_FACTORY ? facts->has_factory
             : slot == ALOFT_BOOT_TEST
                 ? facts->has_test
                 : slot >= 0 && (uint32_t)slot < facts->n_slots && facts->slot_exists[slot]);
        for (uint32_t k = 0; k < i; k++) {
            MUST(plan->order[k] != slot);
        }
    }
}

static void try_boot(const struct aloft_boot_facts *facts, const struct aloft_otadata *before)
{
    struct aloft_boot_plan plan, first;
    uint32_t efuse = 0;

    aloft_boot_plan_make(facts, before, &plan);
    check_order(facts, &plan);
    aloft_boot_plan_make(facts, NULL, &first);
    check_order(facts, &first);
    for (int i = 0; i < 2; i++) {
        MUST(plan.dirty[i] == !is_same(&before->entry[i], &plan.otadata.entry[i]));
    }
    first = plan;
    for (uint32_t i = 0; i < first.n_order; i++) {
        plan = first;
        aloft_boot_plan_booted(facts, &plan, first.order[i], &efuse);
        MUST(efuse >= facts->efuse_version);
        MUST(!plan.dirty[1]);
        MUST(plan.dirty[0] || is_same(&first.otadata.entry[0], &plan.otadata.entry[0]));
    }
}

/* Sequence 0 never comes from a set-boot; its slot follows no rule that next() could keep. */
static void try_select(const struct aloft_otadata *before, uint32_t slot, uint32_t n_slots)
{
    struct aloft_otadata after = *before;
    struct aloft_otadata_entry entry;
    int active = aloft_otadata_active(before);
    int index = -1;
    enum aloft_err err =
        aloft_otadata_next(before, slot, n_slots, ALOFT_OTA_UNDEFINED, &index, &entry);

    if (err != ALOFT_ERR_OK) {
        MUST(err == ALOFT_ERR_RANGE);
        return;
    }
    MUST((index == 0 || index == 1) && index != active);
    after.entry[index] = entry;
    active = aloft_otadata_active(&after);
    MUST(active >= 0);
    if (after.entry[active].seq != 0) {
        MUST(aloft_otadata_slot(&after.entry[active], n_slots) == slot);
        (void)aloft_otadata_slot_state(&after, (slot + 1) % n_slots, n_slots);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aloft_otadata otadata;

    if (size < INPUT_BYTES) {
        return 0;
    }
    aloft_otadata_entry_parse(data, &otadata.entry[0]);
    aloft_otadata_entry_parse(data + ALOFT_OTADATA_ENTRY_BYTES, &otadata.entry[1]);
    const uint8_t *p = data + ENTRIES_BYTES;
    if (p[0] & 0x10) { /* a fuzzer does not guess a CRC */
        aloft_otadata_entry_make(&otadata.entry[0], otadata.entry[0].seq, otadata.entry[0].state);
    }
    if (p[0] & 0x20) {
        aloft_otadata_entry_make(&otadata.entry[1], otadata.entry[1].seq, otadata.entry[1].state);
    }
    struct aloft_boot_facts facts = facts_of(p);
    try_boot(&facts, &otadata);
    try_select(&otadata, p[2] & 0x0F, facts.n_slots);

    /* The same bytes as entries of a partition table: slots may be many, and twice the same. */
    static struct aloft_partition_table table;
    table.n_entries =
        size - INPUT_BYTES < ALOFT_PARTITION_MAX ? size - INPUT_BYTES : ALOFT_PARTITION_MAX;
    for (size_t i = 0; i < table.n_entries; i++) {
        table.entries[i].type = data[INPUT_BYTES + i] >> 7;
        table.entries[i].subtype = data[INPUT_BYTES + i] & 0x3F;
    }
    aloft_boot_facts_from_table(&table, &facts);
    facts.has_rollback = p[0] & 4;
    try_boot(&facts, &otadata);
    return 0;
}
