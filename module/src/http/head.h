/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HTTP_HEAD_RULES_H
#define ALOFT_HTTP_HEAD_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "aloft/attr.h"
#include "aloft/err.h"
#include "aloft/state/http.h"

/* What the client makes of an answer's head, and of the framing of its body. */

/** How the end of the body is known. Kept in a byte of the state. */
enum aloft_head_framing {
    ALOFT_HEAD_LENGTH,
    ALOFT_HEAD_CHUNKED,
    ALOFT_HEAD_CHUNKED_OVER, /**< The last chunk was seen. */
    ALOFT_HEAD_UNTIL_CLOSE,
};

/**
 * Judge the complete head in `h->buf`.
 *
 * @retval ALOFT_ERR_OK            A success (http/client.h): `h->buf` now begins with the body.
 * @retval ALOFT_ERR_AGAIN         An interim answer; `h->buf` now begins with the next head.
 * @retval ALOFT_ERR_REDIRECT      A redirect to be followed.
 * @retval ALOFT_ERR_HTTP_STATUS   Any other status; it is kept in `h->status`.
 * @retval ALOFT_ERR_UNSUPPORTED   A content coding, which was not asked for in earnest.
 * @retval ALOFT_ERR_HTTP_FRAMING  A file whose length is not said (facts/at-commands.md 6.1, row
 * 3), broken chunks, or a range that is not the one asked for.
 * @retval ALOFT_ERR_HEADER        `Aloft-Sha256` is not 64 hex digits.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_head_judge(struct aloft_http_state *h);

/**
 * Account for the last `n_new` bytes of `h->buf`, which belong to the body as sent.
 *
 * @retval ALOFT_ERR_HTTP_FRAMING  Broken chunks.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_head_take_body(struct aloft_http_state *h, size_t n_new);

/** No more bytes belong to the body. False while only a close can tell. */
bool aloft_head_body_is_over(const struct aloft_http_state *h);

#endif
