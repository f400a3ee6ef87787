/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HASH_H
#define ALOFT_HASH_H

#include <stddef.h>
#include <stdint.h>

#define ALOFT_SHA256_BYTES 32
#define ALOFT_MD5_BYTES    16

/**
 * A hash function that the embedding program brings (hardware, OpenSSL, Mbed TLS).
 * None of the calls can fail: a port whose hardware can, must make the digest wrong (all zero)
 * then.
 */
struct aloft_hash_ops {
    void (*start)(void *state);
    void (*update)(void *state, const uint8_t *buf, size_t len);
    void (*finish)(void *state, uint8_t *ret_digest); /**< 32 bytes (SHA-256) or 16 bytes (MD5). */
};

/** One running hash. `state` is the caller's memory, sized as the ops want it; borrowed. */
struct aloft_hash {
    const struct aloft_hash_ops *ops;
    void *state;
};

#endif
