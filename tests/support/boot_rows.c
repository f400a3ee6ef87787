/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_rows.h"

/* clang-format off */
#define NONE         {false, 0, 0, false}
#define AT(seq, st)  {true, seq, ALOFT_OTA_##st, false}
#define BAD(seq, st) {true, seq, ALOFT_OTA_##st, true}
#define F            ROW_FACTORY
#define T            ROW_TEST
#define FACTORY      ALOFT_BOOT_FACTORY
#define TEST         ALOFT_BOOT_TEST

const struct boot_row boot_rows[N_BOOT_ROWS] = {
    {0x3, 0x1, {NONE, NONE}, ANY, 0, {AT(1, VALID), NONE}, {0}, 0, 0},
    {0x3, 0x2, {NONE, NONE}, ANY, 1, {AT(2, VALID), NONE}, {0}, 0, 0},
    {F | 0x3, ROW_ALL, {NONE, NONE}, ANY, FACTORY, {NONE, NONE}, {0}, 0, 0},
    {F | 0x3, 0x3, {NONE, NONE}, ANY, 0, {NONE, NONE}, {0}, 0, 0},
    {0x3, ROW_ALL, {AT(1, VALID), AT(2, UNDEFINED)}, ANY, 1, {AT(1, VALID), AT(2, UNDEFINED)}, {0}, 0, 0},
    {0x3, 0x1, {AT(1, VALID), AT(2, UNDEFINED)}, ANY, 0, {AT(1, VALID), AT(2, UNDEFINED)}, {0}, 0, 0},
    {F | 0x7, F | 0x2, {AT(3, UNDEFINED), NONE}, ANY, 1, {AT(3, UNDEFINED), NONE}, {0}, 0, 0},
    {F | 0x7, 0x4, {AT(1, UNDEFINED), NONE}, ANY, 2, {AT(1, UNDEFINED), NONE}, {0}, 0, 0},
    {T | 0x3, T, {AT(1, UNDEFINED), NONE}, ANY, TEST, {AT(1, UNDEFINED), NONE}, {0}, 0, 0},
    {0x3, 0, {AT(1, UNDEFINED), NONE}, ANY, ROW_RESET, {AT(1, UNDEFINED), NONE}, {0}, 0, 0},
    {0x3, ROW_ALL, {BAD(1, VALID), BAD(2, VALID)}, ANY, 0, {BAD(1, VALID), BAD(2, VALID)}, {0}, 0, 0},
    {F | 0x3, ROW_ALL, {BAD(1, VALID), BAD(2, VALID)}, ANY, FACTORY, {BAD(1, VALID), BAD(2, VALID)}, {0}, 0, 0},
    {0x3, ROW_ALL, {AT(1, INVALID), AT(2, ABORTED)}, ANY, 0, {AT(1, INVALID), AT(2, ABORTED)}, {0}, 0, 0},
    {0x3, ROW_ALL, {AT(1, VALID), AT(2, NEW)}, RB, 1, {AT(1, VALID), AT(2, PENDING_VERIFY)}, {0}, 0, 0},
    {0x3, ROW_ALL, {AT(1, VALID), AT(2, PENDING_VERIFY)}, RB, 0, {AT(1, VALID), AT(2, ABORTED)}, {0}, 0, 0},
    {0x3, ROW_ALL, {AT(1, VALID), AT(2, NEW)}, NO_RB, 1, {AT(1, VALID), AT(2, NEW)}, {0}, 0, 0},
    {0x3, ROW_ALL, {NONE, AT(2, PENDING_VERIFY)}, RB, 0, {NONE, AT(2, ABORTED)}, {0}, 0, 0},
    {0x3, 0x2, {AT(1, PENDING_VERIFY), NONE}, RB, 1, {AT(1, ABORTED), NONE}, {0}, 0, 0},
    {0x3, ROW_ALL, {BAD(1, PENDING_VERIFY), NONE}, RB, 0, {AT(1, VALID), NONE}, {0}, 0, 0},
    {0x3, ROW_ALL, {AT(1, VALID), AT(1, NEW)}, RB, 0, {AT(1, VALID), AT(1, NEW)}, {0}, 0, 0},
    {0x3, ROW_ALL, {AT(3, VALID), AT(2, VALID)}, ANY, 0, {AT(3, VALID), AT(2, VALID)}, {0}, 0, 0},
    {0x3, ROW_ALL, {AT(0, VALID), NONE}, ANY, 1, {AT(0, VALID), NONE}, {0}, 0, 0},
    {F, F, {AT(1, VALID), NONE}, ANY, FACTORY, {AT(1, VALID), NONE}, {0}, 0, 0},
    {0x3, ROW_ALL, {AT(1, VALID), AT(2, VALID)}, ANTI_RB, 1, {AT(1, VALID), AT(2, VALID)}, {1, 3}, 2, 3},
    {0x3, ROW_ALL, {AT(1, VALID), AT(2, VALID)}, ANTI_RB, 0, {AT(1, VALID), AT(2, VALID)}, {3, 1}, 2, 3},
    {0x3, ROW_ALL, {AT(1, VALID), AT(2, VALID)}, ANTI_RB, ROW_RESET, {AT(1, VALID), AT(2, VALID)}, {1, 1}, 2, 2},
};
/* clang-format on */

static void get_entry(const struct boot_cell *cell, struct aloft_otadata_entry *ret_e)
{
    if (cell->is_set) {
        aloft_otadata_entry_make(ret_e, cell->seq, cell->state);
        ret_e->crc ^= cell->is_crc_bad ? 1 : 0;
    } else {
        aloft_otadata_entry_blank(ret_e);
    }
}

void boot_cells_get_otadata(const struct boot_cell *cells, struct aloft_otadata *ret_otadata)
{
    get_entry(&cells[0], &ret_otadata->entry[0]);
    get_entry(&cells[1], &ret_otadata->entry[1]);
}
