/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "wifi_dialogue.h"

#include "command/wifi.h"

/* Byte-exact dialogues of the station's commands (facts/at-commands.md 1.8, 4), echo off. */

static void cwmode__is_set_and_queried(void **state)
{
    struct fake_port *f = *state;
    static const char *const rows[][2] = {
        {"AT+CWMODE?\r\n", "+CWMODE:0\r\n" OK},
        {"AT+CWMODE=3\r\n", OK},
        {"AT+CWMODE?\r\n", "+CWMODE:3\r\n" OK},
        {"AT+CWMODE=2,1\r\n", OK},
        {"AT+CWMODE?\r\n", "+CWMODE:2\r\n" OK},
        {"AT+CWMODE=4\r\n", ERROR},
        {"AT+CWMODE=-1\r\n", ERROR},
        {"AT+CWMODE=1,2\r\n", ERROR},
        {"AT+CWMODE=1,\r\n", ERROR},
        {"AT+CWMODE=1,0,0\r\n", ERROR},
        {"AT+CWMODE=\r\n", ERROR},
        {"AT+CWMODE\r\n", ERROR},
        {"AT+CWMODE?\r\n", "+CWMODE:2\r\n" OK},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(f, rows[i][0], rows[i][1]);
    }
    assert_int_equal(f->wifi.mode, 2);
}

static void cwjap__tells_each_step_then_ok(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=1\r\n", OK);
    expect(f, "AT+CWJAP=\"my\\,net\",\"a\\\"b\\\\c\"\r\n", "");
    assert_string_equal(f->wifi.join.ssid, "my,net");
    assert_string_equal(f->wifi.join.password, "a\"b\\c");
    assert_false(f->wifi.join.has_bssid);
    expect(f, "AT\r\n", "\r\nbusy p...\r\n");
    set_status(f, ALOFT_WIFI_CONNECTED);
    expect_after(f, 20, "WIFI CONNECTED\r\n");
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI GOT IP\r\n" OK);
    expect_after(f, 10000, "");
    assert_int_equal(f->wifi.n_joins, 1);
}

static void cwjap__leaves_the_other_access_point_first(void **state)
{
    struct fake_port *f = *state;

    wifi_join(f);
    expect(f, "AT+CWJAP=\"other\",\"\"\r\n", "WIFI DISCONNECT\r\n");
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n" OK);
    assert_string_equal(f->wifi.join.ssid, "other");
}

static void cwjap__fails_with_the_code_of_the_port(void **state)
{
    struct fake_port *f = *state;
    static const struct {
        enum aloft_wifi_fail fail;
        const char *wanted;
    } rows[] = {
        {ALOFT_WIFI_FAIL_TIMEOUT, "+CWJAP:1\r\n" ERROR},
        {ALOFT_WIFI_FAIL_PASSWORD, "+CWJAP:2\r\n" ERROR},
        {ALOFT_WIFI_FAIL_NO_AP, "+CWJAP:3\r\n" ERROR},
        {ALOFT_WIFI_FAIL_OTHER, "+CWJAP:4\r\n" ERROR},
        {ALOFT_WIFI_FAIL_NONE, "+CWJAP:4\r\n" ERROR},
    };

    expect(f, "AT+CWMODE=3\r\n", OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(f, "AT+CWJAP=\"home\",\"wrong\"\r\n", "");
        f->wifi.status.state = ALOFT_WIFI_DISCONNECTED;
        f->wifi.status.fail = rows[i].fail;
        expect_after(f, 20, rows[i].wanted);
    }
    f->wifi.join_err = ALOFT_ERR_IO;
    expect(f, "AT+CWJAP=\"home\",\"x\"\r\n", "+CWJAP:4\r\n" ERROR);
    /* A failed command is not tried again. */
    unsigned n_joins = f->wifi.n_joins;
    expect_after(f, 60000, "");
    assert_int_equal(f->wifi.n_joins, n_joins);
}

static void cwjap__ends_at_its_timeout(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=1\r\n", OK);
    expect(f, "AT+CWJAP=\"home\",\"x\"\r\n", "");
    expect_after(f, 14999, "");
    expect_after(f, 1, "+CWJAP:1\r\n" ERROR);
    assert_int_equal(f->wifi.n_leaves, 1);
    expect(f, "AT+CWJAP=\"home\",\"x\",,,,,,3\r\n", "");
    expect_after(f, 2999, "");
    expect_after(f, 1, "+CWJAP:1\r\n" ERROR);
}

