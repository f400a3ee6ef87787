/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/fan_out.h"

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "host/auto.h"
#include "store/deliveries.h"
#include "store/products.h"

#define EVENTS_MAX 256u /* of one transaction */

/* What fan_out() needs to know of an active webhook. */
struct listener {
    int64_t id;
    int64_t product_id;
    int64_t last_event;
    char kinds[WEBHOOK_KINDS_MAX + 1];
};

struct work {
    struct db *db;
    int64_t now_ms;
    int64_t last_event;
    size_t n_events;
    size_t n_listeners;
    struct listener listeners[WEBHOOKS_MAX];
};

char *fan_out_text(const struct event *event, const char *product)
{
    json_t *body = json_loads(event->body, 0, NULL);
    json_t *all = json_pack("{s:I, s:s, s:I, s:s?, s:o?}", "id", (json_int_t)event->id, "kind",
                            event->kind, "time_ms", (json_int_t)event->time_ms, "product",
                            product && product[0] ? product : NULL, "body", body);
    char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;

    json_decref(all);
    return text;
}

static enum aloft_err take_listener(void *ctx, const struct webhook *w, struct error *e)
{
    struct work *work = ctx;

    (void)e;
    if (w->is_active && work->n_listeners < WEBHOOKS_MAX) {
        struct listener *l = &work->listeners[work->n_listeners++];
        *l = (struct listener){w->id, w->product_id, w->last_event, ""};
        (void)snprintf(l->kinds, sizeof l->kinds, "%s", w->kinds);
    }
    return ALOFT_ERR_OK;
}

static bool wants(const struct listener *l, const struct event *event)
{
    return event->id > l->last_event &&
           (l->product_id == 0 || l->product_id == event->product_id) &&
           webhook_wants(l->kinds, event->kind);
}

static enum aloft_err add_delivery(struct work *work, const struct listener *l,
                                   const struct event *event, const char *text, struct error *e)
{
    struct delivery d = {.webhook_id = l->id, .event_id = event->id, .created_ms = work->now_ms};

    (void)snprintf(d.kind, sizeof d.kind, "%s", event->kind);
    return deliveries_add(work->db, &d, text, e);
}

static enum aloft_err take_event(void *ctx, const struct event *event, struct error *e)
{
    struct work *work = ctx;
    AUTO_FREE char *text = NULL;
    enum aloft_err err = ALOFT_ERR_OK;

    work->last_event = event->id;
    work->n_events++;
    for (size_t i = 0; i < work->n_listeners && err == ALOFT_ERR_OK; i++) {
        if (!wants(&work->listeners[i], event)) {
            continue;
        }
        if (!text) {
            char product[PRODUCT_NAME_MAX + 1] = "";
            err = products_name(work->db, event->product_id, product, e);
            text = err == ALOFT_ERR_OK ? fan_out_text(event, product) : NULL;
        }
        if (err == ALOFT_ERR_OK) {
            err = text ? add_delivery(work, &work->listeners[i], event, text, e)
                       : fail(e, ALOFT_ERR_IO, "out of memory");
        }
    }
    return err;
}

static enum aloft_err run(struct work *work, int64_t first_event, struct error *e)
{
    AUTO_TRANSACTION tx = NULL;
    enum aloft_err err = db_begin(work->db, &tx, e);

    work->db = tx;
    if (err == ALOFT_ERR_OK) {
        err = webhooks_each(tx, 0, take_listener, work, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = events_each(tx, first_event, EVENTS_MAX, take_event, work, e);
    }
    if (err == ALOFT_ERR_OK && work->n_events > 0) {
        err = webhooks_move_on(tx, work->last_event, e);
    }
    return err == ALOFT_ERR_OK ? db_commit(&tx, e) : err;
}

enum aloft_err fan_out(struct db *db, int64_t now_ms, bool *ret_has_more, struct error *e)
{
    int64_t first = -1;
    int64_t last = 0;
    enum aloft_err err = webhooks_first_event(db, &first, e);

    *ret_has_more = false;
    if (err == ALOFT_ERR_OK) {
        err = events_last(db, &last, e);
    }
    if (err != ALOFT_ERR_OK || first < 0 || first >= last) {
        return err;
    }
    AUTO_FREE struct work *work = calloc(1, sizeof *work);
    if (!work) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    work->db = db;
    work->now_ms = now_ms;
    err = run(work, first, e);
    *ret_has_more = work->n_events == EVENTS_MAX;
    return err;
}
