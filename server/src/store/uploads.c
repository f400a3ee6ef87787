/* SPDX-License-Identifier: Apache-2.0 */
#include "store/uploads.h"

#define UPLOAD_COLUMNS  "id, product_id, version, name, sha256, size_bytes, created_ms"
#define PARTIAL_COLUMNS "id, product_id, version, name, cut, size_bytes, offset_bytes, touched_ms"

static enum aloft_err fail_no_upload(struct error *e)
{
    return fail(e, ALOFT_ERR_NOT_FOUND,
                "the product has no such upload; uploads not made part of a ROM expire after an "
                "hour");
}

static enum aloft_err fail_no_partial(struct error *e)
{
    return fail(e, ALOFT_ERR_NOT_FOUND,
                "the product has no such partial upload; it may be complete, and it expires a day "
                "after its last part");
}

/* A row by its product and id. `s` stays open on success. */
static enum aloft_err find(struct db *db, const char *sql, int64_t product_id, const char *id,
                           struct db_stmt **s, struct error *e)
{
    enum aloft_err err = db_prepare(db, sql, s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(*s, 1, product_id);
    db_bind_text(*s, 2, id);
    return db_step(*s, e);
}

static enum aloft_err remove_row(struct db *db, const char *sql, int64_t product_id, const char *id,
                                 int64_t *ret_changes, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, sql, &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_text(s, 2, id);
    err = db_run(s, e);
    *ret_changes = err == ALOFT_ERR_OK ? db_changes(s) : 0;
    return err;
}

/* The first row older than a time. `s` stays open on success. */
static enum aloft_err find_older(struct db *db, const char *sql, int64_t before_ms,
                                 struct db_stmt **s, struct error *e)
{
    enum aloft_err err = db_prepare(db, sql, s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(*s, 1, before_ms);
    return db_step(*s, e);
}

enum aloft_err uploads_add(struct db *db, const struct upload *u, const char *findings,
                           struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "INSERT INTO upload (" UPLOAD_COLUMNS ", findings) "
                                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                                    &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, u->id);
    db_bind_int(s, 2, u->product_id);
    db_bind_text(s, 3, u->version);
    db_bind_text(s, 4, u->file.name);
    db_bind_text(s, 5, u->file.sha256);
    db_bind_int(s, 6, u->file.size_bytes);
    db_bind_int(s, 7, u->created_ms);
    db_bind_text(s, 8, findings);
    return db_run(s, e);
}

enum aloft_err uploads_remove(struct db *db, int64_t product_id, const char *id, struct error *e)
{
    int64_t n = 0;
    enum aloft_err err = remove_row(db, "DELETE FROM upload WHERE product_id = ?1 AND id = ?2",
                                    product_id, id, &n, e);

    return err == ALOFT_ERR_OK && n == 0 ? fail_no_upload(e) : err;
}

static void read_upload(const struct db_stmt *s, struct upload *u)
{
    db_get_text(s, 0, u->id, sizeof u->id);
    u->product_id = db_get_int(s, 1);
    db_get_text(s, 2, u->version, sizeof u->version);
    db_get_text(s, 3, u->file.name, sizeof u->file.name);
    db_get_text(s, 4, u->file.sha256, sizeof u->file.sha256);
    u->file.size_bytes = db_get_int(s, 5);
    u->created_ms = db_get_int(s, 6);
}

enum aloft_err uploads_get(struct db *db, int64_t product_id, const char *id,
                           struct upload *ret_upload, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        find(db, "SELECT " UPLOAD_COLUMNS " FROM upload WHERE product_id = ?1 AND id = ?2",
             product_id, id, &s, e);

    if (err == ALOFT_ERR_OK) {
        read_upload(s, ret_upload);
    }
    return err == ALOFT_ERR_NOT_FOUND ? fail_no_upload(e) : err;
}

enum aloft_err uploads_get_findings(struct db *db, int64_t product_id, const char *id,
                                    char **ret_findings, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = find(db, "SELECT findings FROM upload WHERE product_id = ?1 AND id = ?2",
                              product_id, id, &s, e);

    if (err != ALOFT_ERR_OK) {
        return err == ALOFT_ERR_NOT_FOUND ? fail_no_upload(e) : err;
    }
    *ret_findings = db_dup_text(s, 0);
    return *ret_findings ? ALOFT_ERR_OK : fail(e, ALOFT_ERR_IO, "out of memory");
}

enum aloft_err uploads_find_expired(struct db *db, int64_t before_ms, struct upload *ret_upload,
                                    struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        find_older(db, "SELECT " UPLOAD_COLUMNS " FROM upload WHERE created_ms < ?1 LIMIT 1",
                   before_ms, &s, e);

    if (err == ALOFT_ERR_OK) {
        read_upload(s, ret_upload);
    }
    return err;
}

enum aloft_err partial_uploads_add(struct db *db, const struct partial_upload *p, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "INSERT INTO partial_upload (" PARTIAL_COLUMNS ", created_ms) "
                                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
                                    &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, p->id);
    db_bind_int(s, 2, p->product_id);
    db_bind_text(s, 3, p->version);
    db_bind_text(s, 4, p->name);
    db_bind_text(s, 5, p->cut);
    db_bind_int(s, 6, p->size_bytes);
    db_bind_int(s, 7, p->offset_bytes);
    db_bind_int(s, 8, p->touched_ms);
    return db_run(s, e);
}

