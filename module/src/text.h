/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TEXT_H
#define ALOFT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Text built piece by piece in the caller's buffer. What does not fit is left out as a whole, with
 * all that comes after it, and `is_cut` tells: check it once, at the end. Always NUL-terminated.
 */
struct aloft_text {
    char *buf;
    size_t cap; /**< Bytes of `buf`, the NUL included; at least 1. */
    size_t len; /**< Bytes so far, without the NUL. */
    bool is_cut;
};

void aloft_text_init(struct aloft_text *t, char *buf, size_t cap);
void aloft_text_add(struct aloft_text *t, const char *text);
void aloft_text_add_bytes(struct aloft_text *t, const void *bytes, size_t len);
void aloft_text_add_char(struct aloft_text *t, char c);
void aloft_text_add_uint(struct aloft_text *t, uint32_t value);
void aloft_text_add_int(struct aloft_text *t, int32_t value);
/** Lower case, no `0x`, padded with zeros to at least `min_digits` (1 to 8). */
void aloft_text_add_hex(struct aloft_text *t, uint32_t value, uint8_t min_digits);
void aloft_text_add_ipv4(struct aloft_text *t, const uint8_t *ip); /**< 4 bytes. */
void aloft_text_add_ipv6(struct aloft_text *t, const uint8_t *ip); /**< 16 bytes; RFC 5952. */
/** Two lower-case hex digits for each of `len` bytes, `separator` between them ('\0' = none). */
void aloft_text_add_hex_bytes(struct aloft_text *t, const uint8_t *bytes, size_t len,
                              char separator);

#endif
