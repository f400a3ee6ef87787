/* SPDX-License-Identifier: Apache-2.0 */

/* What contacts tell about devices. */

#include <string.h>

#include "store/devices.h"

/* The row of this name, unless in this mode it has a token of its own, which then decides. */
static enum aloft_err find_name(struct db *db, const struct device_news *n, const char *name,
                                int64_t *ret_id, bool *ret_is_anothers, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db,
        "SELECT id, CASE WHEN ?3 = 0 THEN token ELSE token_tls END IS NOT NULL FROM device "
        "WHERE product_id = ?1 AND device = ?2",
        &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, n->product_id);
    db_bind_text(s, 2, name);
    db_bind_int(s, 3, n->mode);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        *ret_is_anothers = db_get_int(s, 1) != 0;
        *ret_id = *ret_is_anothers ? 0 : db_get_int(s, 0);
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

enum aloft_err devices_find_seen(struct db *db, const struct device_news *n, int64_t *ret_id,
                                 const char **ret_name, struct error *e)
{
    bool is_anothers = false;

    *ret_id = n->device_id;
    *ret_name = n->device[0] ? n->device : n->address;
    if (n->device_id != 0) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = find_name(db, n, *ret_name, ret_id, &is_anothers, e);
    if (err == ALOFT_ERR_OK && is_anothers) {
        *ret_name = n->address;
        is_anothers = false;
        err = find_name(db, n, *ret_name, ret_id, &is_anothers, e);
    }
    if (is_anothers) {
        *ret_name = NULL; /* even an address is the name of another: nothing to note */
    }
    return err;
}

enum aloft_err devices_add_seen(struct db *db, const struct device_news *n, const char *name,
                                int64_t *ret_id, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_next_id(db, "device", ret_id, e);

    if (err == ALOFT_ERR_OK) {
        err = db_prepare(
            db,
            "INSERT INTO device (id, product_id, device, origin, serial, note, token_prefix, "
            "address, running_version, boot, delivered_version, delivered_ms, proven_version, "
            "proven_ms, n_attempts, created_ms, first_seen_ms, last_seen_ms, revision) "
            "SELECT ?1, id, ?3, ?4, '', '', '', '', '', '', '', 0, '', 0, 0, ?5, 0, 0, 1 "
            "FROM product WHERE id = ?2",
            &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, *ret_id);
    db_bind_int(s, 2, n->product_id);
    db_bind_text(s, 3, name);
    db_bind_text(s, 4, strcmp(name, n->address) == 0 ? DEVICE_ADDRESS : DEVICE_REPORTED);
    db_bind_int(s, 5, n->seen_ms);
    err = db_run(s, e);
    if (err == ALOFT_ERR_OK && db_changes(s) == 0) {
        *ret_id = 0; /* the product was deleted while its module was being answered */
    }
    return err;
}

static enum aloft_err update(struct db *db, int64_t id, const struct device_news *n,
                             struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "UPDATE device SET token_prefix = ?2, address = ?3, "
                   "delivered_version = coalesce(?4, delivered_version), "
                   "delivered_ms = CASE WHEN ?4 IS NULL THEN delivered_ms ELSE ?5 END, "
                   "running_version = coalesce(?6, running_version), boot = coalesce(?7, boot), "
                   "first_seen_ms = CASE first_seen_ms WHEN 0 THEN ?5 ELSE first_seen_ms END, "
                   "last_seen_ms = ?5 WHERE id = ?1",
                   &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    db_bind_text(s, 2, n->token_prefix);
    db_bind_text(s, 3, n->address);
    db_bind_text(s, 4, n->delivered_version);
    db_bind_int(s, 5, n->seen_ms);
    db_bind_text(s, 6, n->running_version && n->running_version[0] ? n->running_version : NULL);
    db_bind_text(s, 7, n->boot && n->boot[0] ? n->boot : NULL);
    return db_run(s, e);
}

static enum aloft_err prove(struct db *db, int64_t id, const struct device_news *n,
                            bool *ret_is_proven, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "UPDATE device SET proven_version = ?2, proven_ms = ?3 WHERE "
                                    "id = ?1 AND delivered_version = ?2 AND proven_version <> ?2",
                                    &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    db_bind_text(s, 2, n->running_version);
    db_bind_int(s, 3, n->seen_ms);
    err = db_run(s, e);
    if (err == ALOFT_ERR_OK) {
        *ret_is_proven = db_changes(s) == 1;
    }
    return err;
}

enum aloft_err devices_note(struct db *db, int64_t id, const struct device_news *news,
                            bool *ret_is_proven, struct error *e)
{
    enum aloft_err err = update(db, id, news, e);

    *ret_is_proven = false;
    if (err == ALOFT_ERR_OK && news->running_version && news->running_version[0]) {
        err = prove(db, id, news, ret_is_proven, e);
    }
    return err;
}

enum aloft_err devices_count(struct db *db, int64_t product_id, const char *origin, int64_t *ret_n,
                             struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "SELECT count(*) FROM device WHERE product_id = ?1 AND origin = ?2", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_text(s, 2, origin);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        *ret_n = db_get_int(s, 0);
    }
    return err;
}

enum aloft_err devices_remove_oldest_address(struct db *db, int64_t product_id, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "DELETE FROM device WHERE id = (SELECT id FROM device WHERE product_id = ?1 "
                   "AND origin = 'address' ORDER BY last_seen_ms, id LIMIT 1)",
                   &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    return db_run(s, e);
}

enum aloft_err devices_remove_old_addresses(struct db *db, int64_t before_ms, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "DELETE FROM device WHERE product_id IN (SELECT id FROM product) "
                   "AND origin = 'address' AND last_seen_ms < ?1",
                   &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, before_ms);
    return db_run(s, e);
}
