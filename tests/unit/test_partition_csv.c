/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "aloft/partition_csv.h"
#include "host/hashes.h"

static struct aloft_partition_table s_table;
static struct aloft_partition_csv_report s_report;

static enum aloft_err parse_with(const struct aloft_partition_csv_rules *rules, const char *text)
{
    return aloft_partition_csv_parse(text, strlen(text), rules, &s_table, &s_report);
}

static enum aloft_err parse(const char *text)
{
    const struct aloft_partition_csv_rules rules = {.table_off = 0x8000};
    return parse_with(&rules, text);
}

static void parse__reads_the_golden_table(void **state)
{
    (void)state;
    AUTO_HASH md5 = hash_new_md5();
    AUTO_HASH sha256 = hash_new_sha256();
    uint8_t out[ALOFT_PARTITION_TABLE_BYTES], digest[ALOFT_SHA256_BYTES];
    char hex[HASH_HEX_BYTES];

    assert_err(parse("nvs,data,nvs,,24K\nfactory,app,factory,,1M\n"), ALOFT_ERR_OK);
    assert_null(s_report.sentence);
    assert_err(aloft_partition_table_encode(&s_table, md5, out), ALOFT_ERR_OK);
    sha256->ops->start(sha256->state);
    sha256->ops->update(sha256->state, out, sizeof out);
    sha256->ops->finish(sha256->state, digest);
    hex_encode(digest, sizeof digest, hex);
    assert_string_equal(hex, "4d02417ef1902b866e90e7d2e4a5824aa415d01561e70d71c5bb62541716cee0");
}

#define REFUSED(text, err, line)                                                                   \
    {                                                                                              \
        text, ALOFT_ERR_##err, line, 0, 0, 0, 0, 0                                                 \
    }
#define READ(text, ...)                                                                            \
    {                                                                                              \
        text, ALOFT_ERR_OK, __VA_ARGS__                                                            \
    }

/* One text; the error and its line, or the line of a warning and the fields of the last partition.
 */
