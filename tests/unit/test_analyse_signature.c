/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "aloft/bytes.h"
#include "host/hashes.h"

#include "analysis_world.h"
#include "golden_images.h"

/* Rows 19 and 20: what stands behind an image. Blocks by facts/esp-formats.md 1.8. */

#define LAYOUT      "esp32c3_default"
#define SECTOR      0x1000u
#define BLOCK_BYTES 1216u
#define CRC_OFF     1196u
#define REMEDY      "sign it with espsecure and the key of your modules"

/* facts/esp-formats.md 8.5. */
#define KEY_DIGEST "b530105246a8ab402cffc9317c857f955b8ba81ebadd72458763565f02adb514"
static const char golden_block[] =
    "e7030000"
    "8167c13f0846fbfee51fe98e542e3601af44e200b9aa6f38c8d1713d65badd94"
    "02"
    "c3551796b76502ee709bd30342c28b4057aba5e89c5e3281b3ade5fcb9f31c13"
    "b382c2e9f66a89d7c0a07be739c2e5a75f6ed8c0f626f71f296fce154f0492f3"
    "dd8f93716641ccd08e6e0e99a5509e66ca92be32dc0ecfd7f3736d030965ad72"
    "645efd5c2b9002046375b24cbb1c813cf13e83ac02ac766791b2caf0e25abb36";

static void from_hex(const char *hex, uint8_t *out)
{
    for (size_t i = 0; hex[2 * i]; i++) {
        out[i] = (uint8_t)(aloft_hex_digit(hex[2 * i]) * 16 + aloft_hex_digit(hex[2 * i + 1]));
    }
}

static void seal_block(uint8_t *block)
{
    aloft_put_le32(block + CRC_OFF, aloft_crc32(0, block, CRC_OFF));
}

/* Image A with the signature of the facts, WORLD_SIGNED_BYTES. */
static void make_golden(uint8_t *file)
{
    memset(file, 0xFF, WORLD_SIGNED_BYTES);
    memcpy(file, image_a, sizeof image_a);
    memset(file + SECTOR, 0, BLOCK_BYTES);
    from_hex(golden_block, file + SECTOR);
    seal_block(file + SECTOR);
}

static uint8_t trusted[1][ALOFT_SHA256_BYTES];

static struct analysis_rules signed_rules(const char *layout, const char *key)
{
    struct analysis_rules rules = world_rules(layout);

    from_hex(key, trusted[0]);
    rules.requires_signature = true;
    rules.trusted_keys = (const uint8_t(*)[ALOFT_SHA256_BYTES])trusted;
    rules.n_trusted_keys = 1;
    return rules;
}

static void expect(const struct analysis_rules *rules, const uint8_t *file, size_t len,
                   unsigned row, const char *code, enum analysis_verdict verdict, const char *words)
{
    AUTO_ANALYSIS a = NULL;
    const struct analysis_report *report = world_vet(rules, file, len, &a);

    if (verdict == ANALYSIS_PASS) {
        world_expect_pass(report, row);
    } else {
        world_expect(report, row, code, verdict, words);
    }
}

static void row_19_refuses__junk_behind_the_image(void **state)
{
    (void)state;
    static uint8_t file[WORLD_SIGNED_BYTES];
    struct analysis_rules rules = world_rules(LAYOUT);

    make_golden(file);
    world_image("esp32c3", file);
    file[SECTOR + 50] ^= 1;
    world_only(&rules, file, sizeof file, 19, "IMG_TRAILING", ANALYSIS_REFUSAL,
               "7840 bytes follow the end of the image that are neither filling nor a signature");
    file[SECTOR + 50] ^= 1;
    file[0x800] = 0; /* in the gap */
    world_only(&rules, file, sizeof file, 19, "IMG_TRAILING", ANALYSIS_REFUSAL,
               "neither filling nor a signature: build or download it again");
    file[0x800] = 0xFF;
    world_only(&rules, file, sizeof file - 1, 19, "IMG_TRAILING", ANALYSIS_REFUSAL,
               "neither filling nor a signature");
    file[WORLD_IMAGE_BYTES] = 0;
    world_only(&rules, file, WORLD_IMAGE_BYTES + 1, 19, "IMG_TRAILING", ANALYSIS_REFUSAL,
               "1 bytes follow the end of the image");
}

static void row_19_warns__of_bytes_behind_the_signature(void **state)
{
    (void)state;
    static uint8_t file[WORLD_SIGNED_BYTES + 4];
    struct analysis_rules rules = world_rules(LAYOUT);

    make_golden(file);
    expect(&rules, file, sizeof file, 19, "IMG_TRAILING", ANALYSIS_WARNING,
           "a signed image of this length has 8192 bytes, this file has 8196");
}

