/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "aloft/bytes.h"

#include "analysis_world.h"

/* Rows 5 to 18: one change of a whole ESP32-C3 image, and the row that finds it. */

#define LAYOUT "esp32c3_default"

static void change_in(const struct analysis_rules *rules, uint32_t off, const char *bytes, size_t n,
                      bool is_sealed, unsigned row, const char *code, enum analysis_verdict verdict,
                      const char *words)
{
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c3", image);
    memcpy(image + off, bytes, n);
    if (is_sealed) {
        world_seal(image);
    }
    world_only(rules, image, sizeof image, row, code, verdict, words);
}

/* Sealed: checksum and hash are right again behind the change. */
static void change(uint32_t off, const char *bytes, size_t n, unsigned row, const char *code,
                   enum analysis_verdict verdict, const char *words)
{
    struct analysis_rules rules = world_rules(LAYOUT);

    change_in(&rules, off, bytes, n, true, row, code, verdict, words);
}

static void damage(uint32_t off, const char *bytes, size_t n, unsigned row, const char *code,
                   const char *words)
{
    struct analysis_rules rules = world_rules(LAYOUT);

    change_in(&rules, off, bytes, n, false, row, code, ANALYSIS_REFUSAL, words);
}

static void expect_pass(const struct analysis_rules *rules, const uint8_t *image, size_t len,
                        unsigned row)
{
    AUTO_ANALYSIS a = NULL;

    world_expect_pass(world_vet(rules, image, len, &a), row);
}

/* The unchanged image, and the row. */
static void whole_passes(unsigned row)
{
    struct analysis_rules rules = world_rules(LAYOUT);
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c3", image);
    expect_pass(&rules, image, sizeof image, row);
}

static void row_05_refuses__an_image_of_another_chip(void **state)
{
    (void)state;
    change(0x0C, "\x0D", 1, 5, "OTA_WRONG_CHIP", ANALYSIS_REFUSAL,
           "this image is for the esp32c6, but the modules of the layout esp32c3_default have an "
           "esp32c3: upload the build for esp32c3");
    change(0x0C, "\x77", 1, 5, "OTA_WRONG_CHIP", ANALYSIS_REFUSAL, "for the unknown chip");
}

static void row_05_passes__an_image_of_the_layouts_chip(void **state)
{
    (void)state;
    whole_passes(5);
}

static void row_06_refuses__more_than_16_segments(void **state)
{
    (void)state;
    change(0x01, "\x11", 1, 6, "IMG_SEGMENTS", ANALYSIS_REFUSAL, "17 segments, 1 to 16");
}

static void row_06_passes__two_segments(void **state)
{
    (void)state;
    whole_passes(6);
}

static void row_07_refuses__an_impossible_segment_length(void **state)
{
    (void)state;
    change(0x1C, "\x02", 1, 7, "IMG_SEGMENT_LEN", ANALYSIS_REFUSAL,
           "segment 0 is damaged: a length of 258 bytes is not possible; build or download it "
           "again");
    change(0x1F, "\x01", 1, 7, "IMG_SEGMENT_LEN", ANALYSIS_REFUSAL, "a length of 16777472 bytes");
}

static void row_07_refuses__an_image_cut_anywhere(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        const char *words;
    } cuts[] = {
        {0x128, "it has 296 bytes and 56 are missing; upload it again as a whole"},
        {WORLD_IMAGE_BYTES - 1, "it has 351 bytes and 1 are missing"},
        {0x100, "it has 256 bytes and at least 80 are missing"},
    };
    struct analysis_rules rules = world_rules(LAYOUT);
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c3", image);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        world_only(&rules, image, cuts[i].len, 7, "IMG_TRUNCATED", ANALYSIS_REFUSAL, cuts[i].words);
    }
    for (size_t len = 0x20; len < sizeof image; len++) {
        world_only(&rules, image, len, 7, "IMG_TRUNCATED", ANALYSIS_REFUSAL,
                   "this image is cut short");
    }
}

static void row_07_passes__whole_segments(void **state)
{
    (void)state;
    whole_passes(7);
}

static void row_08_refuses__a_hash_flag_that_does_not_exist(void **state)
{
    (void)state;
    change(0x17, "\x02", 1, 8, "IMG_HEADER", ANALYSIS_REFUSAL,
           "the header is damaged: the hash flag is 2, 0 or 1 are possible");
}

