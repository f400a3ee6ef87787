/* SPDX-License-Identifier: Apache-2.0 */
#include "store/deliveries.h"

#include <stdio.h>

#include "host/auto.h"

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

/* Before the second try, the third, ... */
static const int64_t pauses_ms[] = {10 * SECOND, 1 * MINUTE, 5 * MINUTE, 30 * MINUTE,
                                    2 * HOUR,    6 * HOUR,   24 * HOUR};
#define N_PAUSES ((int64_t)(sizeof pauses_ms / sizeof pauses_ms[0]))

#define COLUMNS                                                                                    \
    "d.id, d.webhook_id, d.event_id, d.kind, d.state, d.n_tries, d.next_ms, d.status, d.error, "   \
    "d.created_ms, d.ended_ms, d.body FROM webhook_delivery d"
#define COLUMN_BODY 11

enum aloft_err deliveries_add(struct db *db, struct delivery *d, const char *body, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_next_id(db, "webhook_delivery", &d->id, e);

    if (err == ALOFT_ERR_OK) {
        err = db_prepare(db,
                         "INSERT INTO webhook_delivery (id, webhook_id, event_id, kind, body, "
                         "state, n_tries, next_ms, status, error, created_ms, ended_ms) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?7, 0, ?6, 0, '', ?6, 0)",
                         &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    (void)snprintf(d->state, sizeof d->state, DELIVERY_WAITING);
    d->next_ms = d->created_ms;
    db_bind_int(s, 1, d->id);
    db_bind_int(s, 2, d->webhook_id);
    db_bind_int(s, 3, d->event_id);
    db_bind_text(s, 4, d->kind);
    db_bind_text(s, 5, body);
    db_bind_int(s, 6, d->created_ms);
    db_bind_text(s, 7, d->state);
    return db_run(s, e);
}

static void read_row(const struct db_stmt *s, struct delivery *d)
{
    d->id = db_get_int(s, 0);
    d->webhook_id = db_get_int(s, 1);
    d->event_id = db_get_int(s, 2);
    db_get_text(s, 3, d->kind, sizeof d->kind);
    db_get_text(s, 4, d->state, sizeof d->state);
    d->n_tries = db_get_int(s, 5);
    d->next_ms = db_get_int(s, 6);
    d->status = db_get_int(s, 7);
    db_get_text(s, 8, d->error, sizeof d->error);
    d->created_ms = db_get_int(s, 9);
    d->ended_ms = db_get_int(s, 10);
}

enum aloft_err deliveries_get(struct db *db, int64_t webhook_id, int64_t id,
                              struct delivery *ret_delivery, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "SELECT " COLUMNS " WHERE d.webhook_id = ?1 AND d.id = ?2", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, webhook_id);
    db_bind_int(s, 2, id);
    err = db_step(s, e);
    if (err == ALOFT_ERR_NOT_FOUND) {
        return fail(e, err, "the webhook has no such delivery");
    }
    if (err == ALOFT_ERR_OK) {
        read_row(s, ret_delivery);
    }
    return err;
}

enum aloft_err deliveries_each(struct db *db, int64_t webhook_id, int64_t before, size_t limit,
                               delivery_visitor *visit, void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "SELECT " COLUMNS " WHERE d.webhook_id = ?1 AND (?2 = 0 OR d.id < ?2) "
                   "ORDER BY d.id DESC LIMIT ?3",
                   &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, webhook_id);
    db_bind_int(s, 2, before);
    db_bind_int(s, 3, (int64_t)limit);
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        struct delivery d;
        read_row(s, &d);
        err = visit(ctx, &d, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

enum aloft_err deliveries_due(struct db *db, int64_t now_ms, size_t limit, due_visitor *visit,
                              void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "SELECT " COLUMNS " JOIN webhook w ON w.id = d.webhook_id "
                   "WHERE w.is_active = 1 AND d.id = (SELECT x.id FROM webhook_delivery x "
                   "WHERE x.webhook_id = w.id AND x.state = 'waiting' AND x.next_ms <= ?1 "
                   "ORDER BY x.next_ms, x.id LIMIT 1) ORDER BY d.next_ms, d.id LIMIT ?2",
                   &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, now_ms);
    db_bind_int(s, 2, (int64_t)limit);
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        AUTO_FREE char *body = db_dup_text(s, COLUMN_BODY);
        struct delivery d;
        read_row(s, &d);
        err = body ? visit(ctx, &d, body, e) : fail(e, ALOFT_ERR_IO, "out of memory");
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

enum aloft_err deliveries_next(struct db *db, int64_t *ret_ms, struct error *e)
{
    return db_query_int(db,
                        "SELECT coalesce(min(d.next_ms), 0) FROM webhook_delivery d "
                        "JOIN webhook w ON w.id = d.webhook_id "
                        "WHERE d.state = 'waiting' AND w.is_active = 1",
                        NULL, ret_ms, e);
}

enum aloft_err deliveries_note(struct db *db, const struct delivery *d, int64_t status,
                               const char *error, int64_t now_ms, struct error *e)
{
    bool is_last = d->n_tries >= N_PAUSES;
    const char *unfinished = is_last ? DELIVERY_FAILED : DELIVERY_WAITING;
    const char *state = error[0] ? unfinished : DELIVERY_DONE;
    bool is_over = !error[0] || is_last;
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "UPDATE webhook_delivery SET state = ?2, n_tries = n_tries + 1, next_ms = ?3, "
                   "status = ?4, error = ?5, ended_ms = ?6 WHERE id = ?1",
                   &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, d->id);
    db_bind_text(s, 2, state);
    db_bind_int(s, 3, is_over ? d->next_ms : now_ms + pauses_ms[d->n_tries]);
    db_bind_int(s, 4, status);
    db_bind_text(s, 5, error);
    db_bind_int(s, 6, is_over ? now_ms : 0);
    return db_run(s, e);
}

enum aloft_err deliveries_retry(struct db *db, int64_t id, int64_t now_ms, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "UPDATE webhook_delivery SET state = 'waiting', n_tries = 0, next_ms = ?2, "
                   "ended_ms = 0 WHERE id = ?1",
                   &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    db_bind_int(s, 2, now_ms);
    return db_run(s, e);
}

enum aloft_err deliveries_sweep(struct db *db, int64_t before_ms, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "DELETE FROM webhook_delivery WHERE created_ms < ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, before_ms);
    return db_run(s, e);
}
