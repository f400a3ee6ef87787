/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "aloft/app_image.h"
#include "aloft/bytes.h"
#include "host/hashes.h"

#include "golden_images.h"

#define C3 "esp32c3"

static enum aloft_err feed_all(struct aloft_app_image *img, const uint8_t *buf, size_t len)
{
    size_t used;

    enum aloft_err err = aloft_app_image_feed(img, buf, len, &used);
    return err == ALOFT_ERR_OK ? aloft_app_image_finish(img) : err;
}

/* Reads the whole in one go, with hash. */
static enum aloft_err read_image(struct aloft_app_image *img, const struct aloft_app_rules *rules,
                                 const uint8_t *buf, size_t len)
{
    AUTO_HASH sha256 = hash_new_sha256();

    aloft_app_image_init(img, rules, sha256);
    return feed_all(img, buf, len);
}

static struct aloft_app_rules rules_for(const char *chip)
{
    return (struct aloft_app_rules){.chip = aloft_chip_by_name(chip)};
}

static void image_a__is_read_and_passes(void **state)
{
    (void)state;
    struct aloft_app_rules rules = {aloft_chip_by_name(C3), 3, sizeof image_a, false, true, false};
    struct aloft_app_image img;

    assert_err(read_image(&img, &rules, image_a, sizeof image_a), ALOFT_ERR_OK);
    assert_true(aloft_app_image_is_complete(&img));
    assert_int_equal(img.header.segment_count, 1);
    assert_int_equal(img.header.spi_mode, 2);
    assert_int_equal(img.header.spi_speed, 0);
    assert_int_equal(img.header.spi_size, 2);
    assert_int_equal(img.header.entry_addr, 0x42000020);
    assert_int_equal(img.header.chip_id, 5);
    assert_int_equal(img.header.min_chip_rev, 3);
    assert_int_equal(img.header.max_chip_rev, 199);
    assert_int_equal(img.header.hash_appended, 1);
    assert_int_equal(img.n_segments, 1);
    assert_int_equal(img.segments[0].load_addr, 0x3C000020);
    assert_int_equal(img.segments[0].size_bytes, 256);
    assert_int_equal(img.segments[0].data_off, 0x20);
    assert_int_equal(img.checksum, 0x0F);
    assert_int_equal(img.checksum_stored, 0x0F);
    assert_int_equal(img.image_bytes, 336);
    assert_int_equal(img.signature_off, 4096);
    assert_memory_equal(img.hash, image_a + 0x130, 32);
}

static void image_a__shows_its_descriptor(void **state)
{
    (void)state;
    struct aloft_app_rules rules = rules_for(C3);
    struct aloft_app_image img;

    assert_err(read_image(&img, &rules, image_a, sizeof image_a), ALOFT_ERR_OK);
    assert_true(img.has_desc);
    assert_string_equal(img.desc.version, "v0.0.1-test");
    assert_string_equal(img.desc.project_name, "esp-at");
    assert_string_equal(img.desc.compile_time, "12:34:56");
    assert_string_equal(img.desc.compile_date, "Jan  1 2025");
    assert_string_equal(img.desc.idf_version, "v5.4.4");
    assert_memory_equal(img.desc.elf_sha256, image_a + 0xB0, 32);
    assert_int_equal(img.desc.secure_version, 0);
    assert_int_equal(img.desc.min_efuse_rev, 0);
    assert_int_equal(img.desc.max_efuse_rev, 199);
    assert_int_equal(img.desc.mmu_page_log2, 16);
}

/* facts/esp-formats.md 8.3, "First failing check": every one-change row, and where it shows. */
static const struct change {
    uint32_t off;
    const char *bytes;
    size_t len;
    enum aloft_err err;
    uint32_t err_off;
} changes[] = {
    {0x00, "\xEA", 1, ALOFT_ERR_MAGIC, 0},
    {0x0C, "\x0D", 1, ALOFT_ERR_CHIP, 13},
    {0x0F, "\xE8\x03", 2, ALOFT_ERR_CHIP_REVISION, 23},
    {0x01, "\x11", 1, ALOFT_ERR_SEGMENT_COUNT, 23},
    {0x01, "\x00", 1, ALOFT_ERR_SEGMENT_COUNT, 23},
    {0x1C, "\x02", 1, ALOFT_ERR_SEGMENT_LEN, 31},
    {0x1F, "\x01", 1, ALOFT_ERR_SEGMENT_LEN, 31}, /* 16 MiB + 256 */
    {0x18, "\x24", 1, ALOFT_ERR_ALIGN, 31},
    {0x12F, "\x10", 1, ALOFT_ERR_CHECKSUM, 0x12F},
    {0x130, "\xC6", 1, ALOFT_ERR_HASH, 335},
    {0x03, "\x30", 1, ALOFT_ERR_HASH, 335},
    {0x24, "\x01", 1, ALOFT_ERR_CHECKSUM, 0x12F},
    {0x20, "\x33", 1, ALOFT_ERR_NO_APP_DESC, 35},
};

