/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "aloft/bytes.h"
#include "analyse/analyse.h"

#include "golden_images.h"
#include "golden_partitions.h"

/* Rows 32 and 33 of facts/esp-formats.md 7: the files of user partitions. Layouts of AT up to v3.0
 * have partitions that a stock module can take over the air; in later ones it only erases them. */

#define OLD           "esp32_v3"
#define NEW           "esp32c3_default"
#define MFG_NVS_BYTES 0x1F000u /* of the C3 */

static struct analysis *analyse(const char *layout, const char *file_name, const void *buf,
                                size_t len)
{
    struct analysis_rules rules = {.layout = aloft_layout_by_name(layout), .file_name = file_name};
    struct analysis *a = analysis_new(&rules);

    assert_non_null(a);
    analysis_feed(a, buf, len);
    return a;
}

static const struct analysis_finding *find_row(const struct analysis_report *report, unsigned row)
{
    const struct analysis_finding *found = NULL;

    for (size_t i = 0; i < report->n_findings; i++) {
        if (report->findings[i].row == row) {
            assert_null(found); /* one finding per row */
            found = &report->findings[i];
        }
    }
    return found;
}

static void expect_finding(const struct analysis_report *report, unsigned row, const char *code,
                           const char *words)
{
    const struct analysis_finding *finding = find_row(report, row);
    enum analysis_verdict verdict = words ? ANALYSIS_REFUSAL : ANALYSIS_PASS;

    assert_non_null(finding);
    if (strcmp(finding->code, code) != 0 || finding->verdict != verdict ||
        !strstr(finding->sentence, words ? words : "")) {
        fail_msg("row %u: got %s %s \"%s\", wanted %s \"%s\"", row,
                 analysis_verdict_text(finding->verdict), finding->code, finding->sentence, code,
                 words ? words : "");
    }
    assert_int_equal(finding->sentence[0] == '\0', verdict == ANALYSIS_PASS);
}

/* Row 32 alone; `words` NULL = a pass. */
static void expect(const char *layout, const char *file_name, const void *buf, size_t len,
                   const char *code, const char *words)
{
    AUTO_ANALYSIS a = analyse(layout, file_name, buf, len);
    const struct analysis_report *report = analysis_finish(a);

    assert_int_equal(report->n_findings, 1);
    assert_int_equal(report->verdict, words ? ANALYSIS_REFUSAL : ANALYSIS_PASS);
    assert_int_equal(report->size_bytes, len);
    expect_finding(report, 32, code, words);
}

static void row_32_refuses__wrong_names_with_the_right_ones(void **state)
{
    (void)state;
    static const char *const names[] = {
        "esp-at.bin",
        "OTA.bin",
        ".bin",
        "",
        "ota",
        "client_ca",
        "CLIENT_CA.bin",
        "client_ca.BIN",
        "../client_ca.bin",
        "a_label_of_more_than_sixteen_bytes.bin",
        "a_label_of_17_byt.bin",
        "mqtt_ca.bin.bin",
        "nvs.bin",
        "mfg_nvs.bin", /* of later layouts */
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        expect(OLD, names[i], golden_pki, sizeof golden_pki, "PART_NAME",
               "the files of a ROM are: ota.bin, ble_data.bin, server_cert.bin, server_key.bin, "
               "server_ca.bin, client_cert.bin, client_key.bin, client_ca.bin, factory_param.bin, "
               "wpa2_cert.bin, wpa2_key.bin, wpa2_ca.bin, mqtt_cert.bin, mqtt_key.bin, mqtt_ca.bin "
               "(");
    }
    expect(OLD, "Client.bin", golden_pki, sizeof golden_pki, "PART_NAME",
           "modules of the layout esp32_v3 do not ask for a file named 'Client.bin'");
    expect(NEW, "client_ca.bin", golden_pki, sizeof golden_pki, "PART_NAME",
           "the files of a ROM are: ota.bin (");
    expect("esp32-d2wd", "client_ca.bin", golden_pki, sizeof golden_pki, "PART_NAME",
           "the files of a ROM are: none (");
}

static void row_32_refuses__long_names_with_room_for_the_list(void **state)
{
    (void)state;
    char name[300];

    memset(name, 'x', sizeof name);
    memcpy(name + 295, ".bin", 5);
    expect(OLD, name, "", 0, "PART_NAME", "mqtt_ca.bin (esp-at.bin of the build is uploaded as");
}

