/* SPDX-License-Identifier: Apache-2.0 */
#include "store/accounts.h"

#define COLUMNS "id, name, password, role, is_active, created_ms, signed_in_ms, revision"

enum aloft_err accounts_add(struct db *db, struct account *a, struct error *e)
{
    int64_t n = 0;
    enum aloft_err err =
        db_query_int(db, "SELECT count(*) FROM account WHERE name = ?1", a->name, &n, e);

    if (err == ALOFT_ERR_OK && n > 0) {
        return fail(e, ALOFT_ERR_DUPLICATE, "there is an account of this name already");
    }
    if (err == ALOFT_ERR_OK) {
        err = db_next_id(db, "account", &a->id, e);
    }
    AUTO_STMT s = NULL;
    if (err == ALOFT_ERR_OK) {
        err = db_prepare(
            db, "INSERT INTO account (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)", &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    a->revision = 1;
    db_bind_int(s, 1, a->id);
    db_bind_text(s, 2, a->name);
    db_bind_text(s, 3, a->password);
    db_bind_text(s, 4, role_text(a->role));
    db_bind_int(s, 5, a->is_active);
    db_bind_int(s, 6, a->created_ms);
    db_bind_int(s, 7, a->signed_in_ms);
    return db_run(s, e);
}

static enum aloft_err read_row(const struct db_stmt *s, struct account *a, struct error *e)
{
    char role[ROLE_TEXT_BYTES];

    a->id = db_get_int(s, 0);
    db_get_text(s, 1, a->name, sizeof a->name);
    db_get_text(s, 2, a->password, sizeof a->password);
    db_get_text(s, 3, role, sizeof role);
    a->is_active = db_get_int(s, 4) != 0;
    a->created_ms = db_get_int(s, 5);
    a->signed_in_ms = db_get_int(s, 6);
    a->revision = db_get_int(s, 7);
    return role_parse(role, &a->role)
               ? ALOFT_ERR_OK
               : fail(e, ALOFT_ERR_IO, "the database: '%s' is no role", role);
}

enum aloft_err accounts_get(struct db *db, const char *name, struct account *ret_account,
                            struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "SELECT " COLUMNS " FROM account WHERE name = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, name);
    err = db_step(s, e);
    if (err == ALOFT_ERR_NOT_FOUND) {
        return fail(e, err, "there is no account of this name");
    }
    return err == ALOFT_ERR_OK ? read_row(s, ret_account, e) : err;
}

enum aloft_err accounts_each(struct db *db, const char *after, size_t limit, account_visitor *visit,
                             void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db, "SELECT " COLUMNS " FROM account WHERE name > ?1 ORDER BY name LIMIT ?2", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, after);
    db_bind_int(s, 2, (int64_t)limit);
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        struct account a;
        err = read_row(s, &a, e);
        if (err == ALOFT_ERR_OK) {
            err = visit(ctx, &a, e);
        }
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

enum aloft_err accounts_update(struct db *db, struct account *a, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "UPDATE account SET password = ?2, role = ?3, is_active = ?4, "
                                    "revision = ?5 WHERE id = ?1",
                                    &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    a->revision++;
    db_bind_int(s, 1, a->id);
    db_bind_text(s, 2, a->password);
    db_bind_text(s, 3, role_text(a->role));
    db_bind_int(s, 4, a->is_active);
    db_bind_int(s, 5, a->revision);
    return db_run(s, e);
}

enum aloft_err accounts_touch(struct db *db, struct account *a, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "UPDATE account SET revision = ?2 WHERE id = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    a->revision++;
    db_bind_int(s, 1, a->id);
    db_bind_int(s, 2, a->revision);
    return db_run(s, e);
}

enum aloft_err accounts_note_sign_in(struct db *db, int64_t id, int64_t now_ms, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "UPDATE account SET signed_in_ms = ?2 WHERE id = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    db_bind_int(s, 2, now_ms);
    return db_run(s, e);
}

enum aloft_err accounts_remove(struct db *db, int64_t id, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "DELETE FROM account WHERE id = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    return db_run(s, e);
}

enum aloft_err accounts_count(struct db *db, int64_t *ret_n, struct error *e)
{
    return db_query_int(db, "SELECT count(*) FROM account", NULL, ret_n, e);
}

enum aloft_err accounts_count_admins(struct db *db, int64_t *ret_n, struct error *e)
{
    return db_query_int(db, "SELECT count(*) FROM account WHERE role = ?1 AND is_active = 1",
                        role_text(ROLE_ADMIN), ret_n, e);
}
