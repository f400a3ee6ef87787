/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_FRAMING_H
#define ALOFT_SERVER_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

/** What the request's head says about its body. */
struct framing {
    bool is_chunked; /**< Length not known before. */
    bool expects_continue;
    uint64_t body_bytes; /**< A length over 18 digits is UINT64_MAX. */
};

/** Read it from a head that front.c has found clear. */
struct framing framing_read(struct MHD_Connection *connection);

#endif
