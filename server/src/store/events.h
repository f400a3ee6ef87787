/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_EVENTS_H
#define ALOFT_SERVER_EVENTS_H

#include "store/db.h"

/* What happened, for those who listen: event streams and webhooks read it from here. */

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

#endif
