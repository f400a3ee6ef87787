/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "aloft/bytes.h"
#include "aloft/nvs.h"
#include "host/hashes.h"

#include "golden_partitions.h"

/* The vendor's file (facts/esp-formats.md 8.8): two namespaces, i8, string, i32, blob data, blob
 * index in entries 0 to 8 of page 0; page 1 without entries, page 2 blank. */

#define SEED        0xFFFFFFFFu
#define ENTRY(n)    (64u + 32u * (n))
#define MODULE_NAME ENTRY(2)
#define CA_DATA     ENTRY(6)

static uint8_t file[0x4000];

static void seal_page(uint8_t *page)
{
    aloft_put_le32(page + 28, aloft_crc32(SEED, page + 4, 24));
}

static void seal_entry(uint8_t *e)
{
    aloft_put_le32(e + 4, aloft_crc32(aloft_crc32(SEED, e, 4), e + 8, 24));
}

static void expect(size_t len, enum aloft_nvs_fault fault, size_t page, size_t entry,
                   const char *key)
{
    struct aloft_nvs_report report;

    assert_int_equal(aloft_nvs_check(file, len, &report), fault);
    assert_int_equal(report.fault, fault);
    if (aloft_nvs_fault_place(fault) != ALOFT_NVS_IN_FILE) {
        assert_int_equal(report.page, page);
    }
    if (aloft_nvs_fault_place(fault) == ALOFT_NVS_IN_ENTRY) {
        assert_int_equal(report.entry, entry);
        assert_string_equal(report.key, key);
    }
}

static int set_up(void **state)
{
    (void)state;
    memset(file, 0xFF, sizeof file);
    golden_nvs(file);
    return 0;
}

static void vendors_file__is_whole(void **state)
{
    (void)state;
    AUTO_HASH sha256 = hash_new_sha256();
    uint8_t digest[ALOFT_SHA256_BYTES];
    char hex[HASH_HEX_BYTES];
    struct aloft_nvs_report report;

    sha256->ops->start(sha256->state);
    sha256->ops->update(sha256->state, file, GOLDEN_NVS_BYTES);
    sha256->ops->finish(sha256->state, digest);
    hex_encode(digest, sizeof digest, hex);
    assert_string_equal(hex, GOLDEN_NVS_SHA256);

    assert_int_equal(aloft_nvs_check(file, GOLDEN_NVS_BYTES, &report), ALOFT_NVS_OK);
    assert_int_equal(report.n_blank_pages, 1);
    assert_int_equal(report.n_items, 7);
}

static void size__is_whole_pages(void **state)
{
    (void)state;
    expect(0, ALOFT_NVS_SIZE, 0, 0, "");
    expect(0xFFF, ALOFT_NVS_SIZE, 0, 0, "");
    expect(0x2FFF, ALOFT_NVS_SIZE, 0, 0, "");
    expect(0x3001, ALOFT_NVS_SIZE, 0, 0, "");
}

static void blank_page__must_be_there_and_be_blank(void **state)
{
    (void)state;
    expect(0x2000, ALOFT_NVS_NO_BLANK, 0, 0, "");
    expect(0x4000, ALOFT_NVS_OK, 0, 0, "");
    file[0x2FFF] = 0xFE;
    expect(0x3000, ALOFT_NVS_PAGE_DIRTY, 2, 0, "");
    file[0x2FFF] = 0xFF;
    file[0x2004] = 0;
    expect(0x3000, ALOFT_NVS_PAGE_DIRTY, 2, 0, "");
}

/* facts/esp-formats.md 6.1: the five states; a corrupt page's content is lost at the next start. */
static void page_states__are_those_a_module_takes_over(void **state)
{
    (void)state;
    static const struct {
        uint32_t state;
        enum aloft_nvs_fault fault;
    } rows[] = {
        {0xFFFFFFFE, ALOFT_NVS_OK},         {0xFFFFFFFC, ALOFT_NVS_OK},
        {0xFFFFFFF8, ALOFT_NVS_OK},         {0xFFFFFFF0, ALOFT_NVS_PAGE_STATE},
        {0xFFFFFFFD, ALOFT_NVS_PAGE_STATE}, {0x00000000, ALOFT_NVS_PAGE_STATE},
        {0xFFFFFFFF, ALOFT_NVS_PAGE_DIRTY},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aloft_put_le32(file, rows[i].state);
        expect(0x3000, rows[i].fault, 0, 0, "");
    }
}

