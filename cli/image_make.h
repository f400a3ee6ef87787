/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_IMAGE_MAKE_H
#define ALOFT_CLI_IMAGE_MAKE_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/chip.h"
#include "host/error.h"

#define IMAGE_MAKE_SIZE_MIN (68u * 1024)       /**< Below it no code page fits behind the data. */
#define IMAGE_MAKE_SIZE_MAX (4u * 1024 * 1024) /**< The header says 4 MB of flash. */

struct image_make_rules {
    const struct aloft_chip *chip;
    const char *version;     /**< For the descriptor, at most 32 bytes. */
    uint32_t size_bytes;     /**< Of the whole file; rounded down to a multiple of 16. */
    uint32_t seed;           /**< Same rules, same bytes. */
    uint32_t secure_version; /**< For the descriptor (anti-rollback). */
};

/**
 * Make an app image that the vendor's tools and boot loaders take for genuine, with a payload that
 * compresses about as code does. It does not run: there is no code in it.
 *
 * @param ret_data  Transferred: free() it.
 * @retval ALOFT_ERR_RANGE  The size is below IMAGE_MAKE_SIZE_MIN or above IMAGE_MAKE_SIZE_MAX.
 * @retval ALOFT_ERR_ARG    The version is empty, too long or not printable.
 * @retval ALOFT_ERR_IO     Out of memory.
 */
ALOFT_MUST_CHECK
enum aloft_err image_make(const struct image_make_rules *rules, uint8_t **ret_data, size_t *ret_len,
                          struct error *e);

#endif
