/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "aloft/boot_select.h"
#include "boot_rows.h"

static struct aloft_boot_facts facts_of(const struct boot_row *row, bool has_rollback)
{
    struct aloft_boot_facts facts = {.has_factory = (row->slots & ROW_FACTORY) != 0,
                                     .has_test = (row->slots & ROW_TEST) != 0,
                                     .has_rollback = has_rollback,
                                     .has_anti_rollback = row->build == ANTI_RB,
                                     .efuse_version = row->efuse_before};

    for (uint32_t i = 0; i < ALOFT_BOOT_SLOTS_MAX; i++) {
        facts.slot_exists[i] = (row->slots >> i) & 1;
        facts.n_slots += (row->slots >> i) & 1;
    }
    facts.slot_version[0] = row->versions[0];
    facts.slot_version[1] = row->versions[1];
    return facts;
}

static bool is_good(const struct boot_row *row, int candidate)
{
    if (candidate == ALOFT_BOOT_FACTORY) {
        return row->good & ROW_FACTORY;
    }
    if (candidate == ALOFT_BOOT_TEST) {
        return row->good & ROW_TEST;
    }
    return (row->good >> candidate) & 1;
}

static int first_good(const struct boot_row *row, const struct aloft_boot_plan *plan)
{
    for (uint32_t i = 0; i < plan->n_order; i++) {
        if (is_good(row, plan->order[i])) {
            return plan->order[i];
        }
    }
    return ROW_RESET;
}

static bool is_same_entry(const struct aloft_otadata_entry *a, const struct aloft_otadata_entry *b)
{
    uint8_t bytes[2][ALOFT_OTADATA_ENTRY_BYTES];

    aloft_otadata_entry_encode(a, bytes[0]);
    aloft_otadata_entry_encode(b, bytes[1]);
    return memcmp(bytes[0], bytes[1], sizeof bytes[0]) == 0;
}

static void check_row(size_t i, bool has_rollback)
{
    const struct boot_row *row = &boot_rows[i];
    struct aloft_boot_facts facts = facts_of(row, has_rollback);
    struct aloft_otadata before;
    struct aloft_otadata after;
    struct aloft_boot_plan plan;

    boot_cells_get_otadata(row->before, &before);
    boot_cells_get_otadata(row->after, &after);
    aloft_boot_plan_make(&facts, &before, &plan);
    bool is_dirty[2] = {plan.dirty[0], plan.dirty[1]};
    int boots = first_good(row, &plan);
    if (boots != row->boots) {
        fail_msg("row %zu (rollback %d): boots %d, wanted %d", i + 1, has_rollback, boots,
                 row->boots);
    }
    uint32_t efuse = row->efuse_before;
    if (boots != ROW_RESET) {
        aloft_boot_plan_booted(&facts, &plan, boots, &efuse);
    }
    assert_int_equal(efuse, row->efuse_after);
    for (int k = 0; k < 2; k++) {
        if (!is_same_entry(&plan.otadata.entry[k], &after.entry[k])) {
            fail_msg("row %zu (rollback %d): entry %d is %u/%u", i + 1, has_rollback, k,
                     plan.otadata.entry[k].seq, plan.otadata.entry[k].state);
        }
        bool has_changed = !is_same_entry(&before.entry[k], &after.entry[k]);
        assert_int_equal(is_dirty[k] || plan.dirty[k], has_changed);
    }
}

static void plan__takes_every_decision_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_BOOT_ROWS; i++) {
        if (boot_rows[i].build != NO_RB && boot_rows[i].build != ANTI_RB) {
            check_row(i, true);
        }
        if (boot_rows[i].build != RB) {
            check_row(i, false);
        }
    }
}

static void facts_from_table__count_slots_and_leave_gaps(void **state)
{
    (void)state;
    struct aloft_partition_table table = {.n_entries = 4};
    struct aloft_boot_facts facts;
    struct aloft_boot_plan plan;
    struct aloft_otadata blank;
    const uint8_t kinds[4][2] = {{0x00, 0x10}, {0x00, 0x12}, {0x01, 0x10}, {0x00, 0x20}};

    for (size_t i = 0; i < 4; i++) {
        table.entries[i].type = kinds[i][0];
        table.entries[i].subtype = kinds[i][1];
    }
    aloft_boot_facts_from_table(&table, &facts);
    assert_int_equal(facts.n_slots, 2);
    assert_true(facts.slot_exists[0] && !facts.slot_exists[1] && facts.slot_exists[2]);
    assert_true(facts.has_test && !facts.has_factory);

    /* facts/esp-formats.md 2.1: the boot loader then never looks at ota_2. */
    aloft_otadata_entry_blank(&blank.entry[0]);
    aloft_otadata_entry_blank(&blank.entry[1]);
    aloft_boot_plan_make(&facts, &blank, &plan);
    assert_int_equal(plan.n_order, 2);
    assert_int_equal(plan.order[0], 0);
    assert_int_equal(plan.order[1], ALOFT_BOOT_TEST);
}

