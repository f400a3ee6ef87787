/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ANALYSE_PARTITION_ROWS_H
#define ALOFT_SERVER_ANALYSE_PARTITION_ROWS_H

#include "analyse/rows.h"

/* Private to analyse: the file's name, and the files of user partitions (facts/esp-formats.md 7,
 * rows 32 and 33). */

/** An upload for a user partition. It is small, so it is kept while it streams by. */
struct partition_file {
    const struct aloft_partition *partition; /**< Of the layout; NULL: the name is none of its. */
    uint8_t *bytes; /**< Owned, as large as the partition; NULL if the content is not looked at. */
    size_t len;
};

/**
 * Find the partition by the file's name. What is no user partition of the layout keeps nothing.
 *
 * @return false: memory is out, and there is nothing to free.
 */
bool partition_file_init(struct partition_file *f, const struct aloft_layout *layout,
                         const char *file_name);

/** Look at the next bytes; those that do not fit the partition are dropped. */
void partition_file_feed(struct partition_file *f, const uint8_t *buf, size_t len);

void partition_file_deinit(struct partition_file *f);

/**
 * Judge a file that is not the firmware. `s->size_bytes` and the report's kind are set.
 *
 * @return true: the name is that of the firmware, so the other rows apply and nothing was added.
 */
bool judge_partition_rows(struct subject *s, const struct partition_file *f);

#endif
