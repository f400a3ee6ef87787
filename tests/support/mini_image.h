/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_MINI_IMAGE_H
#define ALOFT_TESTS_MINI_IMAGE_H

#include <stdint.h>

#include "aloft/chip.h"

#define MINI_IMAGE_BYTES 336u

/**
 * The smallest app a boot loader of this chip takes: image A of facts/esp-formats.md 8.3 with
 * another chip, address and version, any revision, checksum and hash made anew.
 *
 * @param version  At most 32 bytes.
 * @param out      MINI_IMAGE_BYTES bytes.
 */
void mini_image_make(const struct aloft_chip *chip, const char *version, uint8_t *out);

/** Change the secure version of a made one (0 at first); it stays bootable. */
void mini_image_set_secure_version(uint8_t *image, uint32_t secure_version);

#endif
