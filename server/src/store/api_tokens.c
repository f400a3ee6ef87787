/* SPDX-License-Identifier: Apache-2.0 */
#include "store/api_tokens.h"

#include <string.h>

#include "host/hashes.h"

#define USE_INTERVAL_MS 60000

#define COLUMNS                                                                                    \
    "t.id, t.account_id, t.name, t.role, t.product_id, t.created_ms, t.expires_ms, t.used_ms, "    \
    "coalesce(a.name, t.name), coalesce(a.role, 'admin'), coalesce(a.is_active, 1), p.name "       \
    "FROM api_token t LEFT JOIN account a ON a.id = t.account_id "                                 \
    "LEFT JOIN product p ON p.id = t.product_id"

bool is_api_token(const char *text)
{
    return strspn(text, "0123456789abcdef") == API_TOKEN_CHARS && text[API_TOKEN_CHARS] == '\0';
}

enum aloft_err api_tokens_add(struct db *db, const struct api_token *t, const char *secret,
                              int64_t *ret_id, struct error *e)
{
    char hex[HASH_HEX_BYTES];
    enum aloft_err err = sha256_text(secret, strlen(secret), hex, e);

    if (err == ALOFT_ERR_OK) {
        err = db_next_id(db, "api_token", ret_id, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    AUTO_STMT s = NULL;
    err = db_prepare(db,
                     "INSERT INTO api_token (id, sha256, account_id, name, role, product_id, "
                     "created_ms, expires_ms, used_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)",
                     &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, *ret_id);
    db_bind_text(s, 2, hex);
    db_bind_id(s, 3, t->account_id);
    db_bind_text(s, 4, t->name);
    db_bind_text(s, 5, role_text(t->role));
    db_bind_id(s, 6, t->product_id);
    db_bind_int(s, 7, t->created_ms);
    db_bind_int(s, 8, t->expires_ms);
    return db_run(s, e);
}

static enum aloft_err read_role(const struct db_stmt *s, int column, enum role *ret_role,
                                struct error *e)
{
    char text[ROLE_TEXT_BYTES];

    db_get_text(s, column, text, sizeof text);
    return role_parse(text, ret_role)
               ? ALOFT_ERR_OK
               : fail(e, ALOFT_ERR_IO, "the database: '%s' is no role", text);
}

static enum aloft_err read_row(const struct db_stmt *s, struct api_token *t, struct error *e)
{
    t->id = db_get_int(s, 0);
    t->account_id = db_get_int(s, 1); /* NULL reads as 0 */
    db_get_text(s, 2, t->name, sizeof t->name);
    t->product_id = db_get_int(s, 4);
    t->created_ms = db_get_int(s, 5);
    t->expires_ms = db_get_int(s, 6);
    t->used_ms = db_get_int(s, 7);
    db_get_text(s, 8, t->account_name, sizeof t->account_name);
    t->is_active = db_get_int(s, 10) != 0;
    db_get_text(s, 11, t->product_name, sizeof t->product_name);
    enum aloft_err err = read_role(s, 3, &t->role, e);
    return err == ALOFT_ERR_OK ? read_role(s, 9, &t->account_role, e) : err;
}

enum aloft_err api_tokens_find(struct db *db, const char *secret, struct api_token *t,
                               struct error *e)
{
    char hex[HASH_HEX_BYTES];
    AUTO_STMT s = NULL;
    enum aloft_err err = sha256_text(secret, strlen(secret), hex, e);

    if (err == ALOFT_ERR_OK) {
        err = db_prepare(db, "SELECT " COLUMNS " WHERE t.sha256 = ?1", &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, hex);
    err = db_step(s, e);
    return err == ALOFT_ERR_OK ? read_row(s, t, e) : err;
}

enum aloft_err api_tokens_get(struct db *db, int64_t id, struct api_token *ret_token,
                              struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "SELECT " COLUMNS " WHERE t.id = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    err = db_step(s, e);
    if (err == ALOFT_ERR_NOT_FOUND) {
        return fail(e, err, "there is no such API token");
    }
    return err == ALOFT_ERR_OK ? read_row(s, ret_token, e) : err;
}

enum aloft_err api_tokens_each(struct db *db, int64_t account_id, int64_t after, size_t limit,
                               api_token_visitor *visit, void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "SELECT " COLUMNS " WHERE t.id > ?1 "
                                    "AND (?2 = 0 OR t.account_id = ?2) ORDER BY t.id LIMIT ?3",
                                    &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, after);
    db_bind_int(s, 2, account_id);
    db_bind_int(s, 3, (int64_t)limit);
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        struct api_token t;
        err = read_row(s, &t, e);
        if (err == ALOFT_ERR_OK) {
            err = visit(ctx, &t, e);
        }
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

enum aloft_err api_tokens_remove(struct db *db, int64_t id, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "DELETE FROM api_token WHERE id = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    return db_run(s, e);
}

enum aloft_err api_tokens_note_use(struct db *db, const struct api_token *t, int64_t now_ms,
                                   struct error *e)
{
    AUTO_STMT s = NULL;

    if (now_ms - t->used_ms < USE_INTERVAL_MS && now_ms >= t->used_ms) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = db_prepare(db, "UPDATE api_token SET used_ms = ?2 WHERE id = ?1", &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, t->id);
    db_bind_int(s, 2, now_ms);
    return db_run(s, e);
}
