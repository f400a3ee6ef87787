/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include <openssl/evp.h>

#include "aloft/bytes.h"

#include "analysis_world.h"

/* Rows 29 to 31, and the others that look through the package: the image inside. */

#define LAYOUT_V2    "esp32c2-2mb"
#define LAYOUT_V3    "esp32c5_default"
#define PREFIX_BYTES 0x120u
#define FILE_BYTES   0x4000u

static uint8_t file[FILE_BYTES];

static size_t pack_v2(const uint8_t *image, size_t len)
{
    struct world_pack how = {0};

    memset(file, 0xFF, sizeof file);
    return world_pack(&how, image, len, file, sizeof file);
}

static size_t pack_v3(const uint8_t *image)
{
    struct world_pack how = {.version = 3, .is_wrapped = true};

    memset(file, 0xFF, sizeof file);
    return world_pack(&how, image, WORLD_IMAGE_BYTES, file, sizeof file);
}

static void row_29_refuses__a_package_whose_image_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t off;
        const char *bytes;
        size_t n;
        bool is_sealed;
        unsigned row;
        const char *code;
        const char *inner_code;
        const char *words;
    } cases[] = {
        /* clang-format off */
        {0x0C, "\x05", 1, true, 5, "OTA_WRONG_CHIP", "INNER_OTA_WRONG_CHIP", "this image is for the esp32c3, but"},
        {0x01, "\x11", 1, true, 6, "IMG_SEGMENTS", "INNER_IMG_SEGMENTS", "17 segments"},
        {0x1C, "\x02", 1, true, 7, "IMG_SEGMENT_LEN", "INNER_IMG_SEGMENT_LEN", "a length of 258 bytes"},
        {0x1E, "\x01", 1, true, 7, "IMG_TRUNCATED", "INNER_IMG_TRUNCATED", "it has 352 bytes and"},
        {0x17, "\x02", 1, true, 8, "IMG_HEADER", "INNER_IMG_HEADER", "the hash flag is 2"},
        {0x18, "\x24", 1, true, 9, "IMG_ALIGN", "INNER_IMG_ALIGN", "on its flash page"},
        {0x120, "\x00\x00\x00\x70", 4, true, 10, "IMG_LOAD_ADDR", "INNER_IMG_LOAD_ADDR", "goes to 0x70000000"},
        {0x13F, "\x00", 1, false, 12, "IMG_CHECKSUM", "INNER_IMG_CHECKSUM", "it says 0x00"},
        {0x03, "\x00", 1, false, 13, "IMG_HASH", "INNER_IMG_HASH", "is not that of its content"},
        {0x20, "\x33", 1, true, 14, "IMG_NO_APP_DESC", "INNER_IMG_NO_APP_DESC", "no app descriptor"},
        {0x0F, "\xC8\x00\xC7\x00", 4, true, 17, "IMG_CHIP_REV", "INNER_IMG_CHIP_REV", "revision 2.0 and above"},
        /* clang-format on */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct analysis_rules rules = world_rules(LAYOUT_V2);
        uint8_t image[WORLD_IMAGE_BYTES];
        AUTO_ANALYSIS a = NULL;
        char words[96];

        world_image("esp32c2", image);
        memcpy(image + cases[i].off, cases[i].bytes, cases[i].n);
        if (cases[i].is_sealed) {
            world_seal(image);
        }
        const struct analysis_report *report =
            world_vet(&rules, file, pack_v2(image, sizeof image), &a);
        world_expect(report, cases[i].row, cases[i].code, ANALYSIS_REFUSAL, "inner image: ");
        world_expect(report, cases[i].row, cases[i].code, ANALYSIS_REFUSAL, cases[i].words);
        (void)snprintf(words, sizeof words,
                       "row %u refuses the image in this package: inner image: ", cases[i].row);
        world_expect(report, 29, cases[i].inner_code, ANALYSIS_REFUSAL, words);
        world_expect(report, 29, cases[i].inner_code, ANALYSIS_REFUSAL, cases[i].words);
        world_expect_pass(report, 28);
        assert_null(world_find(report, 31));
    }
}

static void row_29_refuses__an_inner_downgrade_by_policy(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT_V2);
    uint8_t image[WORLD_IMAGE_BYTES];
    AUTO_ANALYSIS a = NULL;

    rules.current_version = "v1";
    rules.refuses_downgrade = true;
    world_image("esp32c2", image);
    const struct analysis_report *report =
        world_vet(&rules, file, pack_v2(image, sizeof image), &a);
    world_expect(report, 16, "VER_DOWNGRADE", ANALYSIS_REFUSAL, "inner image: version");
    world_expect(report, 29, "INNER_VER_DOWNGRADE", ANALYSIS_REFUSAL, "row 16 refuses the image");
}

static void row_29_refuses__a_package_of_no_image(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT_V2);
    AUTO_ANALYSIS a = NULL;
    AUTO_ANALYSIS b = NULL;

    const struct analysis_report *report =
        world_vet(&rules, file, pack_v2((const uint8_t *)"hello", 5), &a);
    world_expect(report, 29, "INNER_OTA_WRONG_KIND", ANALYSIS_REFUSAL,
                 "what is in this package is no app image, an inner image begins with e9: pack it");
    report = world_vet(&rules, file, pack_v2((const uint8_t *)"", 0), &b);
    world_expect(report, 29, "INNER_IMG_TRUNCATED", ANALYSIS_REFUSAL, "row 7 refuses the image");
    assert_false(report->has_header);
}