/* facts/esp-formats.md 6.5: erased for nothing. */
static void row_32_refuses__partitions_that_would_be_erased(void **state)
{
    (void)state;
    expect(NEW, "fs_storage.bin", "hello", 5, "PART_WOULD_ERASE",
           "'fs_storage.bin' is for the user partition fs_storage: with AT+CIUPDATE a stock module "
           "would erase fs_storage and then refuse the file, for nothing");
    expect(OLD, "fatfs.bin", "hello", 5, "PART_WOULD_ERASE",
           "write it over the module's serial port (AT+SYSFLASH); the files of a ROM are: ota.bin, "
           "ble_data.bin");

    uint8_t nvs[GOLDEN_NVS_BYTES];
    golden_nvs(nvs);
    AUTO_ANALYSIS a = analyse(NEW, "mfg_nvs.bin", nvs, sizeof nvs);
    const struct analysis_report *report = analysis_finish(a);
    assert_int_equal(report->verdict, ANALYSIS_REFUSAL);
    expect_finding(report, 32, "PART_WOULD_ERASE", "would erase mfg_nvs and then refuse the file");
}

static void row_32_passes__pki_in_each_of_its_partitions(void **state)
{
    (void)state;
    static const char *const names[] = {
        "server_cert.bin", "server_key.bin", "server_ca.bin", "client_cert.bin",
        "client_key.bin",  "client_ca.bin",  "wpa2_cert.bin", "wpa2_key.bin",
        "wpa2_ca.bin",     "mqtt_cert.bin",  "mqtt_key.bin",  "mqtt_ca.bin",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        expect(OLD, names[i], golden_pki, sizeof golden_pki, "PART_NAME", NULL);
        expect("esp32c3_v3", names[i], golden_pki_key, sizeof golden_pki_key, "PART_NAME", NULL);
    }
}

static void row_32_refuses__what_has_not_the_magic_of_its_partition(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
        const char *words;
    } rows[] = {
        {"client_ca.bin", "-----BEGIN CERTIFICATE-----\n", 28,
         "this is a text file, but the user partition client_ca takes a PKI container, which has "
         "f1f1 at its start: a stock module would erase the partition and then refuse the file; "
         "make it with AtPKI.py"},
        {"client_ca.bin", "\x01", 1, "this is a file of unknown kind, but"},
        {"client_ca.bin", "\xFC\xFC\1", 3, "this is a factory_param partition, but"},
        {"factory_param.bin", "\xF1\xF1\0\0\0\0\0\0", 8,
         "this is a PKI partition of AT up to v3.0, but the user partition factory_param takes a "
         "factory_param file, which has fcfc at its start"},
        {"ble_data.bin", "{\"Service\":[]}", 14,
         "the user partition ble_data takes a ble_data file, which has 2795 behind its first two"},
        {"ble_data.bin", "\x0E\0\x27", 3, "takes a ble_data file"},
        {"ble_data.bin", "", 0, "this is an empty file, but the user partition ble_data takes"},
        {"mqtt_key.bin", "", 0, "this is an empty file, but the user partition mqtt_key takes"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(OLD, rows[i].name, rows[i].bytes, rows[i].len, "PART_MAGIC", rows[i].words);
    }
    expect(OLD, "server_key.bin", image_a, sizeof image_a, "PART_MAGIC",
           "this is an app image, but");
}

static void row_32_refuses__a_file_larger_than_its_partition(void **state)
{
    (void)state;
    static uint8_t file[0x2001];

    memset(file, 0xFF, sizeof file);
    memcpy(file, golden_pki, sizeof golden_pki);
    expect(OLD, "client_ca.bin", file, 0x2000, "PART_NAME", NULL);
    expect(OLD, "client_ca.bin", file, 0x2001, "PART_TOO_BIG",
           "this file has 8193 bytes, but the user partition client_ca of the layout esp32_v3 has "
           "8192: a module would refuse it");
    memcpy(file, golden_factory_param_v1, sizeof golden_factory_param_v1);
    memset(file + sizeof golden_factory_param_v1, 0xFF, 64);
    expect(OLD, "factory_param.bin", file, 0x1000, "PART_NAME", NULL);
    expect(OLD, "factory_param.bin", file, 0x1001, "PART_TOO_BIG", "has 4096: a module");
}

