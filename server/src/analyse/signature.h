/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ANALYSE_SIGNATURE_H
#define ALOFT_SERVER_ANALYSE_SIGNATURE_H

#include "analyse/tail.h"

/* One Secure Boot v2 signature block (facts/esp-formats.md 1.8). */

#define SIGNATURE_BLOCK_BYTES  1216u
#define SIGNATURE_SHA384_BYTES 48u

/** Of the signed bytes. */
struct signed_digests {
    bool is_valid; /**< False: the digests could not be calculated, and nothing verifies. */
    uint8_t sha256[ALOFT_SHA256_BYTES];
    uint8_t sha384[SIGNATURE_SHA384_BYTES];
};

/** It has magic and version of a signature block. */
bool signature_is_block(const uint8_t *block);

/** CRC of the block. */
bool signature_is_whole(const uint8_t *block);

/**
 * @param block    SIGNATURE_BLOCK_BYTES bytes.
 * @param ret_key  Digest of the block's key; zeros if the block did not get that far.
 */
enum signature_state signature_check(const uint8_t *block, const struct signed_digests *digests,
                                     const struct trusted_keys *keys,
                                     uint8_t ret_key[ALOFT_SHA256_BYTES]);

#endif