static void image_a__fails_at_the_first_check_after_each_change(void **state)
{
    (void)state;
    struct aloft_app_rules rules = {aloft_chip_by_name(C3), 101, 0, false, true, false};

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const struct change *c = &changes[i];
        struct aloft_app_image img;
        uint8_t copy[sizeof image_a];
        size_t used;

        memcpy(copy, image_a, sizeof copy);
        memcpy(copy + c->off, c->bytes, c->len);
        assert_err(read_image(&img, &rules, copy, sizeof copy), c->err);
        assert_int_equal(img.err_off, c->err_off);
        assert_false(aloft_app_image_is_complete(&img));
        assert_err(aloft_app_image_feed(&img, copy, sizeof copy, &used), c->err);
        assert_int_equal(used, 0);
        assert_err(aloft_app_image_finish(&img), c->err);
    }
}

static void image_a__cut_short_is_truncated_in_a_file_and_bad_on_flash(void **state)
{
    (void)state;
    struct aloft_app_rules rules = rules_for(C3);
    struct aloft_app_image img;
    uint8_t flash[sizeof image_a];

    for (size_t len = 0; len < sizeof image_a; len++) {
        assert_err(read_image(&img, &rules, image_a, len), ALOFT_ERR_TRUNCATED);
    }
    memcpy(flash, image_a, sizeof flash);
    memset(flash + 300, 0xFF, sizeof flash - 300);
    assert_err(read_image(&img, &rules, flash, sizeof flash), ALOFT_ERR_CHECKSUM);
}

static void chip_revision__is_judged_by_both_bounds(void **state)
{
    (void)state;
    static const struct {
        uint16_t revision;
        uint16_t max;
        enum aloft_err err;
    } cases[] = {
        {0, 199, ALOFT_ERR_OK},     {2, 199, ALOFT_ERR_CHIP_REVISION},
        {3, 199, ALOFT_ERR_OK},     {199, 199, ALOFT_ERR_OK},
        {200, 0, ALOFT_ERR_OK},     {200, 199, ALOFT_ERR_CHIP_REVISION},
        {200, 65535, ALOFT_ERR_OK},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct aloft_app_rules rules = {.chip = aloft_chip_by_name(C3),
                                        .chip_revision = cases[i].revision};
        struct aloft_app_image img;
        uint8_t head[ALOFT_APP_HEADER_BYTES];
        size_t used;

        memcpy(head, image_a, sizeof head);
        aloft_put_le16(head + 17, cases[i].max);
        aloft_app_image_init(&img, &rules, NULL);
        assert_err(aloft_app_image_feed(&img, head, sizeof head, &used), cases[i].err);
    }
}

/* A reader that got the bytes in portions must end in exactly the state of one that got all. */
static void feeding__in_any_portions_gives_the_same_result(void **state)
{
    (void)state;
    struct aloft_app_rules rules = rules_for(C3);
    uint32_t seed = 1;

    for (unsigned round = 0; round < 200; round++) {
        AUTO_HASH sha256 = hash_new_sha256();
        struct aloft_app_image img;
        size_t off = 0;

        aloft_app_image_init(&img, &rules, sha256);
        while (off < sizeof image_a) {
            seed = seed * 1664525u + 1013904223u;
            size_t n = round == 0 ? 1 : 1 + (seed >> 16) % (round < 100 ? 7 : 90);
            size_t used;
            n = n > sizeof image_a - off ? sizeof image_a - off : n;
            assert_false(aloft_app_image_is_complete(&img));
            assert_err(aloft_app_image_feed(&img, image_a + off, n, &used), ALOFT_ERR_OK);
            assert_int_equal(used, n);
            off += n;
        }
        assert_err(aloft_app_image_finish(&img), ALOFT_ERR_OK);
        assert_string_equal(img.desc.version, "v0.0.1-test");
        assert_memory_equal(img.hash, image_a + 0x130, 32);
    }
}

