/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_COUNTS_H
#define ALOFT_SERVER_COUNTS_H

#include "store/db.h"

/* What there is at this moment, for monitoring. */

struct store_counts {
    int64_t n_products;
    int64_t n_roms;
    int64_t n_devices;
    int64_t n_accounts;
    int64_t n_deliveries_waiting; /**< Of webhooks. */
    int64_t n_deliveries_failed;
    int64_t blob_bytes; /**< Of files and uploads, each blob once. */
};

ALOFT_MUST_CHECK
enum aloft_err store_counts_read(struct db *db, struct store_counts *ret_counts, struct error *e);

#endif
