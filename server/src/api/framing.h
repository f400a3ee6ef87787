/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_FRAMING_H
#define ALOFT_SERVER_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

/** What the request's headers say about its body. */
struct framing {
    const char *problem; /**< A sentence; NULL = fine. The connection must be closed then. */
    bool is_chunked;     /**< Length not known before. */
    bool expects_continue;
    uint64_t body_bytes;
};

/**
 * Look at all headers. The library takes what another server in front of us may read differently
 * (facts/serving.md 6): two lengths, a length and a coding, unknown codings, a name with a space
 * behind it, no Host. All that is refused here; a length that is no number the library refuses
 * itself. What it hides from us: values end at a NUL, and folded lines come joined.
 */
struct framing framing_check(struct MHD_Connection *connection, const char *http_version);

#endif