static void cwjap__loses_a_link_without_an_address(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=1\r\n", OK);
    expect(f, "AT+CWJAP=\"home\",\"x\"\r\n", "");
    set_status(f, ALOFT_WIFI_CONNECTED);
    expect_after(f, 20, "WIFI CONNECTED\r\n");
    expect_after(f, 15000, "WIFI DISCONNECT\r\n+CWJAP:1\r\n" ERROR);
}

static void cwjap__needs_a_station(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWJAP=\"home\",\"x\"\r\n", ERROR);
    expect(f, "AT+CWMODE=2\r\n", OK);
    expect(f, "AT+CWJAP=\"home\",\"x\"\r\n", ERROR);
    expect(f, "AT+CWJAP\r\n", ERROR);
    assert_int_equal(f->wifi.n_joins, 0);
}

#define TEXT_32 "12345678901234567890123456789012"

static void cwjap__checks_its_parameters(void **state)
{
    struct fake_port *f = *state;
    static const struct {
        const char *params;
        bool is_good;
    } rows[] = {
        {"\"home\",\"x\",\"02:00:00:AA:bb:cc\",1,7200,100,1,600,3", true},
        {"\"home\",\"x\",,0,0,1,0,3,0", true},
        {"\"home\",\"x\",,,,,,,", true},
        {"\"home\",", true},
        {"\"home\"", true},
        {"\"" TEXT_32 "\",\"" TEXT_32 TEXT_32 "\"", true},
        {"\"" TEXT_32 "3\",\"x\"", false},
        {"\"home\",\"" TEXT_32 TEXT_32 "5\"", false},
        {"\"\",\"x\"", false},
        {",\"x\"", false}, /* There is no last configuration. */
        {"", false},
        {"home,\"x\"", false},
        {"\"home\",12345678", false},
        {"\"home\",\"x\",\"02:00:00:aa:bb\"", false},
        {"\"home\",\"x\",,2", false},
        {"\"home\",\"x\",,,7201", false},
        {"\"home\",\"x\",,,,0", false},
        {"\"home\",\"x\",,,,101", false},
        {"\"home\",\"x\",,,,,2", false},
        {"\"home\",\"x\",,,,,,2", false},
        {"\"home\",\"x\",,,,,,601", false},
        {"\"home\",\"x\",,,,,,,4", false},
        {"\"home\",\"x\",,,,,,,,", false},
        {"\"home\",\"x\",,\"0\"", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char input[160];
        memset(f->settings, 0, sizeof f->settings);
        wifi_boot(f);
        expect(f, "AT+CWMODE=1\r\n", OK);
        snprintf(input, sizeof input, "AT+CWJAP=%s\r\n", rows[i].params);
        expect(f, input, rows[i].is_good ? "" : ERROR);
        assert_int_equal(f->wifi.n_joins, rows[i].is_good);
    }
}

static void cwjap__without_ssid_means_the_last_access_point(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=1\r\n", OK);
    expect(f, "AT+CWJAP\r\n", ERROR);
    expect(f, "AT+CWJAP=\"home\",\"secret12\",\"02:00:00:aa:bb:cc\"\r\n", "");
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n" OK);
    memset(&f->wifi.join, 0, sizeof f->wifi.join);
    expect(f, "AT+CWJAP\r\n", "WIFI DISCONNECT\r\n");
    assert_string_equal(f->wifi.join.ssid, "home");
    assert_string_equal(f->wifi.join.password, "secret12");
    assert_true(f->wifi.join.has_bssid);
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n" OK);
    expect(f, "AT+CWJAP=,\"new\"\r\n", "WIFI DISCONNECT\r\n");
    assert_string_equal(f->wifi.join.ssid, "home");
    assert_string_equal(f->wifi.join.password, "new");
}

static void cwjap__query_shows_the_link(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWJAP?\r\n", OK);
    wifi_join(f);
    expect(f, "AT+CWJAP?\r\n", "+CWJAP:\"home\",\"02:00:00:aa:bb:cc\",6,-42,0,1,3,0,1\r\n" OK);
    set_status(f, ALOFT_WIFI_DISCONNECTED);
    expect(f, "AT+CWJAP?\r\n", OK "WIFI DISCONNECT\r\n");
}

static void cwqap__leaves_and_stays_away(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWQAP\r\n", OK);
    wifi_join(f);
    expect(f, "AT+CWQAP\r\n", "WIFI DISCONNECT\r\n" OK);
    expect_after(f, 60000, "");
    assert_int_equal(f->wifi.n_joins, 1);
    expect(f, "AT+CWQAP\r\n", OK);
}

static void cwmode__without_station_leaves(void **state)
{
    struct fake_port *f = *state;

    wifi_join(f);
    expect(f, "AT+CWMODE=2\r\n", "WIFI DISCONNECT\r\n" OK);
    assert_int_equal(f->wifi.n_leaves, 1);
    expect(f, "AT+CWMODE=1,0\r\n", OK);
    expect_after(f, 1000, "");
    assert_int_equal(f->wifi.n_joins, 1);
    expect(f, "AT+CWMODE=0\r\n", OK);
    expect(f, "AT+CWMODE=3\r\n", OK);
    expect_after(f, 1000, "");
    assert_int_equal(f->wifi.n_joins, 2);
}

static void cwstate__follows_the_port(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWSTATE?\r\n", "+CWSTATE:0,\"\"\r\n" OK);
    wifi_join(f);
    expect(f, "AT+CWSTATE?\r\n", "+CWSTATE:2,\"home\"\r\n" OK);
    set_status(f, ALOFT_WIFI_CONNECTED);
    expect(f, "AT+CWSTATE?\r\n", "+CWSTATE:1,\"home\"\r\n" OK);
    set_status(f, ALOFT_WIFI_DISCONNECTED);
    expect_after(f, 250, "WIFI DISCONNECT\r\n");
    expect(f, "AT+CWSTATE?\r\n", "+CWSTATE:3,\"home\"\r\n" OK);
    expect(f, "AT+CWQAP\r\n", OK);
    expect(f, "AT+CWSTATE?\r\n", "+CWSTATE:4,\"home\"\r\n" OK);
}