static void page_header__is_covered_by_its_crc(void **state)
{
    (void)state;
    struct aloft_nvs_report report;

    for (size_t i = 4; i < 32; i++) {
        file[i] ^= 0x10;
        expect(0x3000, ALOFT_NVS_PAGE_CRC, 0, 0, "");
        file[i] ^= 0x10;
    }
    file[0x1004] = 7;
    assert_int_equal(aloft_nvs_check(file, 0x3000, &report), ALOFT_NVS_PAGE_CRC);
    assert_int_equal(report.page, 1);
    assert_true(report.has_numbers);
    assert_int_equal(report.found, aloft_get_le32(golden_nvs_page_1 + 28));
    assert_int_equal(report.wanted, aloft_crc32(SEED, file + 0x1004, 24));
}

static void page_version__is_one_or_two(void **state)
{
    (void)state;
    static const uint8_t versions[] = {0xFE, 0xFF, 0xFD, 0x00};

    for (size_t i = 0; i < sizeof versions; i++) {
        file[8] = versions[i];
        seal_page(file);
        expect(0x3000, i < 2 ? ALOFT_NVS_OK : ALOFT_NVS_PAGE_VERSION, 0, 0, "");
    }
}

static void sequence__is_unique(void **state)
{
    (void)state;
    aloft_put_le32(file + 0x1004, 0);
    seal_page(file + 0x1000);
    expect(0x3000, ALOFT_NVS_SEQUENCE, 1, 0, "");
    aloft_put_le32(file + 0x1004, 9);
    seal_page(file + 0x1000);
    expect(0x3000, ALOFT_NVS_OK, 0, 0, "");
}

/* Every byte of an entry is covered: the CRC itself, and what it is taken over. */
static void entry__is_covered_by_its_crc(void **state)
{
    (void)state;
    for (size_t i = 0; i < 32; i++) {
        file[MODULE_NAME + i] ^= 1;
        expect(0x3000, ALOFT_NVS_ENTRY_CRC, 0, 2, "");
        file[MODULE_NAME + i] ^= 1;
    }
}

static void data__is_covered_by_its_crc(void **state)
{
    (void)state;
    for (size_t i = 0; i < 7; i++) {
        file[MODULE_NAME + 32 + i] ^= 1;
        expect(0x3000, ALOFT_NVS_DATA_CRC, 0, 2, "module_name");
        file[MODULE_NAME + 32 + i] ^= 1;
    }
    file[MODULE_NAME + 32 + 7] ^= 1; /* padding */
    expect(0x3000, ALOFT_NVS_OK, 0, 0, "");
    file[CA_DATA + 32] = 'X';
    expect(0x3000, ALOFT_NVS_DATA_CRC, 0, 6, "client_ca.0");
}

/* One change of an entry, sealed again. */
static const struct change {
    size_t entry;
    size_t off;
    uint8_t value;
    enum aloft_nvs_fault fault;
    const char *key;
} changes[] = {
    {1, 1, 0x03, ALOFT_NVS_TYPE, "version"},
    {1, 1, 0x00, ALOFT_NVS_TYPE, "version"},
    {1, 1, 0x18, ALOFT_NVS_OK, ""},
    {1, 2, 0x00, ALOFT_NVS_SPAN, "version"},
    {1, 2, 0x02, ALOFT_NVS_SPAN, "version"},
    {2, 2, 0x01, ALOFT_NVS_SPAN, "module_name"},
    {2, 2, 0x03, ALOFT_NVS_SPAN, "module_name"},
    {2, 24, 33, ALOFT_NVS_SPAN, "module_name"},
    {2, 24, 0, ALOFT_NVS_SPAN, "module_name"},
    {2, 25, 0x0F, ALOFT_NVS_SPAN, "module_name"},
    {2, 25, 0x10, ALOFT_NVS_DATA_SIZE, "module_name"},
    {6, 25, 0x10, ALOFT_NVS_DATA_SIZE, "client_ca.0"},
    {0, 24, 0, ALOFT_NVS_NAMESPACE, "factory_param"},
    {0, 24, 255, ALOFT_NVS_NAMESPACE, "factory_param"},
    {0, 24, 254, ALOFT_NVS_OK, ""},
    {0, 1, 0x11, ALOFT_NVS_NAMESPACE, "factory_param"},
};

static void fields__of_an_entry_make_sense(void **state)
{
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const struct change *c = &changes[i];

        (void)set_up(state);
        file[ENTRY(c->entry) + c->off] = c->value;
        seal_entry(file + ENTRY(c->entry));
        expect(0x3000, c->fault, 0, c->entry, c->key);
    }
}

static void key__ends_inside_its_field(void **state)
{
    (void)state;
    memset(file + MODULE_NAME + 8, 'k', 16);
    seal_entry(file + MODULE_NAME);
    expect(0x3000, ALOFT_NVS_KEY, 0, 2, "kkkkkkkkkkkkkkk");
    file[MODULE_NAME + 23] = 0;
    seal_entry(file + MODULE_NAME);
    expect(0x3000, ALOFT_NVS_OK, 0, 0, "");
}

