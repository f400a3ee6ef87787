/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_EFUSE_H
#define ALOFT_VIRTUAL_EFUSE_H

#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/* The field of eFuse bits that counts a device's secure version (facts/esp-formats.md 3.6): each
 * bit can be burnt once, from 0 to 1, and none ever comes back. */

struct efuse {
    uint32_t bits;
    uint8_t n_bits; /**< Width of the field: aloft_chip.secure_version_bits. */
    /** Keep the bits beyond the process; NULL = nobody does. */
    enum aloft_err (*store)(void *ctx, uint32_t bits);
    void *ctx;
};

/** The number of burnt bits. */
uint32_t efuse_version(const struct efuse *efuse);

/**
 * Burn bits, the lowest first, until the version is `version`; nothing if it is that or more.
 *
 * @retval ALOFT_ERR_RANGE  The field is narrower than that; nothing was burnt.
 * @retval others           The bits could not be stored; nothing was burnt.
 */
ALOFT_MUST_CHECK
enum aloft_err efuse_raise(struct efuse *efuse, uint32_t version);

#endif
