/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "aloft/packed_image.h"
#include "golden_images.h"
#include "host/hashes.h"

/* facts/esp-formats.md 8.7: payload ASCII 123456789, compress_type 1. */
#define PAYLOAD_BYTES 9
#define MD5                                                                                        \
    0x25, 0xF9, 0xE7, 0x94, 0x32, 0x3B, 0x45, 0x38, 0x85, 0xF5, 0x18, 0x1F, 0x1B, 0x62, 0x4D, 0x0B
#define ZERO8 0, 0, 0, 0, 0, 0, 0, 0

static const uint8_t v1[ALOFT_PACKED_V1_BYTES] = {
    0x45, 0x53, 0x50, 0, 1,   1,     0,     0,    ZERO8, ZERO8, ZERO8, ZERO8,
    9,    0,    0,    0, MD5, ZERO8, ZERO8, 0x4F, 0x90,  0x23,  0x3A,
};
static const uint8_t v2[ALOFT_PACKED_V2_BYTES] = {
    0x45, 0x53, 0x50, 0, 2,   1,     0,     0,     ZERO8, ZERO8, ZERO8, ZERO8,
    9,    0,    0,    0, MD5, ZERO8, ZERO8, ZERO8, 0x94,  0x06,  0x96,  0x34,
};
static const uint8_t v3[ALOFT_PACKED_V3_BYTES] = {
    0x45, 0x53, 0x50, 0, 3, 1, 0x30, 0,   0,    0,    0,    0,    0,
    0,    0,    0,    9, 0, 0, 0,    MD5, 0x72, 0xAB, 0x63, 0x04,
};
static const uint8_t payload_md5[] = {MD5};

static const struct {
    const uint8_t *bytes;
    size_t len;
} headers[] = {{v1, sizeof v1}, {v2, sizeof v2}, {v3, sizeof v3}};

#define N_HEADERS (sizeof headers / sizeof headers[0])

/* A v3 header behind an app prefix whose segment count is 0 (facts/esp-formats.md 4.1). */
static size_t wrap(const uint8_t *header, size_t len, uint8_t *out)
{
    memset(out, 0x5A, ALOFT_PACKED_WRAP_BYTES);
    out[0] = 0xE9;
    out[1] = 0;
    memcpy(out + ALOFT_PACKED_WRAP_BYTES, header, len);
    return ALOFT_PACKED_WRAP_BYTES + len;
}

static void parse__reads_the_three_versions(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_HEADERS; i++) {
        struct aloft_packed_header h;
        assert_err(aloft_packed_header_parse(headers[i].bytes, headers[i].len, &h), ALOFT_ERR_OK);
        assert_int_equal(h.version, i + 1);
        assert_int_equal(h.compress_type, 1);
        assert_int_equal(h.delta_type, 0);
        assert_int_equal(h.encryption_type, 0);
        assert_string_equal(h.firmware_version, "");
        assert_int_equal(h.payload_bytes, PAYLOAD_BYTES);
        assert_memory_equal(h.payload_md5, payload_md5, sizeof payload_md5);
        assert_int_equal(h.payload_off, headers[i].len);
        assert_false(h.is_wrapped);
    }
}

static void encode__writes_the_golden_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_HEADERS; i++) {
        struct aloft_packed_header h = {
            .version = (uint8_t)(i + 1), .compress_type = 1, .payload_bytes = PAYLOAD_BYTES};
        uint8_t out[ALOFT_PACKED_V2_BYTES];
        size_t len = 0;
        memcpy(h.payload_md5, payload_md5, sizeof payload_md5);
        assert_err(aloft_packed_header_encode(&h, out, &len), ALOFT_ERR_OK);
        assert_int_equal(len, headers[i].len);
        assert_memory_equal(out, headers[i].bytes, len);
    }
}

static void parse__reads_a_wrapped_v3(void **state)
{
    (void)state;
    uint8_t file[ALOFT_PACKED_WRAP_BYTES + sizeof v3];
    struct aloft_packed_header h;
    size_t len = wrap(v3, sizeof v3, file);

    assert_err(aloft_packed_header_parse(file, len, &h), ALOFT_ERR_OK);
    assert_true(h.is_wrapped);
    assert_int_equal(h.version, 3);
    assert_int_equal(h.payload_off, 0x148);
    assert_int_equal(h.payload_bytes, PAYLOAD_BYTES);
}

