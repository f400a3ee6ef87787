/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <lzma.h>

#include "aloft/bytes.h"
#include "aloft/packed_image.h"
#include "host/hashes.h"

#include "analysis_world.h"
#include "golden_images.h"

/* Rows 21 to 28: a package of format v2 for the C2 with 2 MB, of v3 for the C5. */

#define LAYOUT_V2    "esp32c2-2mb"
#define LAYOUT_V3    "esp32c5_default"
#define PREFIX_BYTES 0x120u
#define V2_BYTES     88u
#define SLOT_V2      0x130000u
#define FILE_BYTES   0x4000u

static uint8_t file[FILE_BYTES];

/* A package of a whole image for the layout. */
static size_t make_package(const char *layout, struct world_pack how)
{
    uint8_t image[WORLD_IMAGE_BYTES];
    bool is_v3 = strcmp(layout, LAYOUT_V3) == 0;

    memset(file, 0xFF, sizeof file);
    world_image(is_v3 ? "esp32c5" : "esp32c2", image);
    how.version = how.version ? how.version : is_v3 ? 3 : 2;
    how.is_wrapped = is_v3;
    return world_pack(&how, image, sizeof image, file, sizeof file);
}

static void expect(const char *layout, size_t len, unsigned row, const char *code,
                   const char *words)
{
    struct analysis_rules rules = world_rules(layout);

    world_only(&rules, file, len, row, code, ANALYSIS_REFUSAL, words);
}

static void expect_pass(const char *layout, size_t len, unsigned row)
{
    struct analysis_rules rules = world_rules(layout);
    AUTO_ANALYSIS a = NULL;

    world_expect_pass(world_vet(&rules, file, len, &a), row);
}

static void expect_all(const struct analysis_report *report, const unsigned *rows, size_t n_rows)
{
    assert_int_equal(report->n_findings, n_rows);
    for (size_t i = 0; i < n_rows; i++) {
        assert_int_equal(report->findings[i].row, rows[i]);
        world_expect_pass(report, rows[i]);
    }
    assert_int_equal(report->verdict, ANALYSIS_PASS);
}

static void whole_package__passes_every_row(void **state)
{
    (void)state;
    static const unsigned rows_v2[] = {1,  2,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
                                       17, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 31, 34};
    static const unsigned rows_v3[] = {1,  2,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
                                       17, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 34};
    static const size_t portions[] = {FILE_BYTES, 1, 100};

    for (size_t i = 0; i < 2 * sizeof portions / sizeof portions[0]; i++) {
        const char *layout = i % 2 == 0 ? LAYOUT_V2 : LAYOUT_V3;
        struct analysis_rules rules = world_rules(layout);
        size_t len = make_package(layout, (struct world_pack){0});
        AUTO_ANALYSIS a = analysis_new(&rules);
        size_t n;
        for (size_t off = 0; off < len; off += n) {
            n = len - off < portions[i / 2] ? len - off : portions[i / 2];
            analysis_feed(a, file + off, n);
        }
        const struct analysis_report *report = analysis_finish(a);
        if (i % 2 == 0) {
            expect_all(report, rows_v2, sizeof rows_v2 / sizeof rows_v2[0]);
        } else {
            expect_all(report, rows_v3, sizeof rows_v3 / sizeof rows_v3[0]);
        }
        assert_true(report->has_header && report->has_desc);
        assert_int_equal(report->header.segment_count, 2);
        assert_string_equal(report->desc.version, WORLD_VERSION);
        assert_int_equal(report->size_bytes, len);
    }
}

/* facts/esp-formats.md 8.7: image A packed by the vendor's tool; it has a min revision of 0.3 and
 * an entry in no segment. */
