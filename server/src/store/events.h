/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_EVENTS_H
#define ALOFT_SERVER_EVENTS_H

#include "store/db.h"

/* What happened, for those who listen: event streams and webhooks read it from here. */

#define EVENTS_KEPT_MS (24 * 60 * 60 * INT64_C(1000)) /**< At least. */

struct event {
    int64_t id; /**< 1, 2, ... in the order they happened. */
    int64_t time_ms;
    const char *kind;   /**< `rom.deployed` */
    int64_t product_id; /**< 0: of none. */
    const char *body;   /**< A JSON object without secrets. */
};

/** Call it within the transaction of what happened; `id` is ignored. */
ALOFT_MUST_CHECK
enum aloft_err events_add(struct db *db, const struct event *event, struct error *e);

/** Called once per event, which is borrowed. An error ends the walk. */
typedef enum aloft_err event_visitor(void *ctx, const struct event *event, struct error *e);

/** Those behind `after`, an id, `limit` at most. */
ALOFT_MUST_CHECK
enum aloft_err events_each(struct db *db, int64_t after, size_t limit, event_visitor *visit,
                           void *ctx, struct error *e);

/** Id of the last one there is; 0 = none. */
ALOFT_MUST_CHECK
enum aloft_err events_last(struct db *db, int64_t *ret_id, struct error *e);

/** Forget those made before then that every active webhook has a delivery of. */
ALOFT_MUST_CHECK
enum aloft_err events_sweep(struct db *db, int64_t before_ms, struct error *e);

#endif
