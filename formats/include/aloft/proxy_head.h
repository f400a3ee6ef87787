/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_PROXY_HEAD_H
#define ALOFT_PROXY_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/*
 * The PROXY protocol, versions 1 and 2 (HAProxy's doc/proxy-protocol.txt): what a proxy sends
 * before all else to say whose connection it hands on. Strict and bounded.
 */

/** A longer one is refused; version 1 has 107 at most, version 2 some room for extensions. */
#define ALOFT_PROXY_HEAD_MAX 1024

struct aloft_proxy_head {
    size_t head_len; /**< Bytes of it; what follows is the peer's. */
    /** False: the proxy speaks for itself (a check of health), or of a peer without an address. */
    bool has_source;
    bool is_v6;
    uint8_t source[16]; /**< Network order; IPv4: the first 4. */
    uint16_t source_port;
};

/**
 * Look at what has arrived.
 *
 * @param buf       All bytes so far, from the first one of the connection.
 * @param ret_head  Set on success only.
 * @retval ALOFT_ERR_AGAIN    More bytes are needed.
 * @retval ALOFT_ERR_SYNTAX   No such head.
 * @retval ALOFT_ERR_TOO_BIG  Longer than ALOFT_PROXY_HEAD_MAX.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_proxy_head_parse(const uint8_t *buf, size_t len,
                                      struct aloft_proxy_head *ret_head);

#endif
