/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "aloft/bytes.h"
#include "aloft/partition_table.h"

#include "analysis_world.h"
#include "golden_images.h"

/* The analyser as a whole, and rows 1 to 4: what kind of file is it, and does it fit? */

#define LAYOUT       "esp32c3_default"
#define SLOT_BYTES   0x1D0000u
#define SLOT_OFF     0x60000u
#define FLASH_BYTES  0x80000u
#define BUFFER_BYTES 0x9000u

static void expect_in(const char *layout, const void *buf, size_t len, unsigned row,
                      const char *code, const char *words)
{
    struct analysis_rules rules = world_rules(layout);

    world_only(&rules, buf, len, row, code, ANALYSIS_REFUSAL, words);
}

static void whole_image__passes_every_row(void **state)
{
    (void)state;
    struct analysis_rules rules = world_rules(LAYOUT);
    uint8_t image[WORLD_IMAGE_BYTES];
    AUTO_ANALYSIS a = NULL;

    world_image("esp32c3", image);
    const struct analysis_report *report = world_vet(&rules, image, sizeof image, &a);
    assert_int_equal(report->verdict, ANALYSIS_PASS);
    assert_int_equal(report->n_findings, 21);
    for (unsigned i = 0; i < 21; i++) {
        assert_int_equal(report->findings[i].row, i < 20 ? i + 1 : 34);
        assert_int_equal(report->findings[i].verdict, ANALYSIS_PASS);
        assert_string_equal(report->findings[i].sentence, "");
    }
    assert_int_equal(report->kind, ALOFT_SNIFF_APP);
    assert_int_equal(report->size_bytes, WORLD_IMAGE_BYTES);
    assert_true(report->has_header && report->has_desc);
    assert_false(report->has_app);
    assert_int_equal(report->header.chip_id, 5);
    assert_string_equal(report->desc.version, WORLD_VERSION);
}

/* An upload arrives in portions of the network's choice. */
static void feeding__byte_by_byte_gives_the_same_findings(void **state)
{
    (void)state;
    static uint8_t file[WORLD_SIGNED_BYTES];
    struct analysis_rules rules = world_rules(LAYOUT);

    memset(file, 0xFF, sizeof file);
    world_image("esp32c3", file);
    file[0x1000] = 0xE7;
    file[0x1001] = 2;
    aloft_put_le32(file + 0x1000 + 1196, aloft_crc32(0, file + 0x1000, 1196));
    AUTO_ANALYSIS whole = NULL;
    const struct analysis_report *wanted = world_vet(&rules, file, sizeof file, &whole);
    AUTO_ANALYSIS a = analysis_new(&rules);
    for (size_t i = 0; i < sizeof file; i++) {
        analysis_feed(a, file + i, 1);
    }
    const struct analysis_report *report = analysis_finish(a);
    assert_int_equal(report->verdict, ANALYSIS_WARNING); /* of the signature, which is none */
    assert_int_equal(report->n_findings, 21);
    assert_memory_equal(report->findings, wanted->findings, sizeof wanted->findings);
}

static void rules__are_copied(void **state)
{
    (void)state;
    char texts[4][64] = {WORLD_VERSION, "ota.bin", "esp-at", "v0.0.1"};
    char *hosts[] = {texts[0]};
    uint8_t key[1][ALOFT_SHA256_BYTES] = {{1}};
    struct analysis_rules rules = {.layout = aloft_layout_by_name(LAYOUT),
                                   .version = texts[0],
                                   .file_name = texts[1],
                                   .project_name = texts[2],
                                   .current_version = texts[3],
                                   .trusted_keys = (const uint8_t(*)[ALOFT_SHA256_BYTES])key,
                                   .n_trusted_keys = 1,
                                   .hosts = (const char *const *)hosts,
                                   .n_hosts = 1,
                                   .tokens = (const char *const *)hosts,
                                   .n_tokens = 1};
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c3", image);
    AUTO_ANALYSIS a = analysis_new(&rules);
    memset(texts, 'x', sizeof texts);
    memset(&rules, 'x', sizeof rules);
    hosts[0] = NULL;
    analysis_feed(a, image, sizeof image);
    assert_int_equal(analysis_finish(a)->verdict, ANALYSIS_PASS);
}

