/* SPDX-License-Identifier: Apache-2.0 */
#include "web_world.h"

#include <stdio.h>
#include <string.h>

#include "dialogue.h"

/* Phone-hotspot mode and the list of access points (facts/at-commands.md 3.2, 3.5, 6.3). */

#define OWN_PORT   3339
#define PHONE_PORT 8266
#define TIMEOUT_MS 25000
#define LAST_MS    10000

static const uint8_t phone[] = {0x3c, 0x22, 0xfb, 0x10, 0x20, 0x30};

static int set_up(void **state)
{
    struct web_world *w = web_world_new();

    web_world_start(w);
    expect(w->port, "AT+CWMODE=3\r\n", "\r\nOK\r\n");
    memcpy(w->port->wifi.clients[0].mac, "\1\2\3\4\5\6", 6);
    memcpy(w->port->wifi.clients[1].mac, phone, 6);
    w->port->wifi.n_clients = 2;
    web_world_pass(w, 500);
    (void)fake_port_read(w->port); /* `+STA_CONNECTED` */
    *state = w;
    return 0;
}

/* The `index`-th access point; its MAC is the phone's with `flip` xored to one byte. */
static struct aloft_scan_entry *add_ap(struct web_world *w, const char *ssid, size_t byte,
                                       uint8_t flip)
{
    struct aloft_scan_entry *ap = &w->port->wifi.aps[w->port->wifi.n_aps++];

    *ap = (struct aloft_scan_entry){.channel = 6, .rssi = -40, .auth = ALOFT_WIFI_WPA2};
    (void)snprintf(ap->ssid, sizeof ap->ssid, "%s", ssid);
    memcpy(ap->bssid, phone, sizeof phone);
    ap->bssid[byte] ^= flip;
    return ap;
}

static void add_stranger(struct web_world *w, const char *ssid)
{
    memcpy(add_ap(w, ssid, 0, 0)->bssid, "\xaa\xbb\xcc\xdd\xee\xff", 6);
}

/* What the host is told of the link belongs to another test. */
static void drop_wifi_lines(char *text)
{
    for (char *line; (line = strstr(text, "WIFI ")) != NULL;) {
        char *end = strchr(line, '\n') + 1;
        memmove(line, end, strlen(end) + 1);
    }
}

static void expect_lines(struct web_world *w, const char *lines)
{
    char text[1024];

    (void)snprintf(text, sizeof text, "%s", fake_port_read(w->port));
    drop_wifi_lines(text);
    assert_string_equal(text, lines);
}

static void begin(struct web_world *w)
{
    web_world_expect_post(w, "/setstainfo",
                          "{\"ssid\":\"\",\"password\":\"12345678\"}&udp_port=8266", web_done);
    web_world_pass(w, 300);
}

static void get_ip(struct web_world *w)
{
    struct aloft_wifi_status *status = &w->port->wifi.status;

    status->state = ALOFT_WIFI_GOT_IP;
    memcpy(status->ip, "\xac\x14\x0a\x05", 4);
    memcpy(status->gateway, "\xac\x14\x0a\x01", 4);
    web_world_pass(w, 20);
}

static void expect_state(struct web_world *w, unsigned state, const char *password,
                         const char *message)
{
    char body[256];

    (void)snprintf(body, sizeof body,
                   "{\"state\":%u,\"sta_ssid\":\"\",\"sta_password\":\"%s\",\"message\":\"%s\"}",
                   state, password, message);
    web_world_expect(w, "GET /getstainfo HTTP/1.1\r\nHost: m\r\n\r\n",
                     web_answer("200 OK", "application/json", body));
}

/* -- the search -------------------------------------------------------------------------------- */

static void test_the_hotspot_is_found_by_five_bytes_of_the_phones_mac(void **state)
{
    struct web_world *w = *state;

    add_stranger(w, "stronger");
    add_ap(w, "phone", 5, 0x01);
    begin(w);
    expect_lines(w, "+WEBSERVERRSP:1\r\n");
    assert_int_equal(w->port->wifi.n_joins, 1);
    assert_string_equal(w->port->wifi.join.ssid, "phone");
    assert_string_equal(w->port->wifi.join.password, "12345678");
    assert_true(w->port->wifi.join.has_bssid);
    assert_memory_equal(w->port->wifi.join.bssid, w->port->wifi.aps[1].bssid, 6);
    expect_state(w, 0, "12345678", "connecting");
}

