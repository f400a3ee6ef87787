/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_BACKUP_MANIFEST_H
#define ALOFT_SERVER_BACKUP_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "aloft/attr.h"
#include "host/error.h"
#include "host/hashes.h"

/* Which entries a backup has, and their hashes: lines of `<64 hex digits>  <name>`. */

#define MANIFEST_NAME       "manifest.sha256"
#define MANIFEST_NAME_BYTES 80      /**< Of an entry: blobs/ab/<64 digits> and a NUL fit. */
#define MANIFEST_FILES_MAX  1000000 /**< Entries of a backup. */

struct manifest_file {
    char name[MANIFEST_NAME_BYTES];
    char sha256[HASH_HEX_BYTES];
};

struct manifest {
    struct manifest_file *files;
    size_t n_files;
    size_t cap;
};

void manifest_free(struct manifest *manifest);
#define AUTO_MANIFEST __attribute__((cleanup(manifest_free))) struct manifest

/** May an entry of a backup have this name? Blobs are `blobs/ab/abcdef...`. */
bool manifest_is_name(const char *name);

/** The hash that a blob's name promises; NULL = it is not the name of a blob. */
const char *manifest_blob_sha256(const char *name);

/**
 * @param name  One that manifest_is_name() takes.
 * @retval ALOFT_ERR_TOO_BIG  More than MANIFEST_FILES_MAX.
 * @retval ALOFT_ERR_IO       Out of memory.
 */
ALOFT_MUST_CHECK
enum aloft_err manifest_add(struct manifest *manifest, const char *name, const char *sha256,
                            struct error *e);

/** As text; the caller's. NULL when memory is out. Sorts it. */
char *manifest_format(struct manifest *manifest, size_t *ret_len);

/**
 * Do the files found have the names and hashes that the text of a manifest says, all of them, each
 * once, and no others? Sorts them.
 *
 * @retval ALOFT_ERR_SYNTAX  The text is no manifest, or the names differ.
 * @retval ALOFT_ERR_HASH    A file has other bytes.
 */
ALOFT_MUST_CHECK
enum aloft_err manifest_compare(struct manifest *found, const char *text, size_t len,
                                struct error *e);

#endif