static void row_01_refuses__a_file_too_small_for_an_image(void **state)
{
    (void)state;
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c3", image);
    expect_in(LAYOUT, "", 0, 1, "OTA_EMPTY", "this is an empty file; upload esp-at.bin");
    expect_in(LAYOUT, image, 31, 1, "OTA_EMPTY", "this file has only 31 bytes");
    expect_in("esp32c2-2mb", "", 0, 1, "OTA_EMPTY",
              "this is an empty file; upload the packed image of the same build");
}

/* An image with filling up to `size_bytes`. */
static struct analysis *feed_filled(size_t size_bytes)
{
    static uint8_t filling[0x10000];
    struct analysis_rules rules = world_rules(LAYOUT);
    uint8_t image[WORLD_IMAGE_BYTES];
    struct analysis *a = analysis_new(&rules);

    world_image("esp32c3", image);
    memset(filling, 0xFF, sizeof filling);
    analysis_feed(a, image, sizeof image);
    for (size_t left = size_bytes - sizeof image; left > 0;) {
        size_t n = left < sizeof filling ? left : sizeof filling;
        analysis_feed(a, filling, n);
        left -= n;
    }
    return a;
}

static void row_01_refuses__a_file_larger_than_the_slot(void **state)
{
    (void)state;
    AUTO_ANALYSIS a = feed_filled(SLOT_BYTES + 1);
    const struct analysis_report *report = analysis_finish(a);

    world_expect(report, 1, "OTA_TOO_BIG", ANALYSIS_REFUSAL,
                 "this file has 1900545 bytes, but the slots of the layout esp32c3_default have "
                 "1900544: a module would refuse it; build a smaller image");
    assert_int_equal(report->n_findings, 21); /* all else is judged all the same */
}

static void row_01_passes__a_file_that_fills_the_slot(void **state)
{
    (void)state;
    AUTO_ANALYSIS a = feed_filled(SLOT_BYTES);

    world_expect_pass(analysis_finish(a), 1);
}

/* What people upload by mistake: the first bytes and what the sentence must call it. */
static const struct mistake {
    const char *bytes;
    size_t n;
    const char *words;
} mistakes[] = {
    /* clang-format off */
    {"ESP\0\1", 5, "this is a packed image v1; these modules take plain images"},
    {"ESP\0\2", 5, "this is a packed image v2; these modules take plain images"},
    {"ESP\0\3", 5, "this is a packed image v3 without app header; these modules take plain images"},
    {"\x7F" "ELF", 4, "this is an ELF file (the linker's output)"},
    {"PK\3\4", 4, "this is a zip archive; unpack it"},
    {"\x1F\x8B\x08", 3, "this is a gzip file; unpack it"},
    {"\xFD" "7zXZ\0", 6, "this is an xz file; unpack it"},
    {"\xEA\x04\x00\x01", 4, "this is an ESP8266 image (NONOS user1/user2)"},
    {"\xE9\x03\x00\x00\0\0\0\0\0\0\0\0\x77", 13, "this is an ESP8266 image; upload esp-at.bin of the build for this chip"},
    {"\xAA\x50\x01\x02\0\x90\0\0\0\x60\0\0nvs", 15, "this is a partition table; upload esp-at.bin"},
    {"\x12\x34\x56\x78", 4, "unknown kind: it begins with 12345678, an app image begins with e9"},
    /* clang-format on */
};

static void row_02_refuses__what_people_upload_by_mistake(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        uint8_t buf[64] = {0};

        memcpy(buf, mistakes[i].bytes, mistakes[i].n);
        expect_in(LAYOUT, buf, sizeof buf, 2, "OTA_WRONG_KIND", mistakes[i].words);
    }
}

static void row_02_refuses__an_nvs_page(void **state)
{
    (void)state;
    uint8_t page[32];

    memset(page, 0xFF, sizeof page); /* facts/esp-formats.md 8.8 */
    memcpy(page, "\xFC\xFF\xFF\xFF\0\0\0\0\xFE", 9);
    memcpy(page + 28, "\x84\x2D\xBA\xB9", 4);
    expect_in(LAYOUT, page, sizeof page, 2, "OTA_WRONG_KIND",
              "this is an NVS partition; upload esp-at.bin");
}

