/* SPDX-License-Identifier: Apache-2.0 */
#include "store/grants.h"

enum aloft_err grants_get(struct db *db, int64_t account_id, int64_t product_id,
                          enum role *ret_role, struct error *e)
{
    char text[ROLE_TEXT_BYTES];
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db, "SELECT role FROM product_grant WHERE account_id = ?1 AND product_id = ?2", &s, e);

    *ret_role = ROLE_NONE;
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, account_id);
    db_bind_int(s, 2, product_id);
    err = db_step(s, e);
    if (err != ALOFT_ERR_OK) {
        return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
    }
    db_get_text(s, 0, text, sizeof text);
    if (!role_parse(text, ret_role)) {
        return fail(e, ALOFT_ERR_IO, "the database: '%s' is no role", text);
    }
    return ALOFT_ERR_OK;
}
