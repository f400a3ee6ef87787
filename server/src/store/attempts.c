/* SPDX-License-Identifier: Apache-2.0 */
#include "store/attempts.h"

#include <string.h>

/* In the order of read_row(). */
#define COLUMNS                                                                                    \
    "a.id, a.product_id, a.device_id, a.token_device_id, coalesce(p.name, ''), a.device, "         \
    "a.reported_device, a.token_prefix, a.address, a.user_agent, a.tls_version, "                  \
    "a.running_version, a.boot, a.asked_version, a.version, a.file, a.state, a.cause, "            \
    "a.sentence, a.bytes_total, a.bytes_sent, a.bytes_acked, a.closed_by, a.n_contacts, "          \
    "a.started_ms, a.ended_ms, a.duration_ms"
#define SELECT "SELECT " COLUMNS " FROM attempt a LEFT JOIN product p ON p.id = a.product_id "

/* What may change, as ?2 to ?18; ?1 is the id. */
static void bind_changing(struct db_stmt *s, const struct attempt *a)
{
    db_bind_int(s, 1, a->id);
    db_bind_text(s, 2, a->user_agent);
    db_bind_int(s, 3, a->tls_version);
    db_bind_text(s, 4, a->running_version);
    db_bind_text(s, 5, a->boot);
    db_bind_text(s, 6, a->asked_version);
    db_bind_text(s, 7, a->version);
    db_bind_text(s, 8, a->file);
    db_bind_text(s, 9, a->state);
    db_bind_text(s, 10, a->cause);
    db_bind_text(s, 11, a->sentence);
    db_bind_int(s, 12, a->bytes_total);
    db_bind_int(s, 13, a->bytes_sent);
    db_bind_int(s, 14, a->bytes_acked);
    db_bind_text(s, 15, a->closed_by);
    db_bind_int(s, 16, a->n_contacts);
    db_bind_int(s, 17, a->ended_ms);
    db_bind_int(s, 18, a->duration_ms);
}

static enum aloft_err insert(struct db *db, const struct attempt *a, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db,
        "INSERT INTO attempt (id, user_agent, tls_version, running_version, boot, asked_version, "
        "version, file, state, cause, sentence, bytes_total, bytes_sent, bytes_acked, closed_by, "
        "n_contacts, ended_ms, duration_ms, product_id, device_id, token_device_id, device, "
        "reported_device, token_prefix, address, started_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
        "?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, "
        "?26)",
        &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    bind_changing(s, a);
    db_bind_int(s, 19, a->product_id);
    db_bind_int(s, 20, a->device_id);
    db_bind_int(s, 21, a->token_device_id);
    db_bind_text(s, 22, a->device);
    db_bind_text(s, 23, a->reported_device);
    db_bind_text(s, 24, a->token_prefix);
    db_bind_text(s, 25, a->address);
    db_bind_int(s, 26, a->started_ms);
    return db_run(s, e);
}

static enum aloft_err count_for_device(struct db *db, int64_t device_id, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "UPDATE device SET n_attempts = n_attempts + 1 WHERE id = ?1", &s, e);

    if (err == ALOFT_ERR_OK) {
        db_bind_int(s, 1, device_id);
        err = db_run(s, e);
    }
    return err;
}

enum aloft_err attempts_add(struct db *db, struct attempt *attempt, struct error *e)
{
    enum aloft_err err = db_next_id(db, "attempt", &attempt->id, e);

    if (err == ALOFT_ERR_OK) {
        err = insert(db, attempt, e);
    }
    if (err == ALOFT_ERR_OK && attempt->device_id != 0) {
        err = count_for_device(db, attempt->device_id, e);
    }
    return err;
}

enum aloft_err attempts_set(struct db *db, const struct attempt *attempt, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db,
        "UPDATE attempt SET user_agent = ?2, tls_version = ?3, running_version = ?4, boot = ?5, "
        "asked_version = ?6, version = ?7, file = ?8, state = ?9, cause = ?10, sentence = ?11, "
        "bytes_total = ?12, bytes_sent = ?13, bytes_acked = ?14, closed_by = ?15, "
        "n_contacts = ?16, ended_ms = ?17, duration_ms = ?18 WHERE id = ?1",
        &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    bind_changing(s, attempt);
    return db_run(s, e);
}

static void read_row(const struct db_stmt *s, struct attempt *a)
{
    const struct {
        char *text; /* NULL: the number */
        size_t cap;
        int64_t *number;
    } columns[] = {
#define NUMBER(field) {NULL, 0, &a->field}
#define TEXT(field)                                                                                \
    {                                                                                              \
        a->field, sizeof a->field, NULL                                                            \
    }
        NUMBER(id),         NUMBER(product_id),  NUMBER(device_id),     NUMBER(token_device_id),
        TEXT(product),      TEXT(device),        TEXT(reported_device), TEXT(token_prefix),
        TEXT(address),      TEXT(user_agent),    NUMBER(tls_version),   TEXT(running_version),
        TEXT(boot),         TEXT(asked_version), TEXT(version),         TEXT(file),
        TEXT(state),        TEXT(cause),         TEXT(sentence),        NUMBER(bytes_total),
        NUMBER(bytes_sent), NUMBER(bytes_acked), TEXT(closed_by),       NUMBER(n_contacts),
        NUMBER(started_ms), NUMBER(ended_ms),    NUMBER(duration_ms),
#undef NUMBER
#undef TEXT
    };

    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        if (columns[i].text) {
            db_get_text(s, (int)i, columns[i].text, columns[i].cap);
        } else {
            *columns[i].number = db_get_int(s, (int)i);
        }
    }
}

