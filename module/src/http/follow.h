/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HTTP_FOLLOW_H
#define ALOFT_HTTP_FOLLOW_H

#include "aloft/attr.h"
#include "aloft/err.h"

struct aloft_module;

/** The host of the current request: the configured one, or that of the last redirect. */
const char *aloft_follow_host(const struct aloft_module *m);

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

#endif
