/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_INCOMING_H
#define ALOFT_WEB_INCOMING_H

#include <stddef.h>

#include "aloft/http_head.h"

#include "web/answer.h"

/** Bytes of a request's target, and of its header section (facts/at-commands.md 3.1). */
#define ALOFT_INCOMING_TARGET_BYTES 1024
#define ALOFT_INCOMING_FIELDS_BYTES 1024

/**
 * Look at the first `len` bytes of a request, all of them each time.
 *
 * @param ret_head    Whole if `ret_answer` is NONE and the return value OK.
 * @param ret_answer  NONE, or why the request is refused.
 * @retval ALOFT_ERR_AGAIN  More bytes are needed.
 */
enum aloft_err aloft_incoming_look(const char *buf, size_t len, struct aloft_http_head *ret_head,
                                   enum aloft_answer *ret_answer);

#endif