static void link__lost_is_told_and_joined_again(void **state)
{
    struct fake_port *f = *state;

    wifi_join(f);
    set_status(f, ALOFT_WIFI_DISCONNECTED);
    expect_after(f, 250, "WIFI DISCONNECT\r\n");
    fake_port_run(f, 1250);
    assert_int_equal(f->wifi.n_joins, 2);
    f->wifi.status.state = ALOFT_WIFI_DISCONNECTED;
    fake_port_run(f, 1250);
    assert_int_equal(f->wifi.n_joins, 3);
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 250, "WIFI CONNECTED\r\nWIFI GOT IP\r\n");
    expect_after(f, 60000, "");
    assert_int_equal(f->wifi.n_joins, 3);
}

static void link__lost_stays_lost_with_reconnect_0(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=1\r\n", OK);
    expect(f, "AT+CWJAP=\"home\",\"x\",,,0\r\n", "");
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n" OK);
    set_status(f, ALOFT_WIFI_DISCONNECTED);
    expect_after(f, 60000, "WIFI DISCONNECT\r\n");
    assert_int_equal(f->wifi.n_joins, 1);
}

static void lease__lost_and_renewed_is_told(void **state)
{
    struct fake_port *f = *state;

    wifi_join(f);
    assert_true(aloft_wifi_has_ip(&f->module));
    set_status(f, ALOFT_WIFI_CONNECTED);
    expect_after(f, 250, "");
    assert_false(aloft_wifi_has_ip(&f->module));
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 250, "WIFI GOT IP\r\n");
}

/* As stock does by default: the lines appear behind `ready`. */
static void boot__joins_the_stored_access_point(void **state)
{
    struct fake_port *f = *state;
    struct aloft_module_config config = fake_port_config();

    expect(f, "AT+CWMODE=1\r\n", OK);
    expect(f, "AT+CWJAP=\"home\",\"secret12\",\"02:00:00:aa:bb:cc\"\r\n", "");
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n" OK);
    memset(&f->wifi, 0, sizeof f->wifi);
    assert_err(aloft_module_init(&f->module, &f->port, &config, f->now_ms), ALOFT_ERR_OK);
    assert_int_equal(f->wifi.mode, 1);
    assert_int_equal(f->wifi.n_joins, 0);
    expect_after(f, 0, "\r\nready\r\n");
    assert_int_equal(f->wifi.n_joins, 1);
    assert_string_equal(f->wifi.join.ssid, "home");
    assert_string_equal(f->wifi.join.password, "secret12");
    assert_true(f->wifi.join.has_bssid);
    assert_memory_equal(f->wifi.join.bssid, "\x02\x00\x00\xaa\xbb\xcc", 6);
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n");
}

