/* SPDX-License-Identifier: Apache-2.0 */
#include "store/invitations.h"

#include <string.h>

#include "host/hashes.h"

#define COLUMNS                                                                                    \
    "i.id, i.role, i.product_id, p.name, i.note, i.created_by, i.created_ms, i.expires_ms "        \
    "FROM invitation i LEFT JOIN product p ON p.id = i.product_id"

static enum aloft_err remove_over(struct db *db, int64_t now_ms, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "DELETE FROM invitation WHERE expires_ms <= ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, now_ms);
    return db_run(s, e);
}

enum aloft_err invitations_add(struct db *db, struct invitation *i, const char *code,
                               struct error *e)
{
    char hex[HASH_HEX_BYTES];
    AUTO_STMT s = NULL;
    enum aloft_err err = remove_over(db, i->created_ms, e);

    if (err == ALOFT_ERR_OK) {
        err = sha256_text(code, strlen(code), hex, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = db_next_id(db, "invitation", &i->id, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = db_prepare(db,
                         "INSERT INTO invitation (id, sha256, role, product_id, note, created_by, "
                         "created_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                         &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, i->id);
    db_bind_text(s, 2, hex);
    db_bind_text(s, 3, role_text(i->role));
    db_bind_id(s, 4, i->product_id);
    db_bind_text(s, 5, i->note);
    db_bind_text(s, 6, i->created_by);
    db_bind_int(s, 7, i->created_ms);
    db_bind_int(s, 8, i->expires_ms);
    return db_run(s, e);
}

static enum aloft_err read_row(const struct db_stmt *s, struct invitation *i, struct error *e)
{
    char role[ROLE_TEXT_BYTES];

    i->id = db_get_int(s, 0);
    db_get_text(s, 1, role, sizeof role);
    i->product_id = db_get_int(s, 2);
    db_get_text(s, 3, i->product_name, sizeof i->product_name);
    db_get_text(s, 4, i->note, sizeof i->note);
    db_get_text(s, 5, i->created_by, sizeof i->created_by);
    i->created_ms = db_get_int(s, 6);
    i->expires_ms = db_get_int(s, 7);
    return role_parse(role, &i->role)
               ? ALOFT_ERR_OK
               : fail(e, ALOFT_ERR_IO, "the database: '%s' is no role", role);
}

enum aloft_err invitations_find(struct db *db, const char *code, int64_t now_ms,
                                struct invitation *ret_invitation, struct error *e)
{
    char hex[HASH_HEX_BYTES];
    AUTO_STMT s = NULL;
    enum aloft_err err = sha256_text(code, strlen(code), hex, e);

    if (err == ALOFT_ERR_OK) {
        err = db_prepare(db, "SELECT " COLUMNS " WHERE i.sha256 = ?1 AND i.expires_ms > ?2", &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, hex);
    db_bind_int(s, 2, now_ms);
    err = db_step(s, e);
    return err == ALOFT_ERR_OK ? read_row(s, ret_invitation, e) : err;
}

enum aloft_err invitations_remove(struct db *db, int64_t id, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "DELETE FROM invitation WHERE id = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    err = db_run(s, e);
    return err == ALOFT_ERR_OK && db_changes(s) == 0
               ? fail(e, ALOFT_ERR_NOT_FOUND, "there is no such invitation, or it was used")
               : err;
}

enum aloft_err invitations_each(struct db *db, int64_t after, size_t limit,
                                invitation_visitor *visit, void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "SELECT " COLUMNS " WHERE i.id > ?1 ORDER BY i.id LIMIT ?2", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, after);
    db_bind_int(s, 2, (int64_t)limit);
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        struct invitation i;
        err = read_row(s, &i, e);
        if (err == ALOFT_ERR_OK) {
            err = visit(ctx, &i, e);
        }
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}