static void test_four_bytes_of_the_mac_are_not_enough(void **state)
{
    struct web_world *w = *state;

    add_ap(w, "no phone", 5, 0x01)->bssid[4] ^= 0x01;
    begin(w);
    web_world_pass(w, TIMEOUT_MS - LAST_MS - 1000);
    assert_int_equal(w->port->wifi.n_joins, 0);
    assert_true(w->port->wifi.n_scans > 5);
}

static void test_weak_hidden_open_and_newer_ones_are_passed_over(void **state)
{
    struct web_world *w = *state;

    add_ap(w, "weak", 5, 1)->rssi = -51;
    add_ap(w, "", 5, 2);
    add_ap(w, "open", 5, 3)->auth = ALOFT_WIFI_OPEN;
    add_ap(w, "wep", 5, 4)->auth = ALOFT_WIFI_WEP;
    add_ap(w, "wpa3", 5, 5)->auth = ALOFT_WIFI_WPA3;
    begin(w);
    web_world_pass(w, TIMEOUT_MS + 1000);
    assert_int_equal(w->port->wifi.n_joins, 0);
    expect_lines(w, "+WEBSERVERRSP:1\r\n+WEBSERVERRSP:2\r\n");
}

static void test_each_try_lasts_8_s_and_no_mac_is_tried_twice(void **state)
{
    struct web_world *w = *state;

    add_ap(w, "first", 5, 0x01);
    begin(w);
    web_world_pass(w, 8000 - 100);
    assert_int_equal(w->port->wifi.n_leaves, 0);
    add_ap(w, "second", 5, 0x02);
    web_world_pass(w, 200);
    assert_int_equal(w->port->wifi.n_leaves, 1);
    assert_string_equal(w->port->wifi.join.ssid, "second");
    web_world_pass(w, TIMEOUT_MS);
    assert_int_equal(w->port->wifi.n_joins, 2);
}

static void test_in_the_last_10_s_the_phones_virtual_mac_will_do(void **state)
{
    struct web_world *w = *state;

    add_stranger(w, "stronger");
    /* The bit in the first or the second byte, and one more byte that differs. */
    add_ap(w, "phone", 0, 0x02)->bssid[5] ^= 0x01;
    add_ap(w, "phone too", 1, 0x02)->bssid[5] ^= 0x02;
    begin(w);
    web_world_pass(w, TIMEOUT_MS - LAST_MS - 500);
    assert_int_equal(w->port->wifi.n_joins, 0);
    web_world_pass(w, 1000);
    assert_string_equal(w->port->wifi.join.ssid, "phone");
    web_world_pass(w, 8000);
    assert_string_equal(w->port->wifi.join.ssid, "phone too");
}

static void test_in_the_last_10_s_the_strongest_is_tried(void **state)
{
    struct web_world *w = *state;

    w->port->wifi.n_clients = 0;
    add_stranger(w, "strongest");
    add_ap(w, "weaker", 0, 0);
    begin(w);
    web_world_pass(w, TIMEOUT_MS - LAST_MS - 500);
    assert_int_equal(w->port->wifi.n_joins, 0);
    web_world_pass(w, 1000);
    assert_string_equal(w->port->wifi.join.ssid, "strongest");
}

static void test_a_search_that_fails_says_so_and_forgets_the_password(void **state)
{
    struct web_world *w = *state;

    begin(w);
    web_world_pass(w, TIMEOUT_MS - 500);
    expect_lines(w, "+WEBSERVERRSP:1\r\n");
    web_world_pass(w, 600);
    expect_lines(w, "+WEBSERVERRSP:2\r\n");
    expect_state(w, 2, "", "connect fail");
}

static void test_a_join_the_driver_refuses_is_not_tried_again(void **state)
{
    struct web_world *w = *state;

    w->port->wifi.join_err = ALOFT_ERR_ARG;
    add_ap(w, "phone", 5, 0x01);
    begin(w);
    web_world_pass(w, 5000);
    assert_int_equal(w->port->wifi.n_joins, 1);
    w->port->wifi.join_err = ALOFT_ERR_OK;
    add_ap(w, "other", 5, 0x02);
    web_world_pass(w, 1000);
    assert_string_equal(w->port->wifi.join.ssid, "other");
}