static void least_bytes__is_exact_behind_the_last_segment_header(void **state)
{
    (void)state;
    struct aloft_app_rules rules = rules_for("esp32");
    struct aloft_app_image img;
    size_t used;

    aloft_app_image_init(&img, &rules, NULL);
    assert_err(aloft_app_image_feed(&img, image_b, 23, &used), ALOFT_ERR_OK);
    assert_int_equal(aloft_app_image_least_bytes(&img), 0);
    assert_err(aloft_app_image_feed(&img, image_b + 23, 1, &used), ALOFT_ERR_OK);
    assert_int_equal(aloft_app_image_least_bytes(&img), 64); /* 24 + 3 * 8, and a row */
    assert_err(aloft_app_image_feed(&img, image_b + 24, 8, &used), ALOFT_ERR_OK);
    assert_int_equal(aloft_app_image_least_bytes(&img), 64); /* 32 + 4 + 2 * 8 */
    assert_err(aloft_app_image_feed(&img, image_b + 32, 0x3C - 32, &used), ALOFT_ERR_OK);
    assert_int_equal(aloft_app_image_least_bytes(&img), 80);
}

static void feeding__stops_at_the_end_of_the_image(void **state)
{
    (void)state;
    struct aloft_app_rules rules = rules_for(C3);
    struct aloft_app_image img;
    uint8_t longer[sizeof image_a + 100];
    size_t used;

    memcpy(longer, image_a, sizeof image_a);
    memset(longer + sizeof image_a, 0xE9, 100);
    aloft_app_image_init(&img, &rules, NULL);
    assert_err(aloft_app_image_feed(&img, longer, sizeof longer, &used), ALOFT_ERR_OK);
    assert_int_equal(used, sizeof image_a);
    assert_err(aloft_app_image_feed(&img, longer, sizeof longer, &used), ALOFT_ERR_OK);
    assert_int_equal(used, 0);
    assert_true(aloft_app_image_is_complete(&img));
}

static void image_b__passes_without_descriptor_and_hash(void **state)
{
    (void)state;
    struct aloft_app_rules rules = rules_for("esp32");
    struct aloft_app_image img;

    assert_err(read_image(&img, &rules, image_b, sizeof image_b), ALOFT_ERR_OK);
    assert_false(img.has_desc);
    assert_int_equal(img.n_segments, 3);
    assert_int_equal(img.segments[0].load_addr, 0x3F400020);
    assert_int_equal(img.segments[1].load_addr, 0);
    assert_int_equal(img.segments[1].data_off, 0x2C);
    assert_int_equal(img.segments[2].load_addr, 0x40080000);
    assert_int_equal(img.segments[2].size_bytes, 8);
    assert_int_equal(img.checksum_stored, 0xAB);
    assert_int_equal(img.image_bytes, 80);
}

static void image_b__is_refused_where_a_descriptor_is_required(void **state)
{
    (void)state;
    struct aloft_app_rules rules = rules_for("esp32");
    struct aloft_app_image img;

    rules.requires_app_desc = true;
    assert_err(read_image(&img, &rules, image_b, sizeof image_b), ALOFT_ERR_NO_APP_DESC);
    assert_int_equal(img.err_off, 31);
}

/* One segment of padding type (never mapped) with `len` bytes of `data`; returns the length. */
static size_t make_plain(uint8_t *out, const uint8_t *data, uint32_t len)
{
    size_t end = (32 + len + 1 + 15) & ~(size_t)15;

    memset(out, 0, end);
    memcpy(out, image_b, ALOFT_APP_HEADER_BYTES);
    out[1] = 1;
    aloft_put_le32(out + 28, len);
    memcpy(out + 32, data, len);
    return end;
}

