/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/signature.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "aloft/bytes.h"

/* All numbers of a block are little-endian, OpenSSL's are big-endian. */

#define MAGIC         0xE7
#define VERSION_OFF   1u
#define HASH_ID_OFF   2u
#define DIGEST_OFF    4u
#define CRC_OFF       1196u
#define VERSION_RSA   2
#define VERSION_EC    3
#define HASH_SHA256   0
#define HASH_SHA384   1
#define RSA_BYTES     384u
#define RSA_N_OFF     36u
#define RSA_E_OFF     420u
#define RSA_SIG_OFF   812u
#define RSA_KEY_BYTES 776u /* n, e, r, m' */
#define RSA_SALT      32
#define NUMBER_MAX    48u /* coordinate of the largest curve */

/* By hash id and curve id of an ECDSA block; P-192 and P-256 share one layout. */
static const struct curve {
    uint8_t hash_id;
    uint8_t curve_id;
    const char *name; /* OpenSSL's */
    uint32_t number_bytes;
    uint32_t key_off; /* of the curve id, where the key digest begins */
    uint32_t key_bytes;
    uint32_t sig_off;
} curves[] = {
    {HASH_SHA256, 1, "prime192v1", 24, 36, 65, 101},
    {HASH_SHA256, 2, "prime256v1", 32, 36, 65, 101},
    {HASH_SHA384, 3, "secp384r1", 48, 52, 97, 149},
};

/** What a block says, whichever its kind. */
struct look {
    const struct curve *curve; /* NULL = RSA */
    const uint8_t *digest;
    size_t digest_bytes;
    const uint8_t *key;
    size_t key_bytes;
};

bool signature_is_block(const uint8_t *block)
{
    return block[0] == MAGIC &&
           (block[VERSION_OFF] == VERSION_RSA || block[VERSION_OFF] == VERSION_EC);
}

bool signature_is_whole(const uint8_t *block)
{
    return aloft_crc32(0, block, CRC_OFF) == aloft_get_le32(block + CRC_OFF);
}

static const struct curve *find_curve(const uint8_t *block)
{
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (curves[i].hash_id == block[HASH_ID_OFF] &&
            curves[i].curve_id == block[curves[i].key_off]) {
            return &curves[i];
        }
    }
    return NULL;
}

/* @return False for a curve that is not known. */
static bool look_at(const uint8_t *block, const struct signed_digests *digests, struct look *ret)
{
    *ret = (struct look){.digest = digests->sha256, .digest_bytes = sizeof digests->sha256};
    if (block[VERSION_OFF] == VERSION_RSA) {
        ret->key = block + RSA_N_OFF;
        ret->key_bytes = RSA_KEY_BYTES;
        return true;
    }
    ret->curve = find_curve(block);
    if (!ret->curve) {
        return false;
    }
    if (ret->curve->hash_id == HASH_SHA384) {
        ret->digest = digests->sha384;
        ret->digest_bytes = sizeof digests->sha384;
    }
    ret->key = block + ret->curve->key_off;
    ret->key_bytes = ret->curve->key_bytes;
    return true;
}

static void reverse(const uint8_t *in, size_t len, uint8_t *out)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = in[len - 1 - i];
    }
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *make_rsa_key(const uint8_t *block)
{
    BIGNUM *n = BN_lebin2bn(block + RSA_N_OFF, RSA_BYTES, NULL);
    BIGNUM *e = BN_lebin2bn(block + RSA_E_OFF, 4, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;

    if (n && e && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        params = OSSL_PARAM_BLD_to_param(build);
    }
    EVP_PKEY *key = make_key("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(e);
    BN_free(n);
    return key;
}

static EVP_PKEY *make_ec_key(const uint8_t *block, const struct curve *curve)
{
    uint8_t point[1 + 2 * NUMBER_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
    const uint8_t *x = block + curve->key_off + 1;
    char name[16];

    reverse(x, curve->number_bytes, point + 1);
    reverse(x + curve->number_bytes, curve->number_bytes, point + 1 + curve->number_bytes);
    memcpy(name, curve->name, strlen(curve->name) + 1);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
                                          1 + 2 * (size_t)curve->number_bytes),
        OSSL_PARAM_construct_end(),
    };
    return make_key("EC", params);
}

/* r and s as DER, which is what OpenSSL takes. @return Its length, 0 = memory is out. */
static size_t encode_ec_signature(const uint8_t *sig, const struct curve *curve, uint8_t *out,
                                  size_t cap)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_lebin2bn(sig, (int)curve->number_bytes, NULL);
    BIGNUM *s = BN_lebin2bn(sig + curve->number_bytes, (int)curve->number_bytes, NULL);
    size_t len = 0;

    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* they are the pair's now */
        int n = i2d_ECDSA_SIG(pair, NULL);
        if (n > 0 && (size_t)n <= cap) {
            len = (size_t)i2d_ECDSA_SIG(pair, &out);
        }
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return len;
}

static bool begin_verify(EVP_PKEY_CTX *ctx, bool is_rsa)
{
    if (!ctx || EVP_PKEY_verify_init(ctx) != 1) {
        return false;
    }
    return !is_rsa || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                       EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
                       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
                       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_SALT) == 1);
}

static bool verify(const uint8_t *block, const struct look *look)
{
    uint8_t sig[RSA_BYTES];
    size_t sig_len = RSA_BYTES;
    EVP_PKEY *key = look->curve ? make_ec_key(block, look->curve) : make_rsa_key(block);
    EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;

    if (look->curve) {
        sig_len = encode_ec_signature(block + look->curve->sig_off, look->curve, sig, sizeof sig);
    } else {
        reverse(block + RSA_SIG_OFF, RSA_BYTES, sig);
    }
    bool is_good = begin_verify(ctx, !look->curve) &&
                   EVP_PKEY_verify(ctx, sig, sig_len, look->digest, look->digest_bytes) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return is_good;
}

static bool is_trusted(const struct trusted_keys *keys, const uint8_t *digest)
{
    for (size_t i = 0; i < keys->n_digests; i++) {
        if (memcmp(keys->digests[i], digest, ALOFT_SHA256_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

enum signature_state signature_check(const uint8_t *block, const struct signed_digests *digests,
                                     const struct trusted_keys *keys,
                                     uint8_t ret_key[ALOFT_SHA256_BYTES])
{
    struct look look;

    memset(ret_key, 0, ALOFT_SHA256_BYTES);
    if (!signature_is_block(block)) {
        return SIGNATURE_MISSING;
    }
    if (!signature_is_whole(block)) {
        return SIGNATURE_CRC;
    }
    if (!look_at(block, digests, &look)) {
        return SIGNATURE_BAD;
    }
    if (!digests->is_valid || memcmp(block + DIGEST_OFF, look.digest, look.digest_bytes) != 0) {
        return SIGNATURE_DIGEST;
    }
    if (EVP_Digest(look.key, look.key_bytes, ret_key, NULL, EVP_sha256(), NULL) != 1 ||
        !verify(block, &look)) {
        return SIGNATURE_BAD;
    }
    return is_trusted(keys, ret_key) ? SIGNATURE_GOOD : SIGNATURE_KEY;
}
