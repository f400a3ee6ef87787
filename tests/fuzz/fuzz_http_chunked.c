/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "aloft/http_head.h"

/* Parsers: formats/src/http_chunked.c */

struct outcome {
    enum aloft_err err;
    size_t n_used;
    size_t n_payload;
    uint32_t sum; /* Over the payload; order counts. */
};

/** Feed at most `part_len` bytes a time. */
static struct outcome feed(const char *buf, size_t len, size_t part_len)
{
    struct aloft_http_chunked chunked = {0};
    struct outcome out = {ALOFT_ERR_OK, 0, 0, 0};

    while (out.n_used < len && out.err == ALOFT_ERR_OK) {
        size_t left = len - out.n_used;
        size_t part = left < part_len ? left : part_len;
        size_t used;
        size_t off;
        size_t n;

        out.err = aloft_http_chunked_feed(&chunked, buf + out.n_used, part, &used, &off, &n);
        MUST(used <= part && off <= used && n <= used - off);
        MUST(used > 0);
        for (size_t i = 0; i < n; i++) {
            out.sum = out.sum * 31 + (uint8_t)buf[out.n_used + off + i];
        }
        out.n_payload += n;
        out.n_used += used;
    }
    return out;
}

/* The first byte is the length of the parts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) {
        const char *buf = (const char *)data + 1;
        struct outcome whole = feed(buf, size - 1, size);
        struct outcome parts = feed(buf, size - 1, data[0] % 16u + 1);

        MUST(whole.err == parts.err && whole.n_used == parts.n_used);
        MUST(whole.n_payload == parts.n_payload && whole.sum == parts.sum);
    }
    return 0;
}