/* facts/esp-formats.md 8.4. */
static void checksum__has_the_values_of_the_micro_cases(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        uint32_t len;
        uint8_t sum;
    } cases[] = {
        {"", 0, 0xEF},
        {"\x01\x02\x03\x04", 4, 0xEB},
        {"\xEF\0\0\0", 4, 0x00},
        {"\xFF\xFF\xFF\xFF", 4, 0xEF},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct aloft_app_rules rules = rules_for("esp32");
        struct aloft_app_image img;
        uint8_t buf[64];
        size_t len = make_plain(buf, (const uint8_t *)cases[i].data, cases[i].len);

        buf[len - 1] = cases[i].sum;
        assert_err(read_image(&img, &rules, buf, len), ALOFT_ERR_OK);
        buf[len - 1] ^= 1;
        assert_err(read_image(&img, &rules, buf, len), ALOFT_ERR_CHECKSUM);
        assert_int_equal(img.checksum, cases[i].sum);
    }
}

/* 1 to 16 bytes: when the data ends on a row, a whole row is added (facts/esp-formats.md 1.3). */
static void checksum__is_padded_to_the_next_row_even_from_a_row(void **state)
{
    (void)state;
    static const struct {
        uint32_t data_bytes;
        uint32_t image_bytes;
    } cases[] = {{0, 48}, {4, 48}, {8, 48}, {12, 48}, {16, 64}, {20, 64}, {28, 64}, {32, 80}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct aloft_app_rules rules = rules_for("esp32");
        struct aloft_app_image img;
        uint8_t buf[96];
        uint8_t zeros[32] = {0};
        size_t len = make_plain(buf, zeros, cases[i].data_bytes);

        buf[len - 1] = 0xEF;
        assert_err(read_image(&img, &rules, buf, len), ALOFT_ERR_OK);
        assert_int_equal(img.image_bytes, cases[i].image_bytes);
    }
}

static void slot__must_hold_the_image_and_its_signature_sector(void **state)
{
    (void)state;
    static const struct {
        uint32_t slot_bytes;
        bool has_signature;
        enum aloft_err err;
    } cases[] = {
        {336, false, ALOFT_ERR_OK},
        {335, false, ALOFT_ERR_TOO_BIG},
        {1, false, ALOFT_ERR_TOO_BIG},
        {8192, true, ALOFT_ERR_OK}, /* facts/esp-formats.md 8.5: 4096 + signature sector */
        {8191, true, ALOFT_ERR_TOO_BIG},
        {4096, true, ALOFT_ERR_TOO_BIG},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct aloft_app_rules rules = {.chip = aloft_chip_by_name(C3),
                                        .slot_bytes = cases[i].slot_bytes,
                                        .has_signature = cases[i].has_signature};
        struct aloft_app_image img;

        assert_err(read_image(&img, &rules, image_a, sizeof image_a), cases[i].err);
        if (cases[i].err == ALOFT_ERR_TOO_BIG) {
            assert_int_equal(img.err_off, 31); /* known from the segment header, before its data */
        }
    }
}

static void segment_len__stays_below_16_mib(void **state)
{
    (void)state;
    static const struct {
        uint32_t len;
        uint32_t slot_bytes;
        enum aloft_err err;
    } cases[] = {
        {0xFFFFFC, 0, ALOFT_ERR_OK},
        {0xFFFFFC, 0x1000000, ALOFT_ERR_TOO_BIG},
        {0x1000000, 0, ALOFT_ERR_SEGMENT_LEN},
        {0xFFFFFFFC, 0x1000000, ALOFT_ERR_SEGMENT_LEN}, /* its sum with the offset would wrap */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct aloft_app_rules rules = {.chip = aloft_chip_by_name("esp32"),
                                        .slot_bytes = cases[i].slot_bytes,
                                        .has_signature = true};
        struct aloft_app_image img;
        uint8_t buf[64];
        size_t used;

        (void)make_plain(buf, (const uint8_t *)"", 0);
        buf[1] = 16;
        aloft_put_le32(buf + 28, cases[i].len);
        aloft_app_image_init(&img, &rules, NULL);
        assert_err(aloft_app_image_feed(&img, buf, 32, &used), cases[i].err);
    }
}

/* Image A turned into one for a chip whose page size stands in the descriptor. */
static size_t make_small_page(uint8_t *out, uint8_t spi_size, uint8_t log2, uint32_t load_addr)
{
    memcpy(out, image_a, sizeof image_a);
    out[3] = (uint8_t)(spi_size << 4);
    out[12] = 0x0C;
    aloft_put_le32(out + 24, load_addr);
    out[0x20 + 180] = log2;
    out[0x12F] = (uint8_t)(0x0F ^ 0x10 ^ log2);
    out[23] = 0;
    return 0x130;
}

