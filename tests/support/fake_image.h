/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_FAKE_IMAGE_H
#define ALOFT_TESTS_FAKE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/**
 * A whole ESP32-C3 app (facts/esp-formats.md 1): one DROM segment with a descriptor, checksum and
 * hash.
 *
 * @param data_len  Bytes of the segment: at least 256, a multiple of 4.
 * @param seed      Makes two images differ.
 * @return Heap memory of `*ret_len` bytes, the caller's to free.
 */
uint8_t *fake_image_new(size_t data_len, uint8_t seed, size_t *ret_len);

/** The same behind a head with its Content-Length and `headers` (whole lines). */
uint8_t *fake_image_answer(const uint8_t *image, size_t image_len, const char *headers,
                           size_t *ret_len);

/** Lower-case hex of the SHA-256, NUL-terminated: 65 bytes. */
void fake_image_sha256(const uint8_t *bytes, size_t len, char *ret_hex);

#endif
