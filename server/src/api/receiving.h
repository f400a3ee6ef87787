/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_RECEIVING_H
#define ALOFT_SERVER_RECEIVING_H

#include "api/request.h"
#include "store/uploads.h"

/*
 * The next part of a partial upload as it comes in. What its row says is on the disk is on the
 * disk. Only one request at a time adds to a partial upload: a newcomer takes over from one whose
 * connection is broken without our having noticed yet.
 */

struct receiving;

/**
 * Begin; whoever receives it now is superseded.
 *
 * @param offset  Where the client wants to go on.
 * @return False = answered: there is no such partial upload, or it has another offset (409 with
 *         `offset_bytes`).
 */
bool receiving_begin(struct request *request, const char *id, uint64_t offset);

/** A piece of it. A failure is the request's answer. */
void receiving_take(struct request *request, const void *buf, size_t len);

/** The request's body is complete: bring it to the disk. False = answered. */
bool receiving_sync(struct request *request);

/** The partial upload being received, as it stands. Borrowed. */
const struct partial_upload *receiving_partial(const struct receiving *receiving);

int receiving_fd(const struct receiving *receiving);

/** The request is over, or broken off: keep what came. NULL is fine. */
void receiving_end(struct api *api, struct receiving *receiving);

/** How much of it has come, with what is on its way to the disk brought there.
 * @retval ALOFT_ERR_NOT_FOUND  There is no such partial upload. */
ALOFT_MUST_CHECK
enum aloft_err receiving_look(struct api *api, int64_t product_id, const char *id,
                              struct partial_upload *ret_partial, struct error *e);

/** Remove one, with its bytes; whoever receives it is superseded. @retval ALOFT_ERR_NOT_FOUND */
ALOFT_MUST_CHECK
enum aloft_err receiving_remove(struct api *api, int64_t product_id, const char *id,
                                struct error *e);

/** Remove partial uploads not touched for a day. */
void receiving_expire(struct api *api, int64_t now_ms);

#endif
