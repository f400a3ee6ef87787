/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_INVITATIONS_H
#define ALOFT_SERVER_INVITATIONS_H

#include "store/accounts.h"
#include "store/products.h"

/* Invitations: what somebody may become who shows the code. Each is good once. */

#define JOIN_CODE_CHARS     32 /**< Lower-case hex digits of an invitation's or the set-up code. */
#define INVITATION_NOTE_MAX 200

struct invitation {
    int64_t id;
    enum role role;
    int64_t product_id; /**< `role` is a grant for this one; 0: it is for every product. */
    char product_name[PRODUCT_NAME_MAX + 1]; /**< Only found. */
    char note[INVITATION_NOTE_MAX + 1];      /**< For whom it is. */
    char created_by[ACCOUNT_NAME_MAX + 1];
    int64_t created_ms;
    int64_t expires_ms;
};

/** Keep the hash of a new one; `id` is filled in. Forgets those that are over. */
ALOFT_MUST_CHECK
enum aloft_err invitations_add(struct db *db, struct invitation *invitation, const char *code,
                               struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  There is none of this code, or it is over. No sentence. */
ALOFT_MUST_CHECK
enum aloft_err invitations_find(struct db *db, const char *code, int64_t now_ms,
                                struct invitation *ret_invitation, struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  With a sentence. */
ALOFT_MUST_CHECK
enum aloft_err invitations_remove(struct db *db, int64_t id, struct error *e);

typedef enum aloft_err invitation_visitor(void *ctx, const struct invitation *invitation,
                                          struct error *e);

/** Those behind the id `after` (0: from the first on), the oldest first, at most `limit`. */
ALOFT_MUST_CHECK
enum aloft_err invitations_each(struct db *db, int64_t after, size_t limit,
                                invitation_visitor *visit, void *ctx, struct error *e);

#endif