static void package_of_the_vendors_tool__is_taken(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules("esp32c3_rainmaker");
    struct aloft_packed_header h = {.version = 2, .compress_type = 1, .payload_bytes = 220};
    AUTO_HASH md5 = hash_new_md5();
    AUTO_HASH sha256 = hash_new_sha256();
    uint8_t digest[ALOFT_SHA256_BYTES];
    char hex[HASH_HEX_BYTES];
    size_t n;

    md5->ops->start(md5->state);
    md5->ops->update(md5->state, image_a_xz, sizeof image_a_xz);
    md5->ops->finish(md5->state, h.payload_md5);
    assert_err(aloft_packed_header_encode(&h, file, &n), ALOFT_ERR_OK);
    memcpy(file + n, image_a_xz, sizeof image_a_xz);
    sha256->ops->start(sha256->state);
    sha256->ops->update(sha256->state, file, 308);
    sha256->ops->finish(sha256->state, digest);
    hex_encode(digest, sizeof digest, hex);
    assert_string_equal(hex, "54914da26954a4b56330bc616cc3f854bbb1d94148dd171103d49a10d7da6012");
    world_only(&rules, file, 308, 11, "IMG_ENTRY", ANALYSIS_WARNING,
               "inner image: the program begins at 0x42000020, where no segment");
}

static void row_01_refuses__a_package_larger_than_its_storage(void **state)
{
    (void)state;
    static uint8_t filling[0xA6000]; /* the size of the storage */
    struct analysis_rules rules = world_rules(LAYOUT_V2);
    size_t len = make_package(LAYOUT_V2, (struct world_pack){0});

    memset(filling, 0xFF, sizeof filling);
    for (size_t extra = 0; extra < 2; extra++) {
        AUTO_ANALYSIS a = analysis_new(&rules);
        analysis_feed(a, file, len);
        analysis_feed(a, filling, sizeof filling - len + extra);
        const struct analysis_report *report = analysis_finish(a);
        assert_int_equal(report->n_findings, 28); /* all else is judged all the same */
        if (extra == 0) {
            world_expect_pass(report, 1);
        } else {
            world_expect(report, 1, "OTA_TOO_BIG", ANALYSIS_REFUSAL,
                         "this package has 679937 bytes, but modules of the layout esp32c2-2mb "
                         "have 679936 to receive one: a module would refuse it; pack a smaller "
                         "image");
        }
    }
}

static void row_21_refuses__a_format_version_modules_do_not_take(void **state)
{
    (void)state;
    size_t len = make_package(LAYOUT_V2, (struct world_pack){.version = 1});

    expect(LAYOUT_V2, len, 21, "PACK_VERSION",
           "this package has the format version 1, but modules of the layout esp32c2-2mb take 2 "
           "only: pack it with the tool of the vendor's build");
    len = make_package(LAYOUT_V2, (struct world_pack){.version = 3});
    expect(LAYOUT_V2, len, 21, "PACK_VERSION", "the format version 3, but modules");
    len = make_package(LAYOUT_V3, (struct world_pack){.version = 2});
    expect(LAYOUT_V3, len, 21, "PACK_VERSION",
           "the format version 2, but modules of the layout esp32c5_default take 3 only");
    len = make_package(LAYOUT_V2, (struct world_pack){0});
    file[4] = 9;
    expect(LAYOUT_V2, len, 21, "PACK_VERSION", "the format version 9, but modules");
}

static void row_21_passes__the_version_of_the_layout(void **state)
{
    (void)state;
    expect_pass(LAYOUT_V2, make_package(LAYOUT_V2, (struct world_pack){0}), 21);
    expect_pass(LAYOUT_V3, make_package(LAYOUT_V3, (struct world_pack){0}), 21);
}

static void row_22_refuses__a_damaged_header(void **state)
{
    (void)state;
    size_t len = make_package(LAYOUT_V2, (struct world_pack){0});

    file[60] ^= 1;
    expect(LAYOUT_V2, len, 22, "PACK_HEADER_CRC",
           "the header of this package is damaged, its CRC is wrong: upload it again, or pack it "
           "anew");
    len = make_package(LAYOUT_V3, (struct world_pack){0});
    file[PREFIX_BYTES + 16] ^= 1;
    expect(LAYOUT_V3, len, 22, "PACK_HEADER_CRC", "its CRC is wrong");
}

static void row_22_passes__a_whole_header(void **state)
{
    (void)state;
    expect_pass(LAYOUT_V2, make_package(LAYOUT_V2, (struct world_pack){0}), 22);
    expect_pass(LAYOUT_V3, make_package(LAYOUT_V3, (struct world_pack){0}), 22);
}

