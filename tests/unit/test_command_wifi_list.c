/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "wifi_dialogue.h"

#include "command/wifi.h"

/* Byte-exact dialogues of AT+CWLAP and AT+CWLIF (facts/at-commands.md 4), echo off; and whose turn
 * it is to scan. */

static void add_ap(struct fake_port *f, const char *ssid, int8_t rssi, uint8_t auth)
{
    struct aloft_scan_entry *ap = &f->wifi.aps[f->wifi.n_aps++];

    memset(ap, 0, sizeof *ap);
    memcpy(ap->ssid, ssid, strlen(ssid));
    memcpy(ap->bssid, "\x02\x00\x00\xaa\xbb\x00", 6);
    ap->bssid[5] = (uint8_t)f->wifi.n_aps;
    ap->channel = (uint8_t)(f->wifi.n_aps * 2);
    ap->rssi = rssi;
    ap->auth = auth;
}

#define AP_1 "+CWLAP:(3,\"home\",-40,\"02:00:00:aa:bb:01\",2,-1,-1,4,4,7,0)\r\n"
#define AP_2 "+CWLAP:(0,\"\",-50,\"02:00:00:aa:bb:02\",4,-1,-1,0,0,7,0)\r\n"
#define AP_3 "+CWLAP:(4,\"a\\,\\\"b\",-60,\"02:00:00:aa:bb:03\",6,-1,-1,5,3,7,0)\r\n"

static void add_three(struct fake_port *f)
{
    add_ap(f, "home", -40, ALOFT_WIFI_WPA2);
    add_ap(f, "", -50, ALOFT_WIFI_OPEN);
    add_ap(f, "a,\"b", -60, ALOFT_WIFI_WPA_WPA2);
    expect(f, "AT+CWMODE=1\r\n", OK);
}

static void cwlap__lists_what_the_scan_found(void **state)
{
    struct fake_port *f = *state;

    add_three(f);
    expect(f, "AT+CWLAP\r\n", AP_1 AP_2 AP_3 OK);
    f->wifi.n_aps = 0;
    expect(f, "AT+CWLAP\r\n", OK);
    assert_int_equal(f->wifi.n_scans, 2);
}

static void cwlap__waits_for_the_end_of_the_scan(void **state)
{
    struct fake_port *f = *state;

    add_three(f);
    f->wifi.n_scan_agains = 3;
    expect(f, "AT+CWLAP\r\n", "");
    expect(f, "AT\r\n", "\r\nbusy p...\r\n");
    expect_after(f, 20, AP_1 AP_2 AP_3 OK);
    assert_int_equal(f->wifi.n_scans, 1);
}

static void cwlap__shows_the_ciphers_of_each_authentication(void **state)
{
    struct fake_port *f = *state;
    static const char *const fields[] = {
        [ALOFT_WIFI_OPEN] = "0,0",          [ALOFT_WIFI_WEP] = "2,2",
        [ALOFT_WIFI_WPA] = "3,3",           [ALOFT_WIFI_WPA2] = "4,4",
        [ALOFT_WIFI_WPA_WPA2] = "5,3",      [ALOFT_WIFI_WPA2_ENT] = "4,4",
        [ALOFT_WIFI_WPA3] = "4,4",          [ALOFT_WIFI_WPA2_WPA3] = "4,4",
        [ALOFT_WIFI_WPA2_WPA3 + 1] = "4,4",
    };

    expect(f, "AT+CWMODE=1\r\n", OK);
    for (uint8_t auth = 0; auth < sizeof fields / sizeof fields[0]; auth++) {
        char wanted[128];
        f->wifi.n_aps = 0;
        add_ap(f, "home", -40, auth);
        snprintf(wanted, sizeof wanted,
                 "+CWLAP:(%u,\"home\",-40,\"02:00:00:aa:bb:01\",2,-1,-1,%s,7,0)\r\n" OK, auth,
                 fields[auth]);
        expect(f, "AT+CWLAP\r\n", wanted);
    }
}

