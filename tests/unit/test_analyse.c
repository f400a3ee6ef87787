/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "aloft/bytes.h"
#include "analyse/analyse.h"
#include "host/hashes.h"

#include "golden_images.h"

/*
 * A whole ESP32-C3 image of two segments: image A's descriptor in mapped data, and 16 bytes of RAM
 * with the entry. Every case changes one thing of it.
 */
#define RAM_HEAD     0x120u
#define RAM_DATA     0x128u
#define CHECKSUM_OFF 0x13Fu
#define IMAGE_BYTES  0x160u
#define SIGNED_BYTES 0x2000u
#define BUFFER_BYTES 0x9000u
#define SLOT_BYTES   0x1D0000u

static void seal(uint8_t *image)
{
    AUTO_HASH sha256 = hash_new_sha256();
    uint8_t sum = 0xEF;

    for (size_t i = 0x20; i < CHECKSUM_OFF; i++) {
        bool is_head = i >= RAM_HEAD && i < RAM_DATA;
        sum ^= is_head ? 0 : image[i];
    }
    image[CHECKSUM_OFF] = sum;
    sha256->ops->start(sha256->state);
    sha256->ops->update(sha256->state, image, CHECKSUM_OFF + 1);
    sha256->ops->finish(sha256->state, image + CHECKSUM_OFF + 1);
}

static void make_base(uint8_t *image)
{
    memset(image, 0, IMAGE_BYTES);
    memcpy(image, image_a, 0x120);
    image[1] = 2;
    aloft_put_le32(image + 4, 0x40380000);
    aloft_put_le32(image + RAM_HEAD, 0x40380000);
    aloft_put_le32(image + RAM_HEAD + 4, 16);
    memset(image + RAM_DATA, 0x13, 16);
    seal(image);
}

static struct analysis *analyse(const char *layout, const char *file_name, const void *buf,
                                size_t len)
{
    struct analysis_rules rules = {
        .layout = aloft_layout_by_name(layout), .version = "v0.0.1-test", .file_name = file_name};
    struct analysis *a = analysis_new(&rules);

    assert_non_null(a);
    analysis_feed(a, buf, len);
    return a;
}

static const struct analysis_finding *find_row(const struct analysis_report *report, unsigned row)
{
    for (size_t i = 0; i < report->n_findings; i++) {
        if (report->findings[i].row == row) {
            return &report->findings[i];
        }
    }
    return NULL;
}

/* Judge, and expect one finding that is no pass, the last or the only one. */
static void expect(struct analysis *a, unsigned row, const char *code,
                   enum analysis_verdict verdict, const char *words)
{
    const struct analysis_report *report = analysis_finish(a);
    const struct analysis_finding *finding = find_row(report, row);

    assert_non_null(finding);
    if (strcmp(finding->code, code) != 0 || finding->verdict != verdict ||
        !strstr(finding->sentence, words)) {
        fail_msg("row %u: got %s %s \"%s\", wanted %s %s \"%s\"", row,
                 analysis_verdict_text(finding->verdict), finding->code, finding->sentence,
                 analysis_verdict_text(verdict), code, words);
    }
    assert_int_equal(report->verdict, verdict);
    for (size_t i = 0; i < report->n_findings; i++) {
        assert_true(&report->findings[i] == finding ||
                    report->findings[i].verdict == ANALYSIS_PASS);
    }
    if (verdict == ANALYSIS_REFUSAL) {
        assert_ptr_equal(finding, &report->findings[report->n_findings - 1]);
    }
    analysis_free(a);
}

static void whole_image__passes_every_row(void **state)
{
    (void)state;
    uint8_t image[IMAGE_BYTES];

    make_base(image);
    AUTO_ANALYSIS a = analyse("esp32c3_default", "ota.bin", image, sizeof image);
    const struct analysis_report *report = analysis_finish(a);

    assert_int_equal(report->verdict, ANALYSIS_PASS);
    assert_int_equal(report->n_findings, 21);
    for (unsigned i = 0; i < 21; i++) {
        assert_int_equal(report->findings[i].row, i < 20 ? i + 1 : 34);
        assert_int_equal(report->findings[i].verdict, ANALYSIS_PASS);
        assert_string_equal(report->findings[i].sentence, "");
    }
    assert_int_equal(report->kind, ALOFT_SNIFF_APP);
    assert_int_equal(report->size_bytes, IMAGE_BYTES);
    assert_true(report->has_header && report->has_desc);
    assert_int_equal(report->header.chip_id, 5);
    assert_string_equal(report->desc.version, "v0.0.1-test");
}