static void row_02_refuses__a_packed_image_for_plain_modules(void **state)
{
    (void)state;
    uint8_t buf[WORLD_IMAGE_BYTES];

    world_image("esp32c3", buf);
    buf[1] = 0;
    memcpy(buf + 0x120, "ESP\0\3\1", 6);
    expect_in(LAYOUT, buf, sizeof buf, 2, "OTA_WRONG_KIND",
              "this is a packed image v3; these modules take plain images");
}

static void row_02_refuses__anything_but_packages_for_packed_modules(void **state)
{
    (void)state;
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c5", image);
    expect_in("esp32c5_default", image, sizeof image, 2, "OTA_WRONG_KIND",
              "this is an app image, but modules of the layout esp32c5_default take packed v3 "
              "images; upload the packed image of the same build (esp-at.bin.xz.packed): a module "
              "would start this one, and could never be upgraded over the air again");
    expect_in("esp32c2-2mb", image, sizeof image, 2, "OTA_WRONG_KIND", "take packed v2 images");
    memcpy(image, "ESP\0\3", 5);
    expect_in("esp32c5_default", image, sizeof image, 2, "OTA_WRONG_KIND",
              "this is a packed image v3 without app header, but modules of the layout "
              "esp32c5_default take packed v3 images; it lacks the app header");
    memcpy(image,
           "\xFD"
           "7zXZ\0",
           6);
    expect_in("esp32c2-2mb", image, sizeof image, 2, "OTA_WRONG_KIND",
              "it lacks the header of a packed image");
    memcpy(image, "\1\2\3\4", 4);
    expect_in("esp32c2-2mb", image, sizeof image, 2, "OTA_WRONG_KIND",
              "it begins with 01020304, a packed image v2 begins with 45535000");
    expect_in("esp32c5_default", image, sizeof image, 2, "OTA_WRONG_KIND",
              "it begins with 01020304, a packed image v3 begins with e900");
}

/* A whole package of v3 that lacks its app header; and an app header that has segments. */
static void row_02_refuses__packages_that_are_not_in_their_place(void **state)
{
    (void)state;
    static uint8_t file[0x1000];
    const struct world_pack how = {.version = 3};
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c5", image);
    size_t len = world_pack(&how, image, sizeof image, file, sizeof file);
    expect_in("esp32c5_default", file, len, 2, "OTA_WRONG_KIND",
              "this is a packed image v3 without app header");
    struct analysis_rules rules = world_rules("esp32c5_default");
    AUTO_ANALYSIS a = NULL;
    assert_false(world_vet(&rules, file, len, &a)->has_header); /* nothing was unpacked */
    memcpy(image + 0x120, "ESP\0\3\1", 6);
    expect_in("esp32c5_default", image, sizeof image, 2, "OTA_WRONG_KIND",
              "this is an app image, but modules");
}

static void row_02_refuses__everything_where_there_is_one_slot(void **state)
{
    (void)state;
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32", image);
    expect_in("esp32-d2wd", image, sizeof image, 2, "OTA_NO_SLOT",
              "modules of the layout esp32-d2wd cannot be upgraded over the air: they have one app "
              "slot and nowhere to put a second image");
}

static void row_02_passes__an_app_image(void **state)
{
    (void)state;
    AUTO_ANALYSIS a = feed_filled(0x1000);

    world_expect_pass(analysis_finish(a), 2);
}

