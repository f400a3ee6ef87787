/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HTTP_FOLLOW_H
#define ALOFT_HTTP_FOLLOW_H

#include <stddef.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/* From one request to the next: where it goes, and what it says. */

struct aloft_module;

/**
 * Who is asked first: host, port and TLS from `m->http.url` or from the server of `m->http.mode`.
 *
 * @retval ALOFT_ERR_UNSUPPORTED  This mode has no server.
 * @retval ALOFT_ERR_SYNTAX       Not a whole URL of http or https.
 * @retval ALOFT_ERR_TOO_BIG      The host's name is too long.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_follow_begin(struct aloft_module *m);

/**
 * Put the request that is due into the client's buffer.
 *
 * @param version         ALOFT_HTTP_ASK_FILE, the first time; else NULL.
 * @retval ALOFT_ERR_TOO_BIG  It does not fit.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_follow_build(struct aloft_module *m, const char *version);

/** What the request that is in the buffer asks for, if it did not fit there. */
const char *aloft_follow_target(const struct aloft_module *m, size_t *ret_len);

/**
 * Follow the Location of the head in the client's buffer: host, port and target become those of the
 * redirect, and the next request is in the buffer.
 *
 * @retval ALOFT_ERR_REDIRECT  One hop too many, no Location, from https to http, or a place a
 * module cannot go to.
 * @retval ALOFT_ERR_TOO_BIG   The next request does not fit.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_follow_redirect(struct aloft_module *m);

/**
 * Answer the challenges of the 401 in the client's buffer with the credentials of the URL: the
 * next request is in the buffer. They are not given to strangers, nor twice unless the server says
 * that only its nonce was too old.
 *
 * @retval ALOFT_ERR_HTTP_STATUS  There is no answer to them.
 * @retval ALOFT_ERR_TOO_BIG      The next request does not fit.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_follow_challenge(struct aloft_module *m);

#endif