/* -- the result -------------------------------------------------------------------------------- */

static void assert_result(const struct fake_datagram *sent, const char *to)
{
    assert_int_equal(sent->own_port, OWN_PORT);
    assert_int_equal(sent->port, PHONE_PORT);
    assert_memory_equal(sent->addr.bytes, to, 4);
    assert_string_equal((const char *)sent->bytes, "ip=172.20.10.5&port=3339");
}

static void begin_telling(struct web_world *w)
{
    add_ap(w, "phone", 5, 0x01);
    begin(w);
    get_ip(w);
    expect_lines(w, "+WEBSERVERRSP:1\r\n");
}

static void say(struct web_world *w, const char *text)
{
    const struct aloft_addr from = {4, {172, 20, 10, 1}};

    fake_net_datagram(&w->net, OWN_PORT, &from, PHONE_PORT, text, strlen(text));
    web_world_pass(w, 20);
}

static void test_the_result_goes_to_everybody_and_to_the_gateway(void **state)
{
    struct web_world *w = *state;

    begin_telling(w);
    assert_int_equal(w->net.n_sent, 2);
    assert_result(&w->net.sent[0], "\xff\xff\xff\xff");
    assert_result(&w->net.sent[1], "\xac\x14\x0a\x01");
    assert_int_equal(w->net.udp[0].port, OWN_PORT);
    assert_memory_equal(w->net.udp[0].local.bytes, "\xac\x14\x0a\x05", 4);
    expect_state(w, 1, "", "connect OK");
}

static void test_the_phones_word_ends_it(void **state)
{
    struct web_world *w = *state;
    size_t n_open = w->net.n_open;

    begin_telling(w);
    web_world_pass(w, 1000);
    assert_int_equal(w->net.n_sent, 6);
    say(w, "received");
    expect_lines(w, "+WEBSERVERRSP:2\r\n");
    web_world_pass(w, 20000);
    assert_int_equal(w->net.n_sent, 6);
    assert_int_equal(w->net.udp[0].is_open, false);
    assert_true(w->net.n_open >= n_open);
    expect_state(w, 1, "", "connect OK");
}

static void test_another_word_ends_the_round_only(void **state)
{
    struct web_world *w = *state;

    begin_telling(w);
    say(w, "receive");
    assert_int_equal(w->net.n_sent, 4);
    say(w, "RECEIVED");
    assert_int_equal(w->net.n_sent, 6);
    expect_lines(w, "");
}

static void test_after_20_rounds_it_ends_in_silence(void **state)
{
    struct web_world *w = *state;

    begin_telling(w);
    web_world_pass(w, 20 * 500 + 500);
    assert_int_equal(w->net.n_sent, 40);
    assert_int_equal(w->net.udp[0].is_open, false);
    expect_lines(w, "");
    expect_state(w, 1, "", "connect OK");
}

static void test_without_a_socket_it_is_as_if_nothing_had_been(void **state)
{
    struct web_world *w = *state;

    w->net.udp_open_err = ALOFT_ERR_CONNECT;
    begin_telling(w);
    expect_state(w, 0, "", "waiting config");
}

static void test_a_port_that_cannot_send_datagrams_has_no_socket(void **state)
{
    struct web_world *w = *state;

    w->port->port.net.udp_send = NULL;
    begin_telling(w);
    expect_state(w, 0, "", "waiting config");
}

static void test_a_result_by_http_ends_it_too(void **state)
{
    struct web_world *w = *state;

    begin_telling(w);
    web_world_expect_post(w, "/getresult", "received=1", web_done);
    expect_lines(w, "+WEBSERVERRSP:2\r\n");
    assert_int_equal(w->net.udp[0].is_open, false);
    expect_state(w, 0, "", "waiting config");
}

static void test_the_next_provisioning_ends_it_too(void **state)
{
    struct web_world *w = *state;

    begin_telling(w);
    web_world_expect_post(w, "/setstainfo", "{\"ssid\":\"home\"}", web_done);
    assert_int_equal(w->net.udp[0].is_open, false);
    web_world_pass(w, 300);
    assert_string_equal(w->port->wifi.join.ssid, "home");
}

