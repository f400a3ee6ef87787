/* SPDX-License-Identifier: Apache-2.0 */
#include "store/products.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS                                                                                    \
    "id, name, layout, token, token_tls, current_version, created_ms, serial, description, "       \
    "status, server_host, project_name, downgrade, signing_keys, revision"

static const char name_chars[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

bool is_plain_name(const char *text, size_t max)
{
    size_t len = strspn(text, name_chars);

    return len >= 1 && len <= max && text[len] == '\0' && strcmp(text, ".") != 0 &&
           strcmp(text, "..") != 0;
}

static enum aloft_err refuse_taken(struct db *db, const struct product *p, struct error *e)
{
    int64_t n = 0;
    enum aloft_err err =
        db_query_int(db, "SELECT count(*) FROM product WHERE name = ?1", p->name, &n, e);

    if (err == ALOFT_ERR_OK && n > 0) {
        return fail(e, ALOFT_ERR_DUPLICATE, "another product has this name already");
    }
    if (err == ALOFT_ERR_OK) {
        err = tokens_refuse_taken(db, 0, p->token, "", e);
    }
    return err == ALOFT_ERR_OK ? tokens_refuse_taken(db, 1, p->token_tls, "", e) : err;
}

static void preset(char *word, size_t cap, const char *value)
{
    if (!word[0]) {
        (void)snprintf(word, cap, "%s", value);
    }
}

/* What a change may change, as ?2 to ?10. */
static void bind_changeable(struct db_stmt *s, const struct product *p)
{
    db_bind_text(s, 2, p->token);
    db_bind_text(s, 3, p->token_tls);
    db_bind_text(s, 4, p->serial);
    db_bind_text(s, 5, p->description);
    db_bind_text(s, 6, p->status);
    db_bind_text(s, 7, p->server_host);
    db_bind_text(s, 8, p->project_name);
    db_bind_text(s, 9, p->downgrade);
    db_bind_text(s, 10, p->signing_keys);
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
                         "INSERT INTO product (id, token, token_tls, serial, description, status, "
                         "server_host, project_name, downgrade, signing_keys, name, layout, "
                         "created_ms, revision) VALUES "
                         "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 1)",
                         &s, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    preset(p->status, sizeof p->status, "developing");
    preset(p->downgrade, sizeof p->downgrade, "warn");
    p->revision = 1;
    db_bind_int(s, 1, p->id);
    bind_changeable(s, p);
    db_bind_text(s, 11, p->name);
    db_bind_text(s, 12, p->layout);
    db_bind_int(s, 13, p->created_ms);
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
    db_get_text(s, 7, p->serial, sizeof p->serial);
    db_get_text(s, 8, p->description, sizeof p->description);
    db_get_text(s, 9, p->status, sizeof p->status);
    db_get_text(s, 10, p->server_host, sizeof p->server_host);
    db_get_text(s, 11, p->project_name, sizeof p->project_name);
    db_get_text(s, 12, p->downgrade, sizeof p->downgrade);
    db_get_text(s, 13, p->signing_keys, sizeof p->signing_keys);
    p->revision = db_get_int(s, 14);
}

enum aloft_err products_get(struct db *db, const char *name, struct product *ret_product,
                            struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "SELECT " COLUMNS " FROM product WHERE name = ?1", &s, e);

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

enum aloft_err products_each(struct db *db, const char *after, product_visitor *visit, void *ctx,
                             struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "SELECT " COLUMNS " FROM product WHERE name > ?1 ORDER BY name", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, after);
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

enum aloft_err products_update(struct db *db, struct product *p, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "UPDATE product SET token = ?2, token_tls = ?3, serial = ?4, description = ?5, "
                   "status = ?6, server_host = ?7, project_name = ?8, downgrade = ?9, "
                   "signing_keys = ?10, revision = revision + 1 WHERE id = ?1",
                   &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    p->revision++;
    db_bind_int(s, 1, p->id);
    bind_changeable(s, p);
    return db_run(s, e);
}

static enum aloft_err run_with_id(struct db *db, const char *sql, int64_t id, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, sql, &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    return db_run(s, e);
}

static enum aloft_err count(struct db *db, const char *sql, int64_t id, int64_t *ret_n,
                            struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, sql, &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        *ret_n = db_get_int(s, 0);
    }
    return err;
}

enum aloft_err products_remove(struct db *db, const struct product *p, struct error *e)
{
    static const struct {
        const char *sql;
        const char *remedy;
    } obstacles[] = {
        {"SELECT count(*) FROM rom WHERE product_id = ?1", "ROMs: remove them first"},
        {"SELECT count(*) FROM upload WHERE product_id = ?1",
         "uploads not yet deployed: give them up first"},
        {"SELECT count(*) FROM partial_upload WHERE product_id = ?1",
         "uploads under way: give them up first"},
        {"SELECT count(*) FROM device WHERE product_id = ?1 "
         "AND (token IS NOT NULL OR token_tls IS NOT NULL)",
         "devices with tokens of their own: remove them first"},
    };

    for (size_t i = 0; i < sizeof obstacles / sizeof obstacles[0]; i++) {
        int64_t n = 0;
        enum aloft_err err = count(db, obstacles[i].sql, p->id, &n, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        if (n > 0) {
            return fail(e, ALOFT_ERR_DUPLICATE, "'%s' still has %" PRId64 " %s", p->name, n,
                        obstacles[i].remedy);
        }
    }
    enum aloft_err err = run_with_id(db, "DELETE FROM device WHERE product_id = ?1", p->id, e);
    return err == ALOFT_ERR_OK ? run_with_id(db, "DELETE FROM product WHERE id = ?1", p->id, e)
                               : err;
}

enum aloft_err products_count(struct db *db, int64_t product_id, struct product_counts *ret,
                              struct error *e)
{
    /* The origins are named for the index device_by_seen to be enough. */
    static const char activated[] =
        "SELECT count(*) FROM device WHERE product_id = ?1 "
        "AND origin IN ('registered', 'reported', 'address') AND last_seen_ms > 0";
    enum aloft_err err = count(db, "SELECT count(*) FROM device WHERE product_id = ?1", product_id,
                               &ret->n_devices, e);

    return err == ALOFT_ERR_OK ? count(db, activated, product_id, &ret->n_activated, e) : err;
}

enum aloft_err products_name(struct db *db, int64_t id, char ret_name[PRODUCT_NAME_MAX + 1],
                             struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "SELECT name FROM product WHERE id = ?1", &s, e);

    ret_name[0] = '\0';
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, id);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        db_get_text(s, 0, ret_name, PRODUCT_NAME_MAX + 1);
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}
