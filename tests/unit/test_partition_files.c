/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "aloft/ble_data.h"
#include "aloft/factory_param.h"
#include "aloft/pki.h"

#include "golden_partitions.h"

/* The user partitions of AT up to v3.0 but NVS: PKI, factory_param, ble_data. */

static void expect_pki(const uint8_t *buf, size_t len, enum aloft_pki_fault fault, size_t off,
                       size_t n_seen)
{
    struct aloft_pki_report report;

    assert_int_equal(aloft_pki_check(buf, len, &report), fault);
    assert_int_equal(report.fault, fault);
    assert_int_equal(report.off, off);
    assert_int_equal(report.n_seen, n_seen);
}

static void pki__takes_the_vendors_containers(void **state)
{
    (void)state;
    struct aloft_pki_report report;

    expect_pki(golden_pki, sizeof golden_pki, ALOFT_PKI_OK, 36, 2);
    expect_pki(golden_pki_key, sizeof golden_pki_key, ALOFT_PKI_OK, 16, 1);
    assert_int_equal(aloft_pki_check(golden_pki, sizeof golden_pki, &report), ALOFT_PKI_OK);
    assert_int_equal(report.n_items, 2);
    assert_int_equal(report.size_bytes, 36);
}

/* One byte of the two CAs; ESP8266 v2.2.1 tags all its items 2. */
static const struct change {
    size_t off;
    uint8_t value;
    enum aloft_pki_fault fault;
    size_t at;
    size_t n_seen;
} changes[] = {
    {0, 0xF0, ALOFT_PKI_MAGIC, 0, 0},      {1, 0xF0, ALOFT_PKI_MAGIC, 0, 0},
    {2, 1, ALOFT_PKI_COUNT, 36, 2},        {2, 3, ALOFT_PKI_COUNT, 36, 2},
    {3, 1, ALOFT_PKI_COUNT, 36, 2},        {4, 0x1D, ALOFT_PKI_TRUNCATED, 36, 0},
    {7, 0x80, ALOFT_PKI_TRUNCATED, 36, 0}, {4, 0x18, ALOFT_PKI_ITEM, 24, 1},
    {4, 0x12, ALOFT_PKI_ITEM, 24, 1},      {4, 0x10, ALOFT_PKI_COUNT, 24, 1},
    {8, 2, ALOFT_PKI_OK, 36, 2},           {9, 7, ALOFT_PKI_OK, 36, 2},
    {10, 12, ALOFT_PKI_OK, 36, 2},         {10, 13, ALOFT_PKI_ITEM, 28, 1},
    {11, 1, ALOFT_PKI_ITEM, 8, 0},         {26, 9, ALOFT_PKI_ITEM, 24, 1},
    {26, 4, ALOFT_PKI_ITEM, 32, 2},
};

static void pki__says_what_is_wrong_and_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t buf[sizeof golden_pki];

        memcpy(buf, golden_pki, sizeof buf);
        buf[changes[i].off] = changes[i].value;
        expect_pki(buf, sizeof buf, changes[i].fault, changes[i].at, changes[i].n_seen);
    }
}

static void pki__knows_a_file_that_is_cut(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof golden_pki; len++) {
        expect_pki(golden_pki, len,
                   len < 2   ? ALOFT_PKI_MAGIC
                   : len < 8 ? ALOFT_PKI_HEADER
                             : ALOFT_PKI_TRUNCATED,
                   len < 8 ? 0 : len, 0);
    }
}

static void pki__may_be_filled_with_ff_only(void **state)
{
    (void)state;
    uint8_t buf[64];

    memset(buf, 0xFF, sizeof buf);
    memcpy(buf, golden_pki, sizeof golden_pki);
    expect_pki(buf, sizeof buf, ALOFT_PKI_OK, 36, 2);
    buf[63] = 0;
    expect_pki(buf, sizeof buf, ALOFT_PKI_TRAILING, 36, 2);
}

static void pki__may_be_empty(void **state)
{
    (void)state;
    expect_pki((const uint8_t *)"\xF1\xF1\0\0\0\0\0\0", 8, ALOFT_PKI_OK, 8, 0);
    assert_string_equal(aloft_pki_fault_text(ALOFT_PKI_OK), "is whole");
    assert_string_equal(aloft_pki_fault_text((enum aloft_pki_fault)99), "is unknown");
}