/* -- GET /getaprecord -------------------------------------------------------------------------- */

#define GET_APS "GET /getaprecord HTTP/1.1\r\nHost: m\r\n\r\n"

static void expect_aps(struct web_world *w, const char *list)
{
    static char body[9000];

    (void)snprintf(body, sizeof body, "{\"state\":0,\"message\":\"scan done\",\"aplist\":[%s]}",
                   list);
    web_world_expect(w, GET_APS, web_answer("200 OK", "application/json", body));
}

static void test_the_list_comes_when_the_scan_is_over(void **state)
{
    struct web_world *w = *state;

    add_ap(w, "a/b", 0, 0)->auth = ALOFT_WIFI_OPEN;
    add_ap(w, "", 0, 0);
    add_ap(w, "c", 0, 0)->auth = ALOFT_WIFI_WPA2_WPA3;
    w->port->wifi.n_scan_agains = 20;
    expect_aps(w, "{\"ssid\":\"a\\/b\",\"auth_mode\":0},{\"ssid\":\"c\",\"auth_mode\":7}");
    assert_int_equal(w->port->wifi.n_scans, 1);
}

static void test_row_31_only_hidden_ones_are_an_empty_list(void **state)
{
    struct web_world *w = *state;

    add_ap(w, "", 0, 0);
    expect_aps(w, "");
}

static void test_no_access_point_and_a_failed_scan_are_500(void **state)
{
    struct web_world *w = *state;

    web_world_expect(w, GET_APS, web_failed);
    w->port->wifi.scan_err = ALOFT_ERR_IO;
    web_world_expect(w, GET_APS, web_failed);
    expect(w->port, "AT+CWMODE=2\r\n", "\r\nOK\r\n");
    web_world_expect(w, GET_APS, web_failed);
}

/* Ten SSIDs of 32 bytes that need six characters each: more than three times stock's 600 bytes. */
static void test_row_30_ten_long_ssids_fit_and_an_eleventh_is_left_out(void **state)
{
    struct web_world *w = *state;
    static char list[8192];
    size_t len = 0;

    for (unsigned i = 0; i < 11; i++) {
        memset(add_ap(w, "", 0, 0)->ssid, '\1', 32);
        len += (size_t)snprintf(list + len, sizeof list - len, "%s{\"ssid\":\"", i > 0 ? "," : "");
        for (unsigned c = 0; c < 32; c++) {
            len += (size_t)snprintf(list + len, sizeof list - len, "\\u0001");
        }
        len += (size_t)snprintf(list + len, sizeof list - len, "\",\"auth_mode\":3}");
        if (i == 9) {
            break;
        }
    }
    memset(add_ap(w, "", 0, 0)->ssid, '\1', 32);
    expect_aps(w, list);
}

static void test_a_list_does_not_disturb_another_users_scan(void **state)
{
    struct web_world *w = *state;

    add_ap(w, "a", 0, 0);
    w->port->wifi.n_scan_agains = UINT32_MAX;
    expect(w->port, "AT+CWLAP\r\n", "");
    struct fake_client *client = web_world_say(w, GET_APS);
    assert_string_equal(client->response, "");
    assert_int_equal(w->port->wifi.n_scans, 1);
    w->port->wifi.n_scan_agains = 0;
    web_world_pass(w, 100);
    assert_int_equal(w->port->wifi.n_scans, 2);
    assert_string_equal(client->response,
                        web_answer("200 OK", "application/json",
                                   "{\"state\":0,\"message\":\"scan done\",\"aplist\":["
                                   "{\"ssid\":\"a\",\"auth_mode\":3}]}"));
}

static void test_the_search_and_the_list_take_turns(void **state)
{
    struct web_world *w = *state;

    add_ap(w, "phone", 5, 0x01);
    w->port->wifi.n_scan_agains = UINT32_MAX;
    begin(w);
    struct fake_client *client = web_world_say(w, GET_APS);
    assert_int_equal(w->port->wifi.n_scans, 1);
    w->port->wifi.n_scan_agains = 0;
    web_world_pass(w, 100);
    assert_int_equal(w->port->wifi.n_scans, 2);
    assert_memory_equal(client->response, "HTTP/1.1 200 OK\r\n", 17);
    assert_string_equal(w->port->wifi.join.ssid, "phone");
}

