/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "wifi_dialogue.h"

/* Byte-exact dialogues of the address commands (facts/at-commands.md 4), echo off. */

static void cipsta__shows_the_addresses(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CIPSTA?\r\n",
           "+CIPSTA:ip:\"0.0.0.0\"\r\n+CIPSTA:gateway:\"0.0.0.0\"\r\n"
           "+CIPSTA:netmask:\"0.0.0.0\"\r\n" OK);
    wifi_join(f);
    expect(f, "AT+CIPSTA?\r\n",
           "+CIPSTA:ip:\"192.168.1.23\"\r\n+CIPSTA:gateway:\"192.168.1.1\"\r\n"
           "+CIPSTA:netmask:\"255.255.255.0\"\r\n" OK);
}

#define AP_LINES  "+CIFSR:APIP,\"192.168.4.1\"\r\n+CIFSR:APMAC,\"7c:df:a1:00:00:0b\"\r\n"
#define STA_LINES "+CIFSR:STAIP,\"192.168.1.23\"\r\n+CIFSR:STAMAC,\"7c:df:a1:00:00:0a\"\r\n"

static void cifsr__shows_active_interfaces_access_point_first(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CIFSR\r\n", OK);
    wifi_join(f);
    expect(f, "AT+CIFSR\r\n", STA_LINES OK);
    expect(f, "AT+CWMODE=3\r\n", OK);
    expect(f, "AT+CIFSR\r\n", AP_LINES STA_LINES OK);
    expect(f, "AT+CWMODE=2\r\n", "WIFI DISCONNECT\r\n" OK);
    expect(f, "AT+CIFSR\r\n", AP_LINES OK);
}

#define STATIC_6 "AT+CIPSTA=\"192.168.6.100\",\"192.168.6.1\",\"255.255.255.0\"\r\n"

static void expect_station_ip(const struct fake_port *f, const char *ip, const char *gateway,
                              const char *netmask)
{
    assert_true(f->wifi.has_station_ip);
    assert_memory_equal(f->wifi.station_ip.ip, ip, 4);
    assert_memory_equal(f->wifi.station_ip.gateway, gateway, 4);
    assert_memory_equal(f->wifi.station_ip.netmask, netmask, 4);
}

static void cipsta__sets_a_static_address_in_place_of_dhcp(void **state)
{
    struct fake_port *f = *state;

    expect(f, STATIC_6, ERROR); /* No station. */
    expect(f, "AT+CWMODE=1\r\n", OK);
    expect(f, "AT+CWDHCP?\r\n", "+CWDHCP:3\r\n" OK);
    expect(f, STATIC_6, OK);
    expect_station_ip(f, "\xc0\xa8\x06\x64", "\xc0\xa8\x06\x01", "\xff\xff\xff\x00");
    expect(f, "AT+CWDHCP?\r\n", "+CWDHCP:2\r\n" OK);
    expect(f, "AT+CIPSTA=\"10.1.2.3\"\r\n", OK);
    expect_station_ip(f, "\x0a\x01\x02\x03", "\x0a\x01\x02\x01", "\xff\xff\xff\x00");
    expect(f, "AT+CWDHCP=1,1\r\n", OK);
    assert_false(f->wifi.has_station_ip);
    expect(f, "AT+CWDHCP?\r\n", "+CWDHCP:3\r\n" OK);
    f->wifi.ip_err = ALOFT_ERR_IO;
    expect(f, STATIC_6, ERROR);
    expect(f, "AT+CWDHCP?\r\n", "+CWDHCP:3\r\n" OK);
}

static void cipsta__checks_its_parameters(void **state)
{
    struct fake_port *f = *state;
    static const char *const bad[] = {
        "",
        "\"\"",
        "192.168.6.100",
        "\"192.168.6\"",
        "\"192.168.6.\"",
        "\"192.168.6.256\"",
        "\"192.168.6.01\"",
        "\"192.168.6.1.1\"",
        "\"192.168.6.1 \"",
        "\"+192.168.6.1\"",
        "\"0.0.0.0\"",
        "\"224.0.0.1\"",
        "\"255.255.255.255\"",
        "\"192.168.6.100\",\"192.168.6.1\"",
        "\"192.168.6.100\",,",
        "\"192.168.6.100\",\"192.168.6.1\",\"255.0.255.0\"",
        "\"192.168.6.100\",\"192.168.6.1\",\"0.0.0.0\"",
        "\"192.168.6.100\",\"192.168.6.1\",\"255.255.255.255\"",
        "\"192.168.6.100\",\"192.168.7.1\",\"255.255.255.0\"",
        "\"192.168.6.100\",\"192.168.6.1\",\"255.255.255.0\",",
    };

    expect(f, "AT+CWMODE=3\r\n", OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char input[128];
        snprintf(input, sizeof input, "AT+CIPSTA=%s\r\n", bad[i]);
        expect(f, input, ERROR);
        snprintf(input, sizeof input, "AT+CIPAP=%s\r\n", bad[i]);
        expect(f, input, ERROR);
    }
    assert_false(f->wifi.has_station_ip);
}

static void cipsta__is_stored_unless_sysstore_is_0(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=1\r\n", OK);
    expect(f, STATIC_6, OK);
    wifi_boot(f);
    expect_station_ip(f, "\xc0\xa8\x06\x64", "\xc0\xa8\x06\x01", "\xff\xff\xff\x00");
    expect(f, "AT+CWDHCP?\r\n", "+CWDHCP:2\r\n" OK);
    expect(f, "AT+SYSSTORE=0\r\nAT+CWDHCP=1,1\r\n", OK OK);
    wifi_boot(f);
    assert_true(f->wifi.has_station_ip);
    expect(f, "AT+CWDHCP=1,1\r\n", OK);
    wifi_boot(f);
    assert_false(f->wifi.has_station_ip);
    expect(f, "AT+SYSSTORE=0\r\n" STATIC_6, OK OK);
    wifi_boot(f);
    assert_false(f->wifi.has_station_ip);
}

