/* SPDX-License-Identifier: Apache-2.0 */
#include "store/events.h"

#include <stdlib.h>

#include "host/auto.h"

enum aloft_err events_add(struct db *db, const struct event *event, struct error *e)
{
    int64_t id = 0;
    enum aloft_err err = db_next_id(db, "event", &id, e);
    AUTO_STMT s = NULL;

    if (err == ALOFT_ERR_OK) {
        err = db_prepare(db,
                         "INSERT INTO event (id, time_ms, kind, product_id, body) "
                         "VALUES (?1, ?2, ?3, ?4, ?5)",
                         &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    db_bind_int(s, 2, event->time_ms);
    db_bind_text(s, 3, event->kind);
    db_bind_int(s, 4, event->product_id);
    db_bind_text(s, 5, event->body);
    return db_run(s, e);
}

static enum aloft_err visit_row(const struct db_stmt *s, event_visitor *visit, void *ctx,
                                struct error *e)
{
    AUTO_FREE char *kind = db_dup_text(s, 2);
    AUTO_FREE char *body = db_dup_text(s, 4);

    if (!kind || !body) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    const struct event event = {db_get_int(s, 0), db_get_int(s, 1), kind, db_get_int(s, 3), body};
    return visit(ctx, &event, e);
}

enum aloft_err events_each(struct db *db, int64_t after, size_t limit, event_visitor *visit,
                           void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "SELECT id, time_ms, kind, product_id, body FROM event "
                                    "WHERE id > ?1 ORDER BY id LIMIT ?2",
                                    &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, after);
    db_bind_int(s, 2, (int64_t)limit);
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        err = visit_row(s, visit, ctx, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

enum aloft_err events_last(struct db *db, int64_t *ret_id, struct error *e)
{
    return db_query_int(db, "SELECT coalesce(max(id), 0) FROM event", NULL, ret_id, e);
}

enum aloft_err events_sweep(struct db *db, int64_t before_ms, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "DELETE FROM event WHERE time_ms < ?1 AND NOT EXISTS "
                                    "(SELECT 1 FROM webhook w WHERE w.is_active = 1 AND "
                                    "w.last_event < event.id)",
                                    &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, before_ms);
    return db_run(s, e);
}
