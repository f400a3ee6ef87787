/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HTTP_URL_H
#define ALOFT_HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/** A URL, or the value of a Location header, taken apart (RFC 3986 4.2). The pieces point into the
 * text. */
struct aloft_url {
    bool has_scheme;
    bool is_tls;          /**< Valid with `has_scheme`. */
    const char *userinfo; /**< Still percent-encoded; NULL = none. */
    size_t userinfo_len;
    const char *host; /**< NULL = the same host. An IPv6 literal stands here without brackets. */
    size_t host_len;
    uint16_t port;      /**< 0 = the default of the scheme. */
    const char *target; /**< `/path`, `?query`, a relative path, or empty; without fragment. */
    size_t target_len;
};

/**
 * @retval ALOFT_ERR_SYNTAX  Not a place a module can go to: another scheme than http and https, a
 *                           host that is neither a name nor an address, an impossible port, spaces,
 *                           controls or bytes beyond ASCII.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_url_parse(const char *text, size_t len, struct aloft_url *ret_url);

#endif
