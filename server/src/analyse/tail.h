/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ANALYSE_TAIL_H
#define ALOFT_SERVER_ANALYSE_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/app_image.h"
#include "aloft/hash.h"

/*
 * What stands behind an image or a package (its body): nothing, filling, or FF up to the next
 * sector and in it a Secure Boot v2 signature over all before (facts/esp-formats.md 1.5, 1.8, 4.2).
 */

/** How far a signature got, worst first: of several blocks the best one counts. */
enum signature_state {
    SIGNATURE_MISSING,
    SIGNATURE_CRC,    /**< The block is damaged. */
    SIGNATURE_DIGEST, /**< It belongs to another image. */
    SIGNATURE_BAD,    /**< It does not verify. */
    SIGNATURE_KEY,    /**< It verifies, by a key that is not trusted. */
    SIGNATURE_GOOD,
};

struct tail_hashes;

struct tail {
    uint64_t body_end; /**< Set by the owner as soon as known; 0 = not yet. */
    uint64_t off;      /**< Bytes seen, body included. */
    bool is_ff;        /**< Nothing but FF behind the body. */
    bool is_gap_ff;    /**< FF up to the signature sector. */
    uint8_t sector[ALOFT_SIGNATURE_BYTES];
    size_t sector_len;
    struct tail_hashes *hashes; /**< Over the body and the gap. */
};

struct trusted_keys {
    const uint8_t (*digests)[ALOFT_SHA256_BYTES]; /**< Borrowed. */
    size_t n_digests;
    size_t n_blocks; /**< Signature blocks the chip looks at: 1 or 3. */
};

/** @return False when memory is out. */
bool tail_init(struct tail *tail);
void tail_deinit(struct tail *tail);

/** Forget everything and begin again. */
void tail_restart(struct tail *tail);

/** The next bytes, in any portions; `body_end` must be set before the portion that reaches it. */
void tail_feed(struct tail *tail, const uint8_t *buf, size_t len);

/** Bytes behind the body. */
uint64_t tail_bytes(const struct tail *tail);

/** Where the signature sector begins, from the start of the body. */
uint64_t tail_sector_off(const struct tail *tail);

/** A whole sector behind a gap of FF begins like a signature block. */
bool tail_has_signature(const struct tail *tail);

/**
 * Judge the signature. Call once, after the last byte.
 *
 * @param ret_key  Key digest of the block the result is about; zeros if no block got that far.
 */
enum signature_state tail_check_signature(struct tail *tail, const struct trusted_keys *keys,
                                          uint8_t ret_key[ALOFT_SHA256_BYTES]);

#endif
