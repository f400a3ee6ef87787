/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "aloft/bytes.h"
#include "aloft/sniff.h"

#include "golden_images.h"

/* facts/esp-formats.md 8.6: first record of the tool's own table. */
static const uint8_t record[32] = {0xAA, 0x50, 1, 2, 0, 0x90, 0, 0, 0, 0x60, 0, 0, 'n', 'v', 's'};

/* facts/esp-formats.md 8.8. */
static const uint8_t nvs_page[32] = {
    0xfc, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x84, 0x2d, 0xba, 0xb9};

/* facts/esp-formats.md 8.1: seq1 VALID. */
static const uint8_t otadata_entry[32] = {
    0x01, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00, 0x9a, 0x98, 0x43, 0x47};

/* Files told by their first bytes; what follows is as good as any. */
static const struct start {
    const char *bytes;
    size_t len;
    enum aloft_sniff_kind kind;
} starts[] = {
    /* clang-format off */
    {"", 0, ALOFT_SNIFF_EMPTY},
    {"\0\1\2\3", 4, ALOFT_SNIFF_UNKNOWN},
    {"\xE9", 1, ALOFT_SNIFF_APP},
    {"\xE9\x00\x02\x20", 4, ALOFT_SNIFF_UNKNOWN}, /* no packed header behind it */
    {"ESP\0\1\1\0\0", 8, ALOFT_SNIFF_PACKED_V1},
    {"ESP\0\2\1\0\0", 8, ALOFT_SNIFF_PACKED_V2},
    {"ESP\0\3\1\x30\0", 8, ALOFT_SNIFF_PACKED_V3},
    {"ESP\0\4\1\0\0", 8, ALOFT_SNIFF_UNKNOWN},
    {"\xFD" "7zXZ\0\0\1", 8, ALOFT_SNIFF_XZ},
    {"\x1F\x8B\x08\0", 4, ALOFT_SNIFF_GZIP},
    {"PK\3\4\x14\0", 6, ALOFT_SNIFF_ZIP},
    {"PK\5\6\0\0", 6, ALOFT_SNIFF_ZIP},
    {"\x7F" "ELF\1\1\1\0", 8, ALOFT_SNIFF_ELF},
    {"\xF1\xF1\x02\0\x1C\0\0\0\1\0\x09\0", 12, ALOFT_SNIFF_PKI},
    {"\xFC\xFC\x01\x01\x4E\xFF\x01\x0D", 8, ALOFT_SNIFF_FACTORY_PARAM},
    {"\x52\x16\x27\x95\x7b\x22", 6, ALOFT_SNIFF_BLE_DATA},
    {"\xEA\x04\x00\x01\0\0\0\0", 8, ALOFT_SNIFF_ESP8266_NONOS},
    {"\xEA\x04\x00\x02", 4, ALOFT_SNIFF_ESP8266_NONOS},
    {"\xEA\x04\x00\x03", 4, ALOFT_SNIFF_UNKNOWN},
    {"\xEA\x04\x00", 3, ALOFT_SNIFF_UNKNOWN},
    {"\xFF\xFF\xFF\xFF", 4, ALOFT_SNIFF_ERASED},
    {":10010000214601360121470136007EFE09D2190140\r\n", 45, ALOFT_SNIFF_HEX},
    {":00000001FF\n", 12, ALOFT_SNIFF_HEX},
    {":wq\n", 4, ALOFT_SNIFF_TEXT},
    {"nvs,data,nvs,,24K\n", 18, ALOFT_SNIFF_TEXT},
    {"caf\xC3\xA9\n", 6, ALOFT_SNIFF_TEXT},
    {"text\x7Fwith DEL", 13, ALOFT_SNIFF_UNKNOWN},
    /* clang-format on */
};

static void sniff__knows_files_by_their_first_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        assert_string_equal(
            aloft_sniff_text(aloft_sniff((const uint8_t *)starts[i].bytes, starts[i].len)),
            aloft_sniff_text(starts[i].kind));
    }
}

static void app_image__is_told_by_its_descriptor(void **state)
{
    (void)state;
    assert_int_equal(aloft_sniff(image_a, sizeof image_a), ALOFT_SNIFF_APP);
}

static void app_image__is_told_by_a_mapped_segment(void **state)
{
    (void)state;
    assert_int_equal(aloft_sniff(image_b, sizeof image_b), ALOFT_SNIFF_APP);
}

static void app_image__with_segments_out_of_sight_gets_the_benefit_of_the_doubt(void **state)
{
    (void)state;
    uint8_t buf[sizeof image_b];

    memcpy(buf, image_b, sizeof buf);
    aloft_put_le32(buf + 24, 0x3FFB0000);
    aloft_put_le32(buf + 28, 0xFFFFFFFC);
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_APP);
}

static void app_image__with_a_broken_count_stays_one(void **state)
{
    (void)state;
    uint8_t buf[sizeof image_b];

    memcpy(buf, image_b, sizeof buf);
    buf[1] = 17;
    aloft_put_le32(buf + 24, 0x3FFB0000);
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_APP);
}

static void boot_loader__is_an_image_without_mapped_segments(void **state)
{
    (void)state;
    uint8_t buf[sizeof image_b];

    memcpy(buf, image_b, sizeof buf);
    aloft_put_le32(buf + 24, 0x3FFF0000);
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_BOOTLOADER);
}