static void boot__tries_again_with_pauses(void **state)
{
    struct fake_port *f = *state;

    wifi_join(f);
    wifi_boot(f);
    assert_int_equal(f->wifi.n_joins, 1);
    fake_port_run(f, 14999);
    assert_int_equal(f->wifi.n_leaves, 0);
    fake_port_run(f, 20); /* The try is over, the pause begins. */
    assert_int_equal(f->wifi.n_leaves, 1);
    fake_port_run(f, 900);
    assert_int_equal(f->wifi.n_joins, 1);
    fake_port_run(f, 350);
    assert_int_equal(f->wifi.n_joins, 2);
    expect(f, "AT\r\n", OK);
}

static void sysstore__0_keeps_settings_for_this_boot_only(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=3\r\nAT+SYSSTORE=0\r\n", OK OK);
    wifi_join(f);
    wifi_boot(f);
    expect(f, "AT+CWMODE?\r\n", "+CWMODE:3\r\n" OK);
    fake_port_run(f, 1000);
    assert_int_equal(f->wifi.n_joins, 0);
}

/* A mistyped password must not cost the one that works. */
static void cwjap__stores_only_what_worked(void **state)
{
    struct fake_port *f = *state;

    wifi_join(f);
    expect(f, "AT+CWJAP=\"home\",\"wrong\"\r\n", "WIFI DISCONNECT\r\n");
    f->wifi.status.state = ALOFT_WIFI_DISCONNECTED;
    f->wifi.status.fail = ALOFT_WIFI_FAIL_PASSWORD;
    expect_after(f, 20, "+CWJAP:2\r\n" ERROR);
    wifi_boot(f);
    assert_string_equal(f->wifi.join.password, "secret12");
}

