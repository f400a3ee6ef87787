/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HTTP_REQUEST_H
#define ALOFT_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

struct aloft_module;

/** The three requests of a module (facts/ciupdate-wire.md 1). Kept in a byte of the state. */
enum aloft_http_ask {
    ALOFT_HTTP_ASK_VERSION, /**< The version document. */
    ALOFT_HTTP_ASK_FILE,
    ALOFT_HTTP_ASK_LIST, /**< The version list. */
};

/** What a request says; the texts are borrowed for the call. */
struct aloft_request_line {
    enum aloft_http_ask ask;
    const char *version; /**< ALOFT_HTTP_ASK_FILE, not redirected. */
    const char *target;  /**< Of a redirect; NULL = our own. */
    size_t target_len;
    const char *host;
    uint16_t port;
    bool is_tls;
    const char *token; /**< NULL sends `(null)`. */
    bool is_foreign;   /**< Another host than the configured one: no token, no identity. */
};

/**
 * Write the request, byte for byte as facts/ciupdate-wire.md 2.1, 3.1 and 4.1 have it, then our own
 * headers.
 *
 * @retval ALOFT_ERR_TOO_BIG  It does not fit into `cap`.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_request_build(const struct aloft_module *m,
                                   const struct aloft_request_line *line, char *buf, size_t cap,
                                   size_t *ret_len);

/** Our own target of ASK_VERSION and ASK_FILE up to the `?`, or of ASK_LIST: the base of relative
 * redirects. */
const char *aloft_request_path(enum aloft_http_ask ask);

/** `[A-Za-z0-9._-]{1,64}`: may be put into a request as it is (facts/ciupdate-wire.md 0.10). */
bool aloft_request_is_version(const char *text);

#endif
