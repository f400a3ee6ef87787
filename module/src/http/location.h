/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HTTP_LOCATION_H
#define ALOFT_HTTP_LOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/** The value of a Location header, taken apart (RFC 3986 4.2). The pieces point into the value. */
struct aloft_location {
    bool has_scheme;
    bool is_tls;      /**< Valid with `has_scheme`. */
    const char *host; /**< NULL = the same host. */
    size_t host_len;
    uint16_t port;      /**< 0 = the default of the scheme. */
    const char *target; /**< `/path`, `?query`, a relative path, or empty; without fragment. */
    size_t target_len;
};

/**
 * @retval ALOFT_ERR_REDIRECT  Not a place a module can go to: another scheme, a user name, an IPv6
 *                             literal, an impossible port, spaces, controls or bytes beyond ASCII.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_location_parse(const char *text, size_t len, struct aloft_location *ret_loc);

#endif
