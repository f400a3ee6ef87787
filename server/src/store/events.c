/* SPDX-License-Identifier: Apache-2.0 */
#include "store/events.h"

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