/* One change each, in order of rows. */
static const struct change {
    uint32_t off;
    const char *bytes;
    size_t n;
    bool is_sealed; /* Checksum and hash made right again. */
    unsigned row;
    const char *code;
    enum analysis_verdict verdict;
    const char *words;
} changes[] = {
    /* clang-format off */
    {0x0C, "\x0D", 1, true, 5, "OTA_WRONG_CHIP", ANALYSIS_REFUSAL,
     "for the esp32c6, but the modules of the layout esp32c3_default have an esp32c3"},
    {0x0C, "\x77", 1, true, 5, "OTA_WRONG_CHIP", ANALYSIS_REFUSAL, "for the unknown chip"},
    {0x01, "\x11", 1, true, 6, "IMG_SEGMENTS", ANALYSIS_REFUSAL, "17 segments, 1 to 16"},
    {0x1C, "\x02", 1, true, 7, "IMG_SEGMENT_LEN", ANALYSIS_REFUSAL, "segment 0 is damaged: a length of 258 bytes"},
    {0x17, "\x02", 1, true, 8, "IMG_HEADER", ANALYSIS_REFUSAL, "the hash flag is 2"},
    {0x18, "\x24", 1, true, 9, "IMG_ALIGN", ANALYSIS_REFUSAL, "does not sit on its flash page"},
    {0x120, "\x00\x00\x00\x70", 4, true, 10, "IMG_LOAD_ADDR", ANALYSIS_REFUSAL,
     "segment 1 goes to 0x70000000, which is no memory of any chip"},
    {0x04, "\x10", 1, true, 11, "IMG_ENTRY", ANALYSIS_WARNING, "begins at 0x40380010, where no segment"},
    {0x13F, "\x00", 1, false, 12, "IMG_CHECKSUM", ANALYSIS_REFUSAL, "it says 0x00"},
    {0x130, "\x14", 1, false, 12, "IMG_CHECKSUM", ANALYSIS_REFUSAL, "its checksum is 0x"},
    {0x03, "\x10", 1, false, 13, "IMG_HASH", ANALYSIS_REFUSAL, "SHA-256 at its end is not that of its content"},
    {0x20, "\x33", 1, true, 14, "IMG_NO_APP_DESC", ANALYSIS_REFUSAL, "no app descriptor"},
    {0x50, "esp-xx", 6, true, 15, "IMG_PROJECT", ANALYSIS_WARNING, "its project 'esp-xx', expected is 'esp-at'"},
    {0x30, "v9", 2, true, 16, "VER_MISMATCH", ANALYSIS_WARNING,
     "it is version 'v9.0.1-test', but it is filed under 'v0.0.1-test'"},
    {0x30, "\x1B[", 2, true, 16, "VER_MISMATCH", ANALYSIS_WARNING, "'?[.0.1-test', is not printable"},
    {0x0F, "\xC8\x00\xC7\x00", 4, true, 17, "IMG_CHIP_REV", ANALYSIS_REFUSAL, "revision 2.0 and above but 1.99 and below"},
    {0x0F, "\x64\x00", 2, true, 17, "IMG_CHIP_REV", ANALYSIS_WARNING, "revision 1.0 or later"},
    {0x03, "\x30", 1, true, 18, "IMG_FLASH_PARAMS", ANALYSIS_WARNING,
     "for 8 MB of flash, the modules of the layout esp32c3_default have 4 MB"},
    /* clang-format on */
};

static void one_change__is_found_in_its_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const struct change *c = &changes[i];
        uint8_t image[IMAGE_BYTES];

        make_base(image);
        memcpy(image + c->off, c->bytes, c->n);
        if (c->is_sealed) {
            seal(image);
        }
        expect(analyse("esp32c3_default", "ota.bin", image, sizeof image), c->row, c->code,
               c->verdict, c->words);
    }
}