static void row_23_refuses__what_boot_loaders_cannot_unpack(void **state)
{
    (void)state;
    size_t len = make_package(LAYOUT_V2, (struct world_pack){.compress_type = 2});

    expect(LAYOUT_V2, len, 23, "PACK_TYPE",
           "this package is compressed by method 2, modules know 1 (xz) only");
    len = make_package(LAYOUT_V2, (struct world_pack){.delta_type = 1});
    expect(LAYOUT_V2, len, 23, "PACK_TYPE",
           "this package holds a difference to another image, which AT modules cannot apply: pack "
           "the whole image");
    len = make_package(LAYOUT_V2, (struct world_pack){.encryption_type = 1});
    expect(LAYOUT_V2, len, 23, "PACK_TYPE",
           "this package is encrypted, which AT modules cannot read: pack it without");
    len = make_package(LAYOUT_V3, (struct world_pack){.compress_type = 2});
    expect(LAYOUT_V3, len, 23, "PACK_TYPE", "compressed by method 2");
}

static void row_23_passes__xz_alone(void **state)
{
    (void)state;
    expect_pass(LAYOUT_V2, make_package(LAYOUT_V2, (struct world_pack){0}), 23);
    expect_pass(LAYOUT_V3, make_package(LAYOUT_V3, (struct world_pack){0}), 23);
}

static void row_24_refuses__a_package_cut_short(void **state)
{
    (void)state;
    size_t len = make_package(LAYOUT_V2, (struct world_pack){0});

    expect(LAYOUT_V2, len - 3, 24, "PACK_LENGTH", "this package is cut short: 3 of the ");
    expect(LAYOUT_V2, V2_BYTES, 24, "PACK_LENGTH", "bytes behind its header are missing");
    expect(LAYOUT_V2, V2_BYTES - 1, 24, "PACK_LENGTH",
           "this package is cut short: it ends inside its header; upload it again as a whole");
    expect(LAYOUT_V2, 40, 24, "PACK_LENGTH", "it ends inside its header");
    len = make_package(LAYOUT_V3, (struct world_pack){0});
    expect(LAYOUT_V3, len - 1, 24, "PACK_LENGTH", "this package is cut short: 1 of the ");
    expect(LAYOUT_V3, PREFIX_BYTES + 4, 24, "PACK_LENGTH", "it ends inside its header");
    expect(LAYOUT_V3, PREFIX_BYTES + 39, 24, "PACK_LENGTH", "it ends inside its header");
}

static void row_24_refuses__an_empty_package(void **state)
{
    (void)state;
    size_t len = make_package(LAYOUT_V2, (struct world_pack){0});

    aloft_put_le32(file + 40, 0);
    world_seal_package(file);
    expect(LAYOUT_V2, len, 24, "PACK_LENGTH",
           "this package is empty: it says that 0 bytes follow its header");
}

static void row_24_refuses__junk_behind_the_package(void **state)
{
    (void)state;
    size_t len = make_package(LAYOUT_V2, (struct world_pack){0});

    file[len] = 0;
    expect(LAYOUT_V2, len + 2, 24, "PACK_LENGTH",
           "2 bytes follow the end of the package that are neither filling nor a signature");
}

static void row_24_warns__of_bytes_behind_the_signature(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT_V2);
    AUTO_ANALYSIS a = NULL;

    (void)make_package(LAYOUT_V2, (struct world_pack){0});
    file[0x1000] = 0xE7;
    file[0x1001] = 2;
    aloft_put_le32(file + 0x1000 + 1196, aloft_crc32(0, file + 0x1000, 1196));
    world_expect(world_vet(&rules, file, 0x2001, &a), 24, "PACK_LENGTH", ANALYSIS_WARNING,
                 "a signed package of this length has 8192 bytes, this file has 8193");
}

static void row_24_passes__filling_behind_the_package(void **state)
{
    (void)state;
    size_t len = make_package(LAYOUT_V2, (struct world_pack){0});

    expect_pass(LAYOUT_V2, len, 24);
    expect_pass(LAYOUT_V2, 0x1000, 24);
    len = make_package(LAYOUT_V3, (struct world_pack){0});
    expect_pass(LAYOUT_V3, len, 24);
    expect_pass(LAYOUT_V3, 0x1000, 24);
}