static void test_a_list_that_is_read_slowly_does_not_hold_up_others(void **state)
{
    struct web_world *w = *state;
    struct fake_client *client = fake_net_connect_text(&w->net, WEB_PORT, GET_APS);

    add_ap(w, "a", 0, 0);
    client->script.write_err = ALOFT_ERR_AGAIN;
    web_world_pass(w, 100);
    fake_port_send(w->port, "AT+CWLAP\r\n");
    web_world_pass(w, 100);
    assert_non_null(strstr(fake_port_read(w->port), "+CWLAP:(3,\"a\","));
    client->script.write_err = ALOFT_ERR_OK;
    add_ap(w, "b", 0, 0);
    web_world_pass(w, 100);
    assert_false(client->is_closed);
    assert_string_equal(client->response,
                        web_answer("200 OK", "application/json",
                                   "{\"state\":0,\"message\":\"scan done\",\"aplist\":["
                                   "{\"ssid\":\"a\",\"auth_mode\":3}]}"));
}

static void test_the_search_waits_for_the_list(void **state)
{
    struct web_world *w = *state;

    begin(w);
    web_world_pass(w, 100);
    assert_int_equal(w->port->wifi.n_scans, 1); /* and the next one is due in 500 ms */
    w->port->wifi.n_scan_agains = UINT32_MAX;
    (void)web_world_say(w, GET_APS);
    web_world_pass(w, 2000);
    assert_int_equal(w->port->wifi.n_scans, 2);
    w->port->wifi.n_scan_agains = 0;
    web_world_pass(w, 100);
    assert_int_equal(w->port->wifi.n_scans, 3);
}

static void test_row_41_a_scan_that_never_ends_is_given_up(void **state)
{
    struct web_world *w = *state;

    w->port->wifi.n_scan_agains = UINT32_MAX;
    struct fake_client *client = web_world_say(w, GET_APS);
    web_world_pass(w, 20000);
    assert_true(client->is_closed);
    w->port->wifi.n_scan_agains = 0;
    add_ap(w, "a", 0, 0);
    fake_port_send(w->port, "AT+CWLAP\r\n");
    web_world_pass(w, 100);
    assert_non_null(strstr(fake_port_read(w->port), "+CWLAP:(3,\"a\","));
    expect_aps(w, "{\"ssid\":\"a\",\"auth_mode\":3}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, web_world_tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_the_hotspot_is_found_by_five_bytes_of_the_phones_mac),
        TEST(test_four_bytes_of_the_mac_are_not_enough),
        TEST(test_weak_hidden_open_and_newer_ones_are_passed_over),
        TEST(test_each_try_lasts_8_s_and_no_mac_is_tried_twice),
        TEST(test_in_the_last_10_s_the_phones_virtual_mac_will_do),
        TEST(test_in_the_last_10_s_the_strongest_is_tried),
        TEST(test_a_search_that_fails_says_so_and_forgets_the_password),
        TEST(test_a_join_the_driver_refuses_is_not_tried_again),
        TEST(test_the_result_goes_to_everybody_and_to_the_gateway),
        TEST(test_the_phones_word_ends_it),
        TEST(test_another_word_ends_the_round_only),
        TEST(test_after_20_rounds_it_ends_in_silence),
        TEST(test_without_a_socket_it_is_as_if_nothing_had_been),
        TEST(test_a_port_that_cannot_send_datagrams_has_no_socket),
        TEST(test_a_result_by_http_ends_it_too),
        TEST(test_the_next_provisioning_ends_it_too),
        TEST(test_the_list_comes_when_the_scan_is_over),
        TEST(test_row_31_only_hidden_ones_are_an_empty_list),
        TEST(test_no_access_point_and_a_failed_scan_are_500),
        TEST(test_row_30_ten_long_ssids_fit_and_an_eleventh_is_left_out),
        TEST(test_a_list_does_not_disturb_another_users_scan),
        TEST(test_the_search_and_the_list_take_turns),
        TEST(test_a_list_that_is_read_slowly_does_not_hold_up_others),
        TEST(test_the_search_waits_for_the_list),
        TEST(test_row_41_a_scan_that_never_ends_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
