/* SPDX-License-Identifier: Apache-2.0 */
#include "web/out.h"

#include <string.h>

#include "text.h"

#define NUMBER_BYTES 16 /* Of the longest number or address, with its NUL. */

void aloft_out_add_bytes(struct aloft_out *out, const void *bytes, size_t len)
{
    uint64_t start = out->len;
    uint64_t end = start + len;
    uint64_t window_end = (uint64_t)out->off + out->cap;
    uint64_t first = start > out->off ? start : out->off;
    uint64_t last = end < window_end ? end : window_end;

    if (first < last) {
        memcpy(out->buf + (first - out->off), (const uint8_t *)bytes + (first - start),
               (size_t)(last - first));
    }
    out->len = (uint32_t)end;
}

void aloft_out_add(struct aloft_out *out, const char *text)
{
    aloft_out_add_bytes(out, text, strlen(text));
}

void aloft_out_add_uint(struct aloft_out *out, uint32_t value)
{
    char buf[NUMBER_BYTES];
    struct aloft_text t;

    aloft_text_init(&t, buf, sizeof buf);
    aloft_text_add_uint(&t, value);
    aloft_out_add_bytes(out, t.buf, t.len);
}

void aloft_out_add_hex(struct aloft_out *out, uint32_t value)
{
    char buf[NUMBER_BYTES];
    struct aloft_text t;

    aloft_text_init(&t, buf, sizeof buf);
    aloft_text_add_hex(&t, value, 1);
    aloft_out_add_bytes(out, t.buf, t.len);
}

void aloft_out_add_ipv4(struct aloft_out *out, const uint8_t *ip)
{
    char buf[NUMBER_BYTES];
    struct aloft_text t;

    aloft_text_init(&t, buf, sizeof buf);
    aloft_text_add_ipv4(&t, ip);
    aloft_out_add_bytes(out, t.buf, t.len);
}

static void add_escaped(struct aloft_out *out, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    char escape[] = {'\\', (char)c};
    char number[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 0xF]};

    if (c < ' ') {
        aloft_out_add_bytes(out, number, sizeof number);
    } else {
        aloft_out_add_bytes(out, escape, sizeof escape);
    }
}

void aloft_out_add_json(struct aloft_out *out, const char *text)
{
    aloft_out_add(out, "\"");
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == '"' || *c == '\\' || *c == '/') {
            add_escaped(out, (unsigned char)*c);
        } else {
            aloft_out_add_bytes(out, c, 1);
        }
    }
    aloft_out_add(out, "\"");
}