static void factory_param__reads_the_vendors_versions(void **state)
{
    (void)state;
    uint8_t buf[4096];
    struct aloft_factory_param p;

    memset(buf, 0xFF, sizeof buf);
    memcpy(buf, golden_factory_param_v1, sizeof golden_factory_param_v1);
    assert_err(aloft_factory_param_parse(buf, sizeof buf, &p), ALOFT_ERR_OK);
    assert_int_equal(p.version, 1);
    assert_int_equal(p.module_id, 1);
    assert_int_equal(p.max_tx_power, 78);
    assert_int_equal(p.uart_port, 0xFF);
    assert_int_equal(p.start_channel, 1);
    assert_int_equal(p.n_channels, 13);
    assert_string_equal(p.country_code, "CN");
    assert_int_equal(p.uart_baudrate, 115200);
    assert_memory_equal(p.uart_pins, "\x11\x10\x0F\x0E", 4);
    assert_memory_equal(p.control_pins, "\xFF\xFF", 2);
    assert_string_equal(p.module_name, "");
    assert_int_equal(p.size_bytes, 24);

    memcpy(buf, golden_factory_param_v3, sizeof golden_factory_param_v3);
    memset(buf + 40, 0, 48);
    memcpy(buf + 56, "WROOM-02", 8);
    assert_err(aloft_factory_param_parse(buf, sizeof buf, &p), ALOFT_ERR_OK);
    assert_int_equal(p.version, 3);
    assert_int_equal(p.module_id, 0);
    assert_memory_equal(p.control_pins, "\x05\xFF", 2);
    assert_string_equal(p.platform, "PLATFORM_ESP8266");
    assert_string_equal(p.module_name, "WROOM-02");
    assert_int_equal(p.size_bytes, 88);
}

static void factory_param__says_what_is_wrong(void **state)
{
    (void)state;
    uint8_t buf[96];
    struct aloft_factory_param p;

    memset(buf, 0xFF, sizeof buf);
    memcpy(buf, golden_factory_param_v1, sizeof golden_factory_param_v1);
    assert_err(aloft_factory_param_parse(buf, 24, &p), ALOFT_ERR_OK);
    for (size_t len = 0; len < 24; len++) {
        assert_err(aloft_factory_param_parse(buf, len, &p),
                   len < 2 ? ALOFT_ERR_MAGIC : ALOFT_ERR_TRUNCATED);
        assert_int_equal(p.size_bytes, len < 2 ? 0 : 24);
    }
    buf[95] = 0;
    assert_err(aloft_factory_param_parse(buf, sizeof buf, &p), ALOFT_ERR_TRAILING);
    buf[24] = 0;
    assert_err(aloft_factory_param_parse(buf, 25, &p), ALOFT_ERR_TRAILING);
    buf[2] = 2;
    assert_err(aloft_factory_param_parse(buf, 24, &p), ALOFT_ERR_OK);
    buf[2] = 3; /* its fields end later */
    assert_err(aloft_factory_param_parse(buf, 87, &p), ALOFT_ERR_TRUNCATED);
    assert_int_equal(p.size_bytes, 88);
    assert_err(aloft_factory_param_parse(buf, 88, &p), ALOFT_ERR_OK);
    buf[2] = 4;
    assert_err(aloft_factory_param_parse(buf, 88, &p), ALOFT_ERR_VERSION);
    assert_int_equal(p.version, 4);
    buf[2] = 0;
    assert_err(aloft_factory_param_parse(buf, 88, &p), ALOFT_ERR_VERSION);
    buf[1] = 0xFB;
    assert_err(aloft_factory_param_parse(buf, 88, &p), ALOFT_ERR_MAGIC);
}

static void ble_data__is_text_behind_its_length(void **state)
{
    (void)state;
    static const uint8_t file[] = "\x0E\x00\x27\x95{\"Service\":[]}";
    uint8_t buf[32];
    struct aloft_ble_data d;

    assert_err(aloft_ble_data_parse(file, 18, &d), ALOFT_ERR_OK);
    assert_int_equal(d.json_len, 14);
    assert_memory_equal(d.json, "{\"Service\":[]}", 14);
    for (size_t len = 0; len < 18; len++) {
        assert_err(aloft_ble_data_parse(file, len, &d),
                   len < 4 ? ALOFT_ERR_MAGIC : ALOFT_ERR_TRUNCATED);
        assert_int_equal(d.json_len, len < 4 ? 0 : 14);
        assert_null(d.json);
    }
    memset(buf, 0xFF, sizeof buf);
    memcpy(buf, file, 18);
    assert_err(aloft_ble_data_parse(buf, sizeof buf, &d), ALOFT_ERR_OK);
    buf[31] = '}';
    assert_err(aloft_ble_data_parse(buf, sizeof buf, &d), ALOFT_ERR_TRAILING);
    /* facts/esp-formats.md 8.8: the start of a real one, 5718 bytes */
    assert_err(aloft_ble_data_parse((const uint8_t *)"\x52\x16\x27\x95{\"", 6, &d),
               ALOFT_ERR_TRUNCATED);
    assert_int_equal(d.json_len + 4, 5718);
    buf[2] = 0x26;
    assert_err(aloft_ble_data_parse(buf, 18, &d), ALOFT_ERR_MAGIC);
    memcpy(buf, "\x27\x95\x0E\x00", 4);
    assert_err(aloft_ble_data_parse(buf, 18, &d), ALOFT_ERR_MAGIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pki__takes_the_vendors_containers),
        cmocka_unit_test(pki__says_what_is_wrong_and_where),
        cmocka_unit_test(pki__knows_a_file_that_is_cut),
        cmocka_unit_test(pki__may_be_filled_with_ff_only),
        cmocka_unit_test(pki__may_be_empty),
        cmocka_unit_test(factory_param__reads_the_vendors_versions),
        cmocka_unit_test(factory_param__says_what_is_wrong),
        cmocka_unit_test(ble_data__is_text_behind_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
