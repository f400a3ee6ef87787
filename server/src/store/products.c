/* SPDX-License-Identifier: Apache-2.0 */
#include "store/products.h"

#include <string.h>

static const char name_chars[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

bool is_plain_name(const char *text, size_t max)
{
    size_t len = strspn(text, name_chars);

    return len >= 1 && len <= max && text[len] == '\0' && strcmp(text, ".") != 0 &&
           strcmp(text, "..") != 0;
}

bool is_token(const char *text)
{
    return strspn(text, "0123456789abcdef") == ALOFT_TOKEN_CHARS && text[ALOFT_TOKEN_CHARS] == '\0';
}

static enum aloft_err refuse_taken(struct db *db, const struct product *p, struct error *e)
{
    const struct {
        const char *sql;
        const char *value;
        const char *what;
    } rows[] = {
        {"SELECT count(*) FROM product WHERE name = ?1", p->name, "name"},
        {"SELECT count(*) FROM product WHERE token = ?1", p->token, "token"},
        {"SELECT count(*) FROM product WHERE token_tls = ?1", p->token_tls, "TLS token"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t n = 0;
        enum aloft_err err = db_query_int(db, rows[i].sql, rows[i].value, &n, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        if (n > 0) {
            return fail(e, ALOFT_ERR_DUPLICATE, "another product has this %s already",
                        rows[i].what);
        }
    }
    return ALOFT_ERR_OK;
}

enum aloft_err products_add(struct db *db, struct product *p, struct error *e)
{
    enum aloft_err err = refuse_taken(db, p, e);
    AUTO_STMT s = NULL;

    if (err == ALOFT_ERR_OK) {
        err = db_next_id(db, "product", &p->id, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = db_prepare(db,
                         "INSERT INTO product (id, name, layout, token, token_tls, created_ms) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                         &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, p->id);
    db_bind_text(s, 2, p->name);
    db_bind_text(s, 3, p->layout);
    db_bind_text(s, 4, p->token);
    db_bind_text(s, 5, p->token_tls);
    db_bind_int(s, 6, p->created_ms);
    return db_run(s, e);
}

static void read_row(const struct db_stmt *s, struct product *p)
{
    p->id = db_get_int(s, 0);
    db_get_text(s, 1, p->name, sizeof p->name);
    db_get_text(s, 2, p->layout, sizeof p->layout);
    db_get_text(s, 3, p->token, sizeof p->token);
    db_get_text(s, 4, p->token_tls, sizeof p->token_tls);
    db_get_text(s, 5, p->current_version, sizeof p->current_version);
    p->created_ms = db_get_int(s, 6);
}

enum aloft_err products_get(struct db *db, const char *name, struct product *ret_product,
                            struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "SELECT id, name, layout, token, token_tls, current_version, "
                                    "created_ms FROM product WHERE name = ?1",
                                    &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, name);
    err = db_step(s, e);
    if (err == ALOFT_ERR_NOT_FOUND) {
        return fail(e, err, "there is no product of this name");
    }
    if (err == ALOFT_ERR_OK) {
        read_row(s, ret_product);
    }
    return err;
}

enum aloft_err products_each(struct db *db, product_visitor *visit, void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "SELECT id, name, layout, token, token_tls, current_version, "
                                    "created_ms FROM product ORDER BY name",
                                    &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        struct product p;
        read_row(s, &p);
        err = visit(ctx, &p, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}
