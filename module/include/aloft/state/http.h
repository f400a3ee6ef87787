/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_HTTP_H
#define ALOFT_STATE_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/config.h"
#include "aloft/hash.h"
#include "aloft/http_head.h"
#include "aloft/port.h"

/* Private state of module/src, complete only so that struct aloft_module can be allocated
 * statically. */

#define ALOFT_HTTP_HOST_BYTES 128 /**< Host name of a redirect, with its NUL. */
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

/** The HTTP client: see http/client.h. */
struct aloft_http_state {
    uint64_t moved_ms; /**< Last sign of life of the peer. */
    uint64_t deadline_ms;
    uint64_t body_left; /**< Content-Length bytes not yet in `buf`. */
    enum aloft_err err;
    int socket;
    uint8_t phase;
    uint8_t reached; /**< The furthest phase before DONE or FAILED. */
    uint8_t ask;
    uint8_t mode;
    uint8_t hops;
    uint8_t framing;
    bool is_tls;
    bool is_redirected; /**< Host and target are the ones below, not the configured ones. */
    bool is_foreign;    /**< Redirected to another host: it gets neither token nor identity. */
    bool has_sha256;
    uint16_t port;
    uint16_t status;
    uint16_t target_len; /**< A redirect's target waits at the end of `buf`. */
    uint16_t len;        /**< Bytes in `buf`. */
    uint16_t sent;       /**< Of the request. */
    uint16_t n_body;     /**< The first bytes of `buf` are body; the rest is still chunked. */
    uint8_t sha256[ALOFT_SHA256_BYTES]; /**< Of the `Aloft-Sha256` header. */
    struct aloft_addrs addrs;
    struct aloft_tls tls;
    struct aloft_http_chunked chunked;
    struct aloft_http_head head;
    struct aloft_json json;
    char redirect_host[ALOFT_HTTP_HOST_BYTES];
    char buf[ALOFT_CONFIG_HTTP_BYTES];
};

#endif