static void row_25_refuses__a_payload_with_another_md5(void **state)
{
    (void)state;
    size_t len = make_package(LAYOUT_V2, (struct world_pack){0});

    file[len - 30] ^= 1;
    expect(LAYOUT_V2, len, 25, "PACK_MD5",
           "this package is damaged: its content has another MD5 than its header says");
    len = make_package(LAYOUT_V3, (struct world_pack){0});
    file[len - 30] ^= 1;
    expect(LAYOUT_V3, len, 25, "PACK_MD5", "another MD5");
}

static void row_25_warns__of_bytes_behind_the_md5(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT_V2);
    size_t len = make_package(LAYOUT_V2, (struct world_pack){0});

    file[75] = 1; /* the last byte of the field */
    world_seal_package(file);
    world_only(&rules, file, len, 25, "PACK_MD5", ANALYSIS_WARNING,
               "behind the MD5 in the header of this package stand 16 bytes that should be 0");
}

static void row_25_passes__the_right_md5(void **state)
{
    (void)state;
    expect_pass(LAYOUT_V2, make_package(LAYOUT_V2, (struct world_pack){0}), 25);
    expect_pass(LAYOUT_V3, make_package(LAYOUT_V3, (struct world_pack){0}), 25);
}

/* A package around given bytes that claim to be an xz stream. */
static size_t wrap_payload(const uint8_t *payload, size_t len)
{
    struct aloft_packed_header h = {
        .version = 2, .compress_type = 1, .payload_bytes = (uint32_t)len};
    AUTO_HASH md5 = hash_new_md5();
    size_t n;

    md5->ops->start(md5->state);
    md5->ops->update(md5->state, payload, len);
    md5->ops->finish(md5->state, h.payload_md5);
    memmove(file + V2_BYTES, payload, len);
    assert_err(aloft_packed_header_encode(&h, file, &n), ALOFT_ERR_OK);
    return V2_BYTES + len;
}

static void row_26_refuses__what_is_no_xz_stream(void **state)
{
    (void)state;
    static const char *const payloads[] = {"123456789", "PK\3\4 this is longer than 12 bytes"};

    for (size_t i = 0; i < 2; i++) {
        size_t len = wrap_payload((const uint8_t *)payloads[i], strlen(payloads[i]));
        expect(LAYOUT_V2, len, 26, "PACK_XZ_FORMAT",
               "the content of this package is no xz stream: pack it with the tool of the vendor's "
               "build");
    }
}

static void row_26_refuses__checks_that_boot_loaders_do_not_have(void **state)
{
    (void)state;
    size_t len =
        make_package(LAYOUT_V2, (struct world_pack){.has_check = true, .check = LZMA_CHECK_CRC64});

    expect(LAYOUT_V2, len, 26, "PACK_XZ_FORMAT",
           "the xz stream of this package has an integrity check of type 4, and boot loaders know "
           "none (0) and CRC32 (1) only: pack it with --check=crc32");
    len =
        make_package(LAYOUT_V3, (struct world_pack){.has_check = true, .check = LZMA_CHECK_SHA256});
    expect(LAYOUT_V3, len, 26, "PACK_XZ_FORMAT", "an integrity check of type 10");
}

static void row_26_refuses__other_filters(void **state)
{
    (void)state;
    size_t len = make_package(LAYOUT_V2, (struct world_pack){.has_x86 = true});

    expect(LAYOUT_V2, len, 26, "PACK_XZ_FORMAT",
           "uses a filter that boot loaders do not have: pack it with LZMA2 alone");
}

static void row_26_refuses__a_dictionary_larger_than_64_kib(void **state)
{
    (void)state;
    size_t len = make_package(LAYOUT_V2, (struct world_pack){.dict_bytes = 98304});

    expect(LAYOUT_V2, len, 26, "PACK_XZ_DICT",
           "the xz stream of this package needs a dictionary of 96 KiB, and boot loaders have "
           "memory for 64 KiB: pack it with --lzma2=dict=64KiB");
    len = make_package(LAYOUT_V3, (struct world_pack){.dict_bytes = 8u << 20});
    expect(LAYOUT_V3, len, 26, "PACK_XZ_DICT", "a dictionary of 8192 KiB");
}