static void row_32_refuses__pki_whose_items_do_not_add_up(void **state)
{
    (void)state;
    uint8_t file[sizeof golden_pki];

    expect(OLD, "client_ca.bin", golden_pki, 30, "PART_FORMAT",
           "this is a PKI container, but it is cut short: its items are longer than the file (by "
           "its header 2 items in 36 bytes; 0 of them are whole, up to byte 30 of 30); make it "
           "with AtPKI.py");
    memcpy(file, golden_pki, sizeof file);
    file[2] = 3;
    expect(OLD, "client_ca.bin", file, sizeof file, "PART_FORMAT",
           "it has another number of items than it says (by its header 3 items in 36 bytes; 2 of "
           "them are whole, up to byte 36 of 36)");
}

static void row_32_refuses__factory_param_with_what_is_wrong(void **state)
{
    (void)state;
    uint8_t file[96];

    memset(file, 0xFF, sizeof file);
    memcpy(file, golden_factory_param_v1, sizeof golden_factory_param_v1);
    expect(OLD, "factory_param.bin", file, 20, "PART_FORMAT",
           "this is a factory_param file, but it is cut short: it has 20 bytes of 24; make it with "
           "factory_param_generate.py");
    file[95] = 0;
    expect(OLD, "factory_param.bin", file, sizeof file, "PART_FORMAT",
           "behind its 24 bytes of fields something else than ff follows");
    file[2] = 9;
    expect(OLD, "factory_param.bin", file, sizeof file, "PART_FORMAT",
           "of version 9, and modules know 1, 2 and 3");
}

#define SERVICE_ROW                                                                                \
    "{\"index\":0,\"uuid_len\":16,\"uuid\":\"A002\",\"perm\":1,\"val_max_len\":2,"                 \
    "\"val_cur_len\":2,\"value\":\"A002\"}"

static void expect_ble(const char *json, const char *code, const char *words)
{
    uint8_t file[600];
    size_t len = strlen(json);

    aloft_put_le16(file, (uint16_t)len);
    file[2] = 0x27;
    file[3] = 0x95;
    memcpy(file + 4, json, len);
    expect(OLD, "ble_data.bin", file, 4 + len, code, words);
}

#define NUMBERS_AS_TEXT                                                                            \
    "{\"Service\":[{\"index\":\"0\",\"uuid_len\":\"16\",\"uuid\":\"\",\"perm\":\"0x01\","          \
    "\"val_max_len\":\"2\",\"val_cur_len\":\"9\",\"value\":\"\",\"x\":null}]}"

static void row_32_wants__ble_data_to_be_a_service_as_json(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{\"Service\":[]}",
        "{\"Service\":[" SERVICE_ROW "]}",
        " {\"Service\": [" SERVICE_ROW "," SERVICE_ROW "], \"more\": 1}\n",
        NUMBERS_AS_TEXT,
    };
    static const struct {
        const char *json;
        const char *words;
    } bad[] = {
        {"", "its text is no JSON"},
        {"{\"Service\":[}",
         "this is a ble_data file, but its text is no JSON from byte 13 of it on"},
        {"{\"Service\":[]} x", "its text is no JSON"},
        {"[]", "its text is no object with a list 'Service'"},
        {"{\"Service\":{}}", "its text is no object with a list 'Service'"},
        {"{\"service\":[]}", "its text is no object with a list 'Service'"},
        {"{\"Service\":[1]}", "row 0 of its 'Service' has no 'index'"},
        {"{\"Service\":[" SERVICE_ROW ",{\"index\":1}]}",
         "row 1 of its 'Service' has no 'uuid_len'"},
        {"{\"Service\":[{\"index\":0,\"uuid_len\":15,\"uuid\":\"\",\"perm\":1,\"val_max_len\":2,"
         "\"val_cur_len\":2,\"value\":\"\"}]}",
         "in row 0 of its 'Service' 'uuid_len' is 15, where 16, 32 and 128 are possible"},
        {"{\"Service\":[{\"index\":0,\"uuid_len\":128,\"uuid\":\"\",\"perm\":1,\"val_max_len\":2,"
         "\"val_cur_len\":3,\"value\":\"\"}]}",
         "'val_cur_len' is greater than 'val_max_len'"},
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        expect_ble(good[i], "PART_NAME", NULL);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect_ble(bad[i].json, "PART_FORMAT", bad[i].words);
    }
    expect(OLD, "ble_data.bin", "\x0E\0\x27\x95{\"Ser", 9, "PART_FORMAT",
           "it is cut short: it has 9 bytes of 18");
    expect(OLD, "ble_data.bin", "\x02\0\x27\x95{}}", 7, "PART_FORMAT",
           "behind its text of 2 bytes something else than ff follows");
}

