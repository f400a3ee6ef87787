/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_OUT_H
#define ALOFT_WEB_OUT_H

#include <stddef.h>
#include <stdint.h>

/**
 * A text of any length, written as a whole each time and kept only where it passes a window: so a
 * long answer needs no buffer of its length, and its length is known before it is sent.
 */
struct aloft_out {
    uint8_t *buf; /**< The window; NULL if `cap` is 0. */
    size_t cap;   /**< Bytes of it; 0 = only count. */
    uint32_t off; /**< Of its first byte in the text. */
    uint32_t len; /**< Bytes of the text so far, kept or not. */
};

void aloft_out_add_bytes(struct aloft_out *out, const void *bytes, size_t len);
void aloft_out_add(struct aloft_out *out, const char *text);
void aloft_out_add_uint(struct aloft_out *out, uint32_t value);
void aloft_out_add_hex(struct aloft_out *out, uint32_t value); /**< Lower case. */
void aloft_out_add_ipv4(struct aloft_out *out, const uint8_t *ip);

/** A JSON string with its quotes. `"`, `\` and `/` get a backslash, as stock firmware does, control
 * characters their number; bytes from 0x80 on pass. */
void aloft_out_add_json(struct aloft_out *out, const char *text);

#endif