static enum aloft_err walk(struct db_stmt *s, attempt_visitor *visit, void *ctx, struct error *e)
{
    enum aloft_err err;
    struct attempt a;

    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        read_row(s, &a);
        err = visit(ctx, &a, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

enum aloft_err attempts_get(struct db *db, int64_t id, struct attempt *ret_attempt, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, SELECT "WHERE a.id = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        read_row(s, ret_attempt);
    }
    return err == ALOFT_ERR_NOT_FOUND ? fail(e, err, "there is no attempt of this number") : err;
}

enum aloft_err attempts_last_delivered(struct db *db, int64_t product_id, const char *device,
                                       const char *version, int64_t *ret_id, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "SELECT id FROM attempt WHERE product_id = ?1 AND device = ?2 "
                                    "AND state = 'delivered' AND version = ?3 "
                                    "AND file = 'ota.bin' ORDER BY id DESC LIMIT 1",
                                    &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_text(s, 2, device);
    db_bind_text(s, 3, version);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        *ret_id = db_get_int(s, 0);
    }
    return err;
}

enum aloft_err attempts_open_each(struct db *db, int64_t since_ms, size_t limit,
                                  attempt_visitor *visit, void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   SELECT "WHERE a.id IN (SELECT id FROM attempt WHERE state = 'running' "
                          "OR (state = 'delivered' AND cause = '') OR ended_ms >= ?1 "
                          "ORDER BY id DESC LIMIT ?2) ORDER BY a.id",
                   &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, since_ms);
    db_bind_int(s, 2, (int64_t)limit);
    return walk(s, visit, ctx, e);
}

#define FILTER                                                                                     \
    "(?2 = 0 OR a.id < ?2) AND (?4 = '' OR a.device = ?4) AND (?5 = '' OR a.state = ?5) "          \
    "AND (?6 = '' OR a.cause = ?6) AND (?7 = '' OR a.version = ?7) "                               \
    "AND (?8 = '' OR a.file = ?8) AND (?9 = '' OR a.address = ?9) "                                \
    "AND (?10 = '' OR a.token_prefix = ?10) AND (?11 = 0 OR a.started_ms >= ?11) "                 \
    "AND (?12 = 0 OR a.started_ms < ?12) ORDER BY a.id DESC LIMIT ?3"

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static enum aloft_err prepare_filtered(struct db *db, const struct attempt_filter *f,
                                       struct db_stmt **ret_stmt, struct error *e)
{
    if (f->product_id != 0) {
        return db_prepare(db, SELECT "WHERE a.product_id = ?1 AND " FILTER, ret_stmt, e);
    }
    if (f->is_all_seen) {
        return db_prepare(db, SELECT "WHERE ?1 = 0 AND " FILTER, ret_stmt, e);
    }
    return db_prepare(db,
                      SELECT "WHERE ?1 = 0 AND a.product_id IN (SELECT product_id FROM "
                             "product_grant WHERE account_id = ?13) AND " FILTER,
                      ret_stmt, e);
}

enum aloft_err attempts_each(struct db *db, const struct attempt_filter *f, attempt_visitor *visit,
                             void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;

    if (f->is_none) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = prepare_filtered(db, f, &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, f->product_id);
    db_bind_int(s, 2, f->before_id);
    db_bind_int(s, 3, (int64_t)f->limit);
    const char *texts[] = {f->device, f->state,   f->cause,       f->version,
                           f->file,   f->address, f->token_prefix};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        db_bind_text(s, 4 + (int)i, or_empty(texts[i]));
    }
    db_bind_int(s, 11, f->since_ms);
    db_bind_int(s, 12, f->until_ms);
    if (f->product_id == 0 && !f->is_all_seen) {
        db_bind_int(s, 13, f->account_id);
    }
    return walk(s, visit, ctx, e);
}

enum aloft_err attempts_remove_old(struct db *db, int64_t before_ms, size_t limit, int64_t *ret_n,
                                   struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "DELETE FROM attempt WHERE id IN (SELECT id FROM attempt "
                                    "WHERE ended_ms < ?1 ORDER BY ended_ms LIMIT ?2)",
                                    &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, before_ms);
    db_bind_int(s, 2, (int64_t)limit);
    err = db_run(s, e);
    *ret_n = err == ALOFT_ERR_OK ? db_changes(s) : 0;
    return err;
}

enum aloft_err attempts_find_device(struct db *db, int64_t device_id,
                                    struct attempt_device *ret_device, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db, "SELECT id, device, proven_version, proven_ms FROM device WHERE id = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, device_id);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        ret_device->id = db_get_int(s, 0);
        db_get_text(s, 1, ret_device->device, sizeof ret_device->device);
        db_get_text(s, 2, ret_device->proven_version, sizeof ret_device->proven_version);
        ret_device->proven_ms = db_get_int(s, 3);
    }
    return err;
}

enum aloft_err attempts_find_file(struct db *db, int64_t product_id, const char *version,
                                  const char *name, char ret_layout[LAYOUT_NAME_MAX + 1],
                                  char ret_sha256[SHA256_HEX_CHARS + 1], struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "SELECT p.layout, f.sha256 FROM product p LEFT JOIN rom_file f "
                                    "ON f.product_id = p.id AND f.version = ?2 AND f.name = ?3 "
                                    "WHERE p.id = ?1",
                                    &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_text(s, 2, version);
    db_bind_text(s, 3, name);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        db_get_text(s, 0, ret_layout, LAYOUT_NAME_MAX + 1);
        db_get_text(s, 1, ret_sha256, SHA256_HEX_CHARS + 1);
    }
    return err;
}