/* As deep as a partition is long: it is refused, whatever the stack could bear. */
static void row_32_refuses__ble_data_nested_without_end(void **state)
{
    (void)state;
    static uint8_t file[0x3000];

    memset(file, '[', sizeof file);
    aloft_put_le16(file, sizeof file - 4);
    file[2] = 0x27;
    file[3] = 0x95;
    expect(OLD, "ble_data.bin", file, sizeof file, "PART_FORMAT", "its text is no JSON");
}

/* What a file says about itself is shown without its control characters. */
static void sentences__hold_no_control_characters(void **state)
{
    (void)state;
    AUTO_ANALYSIS a = analyse(OLD, "ble_data.bin", "\x03\0\x27\x95{\x1B[", 7);
    const struct analysis_finding *finding = find_row(analysis_finish(a), 32);

    assert_string_equal(finding->code, "PART_FORMAT");
    for (const char *c = finding->sentence; *c; c++) {
        assert_true(*c >= ' ' && *c <= '~');
    }
}

/* Row 33 behind the refused name; `words` NULL = a pass. */
static void expect_nvs(const uint8_t *buf, size_t len, const char *code, const char *words)
{
    AUTO_ANALYSIS a = analyse(NEW, "mfg_nvs.bin", buf, len);
    const struct analysis_report *report = analysis_finish(a);

    assert_int_equal(report->n_findings, 2);
    expect_finding(report, 33, code, words);
}

static void row_33_passes__a_whole_nvs_file(void **state)
{
    (void)state;
    static uint8_t nvs[MFG_NVS_BYTES];

    memset(nvs, 0xFF, sizeof nvs);
    golden_nvs(nvs);
    expect_nvs(nvs, GOLDEN_NVS_BYTES, "NVS_SIZE", NULL);
    expect_nvs(nvs, sizeof nvs, "NVS_SIZE", NULL);
}

static void row_33_refuses__nvs_of_a_wrong_size(void **state)
{
    (void)state;
    static uint8_t nvs[MFG_NVS_BYTES + 0x1000];

    memset(nvs, 0xFF, sizeof nvs);
    golden_nvs(nvs);
    expect_nvs(nvs, 0, "NVS_SIZE", "it is not one or more whole pages of 4096 bytes");
    expect_nvs(nvs, 0x2FFF, "NVS_SIZE",
               "this NVS file of 12287 bytes is not whole: it is not one or more whole pages");
    expect_nvs(nvs, sizeof nvs, "NVS_SIZE",
               "this NVS file has 131072 bytes, but the partition mfg_nvs of the layout "
               "esp32c3_default has 126976");
    expect_nvs(nvs, 0x2000, "NVS_NO_BLANK", "it has no blank page, and a module needs one");
    expect_nvs(image_a, sizeof image_a, "NVS_WRONG_KIND",
               "this is an app image, but mfg_nvs is an NVS partition; make it again with");
}

/* One byte of the vendor's file each; entries and pages sealed again where their CRC would hide it.
 */
static const struct change {
    size_t off;
    uint8_t value;
    enum { AS_IS, SEAL_PAGE, SEAL_ENTRY } seal;
    const char *code;
    const char *words;
} changes[] = {
    /* clang-format off */
    {0x0000, 0xF0, AS_IS, "NVS_PAGE_STATE", "its page 0 (at 0x0) has a state that no whole page has: 0xfffffff0"},
    {0x1008, 0x00, SEAL_PAGE, "NVS_PAGE_VERSION", "its page 1 (at 0x1000) is of an unknown format version: 0x0"},
    {0x0004, 0x01, AS_IS, "NVS_PAGE_CRC", "its page 0 (at 0x0) has a header whose CRC is wrong: 0xb9ba2d84 where 0x"},
    {0x2ABC, 0x00, AS_IS, "NVS_PAGE_DIRTY", "its page 2 (at 0x2000) says it is blank, but is not;"},
    {0x1004, 0x00, SEAL_PAGE, "NVS_SEQUENCE", "its page 1 (at 0x1000) has the sequence number of an earlier page: 0x0"},
    {0x0020, 0xA6, AS_IS, "NVS_ENTRY_STATE", "entry 1 of its page 0 (at 0x60) has a state that no entry has: 0x1"},
    {0x0024, 0x7F, AS_IS, "NVS_ENTRY_STATE", "entry 19 of its page 0 (at 0x2a0) has a state that no entry has: 0x1"},
    {0x0078, 0x05, AS_IS, "NVS_ENTRY_CRC", "entry 1 of its page 0 (at 0x60) has a wrong CRC: 0xcf19c683 where 0x"},
    {0x0061, 0x77, SEAL_ENTRY, "NVS_TYPE", "entry 1 of its page 0 (at 0x60, 'version') is of an unknown type: 0x77"},
    {0x0058, 0x00, SEAL_ENTRY, "NVS_NAMESPACE", "entry 0 of its page 0 (at 0x40, 'factory_param') defines a namespace that cannot be"},
    {0x0082, 0x03, SEAL_ENTRY, "NVS_SPAN", "entry 2 of its page 0 (at 0x80, 'module_name') has a number of entries that does not fit its page, type or length: 0x3 where 0x2 is right"},
    {0x0099, 0x10, SEAL_ENTRY, "NVS_DATA_SIZE", "entry 2 of its page 0 (at 0x80, 'module_name') has more data than an item may have, or text without end: 0x1007; make it again"},
    {0x00A0, 'm', AS_IS, "NVS_DATA_CRC", "entry 2 of its page 0 (at 0x80, 'module_name') has data whose CRC is wrong"},
    {0x00A6, '!', AS_IS, "NVS_DATA_CRC", "'module_name') has data whose CRC is wrong"},
    /* clang-format on */
};

