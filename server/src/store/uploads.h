/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_UPLOADS_H
#define ALOFT_SERVER_UPLOADS_H

#include <stdbool.h>

#include "aloft/limits.h"
#include "store/db.h"

/* Files on their way in: those of which a part has arrived, and those that are whole and vetted and
 * wait to become part of a ROM. Both have 32 random hex digits as id; the upload keeps the id of
 * the partial upload it came from. */

#define UPLOAD_ID_CHARS  32
#define UPLOAD_CUT_MAX   8 /**< Bytes of the word that says what to cut out. */
#define UPLOAD_CUT_APP   "app"
#define SHA256_HEX_CHARS 64

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

/** Add one; its product must be there. `findings` is a JSON array: what the analyser said. */
ALOFT_MUST_CHECK
enum aloft_err uploads_add(struct db *db, const struct upload *upload, const char *findings,
                           struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  The product has no such upload. */
ALOFT_MUST_CHECK
enum aloft_err uploads_remove(struct db *db, int64_t product_id, const char *id, struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  The product has no such upload. */
ALOFT_MUST_CHECK
enum aloft_err uploads_get(struct db *db, int64_t product_id, const char *id,
                           struct upload *ret_upload, struct error *e);

/**
 * Its findings, the JSON array as it was added.
 *
 * @param ret_findings  free() it.
 * @retval ALOFT_ERR_NOT_FOUND  The product has no such upload.
 */
ALOFT_MUST_CHECK
enum aloft_err uploads_get_findings(struct db *db, int64_t product_id, const char *id,
                                    char **ret_findings, struct error *e);

/**
 * One that was complete before `before_ms`.
 * @retval ALOFT_ERR_NOT_FOUND  There is none (left). No sentence.
 */
ALOFT_MUST_CHECK
enum aloft_err uploads_find_expired(struct db *db, int64_t before_ms, struct upload *ret_upload,
                                    struct error *e);

/** A file of which a part has arrived. */
struct partial_upload {
    char id[UPLOAD_ID_CHARS + 1];
    int64_t product_id;
    char version[ALOFT_VERSION_MAX + 1];
    char name[ALOFT_FILE_NAME_MAX + 1];
    char cut[UPLOAD_CUT_MAX + 1]; /**< `app`, or empty. */
    int64_t size_bytes;           /**< Announced. */
    int64_t offset_bytes;         /**< So many of them are on the disk. */
    int64_t touched_ms;           /**< When the last part came. */
};

ALOFT_MUST_CHECK
enum aloft_err partial_uploads_add(struct db *db, const struct partial_upload *partial,
                                   struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  The product has no such partial upload. */
ALOFT_MUST_CHECK
enum aloft_err partial_uploads_get(struct db *db, int64_t product_id, const char *id,
                                   struct partial_upload *ret_partial, struct error *e);

/** More of it is on the disk. @retval ALOFT_ERR_NOT_FOUND  It was removed meanwhile. */
ALOFT_MUST_CHECK
enum aloft_err partial_uploads_advance(struct db *db, const char *id, int64_t offset_bytes,
                                       int64_t now_ms, struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  The product has no such partial upload. */
ALOFT_MUST_CHECK
enum aloft_err partial_uploads_remove(struct db *db, int64_t product_id, const char *id,
                                      struct error *e);

/**
 * One that was not touched since `before_ms`.
 * @retval ALOFT_ERR_NOT_FOUND  There is none (left). No sentence.
 */
ALOFT_MUST_CHECK
enum aloft_err partial_uploads_find_expired(struct db *db, int64_t before_ms,
                                            struct partial_upload *ret_partial, struct error *e);

/** Is there one of this id? */
ALOFT_MUST_CHECK
enum aloft_err partial_uploads_has(struct db *db, const char *id, bool *ret_has, struct error *e);

/** Uploads and partial uploads of a product that are no ROM's yet. */
ALOFT_MUST_CHECK
enum aloft_err uploads_count_waiting(struct db *db, int64_t product_id, int64_t *ret_n,
                                     struct error *e);

#endif
