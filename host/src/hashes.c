/* SPDX-License-Identifier: Apache-2.0 */
#include "host/hashes.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

static void start_with(void *state, const EVP_MD *md)
{
    (void)EVP_DigestInit_ex(state, md, NULL); /* a failure shows as a wrong digest, see finish() */
}

static void start_sha256(void *state)
{
    start_with(state, EVP_sha256());
}

static void start_md5(void *state)
{
    start_with(state, EVP_md5());
}

static void update(void *state, const uint8_t *buf, size_t len)
{
    (void)EVP_DigestUpdate(state, buf, len);
}

static void finish(void *state, uint8_t *ret_digest)
{
    const EVP_MD *md = EVP_MD_CTX_get0_md(state);

    if (EVP_DigestFinal_ex(state, ret_digest, NULL) != 1) {
        memset(ret_digest, 0, md ? (size_t)EVP_MD_get_size(md) : ALOFT_MD5_BYTES);
    }
}

static const struct aloft_hash_ops sha256_ops = {start_sha256, update, finish};
static const struct aloft_hash_ops md5_ops = {start_md5, update, finish};

static struct aloft_hash *hash_new(const struct aloft_hash_ops *ops)
{
    struct aloft_hash *hash = malloc(sizeof *hash);

    if (!hash) {
        return NULL;
    }
    *hash = (struct aloft_hash){ops, EVP_MD_CTX_new()};
    if (!hash->state) {
        free(hash);
        return NULL;
    }
    return hash;
}

struct aloft_hash *hash_new_sha256(void)
{
    return hash_new(&sha256_ops);
}

struct aloft_hash *hash_new_md5(void)
{
    return hash_new(&md5_ops);
}

void hash_free(struct aloft_hash *hash)
{
    if (hash) {
        EVP_MD_CTX_free(hash->state);
        free(hash);
    }
}

void auto_hash_free(struct aloft_hash **hash)
{
    hash_free(*hash);
}

void hex_encode(const uint8_t *buf, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[buf[i] >> 4];
        *out++ = digits[buf[i] & 0xF];
    }
    *out = '\0';
}

enum aloft_err sha256_text(const void *buf, size_t len, char ret_hex[HASH_HEX_BYTES],
                           struct error *e)
{
    uint8_t digest[ALOFT_SHA256_BYTES];
    AUTO_HASH hash = hash_new_sha256();

    if (!hash) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    hash->ops->start(hash->state);
    hash->ops->update(hash->state, buf, len);
    hash->ops->finish(hash->state, digest);
    hex_encode(digest, sizeof digest, ret_hex);
    return ALOFT_ERR_OK;
}