static void row_33_refuses__damaged_nvs_with_the_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const struct change *c = &changes[i];
        uint8_t nvs[GOLDEN_NVS_BYTES];
        uint8_t *page = nvs + (c->off & ~(size_t)0xFFF);
        uint8_t *entry = nvs + (c->off & ~(size_t)0x1F);

        golden_nvs(nvs);
        nvs[c->off] = c->value;
        if (c->seal == SEAL_PAGE) {
            aloft_put_le32(page + 28, aloft_crc32(0xFFFFFFFF, page + 4, 24));
        } else if (c->seal == SEAL_ENTRY) {
            uint32_t crc = aloft_crc32(0xFFFFFFFF, entry, 4);
            aloft_put_le32(entry + 4, aloft_crc32(crc, entry + 8, 24));
        }
        expect_nvs(nvs, sizeof nvs, c->code, c->words);
    }
}

static void row_33_refuses__a_key_without_end(void **state)
{
    (void)state;
    uint8_t nvs[GOLDEN_NVS_BYTES];

    golden_nvs(nvs);
    memset(nvs + 0x68, '\x1B', 16);
    aloft_put_le32(nvs + 0x64, aloft_crc32(aloft_crc32(0xFFFFFFFF, nvs + 0x60, 4), nvs + 0x68, 24));
    expect_nvs(nvs, sizeof nvs, "NVS_KEY",
               "(at 0x60, '\?\?\?\?\?\?\?\?\?\?\?\?\?\?\?') has a key without end");
}

/* An upload arrives in portions of the network's choice. */
static void feeding__byte_by_byte_gives_the_same_findings(void **state)
{
    (void)state;
    struct analysis_rules rules = {.layout = aloft_layout_by_name(OLD), .file_name = "mqtt_ca.bin"};
    AUTO_ANALYSIS a = analysis_new(&rules);

    for (size_t i = 0; i < sizeof golden_pki; i++) {
        analysis_feed(a, golden_pki + i, 1);
    }
    expect_finding(analysis_finish(a), 32, "PART_NAME", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_32_refuses__wrong_names_with_the_right_ones),
        cmocka_unit_test(row_32_refuses__long_names_with_room_for_the_list),
        cmocka_unit_test(row_32_refuses__partitions_that_would_be_erased),
        cmocka_unit_test(row_32_passes__pki_in_each_of_its_partitions),
        cmocka_unit_test(row_32_refuses__what_has_not_the_magic_of_its_partition),
        cmocka_unit_test(row_32_refuses__a_file_larger_than_its_partition),
        cmocka_unit_test(row_32_refuses__pki_whose_items_do_not_add_up),
        cmocka_unit_test(row_32_refuses__factory_param_with_what_is_wrong),
        cmocka_unit_test(row_32_wants__ble_data_to_be_a_service_as_json),
        cmocka_unit_test(row_32_refuses__ble_data_nested_without_end),
        cmocka_unit_test(sentences__hold_no_control_characters),
        cmocka_unit_test(row_33_passes__a_whole_nvs_file),
        cmocka_unit_test(row_33_refuses__nvs_of_a_wrong_size),
        cmocka_unit_test(row_33_refuses__damaged_nvs_with_the_place),
        cmocka_unit_test(row_33_refuses__a_key_without_end),
        cmocka_unit_test(feeding__byte_by_byte_gives_the_same_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