static void parse__refuses_an_old_version_behind_an_app_header(void **state)
{
    (void)state;
    uint8_t file[ALOFT_PACKED_WRAP_BYTES + sizeof v2];
    struct aloft_packed_header h;

    assert_err(aloft_packed_header_parse(file, wrap(v2, sizeof v2, file), &h), ALOFT_ERR_VERSION);
}

static void parse__keeps_every_field_of_v2(void **state)
{
    (void)state;
    struct aloft_packed_header in = {.version = 2,
                                     .compress_type = 1,
                                     .delta_type = 1,
                                     .encryption_type = 1,
                                     .firmware_version = "0123456789abcdef0123456789abcdef",
                                     .payload_bytes = 0xFFFFFFFF,
                                     .base_bytes = 4096,
                                     .base_crc = 0xDEADBEEF};
    struct aloft_packed_header h;
    uint8_t out[ALOFT_PACKED_V2_BYTES];
    size_t len = 0;

    assert_err(aloft_packed_header_encode(&in, out, &len), ALOFT_ERR_OK);
    assert_err(aloft_packed_header_parse(out, len, &h), ALOFT_ERR_OK);
    assert_int_equal(out[5], 0x11); /* low nibble compress, high nibble delta */
    assert_int_equal(h.delta_type, 1);
    assert_int_equal(h.encryption_type, 1);
    assert_string_equal(h.firmware_version, in.firmware_version);
    assert_int_equal(h.payload_bytes, 0xFFFFFFFF);
    assert_int_equal(h.base_bytes, 4096);
    assert_int_equal(h.base_crc, 0xDEADBEEF);
}

static void parse__refuses_every_flipped_bit(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_HEADERS; i++) {
        for (size_t bit = 0; bit < headers[i].len * 8; bit++) {
            uint8_t bytes[ALOFT_PACKED_V2_BYTES];
            struct aloft_packed_header h;
            memcpy(bytes, headers[i].bytes, headers[i].len);
            bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            if (aloft_packed_header_parse(bytes, headers[i].len, &h) == ALOFT_ERR_OK) {
                fail_msg("v%zu: bit %zu flipped and still accepted", i + 1, bit);
            }
        }
    }
}

static void parse__says_truncated_until_the_header_is_whole(void **state)
{
    (void)state;
    struct aloft_packed_header h;
    uint8_t file[ALOFT_PACKED_WRAP_BYTES + sizeof v3];
    size_t len = wrap(v3, sizeof v3, file);

    for (size_t i = 0; i < N_HEADERS; i++) {
        for (size_t n = 0; n < headers[i].len; n++) {
            assert_err(aloft_packed_header_parse(headers[i].bytes, n, &h), ALOFT_ERR_TRUNCATED);
        }
    }
    for (size_t n = 0; n < len; n++) {
        assert_err(aloft_packed_header_parse(file, n, &h), ALOFT_ERR_TRUNCATED);
    }
}

static void parse__tells_other_files_by_their_magic(void **state)
{
    (void)state;
    struct aloft_packed_header h;
    uint8_t app[ALOFT_PACKED_WRAP_BYTES + sizeof v3];
    size_t len = wrap(v3, sizeof v3, app);

    app[1] = 1; /* one segment: a plain app image */
    assert_err(aloft_packed_header_parse(app, len, &h), ALOFT_ERR_MAGIC);
    app[1] = 0;
    app[ALOFT_PACKED_WRAP_BYTES] = 'e';
    assert_err(aloft_packed_header_parse(app, len, &h), ALOFT_ERR_MAGIC);
    assert_err(aloft_packed_header_parse((const uint8_t *)"ESQ", 3, &h), ALOFT_ERR_MAGIC);
    assert_err(aloft_packed_header_parse((const uint8_t *)"\xFF", 1, &h), ALOFT_ERR_MAGIC);
}

