/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ROMS_H
#define ALOFT_SERVER_ROMS_H

#include <stdbool.h>

#include "aloft/limits.h"
#include "store/db.h"
#include "store/uploads.h"

/* ROMs and their files. */

#define ROM_FILES_MAX      10
#define ROM_CORENAME_MAX   64
#define ROM_LIFE_CYCLE_MAX 32
#define ROM_NOTE_MAX       1000

struct rom {
    int64_t product_id;
    char version[ALOFT_VERSION_MAX + 1];
    char corename[ROM_CORENAME_MAX + 1];     /**< May be empty. */
    char life_cycle[ROM_LIFE_CYCLE_MAX + 1]; /**< `release`. */
    char note[ROM_NOTE_MAX + 1];             /**< What changed, for people; may be empty. */
    bool is_current;
    bool is_withdrawn; /**< No module gets it. */
    int64_t created_ms;
    int64_t revision; /**< 1, 2, ... */
};

/** A file of a new ROM: which upload it is. */
struct rom_part {
    const char *name;      /**< Borrowed. */
    const char *upload_id; /**< Borrowed. */
};

/** Does any file or upload stand on this blob? */
ALOFT_MUST_CHECK
enum aloft_err blob_is_needed(struct db *db, const char *sha256, bool *ret_is_needed,
                              struct error *e);

/** Called once per blob; may ask other questions. An error ends the walk. */
typedef enum aloft_err blob_visitor(void *ctx, const char *sha256, int64_t size_bytes,
                                    struct error *e);

/** Each blob that a file or an upload stands on, once. */
ALOFT_MUST_CHECK
enum aloft_err blobs_needed_each(struct db *db, blob_visitor *visit, void *ctx, struct error *e);

/**
 * Make a ROM of uploads, which are used up. Call it within a transaction: a failure leaves parts of
 * it, which the transaction undoes. `is_current`, `is_withdrawn` and `revision` are ignored: it is
 * not yet current, not withdrawn, and of revision 1.
 *
 * @retval ALOFT_ERR_NOT_FOUND  The product has no such upload with this name and version.
 * @retval ALOFT_ERR_DUPLICATE  The product has this version already.
 */
ALOFT_MUST_CHECK
enum aloft_err roms_add(struct db *db, const struct rom *rom, const struct rom_part *parts,
                        size_t n_parts, struct error *e);

/** Called once per ROM with its files, which are borrowed; may ask other questions. An error ends
 * the walk. */
typedef enum aloft_err rom_visitor(void *ctx, const struct rom *rom, const struct rom_file *files,
                                   size_t n_files, struct error *e);

/** The ROMs of a product, the newest first. */
ALOFT_MUST_CHECK
enum aloft_err roms_each(struct db *db, int64_t product_id, rom_visitor *visit, void *ctx,
                         struct error *e);

/** The same by pages: behind the ROM of these two; `after_version` empty = from the first. */
ALOFT_MUST_CHECK
enum aloft_err roms_page(struct db *db, int64_t product_id, int64_t after_ms,
                         const char *after_version, size_t limit, rom_visitor *visit, void *ctx,
                         struct error *e);

/**
 * One.
 *
 * @param ret_files    ROM_FILES_MAX of them; NULL = not wanted.
 * @retval ALOFT_ERR_NOT_FOUND  The product has no such ROM.
 */
ALOFT_MUST_CHECK
enum aloft_err roms_get(struct db *db, int64_t product_id, const char *version, struct rom *ret_rom,
                        struct rom_file *ret_files, size_t *ret_n_files, struct error *e);

/** What the analyser said of a file: a JSON array; free() it. */
ALOFT_MUST_CHECK
enum aloft_err rom_file_findings(struct db *db, const struct rom *rom, const char *name,
                                 char **ret_findings, struct error *e);

/** Store corename, life cycle, note and `is_withdrawn`; the revision grows by one, here too. The
 * current ROM cannot be withdrawn: that is for the caller to see. */
ALOFT_MUST_CHECK
enum aloft_err roms_set(struct db *db, struct rom *rom, struct error *e);

/**
 * May it be removed? Not while it is current, where going back would lead now, a link leads to one
 * of its files, or a module is getting it or has not proven it yet.
 *
 * @retval ALOFT_ERR_BUSY  No; the sentence says why and what to do.
 */
ALOFT_MUST_CHECK
enum aloft_err roms_check_unused(struct db *db, const struct rom *rom, int64_t now_ms,
                                 struct error *e);

/** Remove it with its files' rows and links; within a transaction. The blobs are the caller's. */
ALOFT_MUST_CHECK
enum aloft_err roms_remove(struct db *db, const struct rom *rom, struct error *e);

#endif
