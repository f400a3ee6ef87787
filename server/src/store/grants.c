/* SPDX-License-Identifier: Apache-2.0 */
#include "store/grants.h"

#include "store/products.h"

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

enum aloft_err grants_set(struct db *db, int64_t account_id, int64_t product_id, enum role role,
                          struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "INSERT INTO product_grant (account_id, product_id, role) VALUES (?1, ?2, ?3) "
                   "ON CONFLICT (account_id, product_id) DO UPDATE SET role = ?3",
                   &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, account_id);
    db_bind_int(s, 2, product_id);
    db_bind_text(s, 3, role_text(role));
    return db_run(s, e);
}

enum aloft_err grants_remove(struct db *db, int64_t account_id, int64_t product_id, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db, "DELETE FROM product_grant WHERE account_id = ?1 AND product_id = ?2", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, account_id);
    db_bind_int(s, 2, product_id);
    err = db_run(s, e);
    return err == ALOFT_ERR_OK && db_changes(s) == 0
               ? fail(e, ALOFT_ERR_NOT_FOUND, "this account has no grant for the product")
               : err;
}

enum aloft_err grants_each(struct db *db, int64_t account_id, grant_visitor *visit, void *ctx,
                           struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "SELECT p.name, g.role FROM product_grant g JOIN product p "
                   "ON p.id = g.product_id WHERE g.account_id = ?1 ORDER BY p.name",
                   &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, account_id);
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        char product[PRODUCT_NAME_MAX + 1];
        char text[ROLE_TEXT_BYTES];
        enum role role = ROLE_NONE;
        db_get_text(s, 0, product, sizeof product);
        db_get_text(s, 1, text, sizeof text);
        err = role_parse(text, &role)
                  ? visit(ctx, product, role, e)
                  : fail(e, ALOFT_ERR_IO, "the database: '%s' is no role", text);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}
