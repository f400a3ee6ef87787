/* SPDX-License-Identifier: Apache-2.0 */
#include "store/roms.h"

#include <string.h>

#include "store/current.h"

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
                                    "created_ms, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                                    &s, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, rom->product_id);
    db_bind_text(s, 2, rom->version);
    db_bind_text(s, 3, rom->corename);
    db_bind_text(s, 4, rom->life_cycle);
    db_bind_int(s, 5, rom->created_ms);
    db_bind_text(s, 6, rom->note);
    return db_run(s, e);
}

/* The upload's row becomes the file's row; it must be one of this product, version and name. */
static enum aloft_err take_upload(struct db *db, const struct rom *rom, const struct rom_part *part,
                                  struct error *e)
{
    int64_t n = 0;
    {
        AUTO_STMT s = NULL;
        enum aloft_err err = db_prepare(
            db,
            "INSERT INTO rom_file (product_id, version, name, sha256, size_bytes, findings) "
            "SELECT product_id, version, name, sha256, size_bytes, findings FROM upload "
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
    db_get_text(s, 6, rom->note, sizeof rom->note);
    rom->is_withdrawn = db_get_int(s, 7) != 0;
    rom->revision = db_get_int(s, 8);
}

static void read_file(const struct db_stmt *s, struct gathered *g)
{
    if (g->n_files == ROM_FILES_MAX) {
        return; /* roms_add() is never given more */
    }
    struct rom_file *file = &g->files[g->n_files++];
    db_get_text(s, 9, file->name, sizeof file->name);
    db_get_text(s, 10, file->sha256, sizeof file->sha256);
    file->size_bytes = db_get_int(s, 11);
}

static enum aloft_err show(const struct gathered *g, rom_visitor *visit, void *ctx, struct error *e)
{
    return g->n_files == 0 ? ALOFT_ERR_OK : visit(ctx, &g->rom, g->files, g->n_files, e);
}

/* A ROM has a row per file. */
#define SELECT_ROMS(from_rom)                                                                      \
    "SELECT r.product_id, r.version, r.corename, r.life_cycle, r.created_ms, "                     \
    "CASE WHEN p.current_version = r.version THEN 1 ELSE 0 END, r.note, r.is_withdrawn, "          \
    "r.revision, f.name, f.sha256, f.size_bytes FROM " from_rom                                    \
    " JOIN product p ON p.id = r.product_id "                                                      \
    "JOIN rom_file f ON f.product_id = r.product_id AND f.version = r.version "
#define NEWEST_FIRST "ORDER BY r.created_ms DESC, r.version DESC, f.name"

static enum aloft_err walk(struct db_stmt *s, rom_visitor *visit, void *ctx, struct error *e)
{
    struct gathered g = {0};
    enum aloft_err err;

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

enum aloft_err roms_each(struct db *db, int64_t product_id, rom_visitor *visit, void *ctx,
                         struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db, SELECT_ROMS("rom r") "WHERE r.product_id = ?1 " NEWEST_FIRST, &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    return walk(s, visit, ctx, e);
}

enum aloft_err roms_page(struct db *db, int64_t product_id, int64_t after_ms,
                         const char *after_version, size_t limit, rom_visitor *visit, void *ctx,
                         struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   SELECT_ROMS("(SELECT * FROM rom WHERE product_id = ?1 AND "
                               "(created_ms < ?2 OR (created_ms = ?2 AND version < ?3)) "
                               "ORDER BY created_ms DESC, version DESC LIMIT ?4) r") NEWEST_FIRST,
                   &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_int(s, 2, after_version[0] ? after_ms : INT64_MAX);
    db_bind_text(s, 3, after_version);
    db_bind_int(s, 4, (int64_t)limit);
    return walk(s, visit, ctx, e);
}

static enum aloft_err copy_gathered(void *ctx, const struct rom *rom, const struct rom_file *files,
                                    size_t n_files, struct error *e)
{
    struct gathered *g = ctx;

    (void)e;
    g->rom = *rom;
    g->n_files = n_files;
    memcpy(g->files, files, n_files * sizeof *files);
    return ALOFT_ERR_OK;
}

enum aloft_err roms_get(struct db *db, int64_t product_id, const char *version, struct rom *ret_rom,
                        struct rom_file *ret_files, size_t *ret_n_files, struct error *e)
{
    AUTO_STMT s = NULL;
    struct gathered g = {0};
    enum aloft_err err = db_prepare(
        db, SELECT_ROMS("rom r") "WHERE r.product_id = ?1 AND r.version = ?2 " NEWEST_FIRST, &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, product_id);
    db_bind_text(s, 2, version);
    err = walk(s, copy_gathered, &g, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (g.n_files == 0) {
        return fail(e, ALOFT_ERR_NOT_FOUND, "the product has no ROM of version %s", version);
    }
    *ret_rom = g.rom;
    if (ret_files) {
        memcpy(ret_files, g.files, g.n_files * sizeof *g.files);
        *ret_n_files = g.n_files;
    }
    return ALOFT_ERR_OK;
}

enum aloft_err rom_file_findings(struct db *db, const struct rom *rom, const char *name,
                                 char **ret_findings, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(
        db, "SELECT findings FROM rom_file WHERE product_id = ?1 AND version = ?2 AND name = ?3",
        &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, rom->product_id);
    db_bind_text(s, 2, rom->version);
    db_bind_text(s, 3, name);
    err = db_step(s, e);
    if (err != ALOFT_ERR_OK) {
        return err == ALOFT_ERR_NOT_FOUND ? fail(e, err, "the ROM has no file '%s'", name) : err;
    }
    *ret_findings = db_dup_text(s, 0);
    return *ret_findings ? ALOFT_ERR_OK : fail(e, ALOFT_ERR_IO, "out of memory");
}

enum aloft_err roms_set(struct db *db, struct rom *rom, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err =
        db_prepare(db,
                   "UPDATE rom SET corename = ?3, life_cycle = ?4, note = ?5, is_withdrawn = ?6, "
                   "revision = ?7 WHERE product_id = ?1 AND version = ?2",
                   &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, rom->product_id);
    db_bind_text(s, 2, rom->version);
    db_bind_text(s, 3, rom->corename);
    db_bind_text(s, 4, rom->life_cycle);
    db_bind_text(s, 5, rom->note);
    db_bind_int(s, 6, rom->is_withdrawn);
    db_bind_int(s, 7, rom->revision + 1);
    err = db_run(s, e);
    if (err == ALOFT_ERR_OK) {
        rom->revision++;
    }
    return err;
}

static enum aloft_err count(struct db *db, const char *sql, const struct rom *rom, int64_t now_ms,
                            int64_t *ret_n, struct error *e)
{
    AUTO_STMT s = NULL;
    enum aloft_err err = db_prepare(db, sql, &s, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    db_bind_int(s, 1, rom->product_id);
    db_bind_text(s, 2, rom->version);
    db_bind_int(s, 3, now_ms);
    err = db_step(s, e);
    *ret_n = err == ALOFT_ERR_OK ? db_get_int(s, 0) : 0;
    return err;
}

/* One day: longer no module takes to prove what it got, and stock modules never do. */
#define UNPROVEN_LIMIT_MS "86400000"

enum aloft_err roms_check_unused(struct db *db, const struct rom *rom, int64_t now_ms,
                                 struct error *e)
{
    static const struct {
        const char *sql;
        const char *why;
    } uses[] = {
        {"SELECT count(*) FROM product WHERE id = ?1 AND current_version = ?2 AND ?3 >= 0",
         "it is the current version: choose another first"},
        {"SELECT count(*) FROM link WHERE product_id = ?1 AND version = ?2 AND "
         "(expires_ms = 0 OR expires_ms > ?3)",
         "links lead to its files: remove them first"},
        {"SELECT count(*) FROM attempt WHERE product_id = ?1 AND version = ?2 AND (state = "
         "'running' OR (state = 'delivered' AND ended_ms > ?3 - " UNPROVEN_LIMIT_MS "))",
         "a module is getting it, or got it within a day and has not proven it: wait, or withdraw "
         "it"},
    };
    struct current_choice back;
    enum aloft_err err;

    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        int64_t n;
        err = count(db, uses[i].sql, rom, now_ms, &n, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        if (n > 0) {
            return fail(e, ALOFT_ERR_BUSY, "version %s cannot be removed: %s", rom->version,
                        uses[i].why);
        }
    }
    err = current_find_back(db, rom->product_id, &back, NULL);
    if (err == ALOFT_ERR_OK && strcmp(back.version, rom->version) == 0) {
        return fail(e, ALOFT_ERR_BUSY,
                    "version %s cannot be removed: it is the way back from the current version; "
                    "withdraw it first",
                    rom->version);
    }
    return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
}

enum aloft_err roms_remove(struct db *db, const struct rom *rom, struct error *e)
{
    static const char *const statements[] = {
        "DELETE FROM link WHERE product_id = ?1 AND version = ?2",
        "DELETE FROM rom_file WHERE product_id = ?1 AND version = ?2",
        "DELETE FROM rom WHERE product_id = ?1 AND version = ?2",
    };

    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        AUTO_STMT s = NULL;
        enum aloft_err err = db_prepare(db, statements[i], &s, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        db_bind_int(s, 1, rom->product_id);
        db_bind_text(s, 2, rom->version);
        err = db_run(s, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return ALOFT_ERR_OK;
}
