/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_GRANTS_H
#define ALOFT_SERVER_GRANTS_H

#include "account/role.h"
#include "store/db.h"

/* What accounts may do with single products. */

/** ROLE_NONE if there is no grant. */
ALOFT_MUST_CHECK
enum aloft_err grants_get(struct db *db, int64_t account_id, int64_t product_id,
                          enum role *ret_role, struct error *e);

#endif
