/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HTTP_CLIENT_H
#define ALOFT_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

#include "http/request.h"
#include "upgrade/source.h"

/*
 * One request at a time, step by step over port.net. The order of a request:
 *
 *   IDLE -begin-> RESOLVE -> CONNECT -> SEND -> HEAD -> BODY -> DONE -end-> IDLE
 *                    ^---- redirect, 401 -------'
 *
 * and FAILED from any of them, until end(). Redirects are followed up to ALOFT_REDIRECT_MAX times,
 * never from https to http; a 401 is answered with the credentials of the URL; 1xx answers are
 * skipped. The addresses of a name are tried one after the other. Every wait is bounded by the
 * stall time and the deadline of the request.
 *
 * From BODY on `m->http.json` is a reader, begun for what ASK_VERSION or ASK_LIST is about.
 *
 * What is a success: 200, and 206 if it is the range that was asked for. No other 2xx carries an
 * image: stock takes any (facts/at-commands.md 2.1). ALOFT_HTTP_ASK_URL leaves that to the caller.
 */

struct aloft_module;

/** Kept in a byte of the state; the order is that of a request. */
enum aloft_http_phase {
    ALOFT_HTTP_IDLE,
    ALOFT_HTTP_RESOLVE,
    ALOFT_HTTP_CONNECT, /**< The name is resolved. */
    ALOFT_HTTP_SEND,    /**< Connected, TLS included. */
    ALOFT_HTTP_HEAD,
    ALOFT_HTTP_BODY,   /**< The head is good: 200, and a framing that is allowed. */
    ALOFT_HTTP_DONE,   /**< The whole body arrived; its last bytes may still wait in the buffer. */
    ALOFT_HTTP_FAILED, /**< `m->http.err` says why; HTTP_STATUS: `m->http.status` too. */
};

/** All texts are borrowed until end(), if nothing else is said. */
struct aloft_http_request {
    enum aloft_http_ask ask;
    uint8_t mode;        /**< Of the first three asks: 0 plain, 1 TLS. */
    const char *version; /**< ALOFT_HTTP_ASK_FILE: aloft_request_is_version(). Not kept. */
    const char *url;     /**< ASK_IMAGE and ASK_URL: `url_len` bytes of printable ASCII, up to
                            ALOFT_URL_MAX; NULL otherwise. */
    size_t url_len;
    bool is_head;        /**< HEAD: there is no body, DONE follows the head. */
    const char *headers; /**< Further header lines, each with its CR LF; NULL = none. The caller's
                            word is taken for them. */
    /**
     * ALOFT_HTTP_ETAG_BYTES. Out: the strong validator of a 200, empty if there is none. In, with
     * `range_from`: the validator of the bytes that are there already. NULL = of no interest.
     */
    char *etag;
    uint32_t range_from;  /**< First byte wanted, of `range_total`; 0 = the whole. */
    uint32_t range_total; /**< With `range_from`. */
    uint32_t stall_ms;    /**< Silence that ends it; 0 = ALOFT_CONFIG_STALL_MS. */
    uint64_t deadline_ms;
};

/**
 * Begin a request. The caller owns the client until end().
 *
 * @retval ALOFT_ERR_BUSY         Another request is not ended; nothing changed.
 * @retval ALOFT_ERR_UNSUPPORTED  This mode has no server; nothing changed.
 * @retval ALOFT_ERR_SYNTAX       Not a whole URL of http or https; nothing changed.
 * @retval ALOFT_ERR_TOO_BIG      The request, the URL or its host is too long; nothing changed.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_http_begin(struct aloft_module *m, const struct aloft_http_request *request);

/** Go on. Returns milliseconds until the next call; UINT32_MAX when it waits for nobody. */
uint32_t aloft_http_step(struct aloft_module *m);

/** Close what is open and be idle, from any phase. */
void aloft_http_end(struct aloft_module *m);

/** Body bytes that wait, valid until the next call of this header. The socket is read only while
 * there is room for more: consume what you took. */
const uint8_t *aloft_http_body(const struct aloft_module *m, size_t *ret_len);
void aloft_http_consume(struct aloft_module *m, size_t len);

/** Bytes of the whole body by Content-Length. False if the head does not say. */
bool aloft_http_body_bytes(const struct aloft_module *m, uint64_t *ret_bytes);

/** The body is the range asked for, not the whole. */
bool aloft_http_is_partial(const struct aloft_module *m);

/** In IDLE, or in DONE with the body consumed: the buffer, for the caller's own use while nobody
 * begins a request. */
uint8_t *aloft_http_scratch(struct aloft_module *m, size_t *ret_cap);

/** The body of the request that runs. */
extern const struct aloft_source aloft_http_source;

#endif
