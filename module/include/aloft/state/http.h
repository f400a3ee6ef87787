/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_HTTP_H
#define ALOFT_STATE_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/config.h"
#include "aloft/hash.h"
#include "aloft/http_head.h"
#include "aloft/limits.h"
#include "aloft/port.h"

/* Private state of module/src, complete only so that struct aloft_module can be allocated
 * statically. */

#define ALOFT_HTTP_HOST_BYTES (ALOFT_HOST_MAX + 1)
#define ALOFT_HTTP_HOLES_MAX  2  /**< Request line, and `uri` of Digest. */
#define ALOFT_HTTP_ETAG_BYTES 67 /**< A validator of 64 bytes, its quotes and a NUL. */
#define ALOFT_JSON_TEXT_BYTES                                                                      \
    114 /**< The longest version of a list, with its NUL: its line is                              \
           127 bytes (facts/at-commands.md 2.3). */

/** The JSON reader: see http/json.h. */
struct aloft_json {
    uint8_t want;
    uint8_t state;
    uint8_t depth;
    uint8_t n_hex;
    uint16_t is_object; /**< Bit d: the container at depth d is an object. */
    uint16_t code;      /**< Of a \u escape. */
    uint8_t text_len;
    bool is_key;
    bool is_wanted;
    bool is_too_long;
    char text[ALOFT_JSON_TEXT_BYTES];
};

/** A request in the client's buffer: see http/request.h. */
struct aloft_request_text {
    uint16_t len;
    uint16_t holes[ALOFT_HTTP_HOLES_MAX]; /**< In front of these bytes the target is sent. */
    uint8_t n_holes;
};

/** The HTTP client: see http/client.h. */
struct aloft_http_state {
    uint64_t moved_ms; /**< Last sign of life of the peer. */
    uint64_t deadline_ms;
    uint64_t body_left;  /**< Content-Length bytes not yet in `buf`. */
    uint64_t body_bytes; /**< Content-Length. */
    const char *url;     /**< Borrowed; NULL = a request of CIUPDATE. */
    const char *headers; /**< Borrowed; NULL = none. */
    char *etag;          /**< Borrowed; NULL = of no interest. */
    uint32_t range_from; /**< 0 = the whole. */
    uint32_t range_total;
    uint32_t stall_ms;
    enum aloft_err err;
    int socket;
    uint8_t phase;
    uint8_t reached; /**< The furthest phase before DONE or FAILED. */
    uint8_t ask;
    uint8_t mode;
    uint8_t hops;
    uint8_t n_auths;    /**< Challenges answered at this place. */
    uint8_t addr_index; /**< Of `addrs`. */
    uint8_t framing;
    bool is_tls;
    bool is_head;       /**< HEAD, not GET. */
    bool is_digest;     /**< The answer to the challenge wants the target behind it. */
    bool is_redirected; /**< The target is that of a redirect. */
    bool is_foreign;    /**< Redirected to a stranger: it gets no token, identity or password. */
    bool is_partial;    /**< The body is the range asked for. */
    bool has_sha256;
    bool has_body_bytes;
    uint16_t port;
    uint16_t status;
    uint16_t url_len;
    uint16_t target_len; /**< A redirect's target waits at the end of `buf`. */
    uint16_t auth_len;   /**< The answer to a challenge waits in front of it, until it is sent. */
    uint16_t len;        /**< Bytes in `buf` that were received. */
    uint16_t sent;       /**< Of the request. */
    struct aloft_request_text request;
    uint16_t n_body; /**< The first bytes of `buf` are body; the rest is still chunked. */
    uint8_t sha256[ALOFT_SHA256_BYTES]; /**< Of the `Aloft-Sha256` header. */
    struct aloft_addrs addrs;
    struct aloft_tls tls;
    struct aloft_http_chunked chunked;
    union {                          /* One after the other: */
        struct aloft_http_head head; /* up to phase HEAD, */
        struct aloft_json json;      /* from phase BODY on, for who wants it. */
    };
    char host[ALOFT_HTTP_HOST_BYTES];
    char buf[ALOFT_CONFIG_HTTP_BYTES];
};

#endif
