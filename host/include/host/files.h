/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HOST_FILES_H
#define ALOFT_HOST_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "aloft/attr.h"
#include "host/error.h"

/**
 * Read a whole file into fresh memory (with a NUL behind it, not counted).
 *
 * @param max_bytes  Larger files are refused with TOO_BIG.
 * @param ret_data   Transferred: free() it.
 */
ALOFT_MUST_CHECK
enum aloft_err file_load(const char *path, size_t max_bytes, uint8_t **ret_data, size_t *ret_len,
                         struct error *e);

/**
 * Replace a file by new content: temporary file beside it, fsync, rename, fsync of the folder.
 * After an error or a power cut the old content stands, or the new one, never a mixture.
 */
ALOFT_MUST_CHECK
enum aloft_err file_replace(const char *path, const void *buf, size_t len, mode_t mode,
                            struct error *e);

/** write() until all is written or an error; EINTR is not an error. */
ALOFT_MUST_CHECK
enum aloft_err file_write_all(int fd, const void *buf, size_t len, struct error *e);

/** Make a directory and its parents, to last a power cut; there already is fine. */
ALOFT_MUST_CHECK
enum aloft_err dir_make(const char *path, mode_t mode, struct error *e);

/** fsync a directory, so that a rename in it lasts. */
ALOFT_MUST_CHECK
enum aloft_err dir_sync(const char *path, struct error *e);

#endif