static void cwlap__takes_filters(void **state)
{
    struct fake_port *f = *state;
    static const char *const rows[][2] = {
        {"AT+CWLAP=\"home\"\r\n", AP_1 OK},
        {"AT+CWLAP=\"hom\"\r\n", OK},
        {"AT+CWLAP=\"\"\r\n", AP_2 OK},
        {"AT+CWLAP=,\"02:00:00:AA:BB:03\"\r\n", AP_3 OK},
        {"AT+CWLAP=\"home\",\"02:00:00:aa:bb:03\"\r\n", OK},
        {"AT+CWLAP=,,4\r\n", AP_2 OK},
        {"AT+CWLAP=\"home\",\"02:00:00:aa:bb:01\",2,0,400,1000\r\n", AP_1 OK},
        {"AT+CWLAP=\r\n", AP_1 AP_2 AP_3 OK},
        {"AT+CWLAP=,,,1,,\r\n", AP_1 AP_2 AP_3 OK},
    };

    add_three(f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(f, rows[i][0], rows[i][1]);
    }
}

static void cwlap__checks_its_parameters(void **state)
{
    struct fake_port *f = *state;
    static const char *const bad[] = {
        "home",   "1",        "\"123456789012345678901234567890123\"",
        ",\"x\"", ",,0",      ",,15",
        ",,,2",   ",,,,1501", ",,,,,1501",
        ",,,,,,", ",,\"1\"",
    };

    add_three(f);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char input[64];
        snprintf(input, sizeof input, "AT+CWLAP=%s\r\n", bad[i]);
        expect(f, input, ERROR);
    }
    assert_int_equal(f->wifi.n_scans, 0);
}

static void cwlap__is_an_error_where_nothing_can_be_scanned(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWLAP\r\n", ERROR);
    expect(f, "AT+CWMODE=2\r\n", OK);
    expect(f, "AT+CWLAP\r\n", ERROR);
    assert_int_equal(f->wifi.n_scans, 0);
    expect(f, "AT+CWMODE=3\r\n", OK);
    f->wifi.scan_err = ALOFT_ERR_IO;
    expect(f, "AT+CWLAP\r\n", ERROR);
    f->wifi.scan_err = ALOFT_ERR_OK;
    f->wifi.n_scan_agains = UINT_MAX; /* A port that never ends its scan. */
    expect(f, "AT+CWLAP\r\n", "");
    expect_after(f, 29000, "");
    expect_after(f, 1100, ERROR);
    expect(f, "AT\r\n", OK);
}