static void row_08_warns__of_an_image_without_hash(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT);
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c3", image);
    image[23] = 0;
    world_seal(image);
    world_only(&rules, image, WORLD_CHECKSUM_OFF + 1, 8, "IMG_NO_HASH", ANALYSIS_WARNING,
               "this image has no SHA-256 at its end, so a module can detect damage only by an "
               "8-bit checksum; build it with the hash appended");
}

static void row_08_passes__an_image_with_hash(void **state)
{
    (void)state;
    whole_passes(8);
}

static void row_09_refuses__a_mapped_segment_off_its_page(void **state)
{
    (void)state;
    change(0x18, "\x24", 1, 9, "IMG_ALIGN", ANALYSIS_REFUSAL,
           "a mapped segment of this image does not sit on its flash page, so no module would boot "
           "it");
}

static void row_09_passes__an_aligned_image(void **state)
{
    (void)state;
    whole_passes(9);
}

static void row_10_refuses__a_load_address_of_no_chip(void **state)
{
    (void)state;
    change(0x120, "\x00\x00\x00\x70", 4, 10, "IMG_LOAD_ADDR", ANALYSIS_REFUSAL,
           "segment 1 goes to 0x70000000, which is no memory of any chip");
}

static void row_10_warns__of_a_load_address_of_another_chip(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT);
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c3", image);
    aloft_put_le32(image + 4, 0x40800000); /* RAM of the C6 */
    aloft_put_le32(image + WORLD_RAM_HEAD, 0x40800000);
    world_seal(image);
    world_only(&rules, image, sizeof image, 10, "IMG_LOAD_ADDR", ANALYSIS_WARNING,
               "segment 1 goes to 0x40800000, which is no memory of the esp32c3 as we know it");
}

static void row_10_passes__addresses_of_the_chip(void **state)
{
    (void)state;
    whole_passes(10);
}

static void row_11_warns__of_an_entry_in_no_segment(void **state)
{
    (void)state;
    change(0x04, "\x10\x00\x38\x40", 4, 11, "IMG_ENTRY", ANALYSIS_WARNING,
           "the program begins at 0x40380010, where no segment of the image is");
}

static void row_11_passes__an_entry_in_ram(void **state)
{
    (void)state;
    whole_passes(11);
}

static void row_12_refuses__a_wrong_checksum(void **state)
{
    (void)state;
    damage(0x13F, "\x00", 1, 12, "IMG_CHECKSUM", "it says 0x00; build or download it again");
    damage(0x130, "\x14", 1, 12, "IMG_CHECKSUM", "this image is damaged: its checksum is 0x");
}

static void row_12_passes__the_right_checksum(void **state)
{
    (void)state;
    whole_passes(12);
}

static void row_13_refuses__a_wrong_hash(void **state)
{
    (void)state;
    damage(0x03, "\x10", 1, 13, "IMG_HASH",
           "this image is damaged: the SHA-256 at its end is not that of its content");
}

static void row_13_passes__the_right_hash(void **state)
{
    (void)state;
    whole_passes(13);
}

static void row_14_refuses__an_image_without_descriptor(void **state)
{
    (void)state;
    change(0x20, "\x33", 1, 14, "IMG_NO_APP_DESC", ANALYSIS_REFUSAL,
           "this image has no app descriptor, so it is not an ESP-AT firmware");
}

static void row_14_passes__an_image_with_descriptor(void **state)
{
    (void)state;
    whole_passes(14);
}

static void row_15_warns__of_another_project(void **state)
{
    (void)state;
    change(0x50, "esp-xx", 6, 15, "IMG_PROJECT", ANALYSIS_WARNING,
           "this image calls its project 'esp-xx', expected is 'esp-at'");
}

static void row_15_passes__the_callers_project(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT);
    uint8_t image[WORLD_IMAGE_BYTES];

    whole_passes(15);
    world_image("esp32c3", image);
    memcpy(image + 0x50, "thermostat", 10);
    world_seal(image);
    rules.project_name = "thermostat";
    expect_pass(&rules, image, sizeof image, 15);
}

static void row_16_warns__of_a_version_it_is_not_filed_under(void **state)
{
    (void)state;
    change(0x30, "v9", 2, 16, "VER_MISMATCH", ANALYSIS_WARNING,
           "this image says it is version 'v9.0.1-test', but it is filed under 'v0.0.1-test': "
           "after the upgrade modules will report 'v9.0.1-test'");
}

static void row_16_warns__of_a_version_that_is_not_printable(void **state)
{
    (void)state;
    change(0x30, "\x1B[", 2, 16, "VER_MISMATCH", ANALYSIS_WARNING,
           "the version text of this image, '?[.0.1-test', is not printable");
}

