/* SPDX-License-Identifier: Apache-2.0 */
#include "store/devices.h"

#include <string.h>

static enum aloft_err insert(struct db *db, const struct device_news *n, struct error *e)
{
    int64_t id = 0;
    enum aloft_err err = db_next_id(db, "device", &id, e);
    AUTO_STMT s = NULL;

    if (err == ALOFT_ERR_OK) {
        err = db_prepare(
            db,
            "INSERT INTO device (id, product_id, device, origin, serial, note, token_prefix, "
            "address, running_version, boot, delivered_version, delivered_ms, proven_version, "
            "proven_ms, n_attempts, created_ms, first_seen_ms, last_seen_ms, revision) VALUES "
            "(?1, ?2, ?3, ?7, '', '', ?4, ?5, '', '', '', 0, '', 0, 0, ?6, ?6, ?6, 1)",
            &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    db_bind_int(s, 2, n->product_id);
    db_bind_text(s, 3, n->device);
    db_bind_text(s, 4, n->token_prefix);
    db_bind_text(s, 5, n->address);
    db_bind_int(s, 6, n->seen_ms);
    db_bind_text(s, 7, strcmp(n->device, n->address) == 0 ? "address" : "reported");
    return db_run(s, e);
}

static enum aloft_err update(struct db *db, const struct device_news *n, int64_t *ret_changes,
                             struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db,
        "UPDATE device SET token_prefix = ?3, address = ?4, "
        "delivered_version = coalesce(?5, delivered_version), "
        "delivered_ms = CASE WHEN ?5 IS NULL THEN delivered_ms ELSE ?6 END, last_seen_ms = ?6 "
        "WHERE product_id = ?1 AND device = ?2",
        &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, n->product_id);
    db_bind_text(s, 2, n->device);
    db_bind_text(s, 3, n->token_prefix);
    db_bind_text(s, 4, n->address);
    db_bind_text(s, 5, n->delivered_version);
    db_bind_int(s, 6, n->seen_ms);
    err = db_run(s, e);
    *ret_changes = err == ALOFT_ERR_OK ? db_changes(s) : 0;
    return err;
}

static enum aloft_err upsert(struct db *db, const struct device_news *n, struct error *e)
{
    int64_t n_changes = 0;
    enum aloft_err err = update(db, n, &n_changes, e);

    if (err == ALOFT_ERR_OK && n_changes == 0) {
        err = insert(db, n, e);
        if (err == ALOFT_ERR_OK) {
            err = update(db, n, &n_changes, e);
        }
    }
    return err;
}

static enum aloft_err prove(struct db *db, const struct device_news *n, bool *ret_is_proven,
                            struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "UPDATE device SET proven_version = ?3, proven_ms = ?4 WHERE "
                                    "product_id = ?1 AND device = ?2 "
                                    "AND delivered_version = ?3 AND proven_version <> ?3",
                                    &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, n->product_id);
    db_bind_text(s, 2, n->device);
    db_bind_text(s, 3, n->running_version);
    db_bind_int(s, 4, n->seen_ms);
    err = db_run(s, e);
    if (err == ALOFT_ERR_OK) {
        *ret_is_proven = db_changes(s) == 1;
    }
    return err;
}

enum aloft_err devices_note(struct db *db, const struct device_news *news, bool *ret_is_proven,
                            struct error *e)
{
    enum aloft_err err = upsert(db, news, e);

    *ret_is_proven = false;
    if (err == ALOFT_ERR_OK && news->running_version && news->running_version[0]) {
        err = prove(db, news, ret_is_proven, e);
    }
    return err;
}

static void read_row(const struct db_stmt *s, struct device *d)
{
    db_get_text(s, 0, d->device, sizeof d->device);
    db_get_text(s, 1, d->token_prefix, sizeof d->token_prefix);
    db_get_text(s, 2, d->address, sizeof d->address);
    db_get_text(s, 3, d->delivered_version, sizeof d->delivered_version);
    db_get_text(s, 4, d->proven_version, sizeof d->proven_version);
    d->last_seen_ms = db_get_int(s, 5);
}

enum aloft_err devices_each(struct db *db, int64_t product_id, const char *after,
                            device_visitor *visit, void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "SELECT device, token_prefix, address, delivered_version, "
                   "proven_version, last_seen_ms FROM device WHERE product_id = ?1 AND device > ?2 "
                   "ORDER BY device LIMIT ?3",
                   &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_text(s, 2, after);
    db_bind_int(s, 3, DEVICES_PER_PAGE);
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        struct device d;
        read_row(s, &d);
        err = visit(ctx, &d, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}
