/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ACCOUNT_PRINCIPAL_H
#define ALOFT_ACCOUNT_PRINCIPAL_H

#include "store/role.h"
#include "store/db.h"

/* Who asks. */

#define PRINCIPAL_NAME_BYTES 65
#define PRINCIPAL_CSRF_BYTES 65

enum principal_kind {
    PRINCIPAL_NOBODY,
    PRINCIPAL_SESSION,   /**< A person with a cookie. */
    PRINCIPAL_API_TOKEN, /**< A program. */
};

struct principal {
    enum principal_kind kind;
    int64_t account_id; /**< 0: an API token of an earlier server, which belongs to no account. */
    int64_t api_token_id;
    char name[PRINCIPAL_NAME_BYTES]; /**< Of the account, or of such a token. */
    enum role role;                  /**< For every product; `cap` has been applied. */
    enum role cap;                   /**< An API token's scope; ROLE_ADMIN for a session. */
    int64_t only_product;            /**< An API token's scope; 0: every product. */
    char only_product_name[PRINCIPAL_NAME_BYTES];
    int64_t expires_ms;              /**< Of the API token or session; 0: never. */
    char csrf[PRINCIPAL_CSRF_BYTES]; /**< Of a session: what its changes must show. */
};

/** What the principal may do with one product: the greater of its role and its grant, within its
 * scope. */
ALOFT_MUST_CHECK
enum aloft_err principal_role(struct db *db, const struct principal *principal, int64_t product_id,
                              enum role *ret_role, struct error *e);

/**
 * Whose API token this is.
 *
 * @param text  What stood behind `Bearer `; any text.
 * @retval ALOFT_ERR_NOT_FOUND  Nobody's: unknown, expired, or of an account that may not sign in.
 *                              No sentence.
 */
ALOFT_MUST_CHECK
enum aloft_err principal_by_api_token(struct db *db, const char *text, int64_t now_ms,
                                      struct principal *ret_principal, struct error *e);

/**
 * Whose session this is; being used, it lasts on for `life_ms`.
 *
 * @param secret  What the cookie holds; any text.
 * @retval ALOFT_ERR_NOT_FOUND  Nobody's: unknown, over, or of an account that may not sign in.
 *                              No sentence.
 */
ALOFT_MUST_CHECK
enum aloft_err principal_by_session(struct db *db, const char *secret, int64_t now_ms,
                                    int64_t life_ms, struct principal *ret_principal,
                                    struct error *e);

#endif
