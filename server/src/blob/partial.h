/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_PARTIAL_H
#define ALOFT_SERVER_PARTIAL_H

#include "blob/blobs.h"

/*
 * Files of which a part has arrived: DIR/incoming/<id>. How much of one counts is for the caller to
 * know: what is behind that was written but never synced. native_code of an error is errno.
 */

struct partial;

/**
 * Open it to append behind its first `offset` bytes; what else it has is dropped. With offset 0 it
 * is made when it is not there.
 *
 * @param id  Letters and digits. A path is refused with ALOFT_ERR_SYNTAX, here and below.
 * @retval ALOFT_ERR_TRUNCATED  It is missing or shorter than that.
 */
ALOFT_MUST_CHECK
enum aloft_err partial_open(struct blobs *blobs, const char *id, uint64_t offset,
                            struct partial **ret_partial, struct error *e);

ALOFT_MUST_CHECK
enum aloft_err partial_append(struct partial *partial, const void *buf, size_t len,
                              struct error *e);

/** Bring what was appended to the disk. */
ALOFT_MUST_CHECK
enum aloft_err partial_sync(struct partial *partial, struct error *e);

/** Bytes it has. */
uint64_t partial_bytes(const struct partial *partial);

/** To read it, by offset. Borrowed. */
int partial_fd(const struct partial *partial);

/** The file stays. NULL is fine. */
void partial_close(struct partial *partial);

/** Remove the file; not there is fine. Who has it open may go on, for nothing. */
ALOFT_MUST_CHECK
enum aloft_err partial_remove(struct blobs *blobs, const char *id, struct error *e);

/** Called once per file, with its name. An error ends the walk. */
typedef enum aloft_err partial_visitor(void *ctx, const char *id, struct error *e);

/** Each there is; the visitor may remove it. */
ALOFT_MUST_CHECK
enum aloft_err partials_each(struct blobs *blobs, partial_visitor *visit, void *ctx,
                             struct error *e);

#endif
