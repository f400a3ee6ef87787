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
 * One GET at a time, step by step over port.net. The order of a request:
 *
 *   IDLE -begin-> RESOLVE -> CONNECT -> SEND -> HEAD -> BODY -> DONE -end-> IDLE
 *                    ^------- redirect ---------'
 *
 * and FAILED from any of them, until end(). Only 200 is a success; redirects are followed up to
 * ALOFT_REDIRECT_MAX times, never from https to http; 1xx answers are skipped. Every wait is
 * bounded by ALOFT_CONFIG_STALL_MS and by the deadline of the request.
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

struct aloft_http_request {
    enum aloft_http_ask ask;
    uint8_t mode;        /**< 0 plain, 1 TLS. */
    const char *version; /**< ALOFT_HTTP_ASK_FILE: aloft_request_is_version(). Borrowed. */
    uint64_t deadline_ms;
};

/**
 * Begin a request. The caller owns the client until end().
 *
 * @retval ALOFT_ERR_BUSY         Another request is not ended; nothing changed.
 * @retval ALOFT_ERR_UNSUPPORTED  This mode has no server; nothing changed.
 * @retval ALOFT_ERR_TOO_BIG      The request does not fit the buffer; nothing changed.
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

/** In IDLE, or in DONE with the body consumed: the buffer, for the caller's own use while nobody
 * begins a request. */
uint8_t *aloft_http_scratch(struct aloft_module *m, size_t *ret_cap);

/** The body of the request that runs. */
extern const struct aloft_source aloft_http_source;

#endif
