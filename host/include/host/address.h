/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HOST_ADDRESS_H
#define ALOFT_HOST_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "host/error.h"

#define ADDRESS_HOST_BYTES 256

/** `HOST:PORT` as options give it; `[v6]:PORT` too. */
struct address {
    char host[ADDRESS_HOST_BYTES]; /**< Without brackets; empty = all. */
    uint16_t port;
};

/**
 * Split `HOST:PORT`.
 *
 * @param default_port  Used when there is no `:PORT`; -1 = it must be there.
 * @retval ALOFT_ERR_SYNTAX  With a sentence that names the text and the form wanted.
 */
ALOFT_MUST_CHECK
enum aloft_err address_parse(const char *text, int default_port, struct address *ret_address,
                             struct error *e);

/**
 * A listening TCP socket, non-blocking, close-on-exec, SO_REUSEADDR.
 *
 * @param reuse_port  SO_REUSEPORT, for one listener per thread.
 * @param ret_fd      The caller's.
 * @param ret_port    The port bound (port 0 asks for a free one).
 * @retval ALOFT_ERR_IO  native_code tells EACCES, EADDRINUSE apart.
 */
ALOFT_MUST_CHECK
enum aloft_err address_listen(const struct address *address, bool reuse_port, int *ret_fd,
                              uint16_t *ret_port, struct error *e);

/**
 * `1.2.3.4:80` or `[::1]:80`, cut when it does not fit.
 *
 * @param bytes  4 bytes, 16 with `is_v6`, in network order.
 */
void address_format(const uint8_t *bytes, bool is_v6, uint16_t port, char *out, size_t cap);

#endif