static void row_19_passes__nothing_filling_or_a_signature(void **state)
{
    (void)state;
    static uint8_t file[WORLD_SIGNED_BYTES];
    struct analysis_rules rules = world_rules(LAYOUT);

    make_golden(file);
    expect(&rules, file, sizeof image_a, 19, NULL, ANALYSIS_PASS, NULL);
    expect(&rules, file, SECTOR, 19, NULL, ANALYSIS_PASS, NULL);
    expect(&rules, file, sizeof file, 19, NULL, ANALYSIS_PASS, NULL);
}

static void row_20_refuses__an_image_without_signature(void **state)
{
    (void)state;
    static uint8_t file[WORLD_SIGNED_BYTES];
    struct analysis_rules rules = signed_rules(LAYOUT, KEY_DIGEST);

    make_golden(file);
    for (size_t len = sizeof image_a; len <= SECTOR; len += SECTOR - sizeof image_a) {
        expect(&rules, file, len, 20, "SIG_MISSING", ANALYSIS_REFUSAL,
               "there is no signature behind this image, and modules of this product boot signed "
               "images only: " REMEDY);
    }
}

static void row_20_refuses__a_damaged_block(void **state)
{
    (void)state;
    static uint8_t file[WORLD_SIGNED_BYTES];
    struct analysis_rules rules = signed_rules(LAYOUT, KEY_DIGEST);

    make_golden(file);
    file[SECTOR + 300] ^= 1;
    expect(&rules, file, sizeof file, 20, "SIG_CRC", ANALYSIS_REFUSAL,
           "the signature block is damaged, its CRC is wrong, and modules");
}

static void row_20_refuses__the_signature_of_another_image(void **state)
{
    (void)state;
    static uint8_t file[WORLD_SIGNED_BYTES];
    struct analysis_rules rules = signed_rules(LAYOUT, KEY_DIGEST);

    make_golden(file);
    world_image("esp32c3", file);
    expect(&rules, file, sizeof file, 20, "SIG_DIGEST", ANALYSIS_REFUSAL,
           "the signature belongs to other content: its SHA-256 is not that of this file");
}

static void row_20_refuses__a_signature_that_does_not_verify(void **state)
{
    (void)state;
    static uint8_t file[WORLD_SIGNED_BYTES];
    struct analysis_rules rules = signed_rules(LAYOUT, KEY_DIGEST);

    make_golden(file);
    file[SECTOR + 101] ^= 1; /* r */
    seal_block(file + SECTOR);
    expect(&rules, file, sizeof file, 20, "SIG_BAD", ANALYSIS_REFUSAL,
           "the signature does not verify, and modules");
    make_golden(file);
    file[SECTOR + 37] ^= 1; /* X: no point of the curve */
    seal_block(file + SECTOR);
    expect(&rules, file, sizeof file, 20, "SIG_BAD", ANALYSIS_REFUSAL, "does not verify");
    make_golden(file);
    file[SECTOR + 36] = 9; /* no curve */
    seal_block(file + SECTOR);
    expect(&rules, file, sizeof file, 20, "SIG_BAD", ANALYSIS_REFUSAL, "does not verify");
}

static void row_20_refuses__a_key_that_is_not_trusted(void **state)
{
    (void)state;
    static uint8_t file[WORLD_SIGNED_BYTES];
    struct analysis_rules rules = signed_rules(LAYOUT, "00112233");

    make_golden(file);
    for (size_t n = 0; n < 2; n++) {
        rules.n_trusted_keys = n;
        expect(&rules, file, sizeof file, 20, "SIG_KEY", ANALYSIS_REFUSAL,
               "the signature is good, but its key is not trusted: its digest is " KEY_DIGEST
               "; sign the image with a key of this product, or add this digest to the trusted "
               "ones");
    }
}

static void row_20_warns__of_a_signature_nobody_asks_for(void **state)
{
    (void)state;
    static uint8_t file[WORLD_SIGNED_BYTES];
    struct analysis_rules rules = world_rules(LAYOUT);

    make_golden(file);
    expect(&rules, file, sizeof file, 20, "SIG_KEY", ANALYSIS_WARNING,
           "this file is signed, by the key with the digest " KEY_DIGEST
           ", and this product does not ask for it: modules without Secure Boot ignore the "
           "signature");
    rules = signed_rules(LAYOUT, KEY_DIGEST);
    rules.requires_signature = false;
    expect(&rules, file, sizeof file, 20, "SIG_KEY", ANALYSIS_WARNING, "this file is signed");
    file[SECTOR + 101] ^= 1;
    seal_block(file + SECTOR);
    expect(&rules, file, sizeof file, 20, "SIG_BAD", ANALYSIS_WARNING,
           "the signature does not verify; this product does not ask for signatures, but modules "
           "with Secure Boot would refuse this file");
}

