/* SPDX-License-Identifier: Apache-2.0 */
#include "store/roms.h"

#include <string.h>

/* Statements that change rows by a product and one text. */
static enum aloft_err change(struct db *db, const char *sql, int64_t product_id, const char *text,
                             int64_t *ret_changes, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, sql, &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_text(s, 2, text);
    err = db_run(s, e);
    *ret_changes = err == ALOFT_ERR_OK ? db_changes(s) : 0;
    return err;
}

enum aloft_err uploads_add(struct db *db, const struct upload *u, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "INSERT INTO upload (id, product_id, version, name, sha256, size_bytes, "
                   "created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
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
    return db_run(s, e);
}

static enum aloft_err fail_no_upload(struct error *e)
{
    return fail(e, ALOFT_ERR_NOT_FOUND,
                "the product has no such upload; uploads not made part of a ROM expire after an "
                "hour");
}

enum aloft_err uploads_remove(struct db *db, int64_t product_id, const char *id, struct error *e)
{
    int64_t n = 0;
    enum aloft_err err =
        change(db, "DELETE FROM upload WHERE product_id = ?1 AND id = ?2", product_id, id, &n, e);

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
    enum aloft_err err = db_prepare(db,
                                    "SELECT id, product_id, version, name, sha256, size_bytes, "
                                    "created_ms FROM upload WHERE product_id = ?1 AND id = ?2",
                                    &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_text(s, 2, id);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        read_upload(s, ret_upload);
    }
    return err == ALOFT_ERR_NOT_FOUND ? fail_no_upload(e) : err;
}

enum aloft_err uploads_find_expired(struct db *db, int64_t before_ms, struct upload *ret_upload,
                                    struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "SELECT id, product_id, version, name, sha256, size_bytes, "
                                    "created_ms FROM upload WHERE created_ms < ?1 LIMIT 1",
                                    &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, before_ms);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        read_upload(s, ret_upload);
    }
    return err;
}

enum aloft_err blob_is_needed(struct db *db, const char *sha256, bool *ret_is_needed,
                              struct error *e)
{
    int64_t n = 0;
    enum aloft_err err = db_query_int(db,
                                      "SELECT (SELECT count(*) FROM rom_file WHERE sha256 = ?1) + "
                                      "(SELECT count(*) FROM upload WHERE sha256 = ?1)",
                                      sha256, &n, e);
    if (err == ALOFT_ERR_OK) {
        *ret_is_needed = n > 0;
    }
    return err;
}

