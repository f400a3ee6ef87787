/* SPDX-License-Identifier: Apache-2.0 */
#include "store/tokens.h"

#include <string.h>

/* mode, token, product_id, device_id, expires_ms of everything that is a token. */
#define OF_PRODUCTS(mode, column)                                                                  \
    "SELECT " mode " AS mode, " column " AS token, id AS product_id, 0 AS device_id, "             \
    "0 AS expires_ms FROM product"
#define OF_DEVICES(mode, column)                                                                   \
    "SELECT " mode ", " column ", product_id, id, 0 FROM device WHERE " column " IS NOT NULL"
#define OLD "SELECT mode, token, product_id, coalesce(device_id, 0), expires_ms FROM old_token"

bool is_token(const char *text)
{
    return strspn(text, "0123456789abcdef") == ALOFT_TOKEN_CHARS && text[ALOFT_TOKEN_CHARS] == '\0';
}

static void read_row(const struct db_stmt *s, struct token *t)
{
    t->mode = (int)db_get_int(s, 0);
    db_get_text(s, 1, t->token, sizeof t->token);
    t->product_id = db_get_int(s, 2);
    t->device_id = db_get_int(s, 3);
    t->expires_ms = db_get_int(s, 4);
}

enum aloft_err tokens_find(struct db *db, int mode, const char *token, struct token *ret_token,
                           struct error *e)
{
    static const char *const sql[TOKEN_MODES] = {
        OF_PRODUCTS("0", "token") " WHERE token = ?1 UNION ALL " OF_DEVICES(
            "0", "token") " AND token = ?1 UNION ALL " OLD " WHERE mode = 0 AND token = ?1",
        OF_PRODUCTS("1", "token_tls") " WHERE token_tls = ?1 UNION ALL " OF_DEVICES(
            "1", "token_tls") " AND token_tls = ?1 UNION ALL " OLD " WHERE mode = 1 AND token = ?1",
    };
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, sql[mode], &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, token);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        read_row(s, ret_token);
    }
    return err;
}

enum aloft_err tokens_refuse_taken(struct db *db, int mode, const char *token, const char *who,
                                   struct error *e)
{
    struct token found;
    enum aloft_err err = tokens_find(db, mode, token, &found, e);

    if (err == ALOFT_ERR_NOT_FOUND) {
        return ALOFT_ERR_OK;
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    return fail(e, ALOFT_ERR_DUPLICATE, "%sthe %s %.6s… is taken already by %s", who,
                mode == 0 ? "token" : "TLS token", token,
                found.expires_ms  ? "an overlap that has not ended"
                : found.device_id ? "a device"
                                  : "a product");
}

static enum aloft_err walk(struct db_stmt *s, token_visitor *visit, void *ctx, struct error *e)
{
    enum aloft_err err;

    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        struct token t;
        read_row(s, &t);
        err = visit(ctx, &t, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

/* A statement of up to two numbers, walked. */
static enum aloft_err each(struct db *db, const char *sql, const int64_t *numbers, int n_numbers,
                           token_visitor *visit, void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, sql, &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    for (int i = 0; i < n_numbers; i++) {
        db_bind_int(s, i + 1, numbers[i]);
    }
    return walk(s, visit, ctx, e);
}

enum aloft_err tokens_each(struct db *db, token_visitor *visit, void *ctx, struct error *e)
{
    return each(
        db,
        OF_PRODUCTS("0", "token") " UNION ALL " OF_PRODUCTS(
            "1", "token_tls") " UNION ALL " OF_DEVICES("0",
                                                       "token") " UNION "
                                                                "ALL " OF_DEVICES(
                                                                    "1",
                                                                    "token_tls") " UNION ALL " OLD,
        NULL, 0, visit, ctx, e);
}

enum aloft_err tokens_each_of_devices(struct db *db, int64_t first, int64_t last,
                                      token_visitor *visit, void *ctx, struct error *e)
{
    return each(db,
                OF_DEVICES("0", "token") " AND id BETWEEN ?1 AND ?2 UNION ALL " OF_DEVICES(
                    "1", "token_tls") " AND id BETWEEN ?1 AND ?2",
                (const int64_t[]){first, last}, 2, visit, ctx, e);
}

enum aloft_err old_tokens_add(struct db *db, const struct token *t, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "INSERT INTO old_token (mode, token, product_id, device_id, expires_ms) "
                   "VALUES (?1, ?2, ?3, ?4, ?5)",
                   &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, t->mode);
    db_bind_text(s, 2, t->token);
    db_bind_int(s, 3, t->product_id);
    db_bind_id(s, 4, t->device_id);
    db_bind_int(s, 5, t->expires_ms);
    return db_run(s, e);
}

enum aloft_err old_tokens_each(struct db *db, int64_t product_id, int64_t device_id,
                               token_visitor *visit, void *ctx, struct error *e)
{
    if (device_id == 0) {
        return each(db,
                    OLD " WHERE product_id = ?1 AND device_id IS NULL ORDER BY expires_ms, token",
                    &product_id, 1, visit, ctx, e);
    }
    return each(db, OLD " WHERE device_id = ?1 ORDER BY expires_ms, token", &device_id, 1, visit,
                ctx, e);
}

enum aloft_err old_tokens_each_of_product(struct db *db, int64_t product_id, token_visitor *visit,
                                          void *ctx, struct error *e)
{
    return each(db, OLD " WHERE product_id = ?1", &product_id, 1, visit, ctx, e);
}

enum aloft_err old_tokens_each_expired(struct db *db, int64_t now_ms, token_visitor *visit,
                                       void *ctx, struct error *e)
{
    return each(db, OLD " WHERE expires_ms <= ?1", &now_ms, 1, visit, ctx, e);
}

enum aloft_err old_tokens_remove(struct db *db, int mode, const char *token, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "DELETE FROM old_token WHERE mode = ?1 AND token = ?2", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, mode);
    db_bind_text(s, 2, token);
    return db_run(s, e);
}

enum aloft_err old_tokens_remove_expired(struct db *db, int64_t now_ms, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "DELETE FROM old_token WHERE expires_ms <= ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, now_ms);
    return db_run(s, e);
}