static void boot__ignores_settings_it_cannot_read(void **state)
{
    struct fake_port *f = *state;
    static const uint8_t bad_mode = 4;
    static const uint8_t layout_1[109] = {1, 'x'};
    static const uint8_t no_ssid[109] = {2};
    static const uint8_t layout_2[110] = {2, 'x'};
    static const struct {
        const char *key;
        const uint8_t *value;
        size_t len;
    } rows[] = {
        {"wifi.mode", &bad_mode, 1}, {"wifi.mode", layout_2, 2},   {"wifi.join", layout_1, 109},
        {"wifi.join", no_ssid, 109}, {"wifi.join", layout_2, 108}, {"wifi.join", layout_2, 110},
        {"wifi.join", layout_2, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static const uint8_t station = 1;
        memset(f->settings, 0, sizeof f->settings);
        assert_err(f->port.settings.set(f, "wifi.mode", &station, 1), ALOFT_ERR_OK);
        assert_err(f->port.settings.set(f, rows[i].key, rows[i].value, rows[i].len), ALOFT_ERR_OK);
        wifi_boot(f);
        fake_port_run(f, 100);
        assert_int_equal(f->wifi.n_joins, 0);
        assert_int_equal(f->wifi.mode, strcmp(rows[i].key, "wifi.mode") == 0 ? 0 : 1);
    }
}

static void log__never_shows_the_password(void **state)
{
    struct fake_port *f = *state;

    f->settings_err = ALOFT_ERR_FLASH;
    wifi_join(f);
    assert_string_equal(f->log, "settings.store_failed err=FLASH\n"
                                "settings.store_failed err=FLASH\n");
}

static void cwjap__with_pci_takes_no_open_and_no_wep_access_point(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=1\r\n", OK);
    expect(f, "AT+CWJAP=\"home\",\"secret12\",,1\r\n", "");
    assert_int_equal(f->wifi.join.min_auth, ALOFT_WIFI_WPA);
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n" OK);
    wifi_boot(f);
    assert_int_equal(f->wifi.join.min_auth, ALOFT_WIFI_WPA);
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n");
    expect(f, "AT+CWJAP?\r\n", "+CWJAP:\"home\",\"02:00:00:aa:bb:cc\",6,-42,1,1,3,0,1\r\n" OK);
    expect(f, "AT+CWJAP=\"home\",\"secret12\"\r\n", "WIFI DISCONNECT\r\n");
    assert_int_equal(f->wifi.join.min_auth, ALOFT_WIFI_OPEN);
}

static void cwjap__keeps_its_options_over_a_restart(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=1\r\n", OK);
    expect(f, "AT+CWJAP=\"home\",\"secret12\",,1,7,9,1,3,3\r\n", "");
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n" OK);
    wifi_boot(f);
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n");
    expect(f, "AT+CWJAP?\r\n", "+CWJAP:\"home\",\"02:00:00:aa:bb:cc\",6,-42,1,7,9,1,3\r\n" OK);
}

static void cwautoconn__decides_whether_a_boot_joins(void **state)
{
    struct fake_port *f = *state;

    wifi_join(f);
    expect(f, "AT+CWAUTOCONN?\r\n", "+CWAUTOCONN:1\r\n" OK);
    expect(f, "AT+CWAUTOCONN=2\r\n", ERROR);
    expect(f, "AT+CWAUTOCONN=\r\n", ERROR);
    expect(f, "AT+CWAUTOCONN=0,0\r\n", ERROR);
    expect(f, "AT+SYSSTORE=0\r\nAT+CWAUTOCONN=0\r\n", OK OK); /* Stored all the same. */
    wifi_boot(f);
    expect_after(f, 5000, "");
    assert_int_equal(f->wifi.n_joins, 0);
    expect(f, "AT+CWAUTOCONN?\r\n", "+CWAUTOCONN:0\r\n" OK);
    expect(f, "AT+CWSTATE?\r\n", "+CWSTATE:0,\"\"\r\n" OK);
    expect(f, "AT+CWJAP\r\n", ""); /* The configuration is still there. */
    assert_string_equal(f->wifi.join.ssid, "home");
    f->wifi.status.state = ALOFT_WIFI_DISCONNECTED;
    expect_after(f, 20, "+CWJAP:4\r\n" ERROR);
    expect(f, "AT+CWAUTOCONN=1\r\n", OK);
    wifi_boot(f);
    assert_int_equal(f->wifi.n_joins, 1);
}

static void cwreconncfg__is_set_and_queried(void **state)
{
    struct fake_port *f = *state;
    static const char *const rows[][2] = {
        {"AT+CWRECONNCFG?\r\n", "+CWRECONNCFG:1,0\r\n" OK},
        {"AT+CWRECONNCFG=7200,1000\r\n", OK},
        {"AT+CWRECONNCFG?\r\n", "+CWRECONNCFG:7200,1000\r\n" OK},
        {"AT+CWRECONNCFG=7201,0\r\n", ERROR},
        {"AT+CWRECONNCFG=0,1001\r\n", ERROR},
        {"AT+CWRECONNCFG=-1,0\r\n", ERROR},
        {"AT+CWRECONNCFG=1\r\n", ERROR},
        {"AT+CWRECONNCFG=1,\r\n", ERROR},
        {"AT+CWRECONNCFG=1,1,1\r\n", ERROR},
        {"AT+CWRECONNCFG=30,5\r\n", OK},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(f, rows[i][0], rows[i][1]);
    }
    wifi_boot(f);
    expect(f, "AT+CWRECONNCFG?\r\n", "+CWRECONNCFG:30,5\r\n" OK);
    expect(f, "AT+SYSSTORE=0\r\nAT+CWRECONNCFG=2,2\r\n", OK OK);
    wifi_boot(f);
    expect(f, "AT+CWRECONNCFG?\r\n", "+CWRECONNCFG:30,5\r\n" OK);
}

/* The vendor's manual: the two commands set the same number. */
static void cwreconncfg__and_cwjap_share_the_interval(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWRECONNCFG=30,5\r\n", OK);
    wifi_join(f);
    expect(f, "AT+CWJAP?\r\n", "+CWJAP:\"home\",\"02:00:00:aa:bb:cc\",6,-42,0,30,3,0,1\r\n" OK);
    expect(f, "AT+CWJAP=\"home\",\"x\",,,9\r\n", "WIFI DISCONNECT\r\n");
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n" OK);
    expect(f, "AT+CWRECONNCFG?\r\n", "+CWRECONNCFG:9,5\r\n" OK);
    wifi_boot(f);
    expect(f, "AT+CWRECONNCFG?\r\n", "+CWRECONNCFG:9,5\r\n" OK);
}

static void cwreconncfg__ends_the_tries_after_so_many(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWRECONNCFG=1,3\r\n", OK);
    wifi_join(f);
    set_status(f, ALOFT_WIFI_DISCONNECTED);
    expect_after(f, 250, "WIFI DISCONNECT\r\n");
    for (unsigned n = 0; n < 10; n++) {
        fake_port_run(f, 1500);
        f->wifi.status.state = ALOFT_WIFI_DISCONNECTED;
    }
    assert_int_equal(f->wifi.n_joins, 1 + 3);
    expect(f, "AT+CWSTATE?\r\n", "+CWSTATE:4,\"home\"\r\n" OK);
    /* A link counts anew. */
    expect(f, "AT+CWJAP\r\n", "");
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n" OK);
    set_status(f, ALOFT_WIFI_DISCONNECTED);
    expect_after(f, 250, "WIFI DISCONNECT\r\n");
    fake_port_run(f, 1500);
    assert_int_equal(f->wifi.n_joins, 1 + 3 + 1 + 1);
}

static void cwhostname__is_kept_until_the_restart(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWHOSTNAME?\r\n", "+CWHOSTNAME:espressif\r\n" OK);
    expect(f, "AT+CWHOSTNAME=\"my_test\"\r\n", ERROR); /* No station. */
    expect(f, "AT+CWMODE=3\r\n", OK);
    expect(f, "AT+CWHOSTNAME=\"my_test\"\r\n", OK);
    expect(f, "AT+CWHOSTNAME=\"\"\r\n", ERROR);
    expect(f, "AT+CWHOSTNAME=\"" TEXT_32 "3\"\r\n", ERROR);
    expect(f, "AT+CWHOSTNAME=my_test\r\n", ERROR);
    expect(f, "AT+CWHOSTNAME?\r\n", "+CWHOSTNAME:my_test\r\n" OK);
    expect(f, "AT+CWHOSTNAME=\"" TEXT_32 "\"\r\n", OK);
    expect(f, "AT+CWHOSTNAME?\r\n", "+CWHOSTNAME:" TEXT_32 "\r\n" OK);
    wifi_boot(f);
    expect(f, "AT+CWHOSTNAME?\r\n", "+CWHOSTNAME:espressif\r\n" OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, wifi_set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(cwmode__is_set_and_queried),
        CASE(cwjap__tells_each_step_then_ok),
        CASE(cwjap__leaves_the_other_access_point_first),
        CASE(cwjap__fails_with_the_code_of_the_port),
        CASE(cwjap__ends_at_its_timeout),
        CASE(cwjap__loses_a_link_without_an_address),
        CASE(cwjap__needs_a_station),
        CASE(cwjap__checks_its_parameters),
        CASE(cwjap__without_ssid_means_the_last_access_point),
        CASE(cwjap__query_shows_the_link),
        CASE(cwqap__leaves_and_stays_away),
        CASE(cwmode__without_station_leaves),
        CASE(cwstate__follows_the_port),
        CASE(link__lost_is_told_and_joined_again),
        CASE(link__lost_stays_lost_with_reconnect_0),
        CASE(lease__lost_and_renewed_is_told),
        CASE(boot__joins_the_stored_access_point),
        CASE(boot__tries_again_with_pauses),
        CASE(sysstore__0_keeps_settings_for_this_boot_only),
        CASE(cwjap__stores_only_what_worked),
        CASE(boot__ignores_settings_it_cannot_read),
        CASE(log__never_shows_the_password),
        CASE(cwjap__with_pci_takes_no_open_and_no_wep_access_point),
        CASE(cwjap__keeps_its_options_over_a_restart),
        CASE(cwautoconn__decides_whether_a_boot_joins),
        CASE(cwreconncfg__is_set_and_queried),
        CASE(cwreconncfg__and_cwjap_share_the_interval),
        CASE(cwreconncfg__ends_the_tries_after_so_many),
        CASE(cwhostname__is_kept_until_the_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
