/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_BLOBS_H
#define ALOFT_SERVER_BLOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "host/error.h"

/*
 * Files by the SHA-256 of their bytes: DIR/ab/abcdef.... What is there is whole and on the disk: it
 * is written to DIR/tmp, synced, and only then renamed. native_code of an error is errno (ENOSPC).
 */

#define BLOB_SHA256_BYTES 65 /**< 64 lower-case hex digits and a NUL. */

struct blobs;
struct blob_writer;

/** Open the store, make its folders, remove what unfinished writers left behind. */
ALOFT_MUST_CHECK
enum aloft_err blobs_open(const char *dir, struct blobs **ret_blobs, struct error *e);

/** The folder itself. Borrowed. */
const char *blobs_dir(const struct blobs *blobs);

/** All writers must be gone. NULL is fine. */
void blobs_close(struct blobs *blobs);

/**
 * Where a blob is or would be.
 *
 * @retval ALOFT_ERR_TOO_BIG  `cap` is too small.
 * @retval ALOFT_ERR_SYNTAX   Not 64 lower-case hex digits. blobs_check() and blobs_remove() say so,
 *                            too, and touch nothing.
 */
ALOFT_MUST_CHECK
enum aloft_err blobs_path(const struct blobs *blobs, const char *sha256, char *path, size_t cap,
                          struct error *e);

/**
 * Is the blob there, with this size and the bytes it is named after? Reads all of it. A damaged one
 * is put aside, into the folder `damaged`, where nobody serves it.
 *
 * @retval ALOFT_ERR_NOT_FOUND  It is missing.
 * @retval ALOFT_ERR_TRUNCATED  It had another size.
 * @retval ALOFT_ERR_HASH       It had other bytes.
 * @retval ALOFT_ERR_IO         It cannot be read, or not be put aside.
 */
ALOFT_MUST_CHECK
enum aloft_err blobs_check(const struct blobs *blobs, const char *sha256, int64_t size_bytes,
                           struct error *e);

/** Remove one; not there is fine. The caller sees to it that nobody needs it or is adding it. */
ALOFT_MUST_CHECK
enum aloft_err blobs_remove(struct blobs *blobs, const char *sha256, struct error *e);

/** Called once per blob. An error ends the walk. */
typedef enum aloft_err blobs_visitor(void *ctx, const char *sha256, struct error *e);

/** Each blob there is; the visitor may remove it. */
ALOFT_MUST_CHECK
enum aloft_err blobs_each(struct blobs *blobs, blobs_visitor *visit, void *ctx, struct error *e);

/** Begin a new blob; free the writer in any case, which throws away what was not committed. */
ALOFT_MUST_CHECK
enum aloft_err blob_writer_open(struct blobs *blobs, struct blob_writer **ret_writer,
                                struct error *e);

ALOFT_MUST_CHECK
enum aloft_err blob_writer_append(struct blob_writer *writer, const void *buf, size_t len,
                                  struct error *e);

/** To read back what was appended, by offset. Borrowed. */
int blob_writer_fd(const struct blob_writer *writer);

/**
 * All bytes are there: make them last under their hash. The same content is kept once.
 * After an error nothing of it stays.
 */
ALOFT_MUST_CHECK
enum aloft_err blob_writer_commit(struct blob_writer *writer, char ret_sha256[BLOB_SHA256_BYTES],
                                  struct error *e);

void blob_writer_free(struct blob_writer *writer);

#endif
