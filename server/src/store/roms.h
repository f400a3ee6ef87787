/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ROMS_H
#define ALOFT_SERVER_ROMS_H

#include <stdbool.h>

#include "aloft/limits.h"
#include "store/db.h"

/* ROMs, their files, and the uploads that become files. */

#define ROM_FILES_MAX      10
#define ROM_CORENAME_MAX   64
#define ROM_LIFE_CYCLE_MAX 32
#define SHA256_HEX_CHARS   64
#define UPLOAD_ID_CHARS    32

struct rom {
    int64_t product_id;
    char version[ALOFT_VERSION_MAX + 1];
    char corename[ROM_CORENAME_MAX + 1];     /**< May be empty. */
    char life_cycle[ROM_LIFE_CYCLE_MAX + 1]; /**< `release`. */
    bool is_current;
    int64_t created_ms;
};

struct rom_file {
    char name[ALOFT_FILE_NAME_MAX + 1];
    char sha256[SHA256_HEX_CHARS + 1];
    int64_t size_bytes;
};

/** A vetted file that waits to become part of a ROM. */
struct upload {
    char id[UPLOAD_ID_CHARS + 1];
    int64_t product_id;
    char version[ALOFT_VERSION_MAX + 1];
    struct rom_file file;
    int64_t created_ms;
};

/** A file of a new ROM: which upload it is. */
struct rom_part {
    const char *name;      /**< Borrowed. */
    const char *upload_id; /**< Borrowed. */
};

/** Add one; its product must be there. */
ALOFT_MUST_CHECK
enum aloft_err uploads_add(struct db *db, const struct upload *upload, struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  The product has no such upload. */
ALOFT_MUST_CHECK
enum aloft_err uploads_remove(struct db *db, int64_t product_id, const char *id, struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  The product has no such upload. */
ALOFT_MUST_CHECK
enum aloft_err uploads_get(struct db *db, int64_t product_id, const char *id,
                           struct upload *ret_upload, struct error *e);

/**
 * One that was complete before `before_ms`.
 * @retval ALOFT_ERR_NOT_FOUND  There is none (left). No sentence.
 */
ALOFT_MUST_CHECK
enum aloft_err uploads_find_expired(struct db *db, int64_t before_ms, struct upload *ret_upload,
                                    struct error *e);

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
 * it, which the transaction undoes. If `rom->is_current` it becomes the current one.
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

/** @retval ALOFT_ERR_NOT_FOUND  The product has no such ROM. */
ALOFT_MUST_CHECK
enum aloft_err roms_set_current(struct db *db, int64_t product_id, const char *version,
                                struct error *e);

#endif
