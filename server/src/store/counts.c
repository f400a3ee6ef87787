/* SPDX-License-Identifier: Apache-2.0 */
#include "store/counts.h"

static const char deliveries_sql[] = "SELECT count(*) FROM webhook_delivery WHERE state = ?1";

enum aloft_err store_counts_read(struct db *db, struct store_counts *c, struct error *e)
{
    const struct {
        const char *sql;
        const char *text;
        int64_t *value;
    } rows[] = {
        {"SELECT count(*) FROM product", NULL, &c->n_products},
        {"SELECT count(*) FROM rom", NULL, &c->n_roms},
        {"SELECT count(*) FROM device", NULL, &c->n_devices},
        {"SELECT count(*) FROM account", NULL, &c->n_accounts},
        {deliveries_sql, "waiting", &c->n_deliveries_waiting},
        {deliveries_sql, "failed", &c->n_deliveries_failed},
        {"SELECT coalesce(sum(size_bytes), 0) FROM (SELECT sha256, size_bytes FROM rom_file "
         "UNION SELECT sha256, size_bytes FROM upload) AS blob",
         NULL, &c->blob_bytes},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum aloft_err err = db_query_int(db, rows[i].sql, rows[i].text, rows[i].value, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return ALOFT_ERR_OK;
}