static const struct row {
    const char *text;
    enum aloft_err err;
    unsigned line; /* of the error, or of the warning */
    uint8_t type, subtype;
    uint32_t off, size, flags;
} rows[] = {
    /* clang-format off */
    /* facts/esp-formats.md 8.6, in its order */
    READ("a, DATA ,ota,,0x2000", 0, 1, 0, 0x9000, 0x2000, 0),
    READ("a,data,,,1K", 0, 1, 6, 0x9000, 0x400, 0),
    READ("a,0x40,,,1K", 0, 0x40, 6, 0x9000, 0x400, 0),
    REFUSED("a,app,,,1M", SYNTAX, 1),
    REFUSED("a,app,factory,0x11000,1M", ALIGN, 1),
    REFUSED("a,app,factory,,0x6100", ALIGN, 1),
    READ("a,data,fat,,100", 0, 1, 0x81, 0x9000, 100, 0),
    REFUSED("a,data,fat,0x9100,4K", ALIGN, 1),
    REFUSED("a,data,fat,0x8000,4K", RANGE, 1),
    REFUSED("a,data,fat,0x9000,8K\nb,data,fat,0xa000,4K", OVERLAP, 2),
    REFUSED("a,data,fat,,4K\n\na,data,phy,,4K", DUPLICATE, 3),
    REFUSED("a,data,ota,,0x1000", RANGE, 1),
    REFUSED("a,data,ota,,0x2000\nb,data,ota,,0x2000", DUPLICATE, 2),
    REFUSED("a,data,ota,,0x2000,readonly", SYNTAX, 1),
    READ("a,data,fat,,4K,readonly:encrypted", 0, 1, 0x81, 0x9000, 0x1000, 3),
    READ("a,data,fat,,0x1k", 0, 1, 0x81, 0x9000, 1024, 0),
    REFUSED("a,data,fat,,1.5K", SYNTAX, 1),
    REFUSED("a,data,fat,,010", SYNTAX, 1),
    READ("a,data,fat,0x9000,-0x10000", 0, 1, 0x81, 0x9000, 0x7000, 0),
    REFUSED("a,data,fat,,4K # x", SYNTAX, 1),
    READ("a,data,fat,,4K,,extra,$HOME,#", 0, 1, 0x81, 0x9000, 0x1000, 0),
    READ("nvs,data,phy,,4K", 1, 1, 1, 0x9000, 0x1000, 0),
    /* lines */
    READ("", 0, 0, 0, 0, 0, 0),
    READ("# x\r\n  # y\r\n\r\na,data,fat,,4K\r\n", 0, 1, 0x81, 0x9000, 0x1000, 0),
    REFUSED("#\r#\r\n\na,data,fat", SYNTAX, 4),
    READ("\xEF\xBB\xBF# bom\na,data,fat,,4K", 0, 1, 0x81, 0x9000, 0x1000, 0),
    REFUSED("a,data,fat,,4K\n\xC3\x28", SYNTAX, 2),
    REFUSED("\xFF\xFE" "a", SYNTAX, 1),
    REFUSED("\xAA\x50 binary", SYNTAX, 1),
    REFUSED("$PARTS,data,fat,,4K", SYNTAX, 1),
    REFUSED("a,data,fat,,${SIZE}", SYNTAX, 1),
    READ("a$,data,fat,,4K", 0, 1, 0x81, 0x9000, 0x1000, 0),
    /* columns */
    REFUSED("a", SYNTAX, 1),
    REFUSED("a,data", SYNTAX, 1),
    REFUSED("a,,fat,,4K", SYNTAX, 1),
    REFUSED("a,datum,fat,,4K", SYNTAX, 1),
    REFUSED("a,data,factory,,4K", SYNTAX, 1),
    REFUSED("a,256,1,,4K", RANGE, 1),
    REFUSED("a,-1,1,,4K", RANGE, 1),
    REFUSED("a,0x40,0x100,,4K", RANGE, 1),
    REFUSED("a,0x40,fat,,4K", SYNTAX, 1),
    READ("a,bootloader,recovery,,4K", 0, 2, 2, 0x9000, 0x1000, 0),
    READ("a,APP,Ota_15,,4K", 0, 0, 0x1F, 0x10000, 0x1000, 0),
    REFUSED("a,data,fat,x,4K", SYNTAX, 1),
    REFUSED("a,data,fat,-1,4K", RANGE, 1),
    REFUSED("a,data,fat,0x100000000,4K", RANGE, 1),
    READ("a,data,fat,0xfffff000,4K", 0, 1, 0x81, 0xFFFFF000, 0x1000, 0),
    REFUSED("a,data,fat,0xfffff000,8K", RANGE, 1),
    REFUSED("a,data,fat,0xfffff000,4K\nb,app,test,,0", RANGE, 2),
    REFUSED("a,data,fat,,5000M", RANGE, 1),
    REFUSED("a,data,fat,,99999999999999999999", RANGE, 1),
    REFUSED("a,data,fat,,kkkkkkkk", SYNTAX, 1),
    REFUSED("a,data,fat,,1kkkkkkkk", RANGE, 1),
    READ("a,data,fat,,0kkkkkkkk", 0, 1, 0x81, 0x9000, 0, 0),
    REFUSED("a,data,fat,0x20000,-0x10000", RANGE, 1),
    REFUSED("a,data,fat,,4K,ENCRYPTED", SYNTAX, 1),
    READ("a,data,fat,,4K,:encrypted:", 0, 1, 0x81, 0x9000, 0x1000, 1),
    REFUSED("a,data,fat,,4K,encrypted :readonly", SYNTAX, 1),
    /* numbers, as Python reads them */
    READ("a,data,fat,,1_000", 0, 1, 0x81, 0x9000, 1000, 0),
    REFUSED("a,data,fat,,1__0", SYNTAX, 1),
    REFUSED("a,data,fat,,_1", SYNTAX, 1),
    REFUSED("a,data,fat,,1_", SYNTAX, 1),
    READ("a,data,fat,,0x_1F", 0, 1, 0x81, 0x9000, 31, 0),
    READ("a,data,fat,,0O17", 0, 1, 0x81, 0x9000, 15, 0),
    REFUSED("a,data,fat,,0o8", SYNTAX, 1),
    READ("a,data,fat,,0b1010", 0, 1, 0x81, 0x9000, 10, 0),
    REFUSED("a,data,fat,,0x", SYNTAX, 1),
    READ("a,data,fat,,+4k", 0, 1, 0x81, 0x9000, 4096, 0),
    READ("a,data,fat,,4 K", 0, 1, 0x81, 0x9000, 4096, 0),
    REFUSED("a,data,fat,,- 4", SYNTAX, 1),
    REFUSED("a,data,fat,,+", SYNTAX, 1),
    READ("a,data,fat,,00", 0, 1, 0x81, 0x9000, 0, 0),
    READ("a,data,fat,,1kM", 0, 1, 0x81, 0x9000, 0x40000000, 0),
    /* offsets and rules */
    READ("a,data,fat,,100\nb,data,phy,,4K", 0, 1, 1, 0xA000, 0x1000, 0),
    READ("a,data,fat,,4K\nb,app,ota_0,,4K", 0, 0, 0x10, 0x10000, 0x1000, 0),
    READ(",data,fat,,4K", 0, 1, 0x81, 0x9000, 0x1000, 0),
    REFUSED(",data,fat,,4K\n,data,fat,,4K", DUPLICATE, 2),
    READ("0123456789abcdefA,data,fat,,4K\n0123456789abcdefB,data,fat,,4K", 0, 1, 0x81, 0xA000, 0x1000, 0),
    REFUSED("a,data,coredump,,64K,readonly", SYNTAX, 1),
    READ("a,data,nvs,,8K", 1, 1, 2, 0x9000, 0x2000, 0),
    READ("a,data,nvs,,8K,readonly", 0, 1, 2, 0x9000, 0x2000, 2),
    READ("data,app,ota_0,,4K", 1, 0, 0x10, 0x10000, 0x1000, 0),
    READ("ota,data,ota,,8K", 0, 1, 0, 0x9000, 0x2000, 0),
    READ("NVS,data,phy,,4K", 0, 1, 1, 0x9000, 0x1000, 0),
    /* the grammar of all lines comes before the rules of any */
    REFUSED("a,data,fat,0x8000,4K\nb,what,1,,4K", SYNTAX, 2),
    /* clang-format on */
};

