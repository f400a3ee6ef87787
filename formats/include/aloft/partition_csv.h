/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_PARTITION_CSV_H
#define ALOFT_PARTITION_CSV_H

#include "aloft/partition_table.h"

/* The CSV grammar of the vendor's generator (facts/esp-formats.md 2.2), as of ESP-IDF 5.4: offset
 * and size of a bootloader or partition_table entry are read like all others, not computed. */

/** How to judge a CSV file. A zeroed struct with `table_off` 0x8000 is the tool's default. */
struct aloft_partition_csv_rules {
    uint32_t table_off;   /**< Where the table itself will stand; normally 0x8000. */
    uint32_t flash_bytes; /**< Highest end address; 0 = not checked. */
    bool is_secondary; /**< AT's at_customize table: `table_off` is the start of its container and
                          `flash_bytes` the end address; only the sentences differ. */
    bool skip_verify;  /**< As the tool's --no-verify: grammar only. */
};

/** Where and why reading a CSV file failed, or what is odd about it. */
struct aloft_partition_csv_report {
    unsigned line;        /**< 1-based; 0 = the file as a whole. */
    const char *sentence; /**< Constant text for people; NULL = nothing to report. */
};

/**
 * Read a CSV file.
 *
 * @param text        UTF-8; need not be NUL-terminated; at most 64 KiB.
 * @param ret_table   `has_md5` becomes true, as the tool does; AT's primary tables go without.
 * @param ret_report  Filled on error, and on success if there is a warning (the first one).
 * @retval ALOFT_ERR_SYNTAX     Grammar (number, keyword, missing field, `$VAR`, flag), or not
 * UTF-8.
 * @retval ALOFT_ERR_ALIGN      Offset or size is not aligned as its type wants.
 * @retval ALOFT_ERR_OVERLAP    Two partitions overlap.
 * @retval ALOFT_ERR_DUPLICATE  Two of a name, or two data/ota.
 * @retval ALOFT_ERR_RANGE      Below the table, past the flash, a wrong otadata size, or a number
 * no field can hold.
 * @retval ALOFT_ERR_TOO_BIG    Too many entries, or the text is too long.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_partition_csv_parse(const char *text, size_t len,
                                         const struct aloft_partition_csv_rules *rules,
                                         struct aloft_partition_table *ret_table,
                                         struct aloft_partition_csv_report *ret_report);

/**
 * Write a table as the vendor's tool prints it (two comment lines, keywords where known).
 *
 * @param ret_len  Bytes written without the NUL.
 * @retval ALOFT_ERR_TOO_BIG  `out_cap` is too small; 8192 always suffices.
 * @retval ALOFT_ERR_SYNTAX   A label holds a comma or a control character, which CSV cannot say.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_partition_csv_encode(const struct aloft_partition_table *table, char *out,
                                          size_t out_cap, size_t *ret_len);

#endif
