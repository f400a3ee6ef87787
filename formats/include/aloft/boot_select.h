/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_BOOT_SELECT_H
#define ALOFT_BOOT_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/otadata.h"
#include "aloft/partition_table.h"

/* The boot decision (facts/esp-formats.md 3.2, 3.3, 3.6), without any I/O: the caller verifies
 * images. */

#define ALOFT_BOOT_FACTORY   (-1) /**< The factory app. */
#define ALOFT_BOOT_TEST      100  /**< The test app. */
#define ALOFT_BOOT_SLOTS_MAX 16
#define ALOFT_BOOT_ORDER_MAX (ALOFT_BOOT_SLOTS_MAX + 2)

/** What the boot loader knows before it looks at an image. */
struct aloft_boot_facts {
    bool has_factory;
    bool has_test;
    uint32_t n_slots; /**< Number of ota partitions (counted, not the largest index). */
    bool slot_exists[ALOFT_BOOT_SLOTS_MAX]; /**< ota_N is in the table. */
    bool has_rollback;                      /**< Boot loader built with app rollback. */
    bool has_anti_rollback;
    uint32_t efuse_version; /**< With anti-rollback: the device's secure_version. */
    uint32_t
        slot_version[ALOFT_BOOT_SLOTS_MAX]; /**< With anti-rollback: secure_version in each slot. */
};

/** What to try, and what to write before anything is tried. */
struct aloft_boot_plan {
    int order[ALOFT_BOOT_ORDER_MAX]; /**< Slot numbers, ALOFT_BOOT_FACTORY or ALOFT_BOOT_TEST, in
                                        this order. */
    uint32_t n_order;                /**< 0 = nothing to try: reset. */
    struct aloft_otadata otadata;    /**< After the changes below. */
    bool dirty[2];   /**< Entry i changed: erase its sector, program it, before trying. */
    bool is_initial; /**< "Initial contents": the first OTA slot that boots gets an entry. */
};

/** Fill the facts from a parsed primary table; rollback fields are left false/0. */
void aloft_boot_facts_from_table(const struct aloft_partition_table *table,
                                 struct aloft_boot_facts *ret_facts);

/**
 * Decide what to try. Never fails: hostile otadata leads to some order.
 *
 * @param before  NULL = the table has no otadata partition; nothing is dirty then.
 */
void aloft_boot_plan_make(const struct aloft_boot_facts *facts, const struct aloft_otadata *before,
                          struct aloft_boot_plan *ret_plan);

/**
 * Tell the plan which candidate verified and will run.
 * Updates `plan->otadata` and `plan->dirty` (set anew: only changes of this call), and says whether
 * the anti-rollback eFuse must be raised (only for the slot whose VALID entry chose it, or with
 * initial contents: an image that did not verify never raises it).
 *
 * @param booted          An element of `plan->order`.
 * @param ret_efuse       New eFuse version; equal to `facts->efuse_version` if nothing is to burn.
 */
void aloft_boot_plan_booted(const struct aloft_boot_facts *facts, struct aloft_boot_plan *plan,
                            int booted, uint32_t *ret_efuse);

#endif
