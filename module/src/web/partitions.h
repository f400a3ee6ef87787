/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_PARTITIONS_H
#define ALOFT_WEB_PARTITIONS_H

#include "aloft/attr.h"
#include "aloft/partition_table.h"

struct aloft_module;

/**
 * The `index`-th user partition in the order of the secondary table, read from flash
 * (facts/at-commands.md 5).
 *
 * @retval ALOFT_ERR_NOT_FOUND  There are fewer, or none at all.
 * @retval ALOFT_ERR_FLASH
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_partitions_at(const struct aloft_module *m, uint16_t index,
                                   struct aloft_partition *ret_partition);

#endif