/* Forty access points are several times the TX buffer, and the UART takes little at a time. */
static void cwlap__goes_on_when_there_is_room_again(void **state)
{
    struct fake_port *f = *state;
    char wanted[40 * 140];
    size_t len = 0;

    expect(f, "AT+CWMODE=1\r\n", OK);
    for (unsigned i = 0; i < FAKE_APS; i++) {
        char ssid[33];
        snprintf(ssid, sizeof ssid, ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,%02u", i);
        add_ap(f, ssid, -40, ALOFT_WIFI_WPA2);
        f->wifi.aps[i].channel = 6;
        len += (size_t)snprintf(
            wanted + len, sizeof wanted - len,
            "+CWLAP:(3,\"%s%02u\",-40,\"02:00:00:aa:bb:%02x\",6,-1,-1,4,4,7,0)\r\n",
            "\\,\\,\\,\\,\\,\\,\\,\\,\\,\\,\\,\\,\\,\\,\\,"
            "\\,\\,\\,\\,\\,\\,\\,\\,\\,\\,\\,\\,\\,\\,\\,",
            i, i + 1);
    }
    snprintf(wanted + len, sizeof wanted - len, OK);
    f->uart.room = 0;
    fake_port_send(f, "AT+CWLAP\r\n");
    for (unsigned n = 0; n < 200; n++) {
        f->uart.room = 50;
        fake_port_run(f, 20);
    }
    assert_string_equal(fake_port_read(f), wanted);
    f->uart.room = FAKE_UART_UNLIMITED;
    expect(f, "AT\r\n", OK);
}

static void scan__is_one_users_until_it_is_read(void **state)
{
    struct fake_port *f = *state;

    add_three(f);
    assert_err(aloft_wifi_scan_begin(&f->module, ALOFT_SCAN_WEB), ALOFT_ERR_OK);
    expect(f, "AT+CWLAP\r\n", "");
    expect_after(f, 1000, "");
    assert_int_equal(f->wifi.n_scans, 1);
    aloft_wifi_scan_end(&f->module, ALOFT_SCAN_COMMAND); /* Not its to end. */
    expect_after(f, 1000, "");
    aloft_wifi_scan_end(&f->module, ALOFT_SCAN_WEB);
    expect_after(f, 40, AP_1 AP_2 AP_3 OK);
    assert_int_equal(f->wifi.n_scans, 2);
}

static void scan__of_the_command_makes_others_wait(void **state)
{
    struct fake_port *f = *state;

    add_three(f);
    f->wifi.n_scan_agains = 10;
    expect(f, "AT+CWLAP\r\n", "");
    assert_err(aloft_wifi_scan_begin(&f->module, ALOFT_SCAN_WEB), ALOFT_ERR_AGAIN);
    expect_after(f, 500, AP_1 AP_2 AP_3 OK);
    assert_err(aloft_wifi_scan_begin(&f->module, ALOFT_SCAN_WEB), ALOFT_ERR_OK);
    assert_err(aloft_wifi_scan_begin(&f->module, ALOFT_SCAN_WEB), ALOFT_ERR_OK);
}

static void scan__that_cannot_begin_is_nobodys(void **state)
{
    struct fake_port *f = *state;

    assert_err(aloft_wifi_scan_begin(&f->module, ALOFT_SCAN_WEB), ALOFT_ERR_STATE);
    add_three(f);
    f->wifi.scan_err = ALOFT_ERR_IO;
    assert_err(aloft_wifi_scan_begin(&f->module, ALOFT_SCAN_WEB), ALOFT_ERR_IO);
    f->wifi.scan_err = ALOFT_ERR_OK;
    expect(f, "AT+CWLAP=\"home\"\r\n", AP_1 OK);
}

static void cwlap__gives_up_behind_a_scan_that_is_never_read(void **state)
{
    struct fake_port *f = *state;

    add_three(f);
    assert_err(aloft_wifi_scan_begin(&f->module, ALOFT_SCAN_WEB), ALOFT_ERR_OK);
    expect(f, "AT+CWLAP\r\n", "");
    expect_after(f, 29000, "");
    expect_after(f, 1100, ERROR);
}

static void cwlif__lists_the_clients_with_addresses(void **state)
{
    struct fake_port *f = *state;
    static const struct aloft_soft_ap_client clients[] = {
        {{0xa2, 0xb3, 0xc4, 0xd5, 0xe6, 0x01}, {192, 168, 4, 2}},
        {{0xa2, 0xb3, 0xc4, 0xd5, 0xe6, 0x02}, {0, 0, 0, 0}},
        {{0xa2, 0xb3, 0xc4, 0xd5, 0xe6, 0x03}, {192, 168, 4, 4}},
    };

    expect(f, "AT+CWLIF\r\n", ERROR); /* No soft-AP. */
    expect(f, "AT+CWMODE=2\r\n", OK);
    expect(f, "AT+CWLIF\r\n", OK);
    memcpy(f->wifi.clients, clients, sizeof clients);
    f->wifi.n_clients = 3;
    fake_port_run(f, 250);
    (void)fake_port_read(f);
    expect(f, "AT+CWLIF\r\n",
           "+CWLIF:192.168.4.2,a2:b3:c4:d5:e6:01\r\n+CWLIF:192.168.4.4,a2:b3:c4:d5:e6:03\r\n" OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, wifi_set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(cwlap__lists_what_the_scan_found),
        CASE(cwlap__waits_for_the_end_of_the_scan),
        CASE(cwlap__shows_the_ciphers_of_each_authentication),
        CASE(cwlap__takes_filters),
        CASE(cwlap__checks_its_parameters),
        CASE(cwlap__is_an_error_where_nothing_can_be_scanned),
        CASE(cwlap__goes_on_when_there_is_room_again),
        CASE(scan__is_one_users_until_it_is_read),
        CASE(scan__of_the_command_makes_others_wait),
        CASE(scan__that_cannot_begin_is_nobodys),
        CASE(cwlap__gives_up_behind_a_scan_that_is_never_read),
        CASE(cwlif__lists_the_clients_with_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
