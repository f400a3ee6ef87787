/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_DEVICE_ROW_H
#define ALOFT_SERVER_DEVICE_ROW_H

#include "store/devices.h"

/* How the rows of table device are read and searched; for devices*.c and their tests. */

#define DEVICE_COLUMNS                                                                             \
    "id, device, origin, serial, note, token, token_tls, token_prefix, address, "                  \
    "running_version, boot, delivered_version, proven_version, delivered_ms, proven_ms, "          \
    "n_attempts, created_ms, first_seen_ms, last_seen_ms, revision"

/** A row that begins with DEVICE_COLUMNS. */
void device_row_read(const struct db_stmt *stmt, struct device *ret_device);

/**
 * The walks through one index each that make up a list. The parameters: ?1 product, ?2 ?3 key and
 * id before the first, ?4 the end of the keys; ?5 to ?9 what sources before this one have shown;
 * from ?10 the filter; ?23 limit.
 */
#define DEVICE_SOURCES 6
extern const char *const device_source_sql[DEVICE_SOURCES];

#endif