/* Of 0xFF padding, a signature sector, and things that should not be there. */
static void tail__may_be_filling_or_a_signature(void **state)
{
    (void)state;
    static uint8_t file[SIGNED_BYTES + 4];
    static uint8_t block[1216];

    memset(file, 0xFF, sizeof file);
    make_base(file);
    expect(analyse("esp32c3_default", "ota.bin", file, 0x1000), 19, "IMG_TRAILING", ANALYSIS_PASS,
           "");
    /* facts/esp-formats.md 1.8: magic, version, CRC over 1196 bytes. */
    block[0] = 0xE7;
    block[1] = 3;
    block[36] = 2; /* P-256 */
    aloft_put_le32(block + 1196, aloft_crc32(0, block, 1196));
    memcpy(file + 0x1000, block, sizeof block);
    expect(analyse("esp32c3_default", "ota.bin", file, SIGNED_BYTES), 20, "SIG_DIGEST",
           ANALYSIS_WARNING, "the signature belongs to other content");
    file[0x1000 + 50] ^= 1;
    expect(analyse("esp32c3_default", "ota.bin", file, SIGNED_BYTES), 19, "IMG_TRAILING",
           ANALYSIS_REFUSAL, "7840 bytes follow the end");
    file[0x1000 + 50] ^= 1;
    file[0x800] = 0;
    expect(analyse("esp32c3_default", "ota.bin", file, SIGNED_BYTES), 19, "IMG_TRAILING",
           ANALYSIS_REFUSAL, "neither filling nor a signature");
}

static void cut_image__says_how_much_is_missing(void **state)
{
    (void)state;
    uint8_t image[IMAGE_BYTES];

    make_base(image);
    expect(analyse("esp32c3_default", "ota.bin", image, 0x128), 7, "IMG_TRUNCATED",
           ANALYSIS_REFUSAL, "it has 296 bytes and 56 are missing");
    expect(analyse("esp32c3_default", "ota.bin", image, sizeof image - 1), 7, "IMG_TRUNCATED",
           ANALYSIS_REFUSAL, "it has 351 bytes and 1 are missing");
    expect(analyse("esp32c3_default", "ota.bin", image, 0x100), 7, "IMG_TRUNCATED",
           ANALYSIS_REFUSAL, "it has 256 bytes and at least 80 are missing");
}

static void small_file__is_no_image(void **state)
{
    (void)state;
    uint8_t image[IMAGE_BYTES];

    make_base(image);
    expect(analyse("esp32c3_default", "ota.bin", "", 0), 1, "OTA_EMPTY", ANALYSIS_REFUSAL,
           "this is an empty file; upload esp-at.bin");
    expect(analyse("esp32c3_default", "ota.bin", image, 31), 1, "OTA_EMPTY", ANALYSIS_REFUSAL,
           "only 31 bytes");
}

static void image_larger_than_the_slot__is_refused(void **state)
{
    (void)state;
    uint8_t image[IMAGE_BYTES];
    static uint8_t filling[0x10000];
    size_t len = SLOT_BYTES - IMAGE_BYTES;

    make_base(image);
    memset(filling, 0xFF, sizeof filling);
    for (size_t extra = 0; extra < 2; extra++) {
        struct analysis *a = analyse("esp32c3_default", "ota.bin", image, sizeof image);
        for (size_t left = len + extra; left > 0;) {
            size_t n = left < sizeof filling ? left : sizeof filling;
            analysis_feed(a, filling, n);
            left -= n;
        }
        const struct analysis_finding *finding = find_row(analysis_finish(a), 1);
        assert_int_equal(finding->verdict, extra ? ANALYSIS_REFUSAL : ANALYSIS_PASS);
        if (extra) {
            assert_string_equal(finding->code, "OTA_TOO_BIG");
            assert_non_null(strstr(finding->sentence, "1900545 bytes, but the slots of the layout "
                                                      "esp32c3_default have 1900544"));
        }
        analysis_free(a);
    }
}

static void image_without_hash__is_taken_with_a_warning(void **state)
{
    (void)state;
    uint8_t image[IMAGE_BYTES];

    make_base(image);
    image[23] = 0;
    seal(image);
    expect(analyse("esp32c3_default", "ota.bin", image, CHECKSUM_OFF + 1), 8, "IMG_NO_HASH",
           ANALYSIS_WARNING, "no SHA-256 at its end");
}

