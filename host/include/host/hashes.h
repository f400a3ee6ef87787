/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HOST_HASHES_H
#define ALOFT_HOST_HASHES_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/hash.h"
#include "host/error.h"

/* OpenSSL behind the hash table of formats. */

#define HASH_HEX_BYTES (2 * ALOFT_SHA256_BYTES + 1) /**< SHA-256 as hex text with its NUL. */

/** A hash for aloft_* functions; NULL only when memory is out. Free with hash_free(). */
struct aloft_hash *hash_new_sha256(void);
struct aloft_hash *hash_new_md5(void);
void hash_free(struct aloft_hash *hash);
void auto_hash_free(struct aloft_hash **hash);
#define AUTO_HASH __attribute__((cleanup(auto_hash_free))) struct aloft_hash *

/** SHA-256 of a buffer in lower-case hex. @retval ALOFT_ERR_IO  Memory is out. */
enum aloft_err sha256_text(const void *buf, size_t len, char ret_hex[HASH_HEX_BYTES],
                           struct error *e);

/** Lower-case hex with a NUL; `out` holds 2 * len + 1 bytes. */
void hex_encode(const uint8_t *buf, size_t len, char *out);

#endif
