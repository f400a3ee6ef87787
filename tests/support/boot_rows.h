/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_BOOT_ROWS_H
#define ALOFT_TESTS_BOOT_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/boot_select.h"

/* The 26 boot decisions of facts/esp-formats.md 8.2, row by row, for the pure decision and for the
 * boot loader over a flash. */

enum boot_build { ANY, RB, NO_RB, ANTI_RB };

/** One otadata entry of the notation: `-`, `2/NEW`, `1/VALID x`. */
struct boot_cell {
    bool is_set;
    uint32_t seq;
    uint32_t state;
    bool is_crc_bad;
};

/* Bits of `slots` and `good`: bit N is ota_N. */
#define ROW_FACTORY 0x10000u
#define ROW_TEST    0x20000u
#define ROW_ALL     0xFFFFFFFFu
#define ROW_RESET   (-2) /* nothing boots */

struct boot_row {
    uint32_t slots;
    uint32_t good;
    struct boot_cell before[2];
    enum boot_build build;
    int boots;
    struct boot_cell after[2];
    uint32_t versions[2]; /* secure_version of ota_0 and ota_1 */
    uint32_t efuse_before;
    uint32_t efuse_after;
};

#define N_BOOT_ROWS 26u

extern const struct boot_row boot_rows[N_BOOT_ROWS];

/** Both entries as stored. */
void boot_cells_get_otadata(const struct boot_cell *cells, struct aloft_otadata *ret_otadata);

#endif
