/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_UPGRADE_VERIFY_H
#define ALOFT_UPGRADE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/*
 * The engine's judge: it sees every byte of the file twice, as it comes from the source and as it
 * stands in flash. The port has one running hash: while the file comes it makes the digest the peer
 * announced (Aloft-Sha256), or else the one appended to the image; when the slot is read back it
 * always makes the latter.
 */

struct aloft_module;

/** A file begins to come from `m->upgrade.source`, for the slot of the writer. */
void aloft_verify_begin(struct aloft_module *m);

/** Look at what waits in the source; each byte is seen once, before it is written. Answers what the
 * readers of image and trailer find wrong. */
ALOFT_MUST_CHECK
enum aloft_err aloft_verify_waiting(struct aloft_module *m);

/** The writer took `len` bytes: they leave the source. */
void aloft_verify_consume(struct aloft_module *m, size_t len);

/** All bytes came: was it a whole image, and the one announced? */
ALOFT_MUST_CHECK
enum aloft_err aloft_verify_end(const struct aloft_module *m);

/** Now read the slot, in portions of the source's buffer: what was written, or, if nothing was, up
 * to the end of the image that stands there. */
void aloft_verify_begin_reread(struct aloft_module *m);

/**
 * The next portion.
 *
 * @param ret_is_over   All was read, and it is the same whole image.
 * @retval ALOFT_ERR_FLASH  It is not what was written. Or what the image's reader finds.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_verify_reread(struct aloft_module *m, bool *ret_is_over);

#endif
