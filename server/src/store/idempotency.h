/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_IDEMPOTENCY_H
#define ALOFT_SERVER_IDEMPOTENCY_H

#include "host/hashes.h"
#include "store/db.h"

/* Requests that may come twice because the first answer was lost: what was answered is kept. */

#define IDEMPOTENCY_KEY_MAX   64 /**< Bytes. */
#define IDEMPOTENCY_ACTOR_MAX 40
#define IDEMPOTENCY_LIFE_MS   (24 * 60 * 60 * 1000)

struct idempotency {
    char actor[IDEMPOTENCY_ACTOR_MAX + 1]; /**< `account 7`, `token 3` */
    char key[IDEMPOTENCY_KEY_MAX + 1];
    char request[HASH_HEX_BYTES]; /**< Hash of method, target and body. */
};

/**
 * @param ret_body  The caller's, free() it; empty when the answer held a secret.
 * @retval ALOFT_ERR_NOT_FOUND   This key was not used. No sentence.
 * @retval ALOFT_ERR_DUPLICATE   It was used for another request.
 */
ALOFT_MUST_CHECK
enum aloft_err idempotency_find(struct db *db, const struct idempotency *i, int64_t *ret_status,
                                char **ret_body, struct error *e);

/** Call it within the transaction of the change. */
ALOFT_MUST_CHECK
enum aloft_err idempotency_add(struct db *db, const struct idempotency *i, int64_t status,
                               const char *body, int64_t now_ms, struct error *e);

/** Forget what is older than IDEMPOTENCY_LIFE_MS. */
ALOFT_MUST_CHECK
enum aloft_err idempotency_expire(struct db *db, int64_t now_ms, struct error *e);

#endif