static void page_size__follows_the_descriptor_on_c2(void **state)
{
    (void)state;
    static const struct {
        uint8_t spi_size;
        uint8_t log2;
        uint32_t load_addr;
        enum aloft_err err;
    } cases[] = {
        {2, 16, 0x3C000020, ALOFT_ERR_OK},
        {2, 16, 0x3C008020, ALOFT_ERR_ALIGN},
        {2, 15, 0x3C008020, ALOFT_ERR_OK},
        {2, 15, 0x3C004020, ALOFT_ERR_ALIGN},
        {2, 14, 0x3C004020, ALOFT_ERR_OK},
        {2, 13, 0x3C002020, ALOFT_ERR_OK},
        {2, 13, 0x3C001020, ALOFT_ERR_ALIGN},
        {2, 12, 0x3C000020, ALOFT_ERR_ALIGN},
        {2, 17, 0x3C000020, ALOFT_ERR_ALIGN},
        {2, 255, 0x3C000020, ALOFT_ERR_ALIGN},
        /* 0: built before the field existed; the page follows the flash size */
        {2, 0, 0x3C008020, ALOFT_ERR_ALIGN},
        {1, 0, 0x3C008020, ALOFT_ERR_OK},
        {1, 0, 0x3C004020, ALOFT_ERR_ALIGN},
        {0, 0, 0x3C004020, ALOFT_ERR_OK},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct aloft_app_rules rules = rules_for("esp32c2");
        struct aloft_app_image img;
        uint8_t buf[sizeof image_a];
        size_t len = make_small_page(buf, cases[i].spi_size, cases[i].log2, cases[i].load_addr);

        assert_err(read_image(&img, &rules, buf, len), cases[i].err);
    }
}

static void app_desc__is_required_by_the_chips_own_boot_loader(void **state)
{
    (void)state;
    struct aloft_app_image img;
    uint8_t buf[sizeof image_a];

    for (size_t i = 0; aloft_chip_at(i); i++) {
        const struct aloft_chip *chip = aloft_chip_at(i);
        struct aloft_app_rules rules = {.chip = chip};
        bool is_needed =
            chip->id == 0x0C || chip->id == 0x0D || chip->id == 0x10 || chip->id == 0x14;

        memcpy(buf, image_a, sizeof buf);
        aloft_put_le16(buf + 12, chip->id);
        aloft_put_le32(buf + 24, 0x08); /* padding type: no alignment rule */
        buf[0x20] ^= 1;
        buf[0x12F] ^= 1;
        buf[23] = 0;
        assert_err(read_image(&img, &rules, buf, 0x130),
                   is_needed ? ALOFT_ERR_NO_APP_DESC : ALOFT_ERR_OK);
        rules.is_bootloader = true;
        assert_err(read_image(&img, &rules, buf, 0x130), ALOFT_ERR_OK);
        rules.is_bootloader = false;
        /* A segment too short for a descriptor is none either. */
        aloft_put_le32(buf + 28, 252);
        aloft_app_image_init(&img, &rules, NULL);
        size_t used;
        assert_err(aloft_app_image_feed(&img, buf, 32, &used),
                   is_needed ? ALOFT_ERR_NO_APP_DESC : ALOFT_ERR_OK);
    }
}

static void any_chip__takes_the_images_own_rules(void **state)
{
    (void)state;
    struct aloft_app_rules rules = {0};
    struct aloft_app_image img;
    uint8_t buf[sizeof image_a];

    assert_err(read_image(&img, &rules, image_a, sizeof image_a), ALOFT_ERR_OK);
    memcpy(buf, image_a, sizeof buf);
    buf[0x18] = 0x24;
    assert_err(read_image(&img, &rules, buf, sizeof buf), ALOFT_ERR_ALIGN);
    aloft_put_le16(buf + 12, 0x7777); /* unknown: nothing is known to be mapped */
    buf[23] = 0;
    assert_err(read_image(&img, &rules, buf, 0x130), ALOFT_ERR_OK);
}