static void check_row(const struct row *row)
{
    enum aloft_err err = parse(row->text);

    if (err != row->err) {
        fail_msg("'%s': %s, wanted %s (%s)", row->text, aloft_err_name(err),
                 aloft_err_name(row->err), s_report.sentence ? s_report.sentence : "-");
    }
    if (s_report.line != row->line || (s_report.sentence != NULL) != (row->line != 0)) {
        fail_msg("'%s': line %u, wanted %u", row->text, s_report.line, row->line);
    }
    if (err != ALOFT_ERR_OK || s_table.n_entries == 0) {
        return;
    }
    const struct aloft_partition *p = &s_table.entries[s_table.n_entries - 1];
    if (p->type != row->type || p->subtype != row->subtype || p->off != row->off ||
        p->size_bytes != row->size || p->flags != row->flags) {
        fail_msg("'%s': %u %u 0x%x 0x%x %u", row->text, p->type, p->subtype, p->off, p->size_bytes,
                 p->flags);
    }
}

static void parse__follows_the_grammar_and_the_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(&rows[i]);
    }
}

static void parse__cuts_a_long_name_to_16_bytes(void **state)
{
    (void)state;
    assert_err(parse("abcdefghijklmnopqrstuvwxyzabcde,data,fat,,4K"), ALOFT_ERR_OK);
    assert_string_equal(s_table.entries[0].label, "abcdefghijklmnop");
}

static void parse__refuses_a_nul_in_a_name(void **state)
{
    (void)state;
    const struct aloft_partition_csv_rules rules = {.table_off = 0x8000};
    assert_err(aloft_partition_csv_parse("a\0b,data,fat,,4K", 16, &rules, &s_table, &s_report),
               ALOFT_ERR_SYNTAX);
    assert_int_equal(s_report.line, 1);
}

static void parse__knows_valid_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum aloft_err err;
    } names[] = {
        {"\xC3\xA9", ALOFT_ERR_OK},         {"\xE2\x82\xAC", ALOFT_ERR_OK},
        {"\xF0\x9F\x98\x80", ALOFT_ERR_OK}, {"\xC0\x80", ALOFT_ERR_SYNTAX},
        {"\xED\xA0\x80", ALOFT_ERR_SYNTAX}, {"\xF4\x90\x80\x80", ALOFT_ERR_SYNTAX},
        {"\x80", ALOFT_ERR_SYNTAX},         {"\xE2\x82", ALOFT_ERR_SYNTAX},
        {"\xE2\x82\x28", ALOFT_ERR_SYNTAX},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "%s,data,fat,,4K", names[i].name);
        assert_err(parse(text), names[i].err);
    }
    assert_err(parse("a,data,fat,,4K\n# \xE2\x82"), ALOFT_ERR_SYNTAX); /* cut by the end */
    assert_int_equal(s_report.line, 2);
}

