/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ACCOUNTS_H
#define ALOFT_SERVER_ACCOUNTS_H

#include <stdbool.h>

#include "store/role.h"
#include "store/db.h"

/* People who sign in. */

#define ACCOUNT_NAME_MAX       64  /**< Bytes of [A-Za-z0-9._-]. */
#define ACCOUNT_PASSWORD_BYTES 128 /**< Of its argon2id text, with the NUL. */

struct account {
    int64_t id;
    char name[ACCOUNT_NAME_MAX + 1];
    char password[ACCOUNT_PASSWORD_BYTES]; /**< Its hash, as account/passwords.h makes it. */
    enum role role;                        /**< For every product. */
    bool is_active;                        /**< May sign in. */
    int64_t created_ms;
    int64_t signed_in_ms; /**< Last time; 0: never. */
    int64_t revision;     /**< Grows with each change of it or its grants. */
};

/**
 * Add one; `id` and `revision` are filled in.
 *
 * @retval ALOFT_ERR_DUPLICATE  The name is taken.
 */
ALOFT_MUST_CHECK
enum aloft_err accounts_add(struct db *db, struct account *account, struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  With a sentence. */
ALOFT_MUST_CHECK
enum aloft_err accounts_get(struct db *db, const char *name, struct account *ret_account,
                            struct error *e);

/** Called once per account, which is borrowed; may ask other questions. An error ends the walk. */
typedef enum aloft_err account_visitor(void *ctx, const struct account *account, struct error *e);

/** Those behind the name `after` (empty: from the first on), by name, at most `limit`. */
ALOFT_MUST_CHECK
enum aloft_err accounts_each(struct db *db, const char *after, size_t limit, account_visitor *visit,
                             void *ctx, struct error *e);

/** Write role, is_active and password; `revision` grows by 1. */
ALOFT_MUST_CHECK
enum aloft_err accounts_update(struct db *db, struct account *account, struct error *e);

/** `revision` grows by 1, because its grants have changed. */
ALOFT_MUST_CHECK
enum aloft_err accounts_touch(struct db *db, struct account *account, struct error *e);

ALOFT_MUST_CHECK
enum aloft_err accounts_note_sign_in(struct db *db, int64_t id, int64_t now_ms, struct error *e);

/** With its sessions, API tokens and grants. */
ALOFT_MUST_CHECK
enum aloft_err accounts_remove(struct db *db, int64_t id, struct error *e);

ALOFT_MUST_CHECK
enum aloft_err accounts_count(struct db *db, int64_t *ret_n, struct error *e);

/** Active ones with the role admin for every product. */
ALOFT_MUST_CHECK
enum aloft_err accounts_count_admins(struct db *db, int64_t *ret_n, struct error *e);

#endif
