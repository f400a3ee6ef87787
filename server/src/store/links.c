/* SPDX-License-Identifier: Apache-2.0 */
#include "store/links.h"

#define COLUMNS "short, product_id, version, name, expires_ms, created_by, created_ms"

enum aloft_err links_add(struct db *db, const struct link *link, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db,
        "INSERT INTO link (" COLUMNS ") SELECT ?1, product_id, version, name, ?5, ?6, ?7 "
        "FROM rom_file WHERE product_id = ?2 AND version = ?3 AND name = ?4",
        &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, link->short_name);
    db_bind_int(s, 2, link->product_id);
    db_bind_text(s, 3, link->version);
    db_bind_text(s, 4, link->file);
    db_bind_int(s, 5, link->expires_ms);
    db_bind_text(s, 6, link->created_by);
    db_bind_int(s, 7, link->created_ms);
    err = db_run(s, e);
    return err == ALOFT_ERR_OK && db_changes(s) == 0
               ? fail(e, ALOFT_ERR_NOT_FOUND, "the product has no file '%s' in a ROM of version %s",
                      link->file, link->version)
               : err;
}

static void read_link(const struct db_stmt *s, struct link *link)
{
    db_get_text(s, 0, link->short_name, sizeof link->short_name);
    link->product_id = db_get_int(s, 1);
    db_get_text(s, 2, link->version, sizeof link->version);
    db_get_text(s, 3, link->file, sizeof link->file);
    link->expires_ms = db_get_int(s, 4);
    db_get_text(s, 5, link->created_by, sizeof link->created_by);
    link->created_ms = db_get_int(s, 6);
}

enum aloft_err links_get(struct db *db, int64_t product_id, const char *short_name,
                         struct link *ret_link, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "SELECT " COLUMNS " FROM link WHERE product_id = ?1 AND short = ?2", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_text(s, 2, short_name);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        read_link(s, ret_link);
    }
    return err == ALOFT_ERR_NOT_FOUND
               ? fail(e, err, "the product has no such link; it may have expired")
               : err;
}

enum aloft_err links_remove(struct db *db, int64_t product_id, const char *short_name,
                            struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "DELETE FROM link WHERE product_id = ?1 AND short = ?2", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_text(s, 2, short_name);
    return db_run(s, e);
}

static enum aloft_err walk(struct db_stmt *s, link_visitor *visit, void *ctx, struct error *e)
{
    enum aloft_err err;

    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        struct link link;
        read_link(s, &link);
        err = visit(ctx, &link, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

enum aloft_err links_of_product(struct db *db, int64_t product_id, const char *after, size_t limit,
                                link_visitor *visit, void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "SELECT " COLUMNS " FROM link WHERE product_id = ?1 AND short > ?2 "
                   "ORDER BY short LIMIT ?3",
                   &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_text(s, 2, after);
    db_bind_int(s, 3, (int64_t)limit);
    return walk(s, visit, ctx, e);
}

enum aloft_err links_each(struct db *db, link_visitor *visit, void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, "SELECT " COLUMNS " FROM link", &s, e);

    return err == ALOFT_ERR_OK ? walk(s, visit, ctx, e) : err;
}

enum aloft_err links_sweep(struct db *db, int64_t now_ms, int64_t *ret_n, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "DELETE FROM link WHERE expires_ms > 0 AND expires_ms <= ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, now_ms);
    err = db_run(s, e);
    *ret_n = err == ALOFT_ERR_OK ? db_changes(s) : 0;
    return err;
}