static void read_partial(const struct db_stmt *s, struct partial_upload *p)
{
    db_get_text(s, 0, p->id, sizeof p->id);
    p->product_id = db_get_int(s, 1);
    db_get_text(s, 2, p->version, sizeof p->version);
    db_get_text(s, 3, p->name, sizeof p->name);
    db_get_text(s, 4, p->cut, sizeof p->cut);
    p->size_bytes = db_get_int(s, 5);
    p->offset_bytes = db_get_int(s, 6);
    p->touched_ms = db_get_int(s, 7);
}

enum aloft_err partial_uploads_get(struct db *db, int64_t product_id, const char *id,
                                   struct partial_upload *ret_partial, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        find(db, "SELECT " PARTIAL_COLUMNS " FROM partial_upload WHERE product_id = ?1 AND id = ?2",
             product_id, id, &s, e);

    if (err == ALOFT_ERR_OK) {
        read_partial(s, ret_partial);
    }
    return err == ALOFT_ERR_NOT_FOUND ? fail_no_partial(e) : err;
}

enum aloft_err partial_uploads_advance(struct db *db, const char *id, int64_t offset_bytes,
                                       int64_t now_ms, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db, "UPDATE partial_upload SET offset_bytes = ?2, touched_ms = ?3 WHERE id = ?1", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_text(s, 1, id);
    db_bind_int(s, 2, offset_bytes);
    db_bind_int(s, 3, now_ms);
    err = db_run(s, e);
    return err == ALOFT_ERR_OK && db_changes(s) == 0 ? fail_no_partial(e) : err;
}

enum aloft_err partial_uploads_remove(struct db *db, int64_t product_id, const char *id,
                                      struct error *e)
{
    int64_t n = 0;
    enum aloft_err err = remove_row(
        db, "DELETE FROM partial_upload WHERE product_id = ?1 AND id = ?2", product_id, id, &n, e);

    return err == ALOFT_ERR_OK && n == 0 ? fail_no_partial(e) : err;
}

enum aloft_err partial_uploads_find_expired(struct db *db, int64_t before_ms,
                                            struct partial_upload *ret_partial, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = find_older(
        db, "SELECT " PARTIAL_COLUMNS " FROM partial_upload WHERE touched_ms < ?1 LIMIT 1",
        before_ms, &s, e);

    if (err == ALOFT_ERR_OK) {
        read_partial(s, ret_partial);
    }
    return err;
}

enum aloft_err partial_uploads_has(struct db *db, const char *id, bool *ret_has, struct error *e)
{
    int64_t n = 0;
    enum aloft_err err =
        db_query_int(db, "SELECT count(*) FROM partial_upload WHERE id = ?1", id, &n, e);

    *ret_has = n > 0;
    return err;
}

enum aloft_err uploads_count_waiting(struct db *db, int64_t product_id, int64_t *ret_n,
                                     struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "SELECT (SELECT count(*) FROM upload WHERE product_id = ?1) + "
                                    "(SELECT count(*) FROM partial_upload WHERE product_id = ?1)",
                                    &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        *ret_n = db_get_int(s, 0);
    }
    return err;
}