static void boot_loader__is_told_by_its_own_descriptor(void **state)
{
    (void)state;
    uint8_t buf[256];

    memcpy(buf, image_a, sizeof buf);
    buf[1] = 2;
    aloft_put_le32(buf + 24, 0x3FCD0000);
    aloft_put_le32(buf + 28, 0x8000); /* the next header is out of sight */
    memcpy(buf + 0x20, "\x50\0\0\0", 4);
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_BOOTLOADER);
    buf[0x20] = 0x51;
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_APP);
}

/* facts/esp-formats.md 1.9: header of 8 bytes, so bytes 12 and 23 hold something else. */
static void esp8266__has_an_impossible_chip_or_flag(void **state)
{
    (void)state;
    uint8_t buf[64];

    memcpy(buf, image_b, sizeof buf);
    buf[23] = 2;
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_ESP8266);
    buf[23] = 0;
    buf[12] = 0x77;
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_ESP8266);
    /* a descriptor at 0x20 is the ESP32 family's: a chip we do not know, or a damaged flag */
    uint8_t family[sizeof image_a];
    memcpy(family, image_a, sizeof family);
    family[12] = 0x77;
    family[23] = 2;
    assert_int_equal(aloft_sniff(family, sizeof family), ALOFT_SNIFF_APP);
}

static void packed_v3__shows_behind_an_app_prefix(void **state)
{
    (void)state;
    uint8_t buf[0x120 + 8];

    memcpy(buf, image_a, 0x120);
    buf[1] = 0;
    memcpy(buf + 0x120, "ESP\0\3\1\x30\0", 8);
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_PACKED_V3_WRAPPED);
    assert_int_equal(aloft_sniff(buf, 0x120), ALOFT_SNIFF_UNKNOWN);
}

static void partition_table__needs_a_whole_record(void **state)
{
    (void)state;
    uint8_t buf[sizeof record];

    memcpy(buf, record, sizeof buf);
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_PARTITION_TABLE);
    assert_int_equal(aloft_sniff(buf, sizeof buf - 1), ALOFT_SNIFF_UNKNOWN);
    buf[4] = 1; /* an offset no partition can have */
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_UNKNOWN);
}

static void factory_image__shows_boot_loader_and_table(void **state)
{
    (void)state;
    static const uint32_t boot_loaders[] = {0, 0x1000, 0x2000};
    static uint8_t buf[ALOFT_SNIFF_BYTES];

    for (size_t i = 0; i < sizeof boot_loaders / sizeof boot_loaders[0]; i++) {
        memset(buf, 0xFF, sizeof buf);
        memcpy(buf + boot_loaders[i], image_b, sizeof image_b);
        memcpy(buf + 0x8000, record, sizeof record);
        assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_FACTORY);
    }
    memset(buf, 0xFF, 0x8000);
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_UNKNOWN);
}

/* Code may hold AA 50 anywhere; an app image must not be refused for it. */
static void app_image__with_table_magic_inside_stays_one(void **state)
{
    (void)state;
    static uint8_t buf[ALOFT_SNIFF_BYTES];

    memcpy(buf, image_a, sizeof image_a);
    memset(buf + 0x8000, 0x13, 32);
    memcpy(buf + 0x8000, record, 2);
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_APP);
}

static void nvs__needs_a_right_page_header(void **state)
{
    (void)state;
    uint8_t buf[sizeof nvs_page];

    memcpy(buf, nvs_page, sizeof buf);
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_NVS);
    buf[4] = 1;
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_UNKNOWN);
    memcpy(buf, nvs_page, sizeof buf);
    buf[0] = 0xFB; /* no page state */
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_UNKNOWN);
}

static void otadata__may_have_its_entry_in_either_sector(void **state)
{
    (void)state;
    uint8_t buf[0x2000];

    memset(buf, 0xFF, sizeof buf);
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_OTADATA); /* ota_data_initial.bin */
    assert_int_equal(aloft_sniff(buf, sizeof buf - 1), ALOFT_SNIFF_ERASED);
    memcpy(buf + 0x1000, otadata_entry, 32);
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_OTADATA);
    assert_int_equal(aloft_sniff(buf + 0x1000, 0x1000), ALOFT_SNIFF_OTADATA);
    buf[0x1000 + 28] ^= 1;
    assert_int_equal(aloft_sniff(buf, sizeof buf), ALOFT_SNIFF_UNKNOWN);
}

static void text__is_there_for_every_kind(void **state)
{
    (void)state;
    assert_string_equal(aloft_sniff_text(ALOFT_SNIFF_ZIP), "a zip archive");
    assert_string_equal(aloft_sniff_text((enum aloft_sniff_kind)999), "a file of unknown kind");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sniff__knows_files_by_their_first_bytes),
        cmocka_unit_test(app_image__is_told_by_its_descriptor),
        cmocka_unit_test(app_image__is_told_by_a_mapped_segment),
        cmocka_unit_test(app_image__with_segments_out_of_sight_gets_the_benefit_of_the_doubt),
        cmocka_unit_test(app_image__with_a_broken_count_stays_one),
        cmocka_unit_test(boot_loader__is_an_image_without_mapped_segments),
        cmocka_unit_test(boot_loader__is_told_by_its_own_descriptor),
        cmocka_unit_test(esp8266__has_an_impossible_chip_or_flag),
        cmocka_unit_test(packed_v3__shows_behind_an_app_prefix),
        cmocka_unit_test(partition_table__needs_a_whole_record),
        cmocka_unit_test(factory_image__shows_boot_loader_and_table),
        cmocka_unit_test(app_image__with_table_magic_inside_stays_one),
        cmocka_unit_test(nvs__needs_a_right_page_header),
        cmocka_unit_test(otadata__may_have_its_entry_in_either_sector),
        cmocka_unit_test(text__is_there_for_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