static void load_address_of_another_chip__is_a_warning(void **state)
{
    (void)state;
    uint8_t image[IMAGE_BYTES];

    make_base(image);
    aloft_put_le32(image + 4, 0x40800000); /* RAM of the C6 */
    aloft_put_le32(image + RAM_HEAD, 0x40800000);
    seal(image);
    expect(analyse("esp32c3_default", "ota.bin", image, sizeof image), 10, "IMG_LOAD_ADDR",
           ANALYSIS_WARNING, "segment 1 goes to 0x40800000, which is no memory of the esp32c3");
}

static void chip_revision__is_held_against_the_layouts_builds(void **state)
{
    (void)state;
    uint8_t image[IMAGE_BYTES];

    make_base(image);
    image[12] = 0x0C; /* C2; the -g2 modules have revision 2.0 or later, image A goes to 1.99 */
    image[15] = 0;
    aloft_put_le32(image + 4, 0x40380000);
    seal(image);
    expect(analyse("esp32c2-4mb-g2", "ota.bin", image, sizeof image), 17, "IMG_CHIP_REV",
           ANALYSIS_REFUSAL, "up to revision 1.99, but the modules of the layout esp32c2-4mb-g2");
    expect(analyse("esp32c2_default", "ota.bin", image, sizeof image), 17, "IMG_CHIP_REV",
           ANALYSIS_PASS, "");
    image[17] = 200;
    seal(image);
    expect(analyse("esp32c2-4mb-g2", "ota.bin", image, sizeof image), 17, "IMG_CHIP_REV",
           ANALYSIS_PASS, "");
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

static void wrong_kind__is_called_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        uint8_t buf[64] = {0};

        memcpy(buf, mistakes[i].bytes, mistakes[i].n);
        expect(analyse("esp32c3_default", "ota.bin", buf, sizeof buf), 2, "OTA_WRONG_KIND",
               ANALYSIS_REFUSAL, mistakes[i].words);
    }
}

static void nvs__is_called_by_its_name(void **state)
{
    (void)state;
    uint8_t page[32];

    memset(page, 0xFF, sizeof page); /* facts/esp-formats.md 8.8 */
    memcpy(page, "\xFC\xFF\xFF\xFF\0\0\0\0\xFE", 9);
    memcpy(page + 28, "\x84\x2D\xBA\xB9", 4);
    expect(analyse("esp32c3_default", "ota.bin", page, sizeof page), 2, "OTA_WRONG_KIND",
           ANALYSIS_REFUSAL, "this is an NVS partition; upload esp-at.bin");
}

static void wrapped_packed_image__is_called_by_its_name(void **state)
{
    (void)state;
    uint8_t buf[IMAGE_BYTES];

    make_base(buf);
    buf[1] = 0;
    memcpy(buf + 0x120, "ESP\0\3\1", 6);
    expect(analyse("esp32c3_default", "ota.bin", buf, sizeof buf), 2, "OTA_WRONG_KIND",
           ANALYSIS_REFUSAL, "this is a packed image v3; these modules take plain images");
}

