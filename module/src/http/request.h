/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HTTP_REQUEST_H
#define ALOFT_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"
#include "aloft/state/http.h"

struct aloft_module;

/** What is asked for. The first three are those of facts/ciupdate-wire.md 1. Kept in a byte of the
 * state. */
enum aloft_http_ask {
    ALOFT_HTTP_ASK_VERSION, /**< The version document. */
    ALOFT_HTTP_ASK_FILE,
    ALOFT_HTTP_ASK_LIST,  /**< The version list. */
    ALOFT_HTTP_ASK_IMAGE, /**< The image at a URL (facts/at-commands.md 2.1). */
    ALOFT_HTTP_ASK_URL,   /**< Whatever is at a URL. */
};

/** What a request says; the texts are borrowed for the call. */
struct aloft_request_line {
    enum aloft_http_ask ask;
    const char *version; /**< ALOFT_HTTP_ASK_FILE, not redirected. */
    bool is_head;
    const char *target; /**< Of a URL or a redirect; NULL = our own. Its `/` may be missing. */
    size_t target_len;
    const char *host;
    uint16_t port;
    bool is_tls;
    const char *token;   /**< NULL sends `(null)`. */
    bool is_foreign;     /**< Not who was asked first: no token, no identity, no credentials. */
    const char *headers; /**< Further header lines, each with its CR LF; NULL = none. */
    const char *auth;    /**< An answer to a challenge (http/auth.h); NULL = none. */
    size_t auth_len;
    bool is_digest;
    uint32_t range_from; /**< 0 = the whole. */
    const char *etag;    /**< With `range_from`. */
};

/** A target up to this many bytes is part of the text, so that an ordinary request leaves in one
 * write; a longer one is sent from where it is. */
#define ALOFT_REQUEST_INLINE 512

/**
 * Write the request: byte for byte as facts/ciupdate-wire.md 2.1, 3.1 and 4.1 have it, then our own
 * headers; for a URL as facts/at-commands.md 2.1 has it. `ret_text->len` bytes are in `buf`.
 *
 * @retval ALOFT_ERR_TOO_BIG  It does not fit into `cap`.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_request_build(const struct aloft_module *m,
                                   const struct aloft_request_line *line, char *buf, size_t cap,
                                   struct aloft_request_text *ret_text);

/** Our own target of ASK_VERSION and ASK_FILE up to the `?`, or of ASK_LIST: the base of relative
 * redirects. */
const char *aloft_request_path(enum aloft_http_ask ask);

const char *aloft_request_method(bool is_head);

/** `[A-Za-z0-9._-]{1,64}`: may be put into a request as it is (facts/ciupdate-wire.md 0.10). */
bool aloft_request_is_version(const char *text);

#endif