static void restore__takes_addresses_and_soft_ap_back(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=3\r\n", OK);
    expect(f, STATIC_6, OK);
    expect(f, "AT+CIPAP=\"192.168.5.1\"\r\n", OK);
    expect(f, "AT+CWSAP=\"mine\",\"12345678\",6,3\r\n", OK);
    expect(f, "AT+CWAUTOCONN=0\r\n", OK);
    expect(f, "AT+RESTORE\r\n", OK);
    wifi_boot(f);
    assert_false(f->wifi.has_station_ip);
    assert_string_equal(f->wifi.soft_ap.ssid, "ESP_00000B");
    expect(f, "AT+CIPAP?\r\n",
           "+CIPAP:ip:\"192.168.4.1\"\r\n+CIPAP:gateway:\"192.168.4.1\"\r\n"
           "+CIPAP:netmask:\"255.255.255.0\"\r\n" OK);
    expect(f, "AT+CWMODE?\r\n", "+CWMODE:0\r\n" OK);
    expect(f, "AT+CWAUTOCONN?\r\n", "+CWAUTOCONN:1\r\n" OK);
}

static void cipap__is_set_queried_and_stored(void **state)
{
    struct fake_port *f = *state;
    static const char *const shown =
        "+CIPAP:ip:\"192.168.5.1\"\r\n+CIPAP:gateway:\"192.168.5.1\"\r\n"
        "+CIPAP:netmask:\"255.255.255.0\"\r\n" OK;

    expect(f, "AT+CIPAP?\r\n",
           "+CIPAP:ip:\"192.168.4.1\"\r\n+CIPAP:gateway:\"192.168.4.1\"\r\n"
           "+CIPAP:netmask:\"255.255.255.0\"\r\n" OK);
    expect(f, "AT+CIPAP=\"192.168.5.1\"\r\n", ERROR); /* No soft-AP. */
    expect(f, "AT+CWMODE=2\r\n", OK);
    expect(f, "AT+CIPAP=\"192.168.5.1\",\"192.168.5.1\",\"255.255.255.0\"\r\n", OK);
    expect(f, "AT+CIPAP?\r\n", shown);
    expect(f, "AT+CIFSR\r\n",
           "+CIFSR:APIP,\"192.168.5.1\"\r\n+CIFSR:APMAC,\"7c:df:a1:00:00:0b\"\r\n" OK);
    wifi_boot(f);
    expect(f, "AT+CIPAP?\r\n", shown);
    expect(f, "AT+SYSSTORE=0\r\nAT+CIPAP=\"192.168.9.7\"\r\n", OK OK);
    assert_memory_equal(f->wifi.ap_ip.gateway, "\xc0\xa8\x09\x07", 4);
    wifi_boot(f);
    expect(f, "AT+CIPAP?\r\n", shown);
    f->wifi.ip_err = ALOFT_ERR_IO;
    expect(f, "AT+CIPAP=\"192.168.9.7\"\r\n", ERROR);
}

static void cwdhcp__off_keeps_the_address_that_is_there(void **state)
{
    struct fake_port *f = *state;

    wifi_join(f);
    expect(f, "AT+CWDHCP=0,1\r\n", OK);
    expect_station_ip(f, "\xc0\xa8\x01\x17", "\xc0\xa8\x01\x01", "\xff\xff\xff\x00");
    expect(f, "AT+CWDHCP?\r\n", "+CWDHCP:2\r\n" OK);
    expect(f, "AT+CWDHCP=1,3\r\n", OK);
    assert_false(f->wifi.has_station_ip);
}

static void cwdhcp__off_without_an_address_waits_for_cipsta(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=1\r\n", OK);
    expect(f, "AT+CWDHCP=0,1\r\n", OK);
    expect_station_ip(f, "\0\0\0\0", "\0\0\0\0", "\0\0\0\0");
    expect(f, STATIC_6, OK);
    expect(f, "AT+CWDHCP=0,1\r\n", OK); /* Is off already: the address stays. */
    expect_station_ip(f, "\xc0\xa8\x06\x64", "\xc0\xa8\x06\x01", "\xff\xff\xff\x00");
}

static void cwdhcp__checks_its_parameters(void **state)
{
    struct fake_port *f = *state;
    static const char *const bad[] = {"",    "1",   "2,1",  "1,0",  "1,4",
                                      "0,2", "0,3", "1,1,", "-1,1", "\"1\",1"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char input[32];
        snprintf(input, sizeof input, "AT+CWDHCP=%s\r\n", bad[i]);
        expect(f, input, ERROR);
    }
    expect(f, "AT+CWDHCP=1,2\r\n", OK); /* It always runs. */
    expect(f, "AT+CWDHCP?\r\n", "+CWDHCP:3\r\n" OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, wifi_set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(cipsta__shows_the_addresses),
        CASE(cifsr__shows_active_interfaces_access_point_first),
        CASE(cipsta__sets_a_static_address_in_place_of_dhcp),
        CASE(cipsta__checks_its_parameters),
        CASE(cipsta__is_stored_unless_sysstore_is_0),
        CASE(restore__takes_addresses_and_soft_ap_back),
        CASE(cipap__is_set_queried_and_stored),
        CASE(cwdhcp__off_keeps_the_address_that_is_there),
        CASE(cwdhcp__off_without_an_address_waits_for_cipsta),
        CASE(cwdhcp__checks_its_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