static void parse__stops_at_95_partitions(void **state)
{
    (void)state;
    static char text[96 * 32];
    size_t len = 0;

    for (int i = 0; i < 96; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "p%d,data,fat,,4K\n", i);
    }
    assert_err(parse(text), ALOFT_ERR_TOO_BIG);
    assert_int_equal(s_report.line, 96);
    text[len - strlen("p95,data,fat,,4K\n")] = '\0';
    assert_err(parse(text), ALOFT_ERR_OK);
    assert_int_equal(s_table.n_entries, 95);
}

static void parse__limits_the_text(void **state)
{
    (void)state;
    static char text[65537];
    const struct aloft_partition_csv_rules rules = {.table_off = 0x8000};

    memset(text, '\n', sizeof text);
    assert_err(aloft_partition_csv_parse(text, 65536, &rules, &s_table, &s_report), ALOFT_ERR_OK);
    assert_err(aloft_partition_csv_parse(text, 65537, &rules, &s_table, &s_report),
               ALOFT_ERR_TOO_BIG);
}

static void parse__keeps_to_the_flash(void **state)
{
    (void)state;
    struct aloft_partition_csv_rules rules = {.table_off = 0x8000, .flash_bytes = 0x200000};

    assert_err(parse_with(&rules, "a,app,factory,0x100000,1M"), ALOFT_ERR_OK);
    assert_err(parse_with(&rules, "a,app,factory,0x100000,1M\nb,data,fat,,1"), ALOFT_ERR_RANGE);
    assert_int_equal(s_report.line, 2);
}

static void skip_verify__leaves_only_the_grammar(void **state)
{
    (void)state;
    const struct aloft_partition_csv_rules rules = {
        .table_off = 0x8000, .flash_bytes = 0x1000, .skip_verify = true};

    assert_err(parse_with(&rules, "a,app,factory,0x11000,100\na,data,ota,,1,readonly"),
               ALOFT_ERR_OK);
    assert_err(parse_with(&rules, "a,data,fat,0x8000,4K"), ALOFT_ERR_RANGE);
    assert_err(parse_with(&rules, "a,data,fat,,-1"), ALOFT_ERR_RANGE);
}

/* facts/esp-formats.md 8.6: secondary tables of the releases v3.1 to v5.0.1, named `fatfs`. */
static void secondary__has_the_bytes_of_the_releases(void **state)
{
    (void)state;
    static const struct {
        uint32_t container, container_end;
        const char *csv;
        const char *sha256;
    } tables[] = {
        {0x20000, 0x100000, "mfg_nvs,data,nvs,0x21000,0x1c000\nfatfs,data,fat,0x70000,0x90000",
         "1b99cd4985d0bb1cd149d8fe4af7e7ac86b473652d7035ef7b661952d9c59604"},
        {0x20000, 0x80000, "mfg_nvs,data,nvs,0x21000,0x1c000",
         "0b7d8292c225409774acd5b442360b8c7815dcfb14754709bc6373b5c4caa401"},
        {0x1E000, 0x60000, "mfg_nvs,data,nvs,0x1f000,0x1f000\nfatfs,data,fat,0x47000,0x19000",
         "f5a36f571968b2b6afc21872dfc4e006b58c8eea2d469c8c5af7b60ef2fcc01f"},
        {0x1A000, 0x2A000, "mfg_nvs,data,nvs,0x1b000,0xf000",
         "48725b62610db177cb4bb19a10c139afd000614457dc7e94529dbd60d7bb981a"},
        {0x1E000, 0x60000, "mfg_nvs,data,nvs,0x1f000,0x25000\nfatfs,data,fat,0x47000,0x19000",
         "2ad66d5c869aaefd3503821ed899e981284ea52ed3c63a7b43ad621ba35933ea"},
        {0x30000, 0xA0000, "mfg_nvs,data,nvs,0x31000,0x1f000\nfatfs,data,fat,0x50000,0x19000",
         "b60446dcafa707c2f275dc657220dcc560d537b53ea1bdb7f331543c2a61b4fa"},
    };
    AUTO_HASH md5 = hash_new_md5();
    AUTO_HASH sha256 = hash_new_sha256();

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const struct aloft_partition_csv_rules rules = {.table_off = tables[i].container,
                                                        .flash_bytes = tables[i].container_end,
                                                        .is_secondary = true};
        uint8_t out[ALOFT_PARTITION_TABLE_BYTES], digest[ALOFT_SHA256_BYTES];
        char hex[HASH_HEX_BYTES];
        assert_err(parse_with(&rules, tables[i].csv), ALOFT_ERR_OK);
        assert_err(aloft_partition_table_encode(&s_table, md5, out), ALOFT_ERR_OK);
        sha256->ops->start(sha256->state);
        sha256->ops->update(sha256->state, out, sizeof out);
        sha256->ops->finish(sha256->state, digest);
        hex_encode(digest, sizeof digest, hex);
        assert_string_equal(hex, tables[i].sha256);
    }
}