static void row_16_warns__of_a_downgrade(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT);

    rules.current_version = "v0.0.2";
    change_in(&rules, 0, "\xE9", 1, true, 16, "VER_DOWNGRADE", ANALYSIS_WARNING,
              "version 'v0.0.1-test' is older than 'v0.0.2', the product's current version: "
              "modules would go back to it");
    rules.version = NULL; /* then the image's own counts */
    change_in(&rules, 0x30, "v0.0.0", 6, true, 16, "VER_DOWNGRADE", ANALYSIS_WARNING,
              "version 'v0.0.0-test' is older than 'v0.0.2'");
}

static void row_16_refuses__a_downgrade_by_policy(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT);

    rules.current_version = "v0.1";
    rules.refuses_downgrade = true;
    change_in(&rules, 0, "\xE9", 1, true, 16, "VER_DOWNGRADE", ANALYSIS_REFUSAL,
              "version 'v0.0.1-test' is older than 'v0.1', the product's current version: this "
              "product takes no downgrades; upload a later version, or change its version policy");
}

/* Numbers are compared, not text; what has no number in front is not compared at all. */
static void row_16_passes__what_is_not_older(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        const char *current;
        bool is_older;
    } cases[] = {
        {"v0.0.1-test", "v0.0.1-test", false},
        {"v4.10.0", "v4.9.9", false},
        {"4.9.9", "v4.10.0", true},
        {"v4.1", "v4.1.0.0", false},
        {"v4.1", "V4.1.0.1", true},
        {"v5.0.0.0-dev", "v5.0.0.0", false},
        {"summer", "v1.0", false},
        {"v1.0", "summer", false},
        {"v010.0", "v9.0", false},
        {"1.99999999999999999999", "2.0", true},
        {"1.", "1..2", false},
        {"", "", false},
    };
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c3", image);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct analysis_rules rules = world_rules(LAYOUT);
        AUTO_ANALYSIS a = NULL;
        memset(image + 0x30, 0, 32);
        memcpy(image + 0x30, cases[i].version, strlen(cases[i].version));
        world_seal(image);
        rules.version = cases[i].version;
        rules.current_version = cases[i].current;
        const struct analysis_report *report = world_vet(&rules, image, sizeof image, &a);
        if (cases[i].is_older) {
            world_expect(report, 16, "VER_DOWNGRADE", ANALYSIS_WARNING, "is older than");
        } else {
            world_expect_pass(report, 16);
        }
    }
}

static void row_17_refuses__a_range_that_is_empty(void **state)
{
    (void)state;
    change(0x0F, "\xC8\x00\xC7\x00", 4, 17, "IMG_CHIP_REV", ANALYSIS_REFUSAL,
           "the header is damaged: it asks for chip revision 2.0 and above but 1.99 and below");
}

static void row_17_warns__of_a_revision_modules_may_not_have(void **state)
{
    (void)state;
    change(0x0F, "\x64\x00", 2, 17, "IMG_CHIP_REV", ANALYSIS_WARNING,
           "this image asks for chip revision 1.0 or later, and modules of the layout "
           "esp32c3_default may have an earlier one");
}

static void row_17_refuses__revisions_the_product_is_known_to_have(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT);

    rules.has_revisions = true;
    rules.least_revision = 3;
    rules.greatest_revision = 101;
    change_in(&rules, 0x0F, "\x04\x00", 2, true, 17, "IMG_CHIP_REV", ANALYSIS_REFUSAL,
              "this image asks for chip revision 0.4 or later, but there are modules of this "
              "product with 0.3, and those would not boot it");
    change_in(&rules, 0x11, "\x64\x00", 2, true, 17, "IMG_CHIP_REV", ANALYSIS_REFUSAL,
              "this image runs on chips up to revision 1.0, but modules of this product have 1.1: "
              "upload the build for them");
}

static void row_17_refuses__chips_later_than_the_image_knows(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules("esp32c2-4mb-g2"); /* revision 2.0 or later */
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c2", image);
    image[15] = 0; /* image A goes to 1.99 */
    world_seal(image);
    world_only(&rules, image, sizeof image, 17, "IMG_CHIP_REV", ANALYSIS_REFUSAL,
               "this image runs on chips up to revision 1.99, but the modules of the layout "
               "esp32c2-4mb-g2 have 2.0 or later");
    image[17] = 200;
    world_seal(image);
    expect_pass(&rules, image, sizeof image, 17);
}