static void factory_image__is_told_from_its_boot_loader(void **state)
{
    (void)state;
    static const uint32_t boot_loaders[] = {0, 0x1000, 0x2000};
    static uint8_t flash[BUFFER_BYTES];

    for (size_t i = 0; i < 3; i++) {
        memset(flash, 0xFF, sizeof flash);
        memcpy(flash + boot_loaders[i], image_b, sizeof image_b);
        memcpy(flash + 0x8000,
               "\xAA\x50\x01\x02\0\x90\0\0\0\x60\0\0nvs\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32);
        expect(analyse("esp32_default", "ota.bin", flash, sizeof flash), 3, "OTA_IS_FACTORY_IMAGE",
               ANALYSIS_REFUSAL,
               "this is a factory image (the whole flash); upload esp-at.bin from the same build");
    }
}

static void boot_loader__is_refused(void **state)
{
    (void)state;
    uint8_t buf[sizeof image_b];

    memcpy(buf, image_b, sizeof buf);
    aloft_put_le32(buf + 24, 0x3FFF0000);
    expect(analyse("esp32_default", "ota.bin", buf, sizeof buf), 4, "OTA_IS_BOOTLOADER",
           ANALYSIS_REFUSAL, "this is a boot loader; over the air only the app can be replaced");
}

static void layouts_without_plain_uploads__say_why(void **state)
{
    (void)state;
    uint8_t image[IMAGE_BYTES];

    make_base(image);
    expect(analyse("esp32c5_default", "ota.bin", image, sizeof image), 2, "OTA_WRONG_KIND",
           ANALYSIS_REFUSAL,
           "this is an app image, but modules of the layout esp32c5_default take packed v3 images; "
           "upload the packed image of the same build (esp-at.bin.xz.packed)");
    expect(analyse("esp32c2-2mb", "ota.bin", image, sizeof image), 2, "OTA_WRONG_KIND",
           ANALYSIS_REFUSAL, "take packed v2 images");
    expect(analyse("esp32-d2wd", "ota.bin", image, sizeof image), 2, "OTA_NO_SLOT",
           ANALYSIS_REFUSAL, "one app slot and nowhere to put a second image");
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
    uint8_t image[IMAGE_BYTES];

    make_base(image);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect(analyse("esp32c3_default", cases[i].name, image, sizeof image), 32, cases[i].code,
               ANALYSIS_REFUSAL, cases[i].words);
    }
}

static void version_and_project__are_the_callers(void **state)
{
    (void)state;
    uint8_t image[IMAGE_BYTES];
    struct analysis_rules rules = {.layout = aloft_layout_by_name("esp32c3_default"),
                                   .file_name = "ota.bin",
                                   .project_name = "thermostat"};

    make_base(image);
    memcpy(image + 0x50, "thermostat", 10);
    seal(image);
    AUTO_ANALYSIS a = analysis_new(&rules);
    analysis_feed(a, image, sizeof image);
    assert_int_equal(analysis_finish(a)->verdict, ANALYSIS_PASS);
}

/* An upload arrives in portions of the network's choice. */
static void feeding__byte_by_byte_gives_the_same_findings(void **state)
{
    (void)state;
    static uint8_t file[SIGNED_BYTES];
    struct analysis_rules rules = {.layout = aloft_layout_by_name("esp32c3_default"),
                                   .version = "v0.0.1-test",
                                   .file_name = "ota.bin"};

    memset(file, 0xFF, sizeof file);
    make_base(file);
    file[0x1000] = 0xE7;
    file[0x1001] = 2;
    aloft_put_le32(file + 0x1000 + 1196, aloft_crc32(0, file + 0x1000, 1196));
    AUTO_ANALYSIS a = analysis_new(&rules);
    for (size_t i = 0; i < sizeof file; i++) {
        analysis_feed(a, file + i, 1);
    }
    const struct analysis_report *report = analysis_finish(a);
    assert_int_equal(report->verdict, ANALYSIS_WARNING); /* the signature is none */
    assert_int_equal(report->n_findings, 21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_image__passes_every_row),
        cmocka_unit_test(one_change__is_found_in_its_row),
        cmocka_unit_test(tail__may_be_filling_or_a_signature),
        cmocka_unit_test(cut_image__says_how_much_is_missing),
        cmocka_unit_test(small_file__is_no_image),
        cmocka_unit_test(image_larger_than_the_slot__is_refused),
        cmocka_unit_test(image_without_hash__is_taken_with_a_warning),
        cmocka_unit_test(load_address_of_another_chip__is_a_warning),
        cmocka_unit_test(chip_revision__is_held_against_the_layouts_builds),
        cmocka_unit_test(wrong_kind__is_called_by_its_name),
        cmocka_unit_test(nvs__is_called_by_its_name),
        cmocka_unit_test(wrapped_packed_image__is_called_by_its_name),
        cmocka_unit_test(factory_image__is_told_from_its_boot_loader),
        cmocka_unit_test(boot_loader__is_refused),
        cmocka_unit_test(layouts_without_plain_uploads__say_why),
        cmocka_unit_test(other_file_names__are_refused),
        cmocka_unit_test(version_and_project__are_the_callers),
        cmocka_unit_test(feeding__byte_by_byte_gives_the_same_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