static void row_03_refuses__a_factory_image_without_app_slot(void **state)
{
    (void)state;
    static const uint32_t boot_loaders[] = {0, 0x1000, 0x2000};
    static uint8_t flash[BUFFER_BYTES];

    for (size_t i = 0; i < 3; i++) {
        memset(flash, 0xFF, sizeof flash);
        memcpy(flash + boot_loaders[i], image_b, sizeof image_b);
        memcpy(flash + 0x8000,
               "\xAA\x50\x01\x02\0\x90\0\0\0\x60\0\0nvs\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32);
        expect_in("esp32_default", flash, sizeof flash, 3, "OTA_IS_FACTORY_IMAGE",
                  "this is a factory image (the whole flash); upload esp-at.bin from the same "
                  "build, which holds the app alone (its partition table names no app slot");
    }
}

/* The flash of a layout up to the end of its first megabyte, with `app_len` bytes in the slot. */
static uint8_t *make_flash(const char *layout, uint32_t slot_off, const uint8_t *app,
                           size_t app_len)
{
    const struct aloft_layout *l = aloft_layout_by_name(layout);
    static struct aloft_partition_table table;
    uint8_t *flash = malloc(FLASH_BYTES);

    memset(flash, 0xFF, FLASH_BYTES);
    memcpy(flash, image_b, sizeof image_b);
    memcpy(table.entries, l->primary, l->n_primary * sizeof *l->primary);
    table.n_entries = l->n_primary;
    table.has_md5 = false;
    assert_err(aloft_partition_table_encode(&table, NULL, flash + 0x8000), ALOFT_ERR_OK);
    memcpy(flash + slot_off, app, app_len);
    return flash;
}

static void row_03_refuses__a_factory_image_and_offers_its_app(void **state)
{
    (void)state;
    static uint8_t app[WORLD_SIGNED_BYTES];
    static const size_t portions[] = {FLASH_BYTES, 1 << 16, 4093};

    memset(app, 0xFF, sizeof app);
    world_image("esp32c3", app);
    for (size_t i = 0; i < 2 * sizeof portions / sizeof portions[0]; i++) {
        bool is_signed = i % 2 == 1;
        app[0x1000] = is_signed ? 0xE7 : 0xFF;
        app[0x1001] = is_signed ? 3 : 0xFF;
        uint8_t *flash = make_flash(LAYOUT, SLOT_OFF, app, sizeof app);
        struct analysis_rules rules = world_rules(LAYOUT);
        AUTO_ANALYSIS a = analysis_new(&rules);
        size_t n;
        for (size_t off = 0; off < FLASH_BYTES; off += n) {
            n = FLASH_BYTES - off < portions[i / 2] ? FLASH_BYTES - off : portions[i / 2];
            analysis_feed(a, flash + off, n);
        }
        const struct analysis_report *report = analysis_finish(a);
        world_expect(report, 3, "OTA_IS_FACTORY_IMAGE", ANALYSIS_REFUSAL,
                     is_signed ? "this is a factory image: I can cut the app out for you, 8192 "
                                 "bytes at 0x60000; or upload esp-at.bin from the same build"
                               : "this is a factory image: I can cut the app out for you, 352 "
                                 "bytes at 0x60000; or upload esp-at.bin from the same build");
        assert_true(report->has_app);
        assert_int_equal(report->app_off, SLOT_OFF);
        assert_int_equal(report->app_bytes, is_signed ? 8192 : 352);
        /* What is cut out is vetted as a file of its own. */
        AUTO_ANALYSIS cut = NULL;
        rules.version = WORLD_VERSION;
        world_expect_pass(
            world_vet(&rules, flash + report->app_off, (size_t)report->app_bytes, &cut), 13);
        free(flash);
    }
}

static void row_03_refuses__a_factory_image_whose_app_is_no_good(void **state)
{
    (void)state;
    uint8_t app[WORLD_IMAGE_BYTES];
    const struct {
        const char *layout;
        size_t len;
        const char *words;
    } cases[] = {
        {LAYOUT, FLASH_BYTES,
         "(the app in it, at 0x60000, cannot be cut out: the SHA-256 is wrong)"},
        {LAYOUT, SLOT_OFF + 0x100, "cannot be cut out: the input ends too early)"},
        {LAYOUT, SLOT_OFF, "cannot be cut out: the input ends too early)"},
        {"esp32c6_default", FLASH_BYTES, "cannot be cut out: the image is for another chip)"},
        {"esp32c3_rainmaker", FLASH_BYTES,
         "for modules of the layout esp32c3_rainmaker take packed v2 images and the app in it is a "
         "plain one"},
    };

    world_image("esp32c3", app);
    app[sizeof app - 1] ^= 1;
    uint8_t *flash = make_flash(LAYOUT, SLOT_OFF, app, sizeof app);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_in(cases[i].layout, flash, cases[i].len, 3, "OTA_IS_FACTORY_IMAGE", cases[i].words);
    }
    free(flash);
}

