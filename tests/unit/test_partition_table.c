/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "aloft/partition_table.h"
#include "host/hashes.h"

/* facts/esp-formats.md 8.6: nvs,data,nvs,,24K / factory,app,factory,,1M. */
static const uint8_t golden[0x60] = {
    0xAA, 0x50, 0x01, 0x02, 0x00, 0x90, 0x00, 0x00, 0x00, 0x60, 0x00, 0x00, 0x6E, 0x76, 0x73, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xAA, 0x50, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x10, 0x00, 0x66, 0x61, 0x63, 0x74,
    0x6F, 0x72, 0x79, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xEB, 0xEB, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xE6, 0xC3, 0x99, 0x85, 0xBD, 0x0F, 0x44, 0x3A, 0x39, 0xE6, 0x86, 0x5E, 0x11, 0x0A, 0xDA, 0xA5,
};
#define GOLDEN_SHA256     "4d02417ef1902b866e90e7d2e4a5824aa415d01561e70d71c5bb62541716cee0"
#define GOLDEN_SHA256_RAW "e96266e842848faec9653f799143205d1aa316508d8a9f347f793ba3b70ab287"

static uint8_t s_bytes[ALOFT_PARTITION_TABLE_BYTES];
static struct aloft_partition_table s_table;
static struct aloft_hash *s_md5;

static int begin(void **state)
{
    (void)state;
    memset(s_bytes, 0xFF, sizeof s_bytes);
    memcpy(s_bytes, golden, sizeof golden);
    memset(&s_table, 0, sizeof s_table);
    s_md5 = hash_new_md5();
    return s_md5 ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    hash_free(s_md5);
    return 0;
}

static enum aloft_err parse(size_t len, uint32_t flash_bytes)
{
    return aloft_partition_table_parse(s_bytes, len, flash_bytes, s_md5, &s_table);
}

static void assert_sha256(const uint8_t *bytes, size_t len, const char *wanted)
{
    AUTO_HASH sha256 = hash_new_sha256();
    uint8_t digest[ALOFT_SHA256_BYTES];
    char hex[HASH_HEX_BYTES];

    sha256->ops->start(sha256->state);
    sha256->ops->update(sha256->state, bytes, len);
    sha256->ops->finish(sha256->state, digest);
    hex_encode(digest, sizeof digest, hex);
    assert_string_equal(hex, wanted);
}

static void parse__reads_the_golden_table(void **state)
{
    (void)state;
    assert_err(parse(sizeof s_bytes, 0x200000), ALOFT_ERR_OK);
    assert_int_equal(s_table.n_entries, 2);
    assert_true(s_table.has_md5);
    const struct aloft_partition *nvs = &s_table.entries[0];
    assert_string_equal(nvs->label, "nvs");
    assert_int_equal(nvs->type, 1);
    assert_int_equal(nvs->subtype, 2);
    assert_int_equal(nvs->off, 0x9000);
    assert_int_equal(nvs->size_bytes, 0x6000);
    assert_int_equal(nvs->flags, 0);
    assert_string_equal(s_table.entries[1].label, "factory");
    assert_int_equal(s_table.entries[1].off, 0x10000);
    assert_int_equal(s_table.entries[1].size_bytes, 0x100000);
}

static void encode__writes_the_golden_table(void **state)
{
    (void)state;
    uint8_t out[ALOFT_PARTITION_TABLE_BYTES];

    assert_err(parse(sizeof s_bytes, 0), ALOFT_ERR_OK);
    assert_err(aloft_partition_table_encode(&s_table, s_md5, out), ALOFT_ERR_OK);
    assert_memory_equal(out, s_bytes, sizeof out);
    assert_sha256(out, sizeof out, GOLDEN_SHA256);
    s_table.has_md5 = false;
    assert_err(aloft_partition_table_encode(&s_table, NULL, out), ALOFT_ERR_OK);
    assert_sha256(out, sizeof out, GOLDEN_SHA256_RAW);
}

static void parse__refuses_broken_records(void **state)
{
    (void)state;
    static const struct {
        size_t off;
        uint8_t value;
        uint32_t flash_bytes;
        enum aloft_err wanted;
    } rows[] = {
        {0x20, 0xAB, 0, ALOFT_ERR_MAGIC},        /* second entry */
        {0x40, 0x00, 0, ALOFT_ERR_MAGIC},        /* MD5 record */
        {0x60, 0x00, 0, ALOFT_ERR_MAGIC},        /* end marker */
        {0x62, 0x00, 0, ALOFT_ERR_MAGIC},        /* end marker: the type counts */
        {0x63, 0x00, 0, ALOFT_ERR_MAGIC},        /* and the subtype */
        {0x64, 0x00, 0, ALOFT_ERR_OK},           /* but nothing else of it */
        {0x42, 0x00, 0, ALOFT_ERR_OK},           /* nor the filling of the MD5 record */
        {0x50, 0xE7, 0, ALOFT_ERR_MD5},          /* its digest */
        {0x0C, 'x', 0, ALOFT_ERR_MD5},           /* what it covers */
        {0x00, 0xAA, 0x10FFFF, ALOFT_ERR_RANGE}, /* one byte of flash too little */
        {0x00, 0xAA, 0x110000, ALOFT_ERR_OK},
        {0x27, 0xFF, 0x400000, ALOFT_ERR_RANGE}, /* offset past the flash */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(s_bytes, 0xFF, sizeof s_bytes);
        memcpy(s_bytes, golden, sizeof golden);
        s_bytes[rows[i].off] = rows[i].value;
        enum aloft_err got = parse(sizeof s_bytes, rows[i].flash_bytes);
        if (got != rows[i].wanted) {
            fail_msg("row %zu: %s", i, aloft_err_name(got));
        }
    }
}