static void row_20_passes__a_signature_by_a_trusted_key(void **state)
{
    (void)state;
    static uint8_t file[WORLD_SIGNED_BYTES];
    struct analysis_rules rules = signed_rules(LAYOUT, KEY_DIGEST);

    make_golden(file);
    expect(&rules, file, sizeof file, 20, NULL, ANALYSIS_PASS, NULL);
}

static void row_20_passes__no_signature_where_none_is_asked_for(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT);

    expect(&rules, image_a, sizeof image_a, 20, NULL, ANALYSIS_PASS, NULL);
}

static void put_reversed(const uint8_t *in, size_t len, uint8_t *out)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = in[len - 1 - i];
    }
}

static void sign_rsa(const uint8_t *digest, EVP_PKEY *key, uint8_t *block)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    BIGNUM *n = NULL;
    uint8_t sig[384];
    size_t len = sizeof sig;

    assert_int_equal(EVP_PKEY_get_bn_param(key, "n", &n), 1);
    assert_int_equal(BN_bn2lebinpad(n, block + 36, 384), 384);
    aloft_put_le32(block + 420, 65537);
    assert_true(EVP_PKEY_sign_init(ctx) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 32) == 1 &&
                EVP_PKEY_sign(ctx, sig, &len, digest, 32) == 1);
    put_reversed(sig, sizeof sig, block + 812);
    BN_free(n);
    EVP_PKEY_CTX_free(ctx);
}

/* The digest a module burns into its eFuses. */
static void key_digest(const uint8_t *key, size_t len, uint8_t *ret_digest)
{
    assert_int_equal(EVP_Digest(key, len, ret_digest, NULL, EVP_sha256(), NULL), 1);
}

static void row_20_passes__an_rsa_signature(void **state)
{
    (void)state;
    static uint8_t file[WORLD_SIGNED_BYTES];
    struct analysis_rules rules = signed_rules(LAYOUT, "00");
    uint8_t *block = file + SECTOR;
    EVP_PKEY *key = EVP_RSA_gen(3072);

    make_golden(file);
    memset(block, 0, BLOCK_BYTES);
    block[0] = 0xE7;
    block[1] = 2;
    key_digest(file, SECTOR, block + 4);
    sign_rsa(block + 4, key, block);
    seal_block(block);
    key_digest(block + 36, 776, trusted[0]);
    expect(&rules, file, sizeof file, 20, NULL, ANALYSIS_PASS, NULL);
    block[812] ^= 1;
    seal_block(block);
    expect(&rules, file, sizeof file, 20, "SIG_BAD", ANALYSIS_REFUSAL, "does not verify");
    memset(block + 36, 0, 384); /* no modulus at all */
    seal_block(block);
    expect(&rules, file, sizeof file, 20, "SIG_BAD", ANALYSIS_REFUSAL, "does not verify");
    EVP_PKEY_free(key);
}

/* X and Y, or r and s, each little-endian. */
static void put_pair(const BIGNUM *a, const BIGNUM *b, size_t len, uint8_t *out)
{
    assert_int_equal(BN_bn2lebinpad(a, out, (int)len), len);
    assert_int_equal(BN_bn2lebinpad(b, out + len, (int)len), len);
}

static void sign_ec(const uint8_t *digest, size_t digest_len, EVP_PKEY *key, size_t number_len,
                    uint8_t *point, uint8_t *sig)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    BIGNUM *x = NULL;
    BIGNUM *y = NULL;
    uint8_t der[256];
    const uint8_t *p = der;
    size_t len = sizeof der;

    assert_true(EVP_PKEY_get_bn_param(key, "qx", &x) == 1 &&
                EVP_PKEY_get_bn_param(key, "qy", &y) == 1);
    put_pair(x, y, number_len, point);
    assert_true(EVP_PKEY_sign_init(ctx) == 1 &&
                EVP_PKEY_sign(ctx, der, &len, digest, digest_len) == 1);
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &p, (long)len);
    put_pair(ECDSA_SIG_get0_r(pair), ECDSA_SIG_get0_s(pair), number_len, sig);
    ECDSA_SIG_free(pair);
    BN_free(x);
    BN_free(y);
    EVP_PKEY_CTX_free(ctx);
}

