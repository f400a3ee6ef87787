/* SPDX-License-Identifier: Apache-2.0 */
#include "models/efuse.h"

static uint32_t count_bits(uint32_t bits)
{
    uint32_t n = 0;

    for (; bits != 0; bits &= bits - 1) {
        n++;
    }
    return n;
}

uint32_t efuse_version(const struct efuse *efuse)
{
    return count_bits(efuse->bits);
}

enum aloft_err efuse_raise(struct efuse *efuse, uint32_t version)
{
    uint32_t bits = efuse->bits;

    if (version > efuse->n_bits) {
        return ALOFT_ERR_RANGE;
    }
    while (count_bits(bits) < version) {
        bits |= bits + 1; /* the lowest 0 */
    }
    if (bits == efuse->bits) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = efuse->store ? efuse->store(efuse->ctx, bits) : ALOFT_ERR_OK;
    if (err == ALOFT_ERR_OK) {
        efuse->bits = bits;
    }
    return err;
}