static void row_17_passes__a_range_that_holds_all_modules(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT);
    uint8_t image[WORLD_IMAGE_BYTES];

    whole_passes(17);
    world_image("esp32c3", image); /* 0.3 to 1.99 */
    rules.has_revisions = true;
    rules.least_revision = 3;
    rules.greatest_revision = 199;
    expect_pass(&rules, image, sizeof image, 17);
}

static void row_18_warns__of_more_flash_than_there_is(void **state)
{
    (void)state;
    change(0x03, "\x30", 1, 18, "IMG_FLASH_PARAMS", ANALYSIS_WARNING,
           "this image was built for 8 MB of flash, the modules of the layout esp32c3_default have "
           "4 MB");
}

static void row_18_warns__of_a_flash_mode_that_does_not_exist(void **state)
{
    (void)state;
    change(0x02, "\x06", 1, 18, "IMG_FLASH_PARAMS", ANALYSIS_WARNING,
           "the header of this image names flash mode 6 and speed 0, which do not exist");
    change(0x03, "\x23", 1, 18, "IMG_FLASH_PARAMS", ANALYSIS_WARNING, "flash mode 2 and speed 3");
}

static void row_18_passes__the_flash_of_the_layout(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT);
    uint8_t image[WORLD_IMAGE_BYTES];

    whole_passes(18);
    world_image("esp32c3", image);
    image[3] = 0x2F; /* full speed */
    world_seal(image);
    expect_pass(&rules, image, sizeof image, 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_05_refuses__an_image_of_another_chip),
        cmocka_unit_test(row_05_passes__an_image_of_the_layouts_chip),
        cmocka_unit_test(row_06_refuses__more_than_16_segments),
        cmocka_unit_test(row_06_passes__two_segments),
        cmocka_unit_test(row_07_refuses__an_impossible_segment_length),
        cmocka_unit_test(row_07_refuses__an_image_cut_anywhere),
        cmocka_unit_test(row_07_passes__whole_segments),
        cmocka_unit_test(row_08_refuses__a_hash_flag_that_does_not_exist),
        cmocka_unit_test(row_08_warns__of_an_image_without_hash),
        cmocka_unit_test(row_08_passes__an_image_with_hash),
        cmocka_unit_test(row_09_refuses__a_mapped_segment_off_its_page),
        cmocka_unit_test(row_09_passes__an_aligned_image),
        cmocka_unit_test(row_10_refuses__a_load_address_of_no_chip),
        cmocka_unit_test(row_10_warns__of_a_load_address_of_another_chip),
        cmocka_unit_test(row_10_passes__addresses_of_the_chip),
        cmocka_unit_test(row_11_warns__of_an_entry_in_no_segment),
        cmocka_unit_test(row_11_passes__an_entry_in_ram),
        cmocka_unit_test(row_12_refuses__a_wrong_checksum),
        cmocka_unit_test(row_12_passes__the_right_checksum),
        cmocka_unit_test(row_13_refuses__a_wrong_hash),
        cmocka_unit_test(row_13_passes__the_right_hash),
        cmocka_unit_test(row_14_refuses__an_image_without_descriptor),
        cmocka_unit_test(row_14_passes__an_image_with_descriptor),
        cmocka_unit_test(row_15_warns__of_another_project),
        cmocka_unit_test(row_15_passes__the_callers_project),
        cmocka_unit_test(row_16_warns__of_a_version_it_is_not_filed_under),
        cmocka_unit_test(row_16_warns__of_a_version_that_is_not_printable),
        cmocka_unit_test(row_16_warns__of_a_downgrade),
        cmocka_unit_test(row_16_refuses__a_downgrade_by_policy),
        cmocka_unit_test(row_16_passes__what_is_not_older),
        cmocka_unit_test(row_17_refuses__a_range_that_is_empty),
        cmocka_unit_test(row_17_warns__of_a_revision_modules_may_not_have),
        cmocka_unit_test(row_17_refuses__revisions_the_product_is_known_to_have),
        cmocka_unit_test(row_17_refuses__chips_later_than_the_image_knows),
        cmocka_unit_test(row_17_passes__a_range_that_holds_all_modules),
        cmocka_unit_test(row_18_warns__of_more_flash_than_there_is),
        cmocka_unit_test(row_18_warns__of_a_flash_mode_that_does_not_exist),
        cmocka_unit_test(row_18_passes__the_flash_of_the_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
