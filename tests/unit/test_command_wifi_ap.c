/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "wifi_dialogue.h"

/* Byte-exact dialogues of the soft-AP (facts/at-commands.md 1.8, 4), echo off. */

#define TEXT_32 "12345678901234567890123456789012"

static void cwsap__is_open_and_named_after_its_mac_by_default(void **state)
{
    struct fake_port *f = *state;

    assert_string_equal(f->wifi.soft_ap.ssid, "ESP_00000B");
    assert_int_equal(f->wifi.soft_ap.auth, ALOFT_WIFI_OPEN);
    expect(f, "AT+CWMODE=2\r\n", OK);
    expect(f, "AT+CWSAP?\r\n", "+CWSAP:\"ESP_00000B\",\"\",1,0,4,0\r\n" OK);
}

static void cwsap__needs_a_soft_ap(void **state)
{
    struct fake_port *f = *state;
    unsigned n_soft_aps = f->wifi.n_soft_aps;

    expect(f, "AT+CWMODE=1\r\n", OK);
    expect(f, "AT+CWSAP?\r\n", ERROR);
    expect(f, "AT+CWSAP=\"mine\",\"12345678\",6,3\r\n", ERROR);
    assert_int_equal(f->wifi.n_soft_aps, n_soft_aps);
}

static void cwsap__is_set_and_queried(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=3\r\n", OK);
    expect(f, "AT+CWSAP=\"pos_softap\",\"\",11,0,3\r\n", OK); /* The documented web flow. */
    expect(f, "AT+CWSAP?\r\n", "+CWSAP:\"pos_softap\",\"\",11,0,3,0\r\n" OK);
    assert_string_equal(f->wifi.soft_ap.ssid, "pos_softap");
    assert_int_equal(f->wifi.soft_ap.max_stations, 3);
    expect(f, "AT+CWSAP=\"a\\,b\",\"12345678\",6,4,10,1\r\n", OK);
    expect(f, "AT+CWSAP?\r\n", "+CWSAP:\"a\\,b\",\"12345678\",6,4,10,1\r\n" OK);
    assert_string_equal(f->wifi.soft_ap.ssid, "a,b");
    assert_string_equal(f->wifi.soft_ap.password, "12345678");
    assert_int_equal(f->wifi.soft_ap.channel, 6);
    assert_int_equal(f->wifi.soft_ap.auth, ALOFT_WIFI_WPA_WPA2);
    assert_true(f->wifi.soft_ap.is_hidden);
    expect(f, "AT+CWSAP=\"mine\",\"12345678\",6,3,,1\r\n", OK);
    expect(f, "AT+CWSAP?\r\n", "+CWSAP:\"mine\",\"12345678\",6,3,4,1\r\n" OK);
}

static void cwsap__checks_its_parameters(void **state)
{
    struct fake_port *f = *state;
    static const struct {
        const char *params;
        bool is_good;
    } rows[] = {
        {"\"" TEXT_32 "\",\"" TEXT_32 TEXT_32 "\",14,2,1,0", true},
        {"\"mine\",\"12345678\",1,3,", true},
        {"\"mine\",\"12345678\",1,3,,", true},
        {"\"mine\",\"short\",1,0", true},
        {"", false},
        {"\"mine\",\"12345678\",1", false},
        {"\"mine\",\"12345678\",1,", false},
        {"\"mine\",\"12345678\",,3", false},
        {"\"mine\",,1,0", false},
        {"\"\",\"12345678\",1,3", false},
        {"\"" TEXT_32 "3\",\"12345678\",1,3", false},
        {"\"mine\",\"" TEXT_32 TEXT_32 "5\",1,3", false},
        {"\"mine\",\"1234567\",1,3", false},
        {"\"mine\",\"\",1,3", false},
        {"\"mine\",\"12345678\",0,3", false},
        {"\"mine\",\"12345678\",15,3", false},
        {"\"mine\",\"12345678\",1,1", false},
        {"\"mine\",\"12345678\",1,5", false},
        {"\"mine\",\"12345678\",1,-1", false},
        {"\"mine\",\"12345678\",1,3,0", false},
        {"\"mine\",\"12345678\",1,3,11", false},
        {"\"mine\",\"12345678\",1,3,4,2", false},
        {"\"mine\",\"12345678\",1,3,4,0,0", false},
        {"mine,\"12345678\",1,3", false},
    };

    expect(f, "AT+CWMODE=2\r\n", OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char input[160];
        unsigned n_soft_aps = f->wifi.n_soft_aps;
        snprintf(input, sizeof input, "AT+CWSAP=%s\r\n", rows[i].params);
        expect(f, input, rows[i].is_good ? OK : ERROR);
        assert_int_equal(f->wifi.n_soft_aps, n_soft_aps + rows[i].is_good);
    }
}