static void row_29_passes__a_package_whose_image_has_warnings_only(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT_V2);
    uint8_t image[WORLD_IMAGE_BYTES];
    AUTO_ANALYSIS a = NULL;

    world_image("esp32c2", image);
    memcpy(image + 0x50, "esp-xx", 6);
    world_seal(image);
    const struct analysis_report *report =
        world_vet(&rules, file, pack_v2(image, sizeof image), &a);
    world_expect(report, 15, "IMG_PROJECT", ANALYSIS_WARNING,
                 "inner image: this image calls its project 'esp-xx'");
    world_expect_pass(report, 29);
    assert_int_equal(report->verdict, ANALYSIS_WARNING);
}

static void row_30_refuses__an_app_header_of_another_image(void **state)
{
    (void)state;
    static const size_t offs[] = {0x02, 0x30, PREFIX_BYTES - 1};
    struct analysis_rules rules = world_rules(LAYOUT_V3);
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c5", image);
    for (size_t i = 0; i < sizeof offs / sizeof offs[0]; i++) {
        char words[128];
        size_t len = pack_v3(image);
        file[offs[i]] ^= 1;
        (void)snprintf(words, sizeof words,
                       "the app header in front of this package is not the one of the image in it, "
                       "they differ at byte %zu",
                       offs[i]);
        world_only(&rules, file, len, 30, "PACK_PREFIX", ANALYSIS_REFUSAL, words);
    }
}

static void row_30_passes__the_images_own_header(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT_V3);
    uint8_t image[WORLD_IMAGE_BYTES];
    AUTO_ANALYSIS a = NULL;

    world_image("esp32c5", image);
    world_expect_pass(world_vet(&rules, file, pack_v3(image), &a), 30);
}

static void row_05_refuses__an_app_header_of_another_chip(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT_V3);
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c5", image);
    size_t len = pack_v3(image);
    file[0x0C] = 0x0D;
    world_only(&rules, file, len, 5, "OTA_WRONG_CHIP", ANALYSIS_REFUSAL,
               "the app header of this package is for the esp32c6, but the modules of the layout "
               "esp32c5_default have an esp32c5");
}

static size_t pack_with_text(const char *text)
{
    struct world_pack how = {.version_text = text};
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c2", image);
    return world_pack(&how, image, sizeof image, file, sizeof file);
}

static void row_31_warns__of_another_version_in_the_header(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT_V2);

    world_only(&rules, file, pack_with_text("v9\x1B"), 31, "PACK_VERSION_TEXT", ANALYSIS_WARNING,
               "the header of this package calls it version 'v9?', the image in it is "
               "'v0.0.1-test': modules will report the latter");
}

static void row_31_passes__the_images_version_or_none(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT_V2);
    AUTO_ANALYSIS a = NULL;
    AUTO_ANALYSIS b = NULL;

    world_expect_pass(world_vet(&rules, file, pack_with_text(WORLD_VERSION), &a), 31);
    world_expect_pass(world_vet(&rules, file, pack_with_text(NULL), &b), 31);
}

/* facts/esp-formats.md 4.2: what is signed is header and payload, without the app header. */
static void row_20_passes__a_signed_package(void **state)
{
    (void)state;
    static const char *const layouts[] = {LAYOUT_V2, LAYOUT_V3};

    for (size_t i = 0; i < 2; i++) {
        struct analysis_rules rules = world_rules(layouts[i]);
        uint8_t image[WORLD_IMAGE_BYTES];
        size_t off = i == 0 ? 0 : PREFIX_BYTES;
        uint8_t *block = file + off + 0x1000;
        AUTO_ANALYSIS a = NULL;
        AUTO_ANALYSIS b = NULL;

        world_image(i == 0 ? "esp32c2" : "esp32c5", image);
        (void)(i == 0 ? pack_v2(image, sizeof image) : pack_v3(image));
        memset(block, 0, 1216);
        block[0] = 0xE7;
        block[1] = 3;
        block[36] = 2;
        assert_int_equal(EVP_Digest(file + off, 0x1000, block + 4, NULL, EVP_sha256(), NULL), 1);
        aloft_put_le32(block + 1196, aloft_crc32(0, block, 1196));
        rules.requires_signature = true;
        const struct analysis_report *report = world_vet(&rules, file, off + 0x2000, &a);
        world_expect_pass(report, 24);
        /* It gets as far as the key, which is none. */
        world_expect(report, 20, "SIG_BAD", ANALYSIS_REFUSAL, "the signature does not verify");
        file[off + 0x1000 - 1] = 0;
        report = world_vet(&rules, file, off + 0x2000, &b);
        world_expect(report, 24, "PACK_LENGTH", ANALYSIS_REFUSAL, "neither filling nor");
    }
}

static void row_34_warns__of_what_is_in_the_package(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT_V2);
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c2", image);
    memcpy(image + 0xD8, "iot.espressif.cn", 16); /* a reserved place of the descriptor */
    world_seal(image);
    world_only(&rules, file, pack_v2(image, sizeof image), 34, "OTA_LEAVES_US", ANALYSIS_WARNING,
               "after this upgrade modules will call iot.espressif.cn");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_29_refuses__a_package_whose_image_is_refused),
        cmocka_unit_test(row_29_refuses__an_inner_downgrade_by_policy),
        cmocka_unit_test(row_29_refuses__a_package_of_no_image),
        cmocka_unit_test(row_29_passes__a_package_whose_image_has_warnings_only),
        cmocka_unit_test(row_30_refuses__an_app_header_of_another_image),
        cmocka_unit_test(row_30_passes__the_images_own_header),
        cmocka_unit_test(row_05_refuses__an_app_header_of_another_chip),
        cmocka_unit_test(row_31_warns__of_another_version_in_the_header),
        cmocka_unit_test(row_31_passes__the_images_version_or_none),
        cmocka_unit_test(row_20_passes__a_signed_package),
        cmocka_unit_test(row_34_warns__of_what_is_in_the_package),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
