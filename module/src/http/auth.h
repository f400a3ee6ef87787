/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HTTP_AUTH_H
#define ALOFT_HTTP_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"
#include "aloft/port.h"

#include "text.h"

/* The answer to a 401: Basic (RFC 7617) and Digest (RFC 7616: MD5 and SHA-256, qop auth, and the
 * older form without qop). */

/** From weak to strong. */
enum aloft_auth_scheme {
    ALOFT_AUTH_NONE,
    ALOFT_AUTH_BASIC,
    ALOFT_AUTH_MD5,
    ALOFT_AUTH_SHA256,
};

/** A piece of a WWW-Authenticate value; of a quoted string what stands between the quotes. */
struct aloft_auth_piece {
    const char *text; /**< NULL = not there. */
    size_t len;
};

struct aloft_auth_challenge {
    enum aloft_auth_scheme scheme;
    struct aloft_auth_piece realm;
    struct aloft_auth_piece nonce;
    struct aloft_auth_piece opaque;
    bool has_qop;  /**< `auth` is among those offered. */
    bool is_stale; /**< The credentials were good, the nonce is too old. */
};

/** What is asked for, and who asks. */
struct aloft_auth_ask {
    const char *method;
    const char *target; /**< As in the request line; without its `/` if it does not begin with one.
                         */
    size_t target_len;
    const char *userinfo; /**< Of the URL: `user:password`, percent-encoded. */
    size_t userinfo_len;
};

/**
 * Look for a stronger challenge in one WWW-Authenticate value (RFC 9110 11.6.1: a list). Where the
 * grammar is left, the rest of the value and the challenge in work are ignored.
 *
 * @param port       Says which hashes there are.
 * @param challenge  Kept unless a stronger one was found; zeroed at first.
 */
void aloft_auth_parse(const struct aloft_port *port, const char *value, size_t len,
                      struct aloft_auth_challenge *challenge);

/**
 * Add the Authorization line. That of Digest ends with `uri="`: target, quote and line end are for
 * the caller to add, since a target may be longer than any buffer.
 *
 * @retval ALOFT_ERR_SYNTAX  The user info or the target cannot be sent this way.
 * @retval ALOFT_ERR_TOO_BIG It is too long, or `t` is cut.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_auth_answer(const struct aloft_port *port,
                                 const struct aloft_auth_challenge *challenge,
                                 const struct aloft_auth_ask *ask, struct aloft_text *t);

#endif
