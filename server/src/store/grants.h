/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_GRANTS_H
#define ALOFT_SERVER_GRANTS_H

#include "store/role.h"
#include "store/db.h"

/* What accounts may do with single products. */

/** ROLE_NONE if there is no grant. */
ALOFT_MUST_CHECK
enum aloft_err grants_get(struct db *db, int64_t account_id, int64_t product_id,
                          enum role *ret_role, struct error *e);

/** Add or replace one. */
ALOFT_MUST_CHECK
enum aloft_err grants_set(struct db *db, int64_t account_id, int64_t product_id, enum role role,
                          struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  With a sentence. */
ALOFT_MUST_CHECK
enum aloft_err grants_remove(struct db *db, int64_t account_id, int64_t product_id,
                             struct error *e);

/** The texts are borrowed; may ask other questions. An error ends the walk. */
typedef enum aloft_err grant_visitor(void *ctx, const char *product, enum role role,
                                     struct error *e);

/** All grants of an account, by the product's name. */
ALOFT_MUST_CHECK
enum aloft_err grants_each(struct db *db, int64_t account_id, grant_visitor *visit, void *ctx,
                           struct error *e);

#endif