static void parse__knows_three_versions_only(void **state)
{
    (void)state;
    struct aloft_packed_header h;
    uint8_t bytes[sizeof v2];
    const uint8_t versions[] = {0, 4, 255};

    for (size_t i = 0; i < sizeof versions; i++) {
        memcpy(bytes, v2, sizeof v2);
        bytes[4] = versions[i];
        assert_err(aloft_packed_header_parse(bytes, sizeof bytes, &h), ALOFT_ERR_VERSION);
        h.version = versions[i];
        size_t len = 0;
        assert_err(aloft_packed_header_encode(&h, bytes, &len), ALOFT_ERR_VERSION);
    }
}

static void hash_all(const struct aloft_hash *hash, const uint8_t *buf, size_t len, uint8_t *out)
{
    hash->ops->start(hash->state);
    hash->ops->update(hash->state, buf, len);
    hash->ops->finish(hash->state, out);
}

/* 8.7: image A packed by the original tool, without a version text. */
static const struct {
    uint8_t version;
    bool is_wrapped;
    size_t file_bytes;
    const char *sha256_hex;
} packed_a[] = {
    {1, false, 300, "e7131361c78e1124ecbd74824cabc9bcfe52f66f738126a808984a732cef2bad"},
    {2, false, 308, "54914da26954a4b56330bc616cc3f854bbb1d94148dd171103d49a10d7da6012"},
    {3, false, 260, "67374dca47a41318091a8391cc62aa74d2f34cb5774fa4d3c437469d5e573555"},
    {3, true, 548, "e007ead2a000fb7ad1ca238eb90b61f44fea9532baad3452faa84e767165c528"},
};

static void encode__packs_image_a_as_the_original_tool_does(void **state)
{
    (void)state;
    AUTO_HASH md5 = hash_new_md5();
    AUTO_HASH sha256 = hash_new_sha256();
    for (size_t i = 0; i < sizeof packed_a / sizeof packed_a[0]; i++) {
        struct aloft_packed_header h = {.version = packed_a[i].version, .compress_type = 1};
        struct aloft_packed_header back;
        uint8_t file[ALOFT_PACKED_WRAP_BYTES + ALOFT_PACKED_V2_BYTES + sizeof image_a_xz];
        size_t len = packed_a[i].is_wrapped ? ALOFT_PACKED_WRAP_BYTES : 0;
        size_t header_len;
        uint8_t digest[ALOFT_SHA256_BYTES];
        char hex[HASH_HEX_BYTES];

        h.payload_bytes = sizeof image_a_xz;
        hash_all(md5, image_a_xz, sizeof image_a_xz, h.payload_md5);
        memcpy(file, image_a, ALOFT_PACKED_WRAP_BYTES);
        file[1] = 0;
        assert_err(aloft_packed_header_encode(&h, file + len, &header_len), ALOFT_ERR_OK);
        memcpy(file + len + header_len, image_a_xz, sizeof image_a_xz);
        len += header_len + sizeof image_a_xz;
        assert_int_equal(len, packed_a[i].file_bytes);
        hash_all(sha256, file, len, digest);
        hex_encode(digest, sizeof digest, hex);
        assert_string_equal(hex, packed_a[i].sha256_hex);
        assert_err(aloft_packed_header_parse(file, len, &back), ALOFT_ERR_OK);
        assert_int_equal(back.is_wrapped, packed_a[i].is_wrapped);
        assert_int_equal(back.payload_off, len - sizeof image_a_xz);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__reads_the_three_versions),
        cmocka_unit_test(encode__writes_the_golden_bytes),
        cmocka_unit_test(encode__packs_image_a_as_the_original_tool_does),
        cmocka_unit_test(parse__reads_a_wrapped_v3),
        cmocka_unit_test(parse__refuses_an_old_version_behind_an_app_header),
        cmocka_unit_test(parse__keeps_every_field_of_v2),
        cmocka_unit_test(parse__refuses_every_flipped_bit),
        cmocka_unit_test(parse__says_truncated_until_the_header_is_whole),
        cmocka_unit_test(parse__tells_other_files_by_their_magic),
        cmocka_unit_test(parse__knows_three_versions_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
