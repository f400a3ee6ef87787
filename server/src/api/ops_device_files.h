/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_OPS_DEVICE_FILES_H
#define ALOFT_SERVER_OPS_DEVICE_FILES_H

#include "api/request.h"
#include "store/device_row.h"

/* Many devices at once: batches for the factory line, import, export. */

api_operation op_devices_batch, op_devices_import, op_devices_export;

/** What is wrong with the name that people give; NULL = nothing. */
const char *device_name_problem(const char *name);

/**
 * devices_add() with tokens that others must not have.
 *
 * @param who  For the sentence, as in tokens_refuse_taken().
 */
ALOFT_MUST_CHECK
enum aloft_err device_add_checked(struct db *tx, int64_t product_id, struct device *device,
                                  const char *who, struct error *e);

#endif
