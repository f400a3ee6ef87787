/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_DELIVERIES_H
#define ALOFT_SERVER_DELIVERIES_H

#include "store/db.h"
#include "store/webhooks.h"

/*
 * What webhooks are to be sent, and what became of it. A delivery is tried until it is done; after
 * the last pause of the table in deliveries.c it has failed.
 */

#define DELIVERY_WAITING "waiting"
#define DELIVERY_DONE    "done"
#define DELIVERY_FAILED  "failed"

#define DELIVERY_STATE_BYTES 8
#define DELIVERY_ERROR_MAX   256
#define DELIVERIES_KEPT_MS   (30 * 24 * 60 * 60 * INT64_C(1000))

struct delivery {
    int64_t id;
    int64_t webhook_id;
    int64_t event_id; /**< 0 = a test. */
    char kind[WEBHOOK_KIND_MAX + 1];
    char state[DELIVERY_STATE_BYTES];
    int64_t n_tries;
    int64_t next_ms;                    /**< When it is tried (again), while it waits. */
    int64_t status;                     /**< HTTP status of the last try; 0 = none came. */
    char error[DELIVERY_ERROR_MAX + 1]; /**< Of the last try; empty = none. */
    int64_t created_ms;
    int64_t ended_ms; /**< 0 = not yet. */
};

/** Add one that waits, within a transaction; id, webhook_id, event_id, kind and created_ms of `d`
 * count; the id is filled in. `body` is what is sent. */
ALOFT_MUST_CHECK
enum aloft_err deliveries_add(struct db *db, struct delivery *d, const char *body, struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  This webhook has no such delivery, with a sentence. */
ALOFT_MUST_CHECK
enum aloft_err deliveries_get(struct db *db, int64_t webhook_id, int64_t id,
                              struct delivery *ret_delivery, struct error *e);

/** Called once per delivery, which is borrowed. An error ends the walk. */
typedef enum aloft_err delivery_visitor(void *ctx, const struct delivery *d, struct error *e);

/** The newest first; those before the id `before`, 0 = from the newest on. */
ALOFT_MUST_CHECK
enum aloft_err deliveries_each(struct db *db, int64_t webhook_id, int64_t before, size_t limit,
                               delivery_visitor *visit, void *ctx, struct error *e);

/** What is to be sent now: of each active webhook one at most. The body is borrowed. */
typedef enum aloft_err due_visitor(void *ctx, const struct delivery *d, const char *body,
                                   struct error *e);
ALOFT_MUST_CHECK
enum aloft_err deliveries_due(struct db *db, int64_t now_ms, size_t limit, due_visitor *visit,
                              void *ctx, struct error *e);

/** When the next one is due; 0 = none waits. */
ALOFT_MUST_CHECK
enum aloft_err deliveries_next(struct db *db, int64_t *ret_ms, struct error *e);

/**
 * Note a try: done without an error; else it waits for the next try, or has failed. Gone in the
 * meantime is fine.
 *
 * @param error  "" = it arrived.
 */
ALOFT_MUST_CHECK
enum aloft_err deliveries_note(struct db *db, const struct delivery *d, int64_t status,
                               const char *error, int64_t now_ms, struct error *e);

/** Try it again from the first pause on, now. */
ALOFT_MUST_CHECK
enum aloft_err deliveries_retry(struct db *db, int64_t id, int64_t now_ms, struct error *e);

/** Forget those made before then. */
ALOFT_MUST_CHECK
enum aloft_err deliveries_sweep(struct db *db, int64_t before_ms, struct error *e);

#endif
