/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_BYTES_H
#define ALOFT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Explicit little-endian access: no struct is ever laid over stored or sent bytes. */

uint16_t aloft_get_le16(const uint8_t *p);
uint32_t aloft_get_le32(const uint8_t *p);
void aloft_put_le16(uint8_t *p, uint16_t value);
void aloft_put_le32(uint8_t *p, uint32_t value);

/** Value of a hex digit of either case; 16 for everything else. */
unsigned aloft_hex_digit(char c);

/** True if all `len` bytes equal `value`; true for len 0. */
bool aloft_bytes_are(const uint8_t *p, size_t len, uint8_t value);

/**
 * Copy a NUL-padded text field, which need not be NUL-terminated when full.
 *
 * @param out      Gets at most `out_cap - 1` bytes and always a NUL.
 * @param out_cap  At least 1.
 */
void aloft_get_text(const uint8_t *field, size_t field_len, char *out, size_t out_cap);

/**
 * CRC-32 as flash and packed formats use it (facts/esp-formats.md 0.1).
 *
 * @param seed  0 for the ordinary zlib CRC, 0xFFFFFFFF for otadata and NVS; a returned value
 * continues a sum.
 */
uint32_t aloft_crc32(uint32_t seed, const uint8_t *buf, size_t len);

#endif