/* Of a layout without OTA: the slot is called `factory`. */
static void row_03_refuses__and_finds_the_app_in_the_factory_slot(void **state)
{
    (void)state;
    uint8_t app[WORLD_IMAGE_BYTES];

    world_image("esp32", app);
    uint8_t *flash = make_flash("esp32-d2wd", 0x70000, app, sizeof app);
    aloft_put_le32(flash + 0x8000 + 4 * 32 + 4, 0x70000); /* entry 4 */
    expect_in("esp32_default", flash, FLASH_BYTES, 3, "OTA_IS_FACTORY_IMAGE",
              "I can cut the app out for you, 352 bytes at 0x70000");
    aloft_put_le32(flash + 0x8000 + 4 * 32 + 4, 0); /* a slot where the boot loader is */
    expect_in("esp32_default", flash, FLASH_BYTES, 3, "OTA_IS_FACTORY_IMAGE",
              "its partition table names no app slot");
    free(flash);
}

static void row_03_passes__an_app_image(void **state)
{
    (void)state;
    AUTO_ANALYSIS a = feed_filled(BUFFER_BYTES);

    world_expect_pass(analysis_finish(a), 3);
}

static void row_04_refuses__a_boot_loader(void **state)
{
    (void)state;
    uint8_t buf[sizeof image_b];

    memcpy(buf, image_b, sizeof buf);
    aloft_put_le32(buf + 24, 0x3FFF0000);
    expect_in("esp32_default", buf, sizeof buf, 4, "OTA_IS_BOOTLOADER",
              "this is a boot loader; over the air only the app can be replaced");
    expect_in("esp32c2-2mb", buf, sizeof buf, 4, "OTA_IS_BOOTLOADER",
              "this is a boot loader, but modules of the layout esp32c2-2mb take packed v2 images; "
              "over the air only the app can be replaced: upload the packed image");
}

static void row_04_passes__an_app_image(void **state)
{
    (void)state;
    AUTO_ANALYSIS a = feed_filled(0x1000);

    world_expect_pass(analysis_finish(a), 4);
}

static void other_file_names__are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *code;
        const char *words;
    } cases[] = {
        {"fs_storage.bin", "PART_WOULD_ERASE", "would erase fs_storage"},
        {"esp-at.bin", "PART_NAME", "the files of a ROM are: ota.bin"},
        {"OTA.bin", "PART_NAME", "the files of a ROM are: ota.bin"},
        {".bin", "PART_NAME", "the files of a ROM are: ota.bin"},
        {"", "PART_NAME", "the files of a ROM are: ota.bin"},
        {"a_label_of_more_than_sixteen_bytes.bin", "PART_NAME", "ota.bin"},
    };
    uint8_t image[WORLD_IMAGE_BYTES];

    world_image("esp32c3", image);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct analysis_rules rules = world_rules(LAYOUT);
        rules.file_name = cases[i].name;
        world_only(&rules, image, sizeof image, 32, cases[i].code, ANALYSIS_REFUSAL,
                   cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_image__passes_every_row),
        cmocka_unit_test(feeding__byte_by_byte_gives_the_same_findings),
        cmocka_unit_test(rules__are_copied),
        cmocka_unit_test(row_01_refuses__a_file_too_small_for_an_image),
        cmocka_unit_test(row_01_refuses__a_file_larger_than_the_slot),
        cmocka_unit_test(row_01_passes__a_file_that_fills_the_slot),
        cmocka_unit_test(row_02_refuses__what_people_upload_by_mistake),
        cmocka_unit_test(row_02_refuses__an_nvs_page),
        cmocka_unit_test(row_02_refuses__a_packed_image_for_plain_modules),
        cmocka_unit_test(row_02_refuses__anything_but_packages_for_packed_modules),
        cmocka_unit_test(row_02_refuses__packages_that_are_not_in_their_place),
        cmocka_unit_test(row_02_refuses__everything_where_there_is_one_slot),
        cmocka_unit_test(row_02_passes__an_app_image),
        cmocka_unit_test(row_03_refuses__a_factory_image_without_app_slot),
        cmocka_unit_test(row_03_refuses__a_factory_image_and_offers_its_app),
        cmocka_unit_test(row_03_refuses__a_factory_image_whose_app_is_no_good),
        cmocka_unit_test(row_03_refuses__and_finds_the_app_in_the_factory_slot),
        cmocka_unit_test(row_03_passes__an_app_image),
        cmocka_unit_test(row_04_refuses__a_boot_loader),
        cmocka_unit_test(row_04_passes__an_app_image),
        cmocka_unit_test(other_file_names__are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