static void secondary__says_container_instead_of_flash(void **state)
{
    (void)state;
    struct aloft_partition_csv_rules rules = {
        .table_off = 0x1E000, .flash_bytes = 0x60000, .is_secondary = true};

    assert_err(parse_with(&rules, "a,data,fat,0x1e000,4K"), ALOFT_ERR_RANGE);
    assert_non_null(strstr(s_report.sentence, "container"));
    assert_err(parse_with(&rules, "a,data,fat,0x5f000,8K"), ALOFT_ERR_RANGE);
    assert_non_null(strstr(s_report.sentence, "container"));
}

/* facts/esp-formats.md 2.2, last rule: comment lines, keywords where known else decimal, nM / nK.
 */
static void encode__prints_as_the_vendors_tool(void **state)
{
    (void)state;
    char out[8192];
    size_t len = 0;

    assert_err(
        parse("nvs,data,nvs,,24K\nx,64,,,100\nstorage,data,0x22,,0xA6000,readonly:encrypted\n"
              "ota_0,app,ota_0,,1M"),
        ALOFT_ERR_OK);
    assert_err(aloft_partition_csv_encode(&s_table, out, sizeof out, &len), ALOFT_ERR_OK);
    assert_string_equal(out, "# ESP-IDF Partition Table\n"
                             "# Name, Type, SubType, Offset, Size, Flags\n"
                             "nvs,data,nvs,0x9000,24K,\n"
                             "x,64,6,0xf000,0x64,\n"
                             "storage,data,34,0x10000,664K,encrypted:readonly\n"
                             "ota_0,app,ota_0,0xc0000,1M,\n");
    assert_int_equal(len, strlen(out));
    for (size_t cap = 0; cap <= len; cap++) {
        assert_err(aloft_partition_csv_encode(&s_table, out, cap, &len), ALOFT_ERR_TOO_BIG);
    }
    assert_err(aloft_partition_csv_encode(&s_table, out, len + 1, &len), ALOFT_ERR_OK);
}

static void encode__fits_the_fullest_table_in_8192_bytes(void **state)
{
    (void)state;
    char out[8192];
    size_t len = 0;

    memset(&s_table, 0, sizeof s_table);
    s_table.n_entries = ALOFT_PARTITION_MAX;
    for (size_t i = 0; i < s_table.n_entries; i++) {
        s_table.entries[i] =
            (struct aloft_partition){3, 0, 0xFFFFFFFF, 0xFFFFFFFF, 3, "0123456789abcdef"};
    }
    assert_err(aloft_partition_csv_encode(&s_table, out, sizeof out, &len), ALOFT_ERR_OK);
}

static void encode__refuses_a_label_that_would_forge_a_line(void **state)
{
    (void)state;
    static const char *const labels[] = {"a\nb", "a,b", "\x7F", "\r"};
    char out[8192];
    size_t len = 0;

    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        memset(&s_table, 0, sizeof s_table);
        s_table.n_entries = 1;
        memcpy(s_table.entries[0].label, labels[i], strlen(labels[i]) + 1);
        assert_err(aloft_partition_csv_encode(&s_table, out, sizeof out, &len), ALOFT_ERR_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__reads_the_golden_table),
        cmocka_unit_test(parse__follows_the_grammar_and_the_rules),
        cmocka_unit_test(parse__cuts_a_long_name_to_16_bytes),
        cmocka_unit_test(parse__refuses_a_nul_in_a_name),
        cmocka_unit_test(parse__knows_valid_utf8),
        cmocka_unit_test(parse__stops_at_95_partitions),
        cmocka_unit_test(parse__limits_the_text),
        cmocka_unit_test(parse__keeps_to_the_flash),
        cmocka_unit_test(skip_verify__leaves_only_the_grammar),
        cmocka_unit_test(secondary__has_the_bytes_of_the_releases),
        cmocka_unit_test(secondary__says_container_instead_of_flash),
        cmocka_unit_test(encode__prints_as_the_vendors_tool),
        cmocka_unit_test(encode__fits_the_fullest_table_in_8192_bytes),
        cmocka_unit_test(encode__refuses_a_label_that_would_forge_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
