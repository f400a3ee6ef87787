/* SPDX-License-Identifier: Apache-2.0 */
#include "store/devices.h"

#include <stdio.h>
#include <string.h>

#include "store/device_row.h"

void device_row_read(const struct db_stmt *s, struct device *d)
{
    d->id = db_get_int(s, 0);
    db_get_text(s, 1, d->device, sizeof d->device);
    db_get_text(s, 2, d->origin, sizeof d->origin);
    db_get_text(s, 3, d->serial, sizeof d->serial);
    db_get_text(s, 4, d->note, sizeof d->note);
    db_get_text(s, 5, d->token, sizeof d->token);
    db_get_text(s, 6, d->token_tls, sizeof d->token_tls);
    db_get_text(s, 7, d->token_prefix, sizeof d->token_prefix);
    db_get_text(s, 8, d->address, sizeof d->address);
    db_get_text(s, 9, d->running_version, sizeof d->running_version);
    db_get_text(s, 10, d->boot, sizeof d->boot);
    db_get_text(s, 11, d->delivered_version, sizeof d->delivered_version);
    db_get_text(s, 12, d->proven_version, sizeof d->proven_version);
    d->delivered_ms = db_get_int(s, 13);
    d->proven_ms = db_get_int(s, 14);
    d->n_attempts = db_get_int(s, 15);
    d->created_ms = db_get_int(s, 16);
    d->first_seen_ms = db_get_int(s, 17);
    d->last_seen_ms = db_get_int(s, 18);
    d->revision = db_get_int(s, 19);
}

enum aloft_err devices_get(struct db *db, int64_t product_id, const char *name,
                           struct device *ret_device, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db, "SELECT " DEVICE_COLUMNS " FROM device WHERE product_id = ?1 AND device = ?2", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_text(s, 2, name);
    err = db_step(s, e);
    if (err == ALOFT_ERR_NOT_FOUND) {
        return fail(e, err, "this product has no device of this name");
    }
    if (err == ALOFT_ERR_OK) {
        device_row_read(s, ret_device);
    }
    return err;
}

static const char *null_if_empty(const char *text)
{
    return text[0] ? text : NULL;
}

/* Until it is seen, its own token is the one to find it by. */
static void preset_prefix(struct device *d)
{
    const char *own = d->token[0] ? d->token : d->token_tls;

    if (d->last_seen_ms == 0) {
        (void)snprintf(d->token_prefix, sizeof d->token_prefix, "%.*s", TOKEN_PREFIX_CHARS, own);
    }
}

/* What people give, as ?2 to ?8. */
static void bind_given(struct db_stmt *s, const struct device *d)
{
    db_bind_text(s, 2, d->device);
    db_bind_text(s, 3, d->serial);
    db_bind_text(s, 4, d->note);
    db_bind_text(s, 5, null_if_empty(d->token));
    db_bind_text(s, 6, null_if_empty(d->token_tls));
    db_bind_text(s, 7, d->token_prefix);
    db_bind_text(s, 8, d->origin);
}

static enum aloft_err insert(struct db *db, int64_t product_id, struct device *d, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_next_id(db, "device", &d->id, e);

    if (err == ALOFT_ERR_OK) {
        err = db_prepare(
            db,
            "INSERT INTO device (id, device, serial, note, token, token_tls, token_prefix, origin, "
            "product_id, address, running_version, boot, delivered_version, delivered_ms, "
            "proven_version, proven_ms, n_attempts, created_ms, first_seen_ms, last_seen_ms, "
            "revision) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '', '', '', '', 0, '', 0, 0, "
            "?10, 0, 0, 1)",
            &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, d->id);
    bind_given(s, d);
    db_bind_int(s, 9, product_id);
    db_bind_int(s, 10, d->created_ms);
    d->revision = 1;
    return db_run(s, e);
}

static enum aloft_err write_given(struct db *db, struct device *d, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "UPDATE device SET device = ?2, serial = ?3, note = ?4, token = ?5, "
                   "token_tls = ?6, token_prefix = ?7, origin = ?8, revision = revision + 1 "
                   "WHERE id = ?1",
                   &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    d->revision++;
    preset_prefix(d);
    db_bind_int(s, 1, d->id);
    bind_given(s, d);
    return db_run(s, e);
}

/* The row that modules brought about becomes `d`. */
static enum aloft_err adopt(struct db *db, const struct device *known, struct device *d,
                            struct error *e)
{
    struct device both = *known;

    memcpy(both.origin, d->origin, sizeof both.origin);
    memcpy(both.serial, d->serial, sizeof both.serial);
    memcpy(both.note, d->note, sizeof both.note);
    memcpy(both.token, d->token, sizeof both.token);
    memcpy(both.token_tls, d->token_tls, sizeof both.token_tls);
    *d = both;
    return write_given(db, d, e);
}

enum aloft_err devices_add(struct db *db, int64_t product_id, struct device *d, struct error *e)
{
    struct device known;
    enum aloft_err err = devices_get(db, product_id, d->device, &known, e);

    (void)snprintf(d->origin, sizeof d->origin, DEVICE_REGISTERED);
    if (err == ALOFT_ERR_NOT_FOUND) {
        preset_prefix(d);
        return insert(db, product_id, d, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (strcmp(known.origin, DEVICE_REGISTERED) == 0) {
        return fail(e, ALOFT_ERR_DUPLICATE, "there is a device '%s' already", d->device);
    }
    return adopt(db, &known, d, e);
}

enum aloft_err devices_update(struct db *db, int64_t product_id, struct device *d, struct error *e)
{
    struct device known;
    enum aloft_err err = devices_get(db, product_id, d->device, &known, e);

    if (err == ALOFT_ERR_OK && known.id != d->id) {
        return fail(e, ALOFT_ERR_DUPLICATE, "there is a device '%s' already", d->device);
    }
    if (err != ALOFT_ERR_OK && err != ALOFT_ERR_NOT_FOUND) {
        return err;
    }
    return write_given(db, d, e);
}

enum aloft_err devices_remove(struct db *db, int64_t id, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "DELETE FROM device WHERE id = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    return db_run(s, e);
}