static void cwsap__is_stored_unless_sysstore_is_0(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=2\r\n", OK);
    expect(f, "AT+CWSAP=\"mine\",\"12345678\",6,3,2,1\r\n", OK);
    expect(f, "AT+SYSSTORE=0\r\nAT+CWSAP=\"other\",\"\",1,0\r\n", OK OK);
    assert_string_equal(f->wifi.soft_ap.ssid, "other");
    wifi_boot(f);
    assert_string_equal(f->wifi.soft_ap.ssid, "mine");
    expect(f, "AT+CWSAP?\r\n", "+CWSAP:\"mine\",\"12345678\",6,3,2,1\r\n" OK);
}

static void cwsap__refused_by_the_port_changes_nothing(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=2\r\n", OK);
    f->wifi.soft_ap_err = ALOFT_ERR_IO;
    expect(f, "AT+CWSAP=\"mine\",\"12345678\",6,3\r\n", ERROR);
    expect(f, "AT+CWSAP?\r\n", "+CWSAP:\"ESP_00000B\",\"\",1,0,4,0\r\n" OK);
}

/* What another version of the firmware, or nobody, has stored. */
static void boot__ignores_a_soft_ap_it_cannot_read(void **state)
{
    struct fake_port *f = *state;
    static const uint8_t no_ssid[101] = {1};
    static const uint8_t layout_2[101] = {2, 'x'};
    static const uint8_t whole[102] = {1, 'x'};
    static const struct {
        const uint8_t *value;
        size_t len;
    } rows[] = {{no_ssid, 101}, {layout_2, 101}, {whole, 100}, {whole, 102}, {whole, 0}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_err(f->port.settings.set(f, "wifi.soft_ap", rows[i].value, rows[i].len),
                   ALOFT_ERR_OK);
        wifi_boot(f);
        assert_string_equal(f->wifi.soft_ap.ssid, "ESP_00000B");
    }
}

static void add_client(struct fake_port *f, uint8_t last, uint8_t host)
{
    struct aloft_soft_ap_client *client = &f->wifi.clients[f->wifi.n_clients++];

    memcpy(client->mac, "\xa2\xb3\xc4\xd5\xe6\x00", 6);
    client->mac[5] = last;
    memcpy(client->ip, host > 0 ? "\xc0\xa8\x04\x00" : "\0\0\0", 4);
    client->ip[3] = host;
}

static void clients__are_told_when_they_come_and_go(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=2\r\n", OK);
    add_client(f, 1, 0);
    expect_after(f, 250, "+STA_CONNECTED:\"a2:b3:c4:d5:e6:01\"\r\n");
    expect_after(f, 1000, "");
    memcpy(f->wifi.clients[0].ip, "\xc0\xa8\x04\x02", 4);
    expect_after(f, 250, "+DIST_STA_IP:\"a2:b3:c4:d5:e6:01\",\"192.168.4.2\"\r\n");
    add_client(f, 2, 3);
    expect_after(f, 250,
                 "+STA_CONNECTED:\"a2:b3:c4:d5:e6:02\"\r\n"
                 "+DIST_STA_IP:\"a2:b3:c4:d5:e6:02\",\"192.168.4.3\"\r\n");
    f->wifi.clients[0] = f->wifi.clients[1];
    f->wifi.n_clients = 1;
    expect_after(f, 250, "+STA_DISCONNECTED:\"a2:b3:c4:d5:e6:01\"\r\n");
    memcpy(f->wifi.clients[0].ip, "\xc0\xa8\x04\x09", 4);
    expect_after(f, 250, "+DIST_STA_IP:\"a2:b3:c4:d5:e6:02\",\"192.168.4.9\"\r\n");
    f->wifi.n_clients = 0;
    expect_after(f, 250, "+STA_DISCONNECTED:\"a2:b3:c4:d5:e6:02\"\r\n");
}

static void clients__that_take_another_place_are_not_new(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=2\r\n", OK);
    add_client(f, 1, 2);
    add_client(f, 2, 3);
    fake_port_run(f, 250);
    (void)fake_port_read(f);
    struct aloft_soft_ap_client first = f->wifi.clients[0];
    f->wifi.clients[0] = f->wifi.clients[1];
    f->wifi.clients[1] = first;
    expect_after(f, 500, "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, wifi_set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(cwsap__is_open_and_named_after_its_mac_by_default),
        CASE(cwsap__needs_a_soft_ap),
        CASE(cwsap__is_set_and_queried),
        CASE(cwsap__checks_its_parameters),
        CASE(cwsap__is_stored_unless_sysstore_is_0),
        CASE(cwsap__refused_by_the_port_changes_nothing),
        CASE(boot__ignores_a_soft_ap_it_cannot_read),
        CASE(clients__are_told_when_they_come_and_go),
        CASE(clients__that_take_another_place_are_not_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