static void row_20_passes__each_ecdsa_curve(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t hash_id;
        uint8_t curve_id;
        size_t number_len;
        size_t digest_len;
        size_t curve_off;
        size_t sig_off;
        size_t key_len;
    } curves[] = {
        {"P-192", 0, 1, 24, 32, 36, 101, 65},
        {"P-256", 0, 2, 32, 32, 36, 101, 65},
        {"P-384", 1, 3, 48, 48, 52, 149, 97},
    };

    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        static uint8_t file[WORLD_SIGNED_BYTES];
        struct analysis_rules rules = signed_rules(LAYOUT, "00");
        uint8_t *block = file + SECTOR;
        EVP_PKEY *key = EVP_EC_gen(curves[i].name);
        assert_non_null(key);
        make_golden(file);
        memset(block, 0, BLOCK_BYTES);
        memcpy(block, (uint8_t[]){0xE7, 3, curves[i].hash_id}, 3);
        block[curves[i].curve_off] = curves[i].curve_id;
        assert_int_equal(EVP_Digest(file, SECTOR, block + 4, NULL,
                                    curves[i].hash_id ? EVP_sha384() : EVP_sha256(), NULL),
                         1);
        sign_ec(block + 4, curves[i].digest_len, key, curves[i].number_len,
                block + curves[i].curve_off + 1, block + curves[i].sig_off);
        seal_block(block);
        key_digest(block + curves[i].curve_off, curves[i].key_len, trusted[0]);
        expect(&rules, file, sizeof file, 20, NULL, ANALYSIS_PASS, NULL);
        block[curves[i].sig_off + curves[i].number_len] ^= 1; /* s */
        seal_block(block);
        expect(&rules, file, sizeof file, 20, "SIG_BAD", ANALYSIS_REFUSAL, "does not verify");
        EVP_PKEY_free(key);
    }
}

/* The ESP32 and the C2 look at the first block only. */
static void row_20_passes__a_later_block_where_chips_look_at_it(void **state)
{
    (void)state;
    static const struct {
        const char *chip;
        const char *layout;
        bool is_good;
    } cases[] = {{"esp32c3", LAYOUT, true},
                 {"esp32c6", "esp32c6_default", true},
                 {"esp32", "esp32_default", false},
                 {"esp32c2", "esp32c2_default", false}};
    EVP_PKEY *key = EVP_EC_gen("P-256");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static uint8_t file[WORLD_SIGNED_BYTES];
        struct analysis_rules rules = signed_rules(cases[i].layout, "00");
        uint8_t *block = file + SECTOR;
        make_golden(file);
        world_image(cases[i].chip, file);
        key_digest(file, SECTOR, block + 4); /* a SHA-256 as well */
        sign_ec(block + 4, 32, key, 32, block + 37, block + 101);
        seal_block(block);
        key_digest(block + 36, 65, trusted[0]);
        expect(&rules, file, sizeof file, 20, NULL, ANALYSIS_PASS, NULL);
        memcpy(block + 2 * BLOCK_BYTES, block, BLOCK_BYTES);
        block[101] ^= 1;
        seal_block(block);
        expect(&rules, file, sizeof file, 20, "SIG_BAD",
               cases[i].is_good ? ANALYSIS_PASS : ANALYSIS_REFUSAL, "does not verify");
    }
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_19_refuses__junk_behind_the_image),
        cmocka_unit_test(row_19_warns__of_bytes_behind_the_signature),
        cmocka_unit_test(row_19_passes__nothing_filling_or_a_signature),
        cmocka_unit_test(row_20_refuses__an_image_without_signature),
        cmocka_unit_test(row_20_refuses__a_damaged_block),
        cmocka_unit_test(row_20_refuses__the_signature_of_another_image),
        cmocka_unit_test(row_20_refuses__a_signature_that_does_not_verify),
        cmocka_unit_test(row_20_refuses__a_key_that_is_not_trusted),
        cmocka_unit_test(row_20_warns__of_a_signature_nobody_asks_for),
        cmocka_unit_test(row_20_passes__a_signature_by_a_trusted_key),
        cmocka_unit_test(row_20_passes__no_signature_where_none_is_asked_for),
        cmocka_unit_test(row_20_passes__a_later_block_where_chips_look_at_it),
        cmocka_unit_test(row_20_passes__an_rsa_signature),
        cmocka_unit_test(row_20_passes__each_ecdsa_curve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
