/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_API_TOKENS_H
#define ALOFT_SERVER_API_TOKENS_H

#include <stdbool.h>

#include "store/role.h"
#include "store/db.h"

/* API tokens are 256 random bits, so their plain SHA-256 is enough to keep: there is nothing to
 * guess, and looking one up by its hash tells nothing about others. */

#define API_TOKEN_CHARS    64 /**< Lower-case hex digits. */
#define API_TOKEN_NAME_MAX 64

struct api_token {
    int64_t id;
    int64_t account_id; /**< 0: made by an earlier server. */
    char name[API_TOKEN_NAME_MAX + 1];
    enum role role;                            /**< At most this. */
    int64_t product_id;                        /**< Only this one; 0: all. */
    char product_name[API_TOKEN_NAME_MAX + 1]; /**< Its name; only found. */
    int64_t created_ms;
    int64_t expires_ms; /**< 0: never. */
    int64_t used_ms;    /**< To the minute; 0: never. */
    /* Of its account; without one its own name, ROLE_ADMIN, active. */
    char account_name[API_TOKEN_NAME_MAX + 1];
    enum role account_role;
    bool is_active;
};

/** 64 lower-case hex digits. */
bool is_api_token(const char *text);

/**
 * Keep the hash of a new one; `id` and what is of the account are ignored.
 *
 * @param ret_id  Its id.
 */
ALOFT_MUST_CHECK
enum aloft_err api_tokens_add(struct db *db, const struct api_token *token, const char *secret,
                              int64_t *ret_id, struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  No such token. No sentence. */
ALOFT_MUST_CHECK
enum aloft_err api_tokens_find(struct db *db, const char *secret, struct api_token *ret_token,
                               struct error *e);

/** Whatever its secret is. @retval ALOFT_ERR_NOT_FOUND  With a sentence. */
ALOFT_MUST_CHECK
enum aloft_err api_tokens_get(struct db *db, int64_t id, struct api_token *ret_token,
                              struct error *e);

typedef enum aloft_err api_token_visitor(void *ctx, const struct api_token *token, struct error *e);

/** Those behind the id `after` (0: from the first on), the oldest first, at most `limit`; of one
 * account, or of all with `account_id` 0. */
ALOFT_MUST_CHECK
enum aloft_err api_tokens_each(struct db *db, int64_t account_id, int64_t after, size_t limit,
                               api_token_visitor *visit, void *ctx, struct error *e);

/** Not there is fine. */
ALOFT_MUST_CHECK
enum aloft_err api_tokens_remove(struct db *db, int64_t id, struct error *e);

/** Note that it was used, at most once a minute. */
ALOFT_MUST_CHECK
enum aloft_err api_tokens_note_use(struct db *db, const struct api_token *token, int64_t now_ms,
                                   struct error *e);

#endif