static void plan__without_otadata_scans_and_writes_nothing(void **state)
{
    (void)state;
    struct aloft_boot_facts facts = {
        .n_slots = 2, .slot_exists = {true, true}, .has_factory = true};
    struct aloft_boot_plan plan;
    uint32_t efuse = 0;

    aloft_boot_plan_make(&facts, NULL, &plan);
    assert_int_equal(plan.n_order, 3);
    assert_int_equal(plan.order[0], ALOFT_BOOT_FACTORY);
    assert_int_equal(plan.order[1], 0);
    assert_int_equal(plan.order[2], 1);
    aloft_boot_plan_booted(&facts, &plan, 0, &efuse);
    assert_false(plan.dirty[0] || plan.dirty[1]);
}

/* 95 entries of ota_0 count as 95 slots: the choice may lie far past the last possible one. */
static void plan__survives_more_slots_than_can_exist(void **state)
{
    (void)state;
    struct aloft_partition_table table = {.n_entries = ALOFT_PARTITION_MAX};
    struct aloft_boot_facts facts;
    struct aloft_boot_plan plan;
    struct aloft_otadata otadata;

    for (size_t i = 0; i < table.n_entries; i++) {
        table.entries[i].subtype = ALOFT_PARTITION_APP_OTA_0;
    }
    aloft_boot_facts_from_table(&table, &facts);
    aloft_otadata_entry_make(&otadata.entry[0], 90, ALOFT_OTA_VALID);
    aloft_otadata_entry_blank(&otadata.entry[1]);
    aloft_boot_plan_make(&facts, &otadata, &plan);
    assert_int_equal(plan.n_order, 1);
    assert_int_equal(plan.order[0], 0);
}

/* An image that does not verify must not lock its older neighbours out. */
static void booted__keeps_the_efuse_for_a_fallback(void **state)
{
    (void)state;
    struct aloft_boot_facts facts = {.n_slots = 2,
                                     .slot_exists = {true, true},
                                     .has_anti_rollback = true,
                                     .efuse_version = 1,
                                     .slot_version = {2, 3}};
    struct aloft_boot_plan plan;
    struct aloft_otadata otadata;
    uint32_t efuse = 0;

    aloft_otadata_entry_make(&otadata.entry[0], 1, ALOFT_OTA_VALID);
    aloft_otadata_entry_make(&otadata.entry[1], 2, ALOFT_OTA_VALID);
    aloft_boot_plan_make(&facts, &otadata, &plan);
    aloft_boot_plan_booted(&facts, &plan, 0, &efuse);
    assert_int_equal(efuse, 1);
    aloft_boot_plan_booted(&facts, &plan, 1, &efuse);
    assert_int_equal(efuse, 3);
}

/* facts/esp-formats.md 3.6: acceptable is what is not below the device; only a proven app, whose
 * entry is VALID, raises it. */
static void anti_rollback__takes_the_same_version_and_waits_for_proof(void **state)
{
    (void)state;
    struct aloft_boot_facts facts = {.n_slots = 2,
                                     .slot_exists = {true, true},
                                     .has_anti_rollback = true,
                                     .efuse_version = 2,
                                     .slot_version = {2, 5}};
    struct aloft_boot_plan plan;
    struct aloft_otadata otadata;
    uint32_t efuse = 0;

    aloft_otadata_entry_make(&otadata.entry[0], 1, ALOFT_OTA_VALID);
    aloft_otadata_entry_make(&otadata.entry[1], 2, ALOFT_OTA_UNDEFINED);
    aloft_boot_plan_make(&facts, &otadata, &plan);
    assert_int_equal(plan.n_order, 2);
    assert_int_equal(plan.order[0], 1);
    assert_int_equal(plan.order[1], 0);
    aloft_boot_plan_booted(&facts, &plan, 1, &efuse);
    assert_int_equal(efuse, 2);
    otadata.entry[1].state = ALOFT_OTA_VALID;
    aloft_boot_plan_make(&facts, &otadata, &plan);
    aloft_boot_plan_booted(&facts, &plan, 1, &efuse);
    assert_int_equal(efuse, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan__takes_every_decision_of_the_table),
        cmocka_unit_test(facts_from_table__count_slots_and_leave_gaps),
        cmocka_unit_test(plan__without_otadata_scans_and_writes_nothing),
        cmocka_unit_test(plan__survives_more_slots_than_can_exist),
        cmocka_unit_test(booted__keeps_the_efuse_for_a_fallback),
        cmocka_unit_test(anti_rollback__takes_the_same_version_and_waits_for_proof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