static void row_26_refuses__bytes_behind_the_stream(void **state)
{
    (void)state;
    size_t len = make_package(LAYOUT_V2, (struct world_pack){.n_extra = 4});

    expect(LAYOUT_V2, len, 26, "PACK_XZ_FORMAT",
           "bytes follow the xz stream inside this package, and boot loaders read one stream only");
}

static void row_26_passes__streams_boot_loaders_decode(void **state)
{
    (void)state;
    static const struct world_pack good[] = {
        {.has_check = true, .check = LZMA_CHECK_NONE},
        {.dict_bytes = 65536},
        {.dict_bytes = 4096},
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        expect_pass(LAYOUT_V2, make_package(LAYOUT_V2, good[i]), 26);
        expect_pass(LAYOUT_V2, make_package(LAYOUT_V2, good[i]), 27);
    }
}

/* Several blocks are fine, too: here one per 100 bytes. */
static void row_26_passes__a_stream_of_several_blocks(void **state)
{
    (void)state;
    lzma_options_lzma options;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    lzma_stream s = LZMA_STREAM_INIT;
    uint8_t image[WORLD_IMAGE_BYTES];
    uint8_t payload[2048];

    assert_false(lzma_lzma_preset(&options, 6));
    options.dict_size = 65536;
    world_image("esp32c2", image);
    assert_int_equal(lzma_stream_encoder(&s, filters, LZMA_CHECK_CRC32), LZMA_OK);
    s.next_out = payload;
    s.avail_out = sizeof payload;
    for (size_t off = 0; off < sizeof image; off += 100) {
        s.next_in = image + off;
        s.avail_in = sizeof image - off < 100 ? sizeof image - off : 100;
        assert_int_equal(lzma_code(&s, LZMA_FULL_FLUSH), LZMA_STREAM_END);
    }
    assert_int_equal(lzma_code(&s, LZMA_FINISH), LZMA_STREAM_END);
    size_t len = wrap_payload(payload, sizeof payload - s.avail_out);
    lzma_end(&s);
    struct analysis_rules rules = world_rules(LAYOUT_V2);
    AUTO_ANALYSIS a = NULL;
    assert_int_equal(world_vet(&rules, file, len, &a)->verdict, ANALYSIS_PASS);
}

static void row_27_refuses__a_stream_that_is_cut(void **state)
{
    (void)state;
    size_t len = make_package(LAYOUT_V2, (struct world_pack){.is_cut = true});

    expect(LAYOUT_V2, len, 27, "PACK_XZ_DATA",
           "the xz stream of this package ends too early, after 352 bytes of the image");
}

/* One byte of the golden stream at a time; some of them only the filters or the header notice. */
static void row_27_refuses__a_damaged_stream(void **state)
{
    (void)state;
    static const struct {
        size_t off;
        unsigned row;
        const char *code;
        const char *words;
    } cases[] = {
        {7, 26, "PACK_XZ_FORMAT", "no xz stream"}, /* CRC of the stream header */
        {20, 27, "PACK_XZ_DATA", "is damaged and cannot be unpacked: a module with one slot"},
        {40, 27, "PACK_XZ_DATA", "is damaged"},  /* compressed data */
        {194, 27, "PACK_XZ_DATA", "is damaged"}, /* CRC of the block */
        {198, 27, "PACK_XZ_DATA", "is damaged"}, /* index */
        {205, 27, "PACK_XZ_DATA", "is damaged"}, /* its CRC */
        {212, 27, "PACK_XZ_DATA", "is damaged"}, /* footer: size of the index */
        {219, 27, "PACK_XZ_DATA", "is damaged"}, /* its magic */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t stream[sizeof image_a_xz];
        memcpy(stream, image_a_xz, sizeof stream);
        stream[cases[i].off] ^= 0x40;
        size_t len = wrap_payload(stream, sizeof stream);
        expect("esp32c3_rainmaker", len, cases[i].row, cases[i].code, cases[i].words);
    }
}