static void text__ends_with_a_nul(void **state)
{
    (void)state;
    file[MODULE_NAME + 32 + 6] = '!';
    aloft_put_le32(file + MODULE_NAME + 28, aloft_crc32(SEED, file + MODULE_NAME + 32, 7));
    seal_entry(file + MODULE_NAME);
    expect(0x3000, ALOFT_NVS_DATA_SIZE, 0, 2, "module_name");
    /* without any byte there is no NUL either; for a blob both are fine */
    file[MODULE_NAME + 2] = 1;
    file[MODULE_NAME + 24] = 0;
    aloft_put_le32(file + MODULE_NAME + 28, aloft_crc32(SEED, file, 0));
    seal_entry(file + MODULE_NAME);
    file[32] = 0x2A; /* entry 3, which held its data, is erased */
    expect(0x3000, ALOFT_NVS_DATA_SIZE, 0, 2, "module_name");
    file[MODULE_NAME + 1] = 0x42;
    seal_entry(file + MODULE_NAME);
    expect(0x3000, ALOFT_NVS_OK, 0, 0, "");
}

/* Two bits each: 0xAA is four written entries. */
static void entry_states__are_written_erased_or_empty(void **state)
{
    (void)state;
    struct aloft_nvs_report report;

    file[32] = 0xA2; /* entry 1 erased */
    assert_int_equal(aloft_nvs_check(file, 0x3000, &report), ALOFT_NVS_OK);
    assert_int_equal(report.n_items, 6);
    file[32] = 0xA6; /* a state of its own */
    expect(0x3000, ALOFT_NVS_ENTRY_STATE, 0, 1, "");
    file[32] = 0x2A; /* the data of entry 2 erased */
    expect(0x3000, ALOFT_NVS_ENTRY_STATE, 0, 3, "module_name");
    file[32] = 0xEA; /* or never written */
    expect(0x3000, ALOFT_NVS_ENTRY_STATE, 0, 3, "module_name");
}

/* The longest string there is: 1 + 125 entries fill a page, and one more entry is one too many. */
static void longest_text__fills_a_page(void **state)
{
    (void)state;
    uint8_t *e = file + 0x1000 + 64;

    memset(file + 0x1020, 0xAA, 31);
    file[0x103F] = 0xFA; /* entries 124 and 125; the last four bits are nobody's */
    memset(e, 0, 4096 - 64);
    memcpy(e, "\x01\x21\x7E\xFF", 4);
    memcpy(e + 8, "long", 4);
    memset(e + 32, 'x', 3999);
    aloft_put_le16(e + 24, 4000);
    aloft_put_le32(e + 28, aloft_crc32(SEED, e + 32, 4000));
    seal_entry(e);
    expect(0x3000, ALOFT_NVS_OK, 0, 0, "");

    memmove(e + 32, e, 4096 - 64 - 32);
    memset(e, 0xFF, 32);
    file[0x1020] = 0xAB; /* entry 0 empty, the item begins at 1 */
    expect(0x3000, ALOFT_NVS_SPAN, 1, 1, "long");
}

static void words__are_there_for_every_fault(void **state)
{
    (void)state;
    assert_string_equal(aloft_nvs_fault_text(ALOFT_NVS_OK), "is whole");
    assert_string_equal(aloft_nvs_fault_text(ALOFT_NVS_DATA_CRC), "has data whose CRC is wrong");
    assert_string_equal(aloft_nvs_fault_text((enum aloft_nvs_fault)99), "is unknown");
    assert_int_equal(aloft_nvs_fault_place(ALOFT_NVS_SEQUENCE), ALOFT_NVS_IN_PAGE);
    assert_int_equal(aloft_nvs_fault_place((enum aloft_nvs_fault)99), ALOFT_NVS_IN_FILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(vendors_file__is_whole, set_up),
        cmocka_unit_test_setup(size__is_whole_pages, set_up),
        cmocka_unit_test_setup(blank_page__must_be_there_and_be_blank, set_up),
        cmocka_unit_test_setup(page_states__are_those_a_module_takes_over, set_up),
        cmocka_unit_test_setup(page_header__is_covered_by_its_crc, set_up),
        cmocka_unit_test_setup(page_version__is_one_or_two, set_up),
        cmocka_unit_test_setup(sequence__is_unique, set_up),
        cmocka_unit_test_setup(entry__is_covered_by_its_crc, set_up),
        cmocka_unit_test_setup(data__is_covered_by_its_crc, set_up),
        cmocka_unit_test_setup(fields__of_an_entry_make_sense, set_up),
        cmocka_unit_test_setup(key__ends_inside_its_field, set_up),
        cmocka_unit_test_setup(text__ends_with_a_nul, set_up),
        cmocka_unit_test_setup(entry_states__are_written_erased_or_empty, set_up),
        cmocka_unit_test_setup(longest_text__fills_a_page, set_up),
        cmocka_unit_test(words__are_there_for_every_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