/* Offset and size are harmless each, and their sum passes 4 GiB. */
static void parse__refuses_a_sum_that_wraps(void **state)
{
    (void)state;
    memset(s_bytes + 0x28, 0xFF, 4);
    assert_err(parse(sizeof s_bytes, 0x400000), ALOFT_ERR_RANGE);
}

static void parse__without_md5_function_trusts_the_record(void **state)
{
    (void)state;
    s_bytes[0x50] ^= 1;
    assert_err(aloft_partition_table_parse(s_bytes, sizeof s_bytes, 0, NULL, &s_table),
               ALOFT_ERR_OK);
    assert_true(s_table.has_md5);
}

static void parse__refuses_a_second_md5_record(void **state)
{
    (void)state;
    memcpy(s_bytes + 0x60, s_bytes + 0x40, 0x20);
    assert_err(parse(sizeof s_bytes, 0), ALOFT_ERR_DUPLICATE);
}

static void parse__needs_the_end_marker(void **state)
{
    (void)state;
    for (size_t len = 0; len < 0x80; len++) {
        assert_err(parse(len, 0), ALOFT_ERR_TRUNCATED);
    }
    assert_err(parse(0x80, 0), ALOFT_ERR_OK);
}

static void parse__accepts_an_empty_table(void **state)
{
    (void)state;
    memset(s_bytes, 0xFF, sizeof s_bytes);
    assert_err(parse(sizeof s_bytes, 0), ALOFT_ERR_OK);
    assert_int_equal(s_table.n_entries, 0);
    assert_false(s_table.has_md5);
}

static void parse__stops_at_96_records(void **state)
{
    (void)state;
    static uint8_t many[ALOFT_PARTITION_TABLE_BYTES + 0x20];

    memset(many, 0xFF, sizeof many);
    for (size_t i = 0; i < 95; i++) {
        memcpy(many + i * 0x20, golden, 0x20);
    }
    assert_err(aloft_partition_table_parse(many, sizeof many, 0, NULL, &s_table), ALOFT_ERR_OK);
    assert_int_equal(s_table.n_entries, 95);
    memcpy(many + 95 * 0x20, golden, 0x20);
    assert_err(aloft_partition_table_parse(many, sizeof many, 0, NULL, &s_table),
               ALOFT_ERR_TRUNCATED);
}

static void encode__leaves_room_for_md5_and_end(void **state)
{
    (void)state;
    uint8_t out[ALOFT_PARTITION_TABLE_BYTES];

    s_table.n_entries = 95;
    assert_err(aloft_partition_table_encode(&s_table, NULL, out), ALOFT_ERR_OK);
    s_table.has_md5 = true;
    assert_err(aloft_partition_table_encode(&s_table, s_md5, out), ALOFT_ERR_TOO_BIG);
    s_table.n_entries = 94;
    assert_err(aloft_partition_table_encode(&s_table, s_md5, out), ALOFT_ERR_OK);
    assert_err(aloft_partition_table_encode(&s_table, NULL, out), ALOFT_ERR_ARG);
}

static void label__may_fill_its_16_bytes(void **state)
{
    (void)state;
    uint8_t out[ALOFT_PARTITION_TABLE_BYTES];

    memcpy(s_bytes + 0x0C, "0123456789abcdef", 16);
    assert_err(aloft_partition_table_parse(s_bytes, sizeof s_bytes, 0, NULL, &s_table),
               ALOFT_ERR_OK);
    assert_string_equal(s_table.entries[0].label, "0123456789abcdef");
    s_table.has_md5 = false;
    assert_err(aloft_partition_table_encode(&s_table, NULL, out), ALOFT_ERR_OK);
    assert_memory_equal(out, s_bytes, 0x40);
}

static void lookup__finds_by_label_and_by_type(void **state)
{
    (void)state;
    assert_err(parse(sizeof s_bytes, 0), ALOFT_ERR_OK);
    const struct aloft_partition *e = s_table.entries;
    assert_ptr_equal(aloft_partition_by_label(e, 2, "factory"), &e[1]);
    assert_null(aloft_partition_by_label(e, 2, "fact"));
    assert_null(aloft_partition_by_label(e, 1, "factory"));
    assert_ptr_equal(aloft_partition_by_type(e, 2, 1, 2), &e[0]);
    assert_null(aloft_partition_by_type(e, 2, 1, 0));
    assert_null(aloft_partition_by_type(e, 2, 0, 2));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(parse__reads_the_golden_table),
        CASE(encode__writes_the_golden_table),
        CASE(parse__refuses_broken_records),
        CASE(parse__refuses_a_sum_that_wraps),
        CASE(parse__without_md5_function_trusts_the_record),
        CASE(parse__refuses_a_second_md5_record),
        CASE(parse__needs_the_end_marker),
        CASE(parse__accepts_an_empty_table),
        CASE(parse__stops_at_96_records),
        CASE(encode__leaves_room_for_md5_and_end),
        CASE(label__may_fill_its_16_bytes),
        CASE(lookup__finds_by_label_and_by_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