static void second_mapped_segment__must_sit_on_its_page(void **state)
{
    (void)state;
    struct aloft_app_rules rules = rules_for("esp32");
    struct aloft_app_image img;
    uint8_t buf[sizeof image_b];

    memcpy(buf, image_b, sizeof buf);
    aloft_put_le32(buf + 0x34, 0x400D003C); /* its data stands at 0x3C */
    assert_err(read_image(&img, &rules, buf, sizeof buf), ALOFT_ERR_OK);
    aloft_put_le32(buf + 0x34, 0x400D0020);
    assert_err(read_image(&img, &rules, buf, sizeof buf), ALOFT_ERR_ALIGN);
    assert_int_equal(img.n_segments, 3);
}

static void header_parse__judges_only_the_magic(void **state)
{
    (void)state;
    struct aloft_app_header header;
    uint8_t buf[ALOFT_APP_HEADER_BYTES];

    memset(buf, 0xFF, sizeof buf);
    assert_err(aloft_app_header_parse(buf, &header), ALOFT_ERR_MAGIC);
    buf[0] = 0xE9;
    assert_err(aloft_app_header_parse(buf, &header), ALOFT_ERR_OK);
    assert_int_equal(header.segment_count, 255);
    assert_int_equal(header.spi_speed, 15);
    assert_int_equal(header.max_chip_rev, 65535);
}

static void desc_parse__ends_full_text_fields(void **state)
{
    (void)state;
    struct aloft_app_desc desc;
    uint8_t buf[ALOFT_APP_DESC_BYTES];

    memset(buf, 'x', sizeof buf);
    assert_err(aloft_app_desc_parse(buf, &desc), ALOFT_ERR_NO_APP_DESC);
    aloft_put_le32(buf, ALOFT_APP_DESC_MAGIC);
    assert_err(aloft_app_desc_parse(buf, &desc), ALOFT_ERR_OK);
    assert_int_equal(strlen(desc.version), 32);
    assert_int_equal(strlen(desc.compile_date), 16);
}

static void chips__are_found_by_id_and_name(void **state)
{
    (void)state;
    assert_int_equal(aloft_chip_by_name("esp32c61")->id, 0x14);
    assert_int_equal(aloft_chip_by_name("esp32c5")->bootloader_off, 0x2000);
    assert_string_equal(aloft_chip_by_id(0x09)->name, "esp32s3");
    assert_string_equal(aloft_chip_by_id(0)->at_name, "ESP32");
    assert_null(aloft_chip_by_id(0xFFFF));
    assert_null(aloft_chip_by_name("ESP32C3"));
    assert_true(aloft_chip_is_mapped(aloft_chip_by_id(5), 0x3C7FFFFF));
    assert_false(aloft_chip_is_mapped(aloft_chip_by_id(5), 0x3C800000));
    assert_true(aloft_chip_is_ram(aloft_chip_by_id(0), 0x50001FFF));
    assert_false(aloft_chip_is_ram(aloft_chip_by_id(5), 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_a__is_read_and_passes),
        cmocka_unit_test(image_a__shows_its_descriptor),
        cmocka_unit_test(image_a__fails_at_the_first_check_after_each_change),
        cmocka_unit_test(image_a__cut_short_is_truncated_in_a_file_and_bad_on_flash),
        cmocka_unit_test(chip_revision__is_judged_by_both_bounds),
        cmocka_unit_test(feeding__in_any_portions_gives_the_same_result),
        cmocka_unit_test(least_bytes__is_exact_behind_the_last_segment_header),
        cmocka_unit_test(feeding__stops_at_the_end_of_the_image),
        cmocka_unit_test(image_b__passes_without_descriptor_and_hash),
        cmocka_unit_test(image_b__is_refused_where_a_descriptor_is_required),
        cmocka_unit_test(checksum__has_the_values_of_the_micro_cases),
        cmocka_unit_test(checksum__is_padded_to_the_next_row_even_from_a_row),
        cmocka_unit_test(slot__must_hold_the_image_and_its_signature_sector),
        cmocka_unit_test(segment_len__stays_below_16_mib),
        cmocka_unit_test(page_size__follows_the_descriptor_on_c2),
        cmocka_unit_test(app_desc__is_required_by_the_chips_own_boot_loader),
        cmocka_unit_test(any_chip__takes_the_images_own_rules),
        cmocka_unit_test(second_mapped_segment__must_sit_on_its_page),
        cmocka_unit_test(header_parse__judges_only_the_magic),
        cmocka_unit_test(desc_parse__ends_full_text_fields),
        cmocka_unit_test(chips__are_found_by_id_and_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