/* Each part is whole, but the footer tells another size of the index. */
static void row_27_refuses__a_footer_of_another_stream(void **state)
{
    (void)state;
    uint8_t stream[sizeof image_a_xz];

    memcpy(stream, image_a_xz, sizeof stream);
    stream[212]++;
    aloft_put_le32(stream + 208, aloft_crc32(0, stream + 212, 6));
    expect("esp32c3_rainmaker", wrap_payload(stream, sizeof stream), 27, "PACK_XZ_DATA",
           "is damaged");
}

static void row_27_passes__a_whole_stream(void **state)
{
    (void)state;
    expect_pass(LAYOUT_V2, make_package(LAYOUT_V2, (struct world_pack){0}), 27);
    expect_pass(LAYOUT_V3, make_package(LAYOUT_V3, (struct world_pack){0}), 27);
}

/* `bytes` of which the first ones are an image, packed. */
static size_t make_large(size_t bytes)
{
    uint8_t *image = calloc(1, bytes);
    struct world_pack how = {0};

    world_image("esp32c2", image);
    size_t len = world_pack(&how, image, bytes, file, sizeof file);
    free(image);
    return len;
}

static void row_28_refuses__an_image_that_fills_its_slot(void **state)
{
    (void)state;
    static const size_t sizes[] = {SLOT_V2, 16u << 20}; /* a bomb costs no more than a slot */

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        expect(LAYOUT_V2, make_large(sizes[i]), 28, "PACK_INNER_TOO_BIG",
               "the image in this package has at least 1245184 bytes, but it must be smaller than "
               "its slot, which has just as many in the layout esp32c2-2mb: build a smaller image");
        struct analysis_rules rules = world_rules(LAYOUT_V2);
        AUTO_ANALYSIS a = NULL;
        assert_null(world_find(world_vet(&rules, file, make_large(sizes[i]), &a), 27));
    }
}

static void row_28_passes__an_image_smaller_than_its_slot(void **state)
{
    (void)state;
    expect_pass(LAYOUT_V2, make_large(SLOT_V2 - 1), 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_package__passes_every_row),
        cmocka_unit_test(package_of_the_vendors_tool__is_taken),
        cmocka_unit_test(row_01_refuses__a_package_larger_than_its_storage),
        cmocka_unit_test(row_21_refuses__a_format_version_modules_do_not_take),
        cmocka_unit_test(row_21_passes__the_version_of_the_layout),
        cmocka_unit_test(row_22_refuses__a_damaged_header),
        cmocka_unit_test(row_22_passes__a_whole_header),
        cmocka_unit_test(row_23_refuses__what_boot_loaders_cannot_unpack),
        cmocka_unit_test(row_23_passes__xz_alone),
        cmocka_unit_test(row_24_refuses__a_package_cut_short),
        cmocka_unit_test(row_24_refuses__an_empty_package),
        cmocka_unit_test(row_24_refuses__junk_behind_the_package),
        cmocka_unit_test(row_24_warns__of_bytes_behind_the_signature),
        cmocka_unit_test(row_24_passes__filling_behind_the_package),
        cmocka_unit_test(row_25_refuses__a_payload_with_another_md5),
        cmocka_unit_test(row_25_warns__of_bytes_behind_the_md5),
        cmocka_unit_test(row_25_passes__the_right_md5),
        cmocka_unit_test(row_26_refuses__what_is_no_xz_stream),
        cmocka_unit_test(row_26_refuses__checks_that_boot_loaders_do_not_have),
        cmocka_unit_test(row_26_refuses__other_filters),
        cmocka_unit_test(row_26_refuses__a_dictionary_larger_than_64_kib),
        cmocka_unit_test(row_26_refuses__bytes_behind_the_stream),
        cmocka_unit_test(row_26_passes__streams_boot_loaders_decode),
        cmocka_unit_test(row_26_passes__a_stream_of_several_blocks),
        cmocka_unit_test(row_27_refuses__a_stream_that_is_cut),
        cmocka_unit_test(row_27_refuses__a_damaged_stream),
        cmocka_unit_test(row_27_refuses__a_footer_of_another_stream),
        cmocka_unit_test(row_27_passes__a_whole_stream),
        cmocka_unit_test(row_28_refuses__an_image_that_fills_its_slot),
        cmocka_unit_test(row_28_passes__an_image_smaller_than_its_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
