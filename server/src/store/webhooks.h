/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_WEBHOOKS_H
#define ALOFT_SERVER_WEBHOOKS_H

#include <stdbool.h>

#include "store/db.h"

/* Webhooks: addresses that are sent the events they asked for. */

#define WEBHOOK_URL_MAX     512
#define WEBHOOK_SECRET_MAX  128
#define WEBHOOK_KINDS_MAX   512 /**< All of them as one text. */
#define WEBHOOK_KIND_MAX    48
#define WEBHOOK_CREATOR_MAX 64
#define WEBHOOK_PRODUCT_MAX 64
#define WEBHOOKS_MAX        64

struct webhook {
    int64_t id;
    int64_t product_id;                         /**< Events of it only; 0 = all events. */
    char product_name[WEBHOOK_PRODUCT_MAX + 1]; /**< Its name; only found. */
    char url[WEBHOOK_URL_MAX + 1];
    char secret[WEBHOOK_SECRET_MAX + 1]; /**< Key of the signatures. */
    char kinds[WEBHOOK_KINDS_MAX + 1];   /**< `rom.deployed product.*`: a space between; or `*`. */
    bool allows_http;                    /**< To others than this machine, in the clear. */
    bool is_active;
    int64_t last_event; /**< There are deliveries of the events up to this id. */
    char created_by[WEBHOOK_CREATOR_MAX + 1];
    int64_t created_ms;
    int64_t revision;
};

/** A kind of event as a webhook names it: `rom.deployed`, `rom.*` or `*`. */
bool is_webhook_kind(const char *text);

/** Does one of `kinds` mean this kind of event? */
bool webhook_wants(const char *kinds, const char *kind);

/**
 * Add one, within a transaction; `id` is filled in, `revision` is 1.
 *
 * @retval ALOFT_ERR_DUPLICATE  There are WEBHOOKS_MAX already.
 */
ALOFT_MUST_CHECK
enum aloft_err webhooks_add(struct db *db, struct webhook *webhook, struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  With a sentence. */
ALOFT_MUST_CHECK
enum aloft_err webhooks_get(struct db *db, int64_t id, struct webhook *ret_webhook,
                            struct error *e);

/** Called once per webhook, which is borrowed. An error ends the walk. */
typedef enum aloft_err webhook_visitor(void *ctx, const struct webhook *webhook, struct error *e);

/** Those behind the id `after`, the oldest first; there are WEBHOOKS_MAX at most. */
ALOFT_MUST_CHECK
enum aloft_err webhooks_each(struct db *db, int64_t after, webhook_visitor *visit, void *ctx,
                             struct error *e);

/** Set what may change: url, secret, kinds, allows_http, is_active, last_event; adds 1 to its
 * revision, here too. */
ALOFT_MUST_CHECK
enum aloft_err webhooks_update(struct db *db, struct webhook *webhook, struct error *e);

/** With its deliveries. Not there is fine. */
ALOFT_MUST_CHECK
enum aloft_err webhooks_remove(struct db *db, int64_t id, struct error *e);

/** The last event all active ones have deliveries of; -1 = none is active. */
ALOFT_MUST_CHECK
enum aloft_err webhooks_first_event(struct db *db, int64_t *ret_event, struct error *e);

/** All active ones have deliveries of the events up to this one now. */
ALOFT_MUST_CHECK
enum aloft_err webhooks_move_on(struct db *db, int64_t last_event, struct error *e);

#endif