enum aloft_err blobs_needed_each(struct db *db, blob_visitor *visit, void *ctx, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "SELECT sha256, size_bytes FROM rom_file UNION "
                                    "SELECT sha256, size_bytes FROM upload",
                                    &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        char sha256[SHA256_HEX_CHARS + 1];
        db_get_text(s, 0, sha256, sizeof sha256);
        err = visit(ctx, sha256, db_get_int(s, 1), e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

static enum aloft_err refuse_known_version(struct db *db, const struct rom *rom, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, "SELECT 1 FROM rom WHERE product_id = ?1 AND version = ?2", &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, rom->product_id);
    db_bind_text(s, 2, rom->version);
    err = db_step(s, e);
    if (err == ALOFT_ERR_OK) {
        return fail(e, ALOFT_ERR_DUPLICATE,
                    "the product has a ROM of version %s already; a version is never replaced, "
                    "choose another",
                    rom->version);
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

static enum aloft_err insert_rom(struct db *db, const struct rom *rom, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db,
                                    "INSERT INTO rom (product_id, version, corename, life_cycle, "
                                    "created_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                                    &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, rom->product_id);
    db_bind_text(s, 2, rom->version);
    db_bind_text(s, 3, rom->corename);
    db_bind_text(s, 4, rom->life_cycle);
    db_bind_int(s, 5, rom->created_ms);
    return db_run(s, e);
}

/* The upload's row becomes the file's row; it must be one of this product, version and name. */
static enum aloft_err take_upload(struct db *db, const struct rom *rom, const struct rom_part *part,
                                  struct error *e)
{
    int64_t n = 0;
    {
        AUTO_STMT s = NULL;
        enum aloft_err err =
            db_prepare(db,
                       "INSERT INTO rom_file (product_id, version, name, sha256, size_bytes) "
                       "SELECT product_id, version, name, sha256, size_bytes FROM upload "
                       "WHERE product_id = ?1 AND version = ?2 AND name = ?3 AND id = ?4",
                       &s, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        db_bind_int(s, 1, rom->product_id);
        db_bind_text(s, 2, rom->version);
        db_bind_text(s, 3, part->name);
        db_bind_text(s, 4, part->upload_id);
        err = db_run(s, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        n = db_changes(s);
    }
    if (n != 1) {
        return fail(e, ALOFT_ERR_NOT_FOUND,
                    "there is no such upload of '%s' for version %s; uploads not made part of a "
                    "ROM expire after an hour",
                    part->name, rom->version);
    }
    return uploads_remove(db, rom->product_id, part->upload_id, e);
}

enum aloft_err roms_add(struct db *db, const struct rom *rom, const struct rom_part *parts,
                        size_t n_parts, struct error *e)
{
    enum aloft_err err = refuse_known_version(db, rom, e);

    if (err == ALOFT_ERR_OK) {
        err = insert_rom(db, rom, e);
    }
    for (size_t i = 0; err == ALOFT_ERR_OK && i < n_parts; i++) {
        err = take_upload(db, rom, &parts[i], e);
    }
    if (err == ALOFT_ERR_OK && rom->is_current) {
        err = roms_set_current(db, rom->product_id, rom->version, e);
    }
    return err;
}

/* A ROM and its files as far as they were read; rows come grouped by ROM. */
struct gathered {
    struct rom rom;
    struct rom_file files[ROM_FILES_MAX];
    size_t n_files;
};

static void read_rom(const struct db_stmt *s, struct rom *rom)
{
    rom->product_id = db_get_int(s, 0);
    db_get_text(s, 1, rom->version, sizeof rom->version);
    db_get_text(s, 2, rom->corename, sizeof rom->corename);
    db_get_text(s, 3, rom->life_cycle, sizeof rom->life_cycle);
    rom->created_ms = db_get_int(s, 4);
    rom->is_current = db_get_int(s, 5) != 0;
}

static void read_file(const struct db_stmt *s, struct gathered *g)
{
    if (g->n_files == ROM_FILES_MAX) {
        return; /* roms_add() is never given more */
    }
    struct rom_file *file = &g->files[g->n_files++];
    db_get_text(s, 6, file->name, sizeof file->name);
    db_get_text(s, 7, file->sha256, sizeof file->sha256);
    file->size_bytes = db_get_int(s, 8);
}

static enum aloft_err show(const struct gathered *g, rom_visitor *visit, void *ctx, struct error *e)
{
    return g->n_files == 0 ? ALOFT_ERR_OK : visit(ctx, &g->rom, g->files, g->n_files, e);
}

enum aloft_err roms_each(struct db *db, int64_t product_id, rom_visitor *visit, void *ctx,
                         struct error *e)
{
    AUTO_STMT s = NULL;
    struct gathered g = {0};
    enum aloft_err err =
        db_prepare(db,
                   "SELECT r.product_id, r.version, r.corename, r.life_cycle, r.created_ms, "
                   "coalesce(p.current_version = r.version, 0), f.name, f.sha256, f.size_bytes "
                   "FROM rom r JOIN product p ON p.id = r.product_id "
                   "JOIN rom_file f ON f.product_id = r.product_id AND f.version = r.version "
                   "WHERE r.product_id = ?1 ORDER BY r.created_ms DESC, r.version DESC, f.name",
                   &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    while ((err = db_step(s, e)) == ALOFT_ERR_OK) {
        struct rom rom;
        read_rom(s, &rom);
        if (strcmp(rom.version, g.rom.version) != 0) {
            err = show(&g, visit, ctx, e);
            if (err != ALOFT_ERR_OK) {
                return err;
            }
            g = (struct gathered){.rom = rom};
        }
        read_file(s, &g);
    }
    return err == ALOFT_ERR_NOT_FOUND ? show(&g, visit, ctx, e) : err;
}

enum aloft_err roms_set_current(struct db *db, int64_t product_id, const char *version,
                                struct error *e)
{
    int64_t n = 0;
    enum aloft_err err = change(db,
                                "UPDATE product SET current_version = ?2 WHERE id = ?1 AND EXISTS "
                                "(SELECT 1 FROM rom WHERE product_id = ?1 AND version = ?2)",
                                product_id, version, &n, e);
    if (err == ALOFT_ERR_OK && n == 0) {
        return fail(e, ALOFT_ERR_NOT_FOUND, "the product has no ROM of version %s", version);
    }
    return err;
}
