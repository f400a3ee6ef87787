/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_BACKUP_H
#define ALOFT_SERVER_BACKUP_H

#include <stdint.h>

#include "aloft/attr.h"
#include "host/error.h"

/*
 * A data folder as one file: a tar archive (pax, not compressed: images do not shrink) of the
 * database's snapshot, the blobs it needs, certificate, key and config file. The last entry,
 * manifest.sha256, is a list as sha256sum writes it, so that a person can check by hand what
 * backup_restore() checks.
 */

/** Called now and then with what is done so far. */
typedef void backup_note_fn(void *ctx, uint64_t n_files, uint64_t n_bytes);

struct backup_progress {
    backup_note_fn *note; /**< NULL: nobody wants to know. */
    void *ctx;
};

/**
 * Write the backup of a data folder, whether a server runs on it or not. It holds the state of one
 * moment, also of files that are deleted while it is written; the server is not stopped or slowed
 * by locks. Raises the process's soft limit of descriptors to its hard one.
 *
 * @param file  Made with mode 0600, under its name only when it is whole and on the disk. For the
 *              time of writing there are FILE.part and FILE.part.db beside it.
 * @retval ALOFT_ERR_DUPLICATE  FILE is there already.
 * @retval ALOFT_ERR_BUSY       FILE.part is there: another backup is being written, or was cut.
 * @retval ALOFT_ERR_NOT_FOUND  The folder has no database, or a blob is missing.
 * @retval ALOFT_ERR_HASH       A blob is damaged.
 * @retval ALOFT_ERR_VERSION    A newer program made the database.
 * @retval ALOFT_ERR_IO         native_code is ENOSPC when a disk is full.
 */
ALOFT_MUST_CHECK
enum aloft_err backup_make(const char *data, const char *file,
                           const struct backup_progress *progress, struct error *e);

/**
 * Make a data folder of a backup. Nothing of it is to be seen before all was checked: it grows in
 * DIR.restore beside it, which is renamed at the end and removed after an error.
 *
 * @param data  Must not be there, or be empty.
 * @retval ALOFT_ERR_STATE      DIR is not empty.
 * @retval ALOFT_ERR_BUSY       DIR.restore is there: another restore is under way, or was cut.
 * @retval ALOFT_ERR_SYNTAX     It is no backup: a foreign entry, one twice, no manifest, more bytes
 *                              than the file has.
 * @retval ALOFT_ERR_ARG        FILE is not a regular file.
 * @retval ALOFT_ERR_HASH       An entry does not have the bytes the manifest says.
 * @retval ALOFT_ERR_NOT_FOUND  A blob that the database needs is not in it.
 * @retval ALOFT_ERR_VERSION    A newer program made the database.
 */
ALOFT_MUST_CHECK
enum aloft_err backup_restore(const char *file, const char *data,
                              const struct backup_progress *progress, struct error *e);

#endif
