/* SPDX-License-Identifier: Apache-2.0 */
#include "web_world.h"

#include <stdio.h>
#include <string.h>

#include "dialogue.h"

/* A browser gives the module its access point (facts/at-commands.md 3.4, 3.5, 3.7, 7). */

#define GET_STATION "GET /getstainfo HTTP/1.1\r\nHost: m\r\n\r\n"
#define HOME        "{\"ssid_len\":4,\"ssid\":\"home\",\"password_len\":8,\"password\":\"12345678\"}"
#define TIMEOUT_MS  25000

static void set_mode(struct web_world *w, unsigned mode)
{
    char line[32];

    (void)snprintf(line, sizeof line, "AT+CWMODE=%u\r\n", mode);
    expect(w->port, line, "\r\nOK\r\n");
}

static int set_up(void **state)
{
    (void)web_world_set_up(state);
    set_mode(*state, 3);
    return 0;
}

static void expect_station(struct web_world *w, unsigned state, const char *ssid,
                           const char *password, const char *message)
{
    char body[512];

    (void)snprintf(body, sizeof body,
                   "{\"state\":%u,\"sta_ssid\":\"%s\",\"sta_password\":\"%s\",\"message\":\"%s\"}",
                   state, ssid, password, message);
    web_world_expect(w, GET_STATION, web_answer("200 OK", "application/json", body));
}

static void expect_lines(struct web_world *w, const char *lines)
{
    assert_string_equal(fake_port_read(w->port), lines);
}

/* Until the module has begun to join. */
static void begin(struct web_world *w)
{
    web_world_expect_post(w, "/setstainfo", HOME, web_done);
    web_world_pass(w, 300);
    expect_lines(w, "+WEBSERVERRSP:1\r\n");
}

static void get_ip(struct web_world *w)
{
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
    web_world_pass(w, 500);
    expect_lines(w, "WIFI CONNECTED\r\nWIFI GOT IP\r\n");
}

static void fail_to_join(struct web_world *w)
{
    web_world_pass(w, TIMEOUT_MS + 500);
    (void)fake_port_read(w->port);
}

/* -- states ------------------------------------------------------------------------------------ */

static void test_each_state_is_told_with_number_and_message(void **state)
{
    struct web_world *w = *state;

    expect_station(w, 0, "", "", "waiting config");
    web_world_expect_post(w, "/setstainfo", HOME, web_done);
    expect_station(w, 0, "home", "12345678", "connecting");
    web_world_pass(w, 300);
    expect_station(w, 0, "home", "12345678", "connecting");
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
    web_world_pass(w, 500);
    expect_station(w, 1, "home", "12345678", "connect OK");
}

static void test_the_attempt_begins_300_ms_after_the_answer(void **state)
{
    struct web_world *w = *state;
    struct fake_client *client = fake_net_connect_text(
        &w->net, WEB_PORT,
        "POST /setstainfo HTTP/1.1\r\nHost: m\r\nContent-Length: 15\r\n\r\n{\"ssid\":\"home\"}");

    client->script.write_err = ALOFT_ERR_AGAIN;
    web_world_pass(w, 1000);
    client->script.write_err = ALOFT_ERR_OK;
    web_world_pass(w, 300);
    assert_string_equal(client->response, web_done);
    assert_int_equal(w->port->wifi.n_joins, 0);
    expect_lines(w, "");
    web_world_pass(w, 1);
    assert_int_equal(w->port->wifi.n_joins, 1);
    expect_lines(w, "+WEBSERVERRSP:1\r\n");
}

static void test_the_access_point_is_joined_and_looked_at_every_500_ms(void **state)
{
    struct web_world *w = *state;

    begin(w);
    assert_string_equal(w->port->wifi.join.ssid, "home");
    assert_string_equal(w->port->wifi.join.password, "12345678");
    assert_int_equal(w->port->wifi.join.min_auth, ALOFT_WIFI_WEP);
    assert_false(w->port->wifi.join.has_bssid);
    get_ip(w);
    expect_station(w, 1, "home", "12345678", "connect OK");
}

static void test_without_a_password_open_access_points_will_do(void **state)
{
    struct web_world *w = *state;

    web_world_expect_post(w, "/setstainfo", "{\"ssid\":\"cafe\"}", web_done);
    web_world_pass(w, 300);
    assert_string_equal(w->port->wifi.join.ssid, "cafe");
    assert_string_equal(w->port->wifi.join.password, "");
    assert_int_equal(w->port->wifi.join.min_auth, ALOFT_WIFI_OPEN);
}

static void test_after_the_timeout_of_the_server_it_failed(void **state)
{
    struct web_world *w = *state;

    begin(w);
    web_world_pass(w, TIMEOUT_MS - 1000);
    expect_station(w, 0, "home", "12345678", "connecting");
    web_world_pass(w, 1500);
    expect_station(w, 2, "home", "12345678", "connect fail");
    assert_int_equal(w->port->wifi.status.state, ALOFT_WIFI_DISCONNECTED);
    unsigned n_joins = w->port->wifi.n_joins;
    web_world_pass(w, 20000);
    assert_int_equal(w->port->wifi.n_joins, n_joins);
    expect_lines(w, "");
}

static void test_what_fails_is_tried_again_until_the_timeout(void **state)
{
    struct web_world *w = *state;

    begin(w);
    for (unsigned i = 0; i < 5; i++) {
        w->port->wifi.status.state = ALOFT_WIFI_DISCONNECTED;
        web_world_pass(w, 2000);
    }
    assert_true(w->port->wifi.n_joins >= 4);
    get_ip(w);
    expect_station(w, 1, "home", "12345678", "connect OK");
}

static void test_an_access_point_the_driver_refuses_leads_back_to_the_start(void **state)
{
    struct web_world *w = *state;

    w->port->wifi.join_err = ALOFT_ERR_ARG;
    web_world_expect_post(w, "/setstainfo", HOME, web_done);
    web_world_pass(w, 400);
    expect_station(w, 0, "home", "12345678", "waiting config");
    expect_lines(w, "");
}

static void test_the_access_point_is_stored_as_cwjap_does(void **state)
{
    struct web_world *w = *state;

    begin(w);
    get_ip(w);
    w->port->wifi.status.state = ALOFT_WIFI_IDLE;
    fake_port_boot(w->port, &w->config);
    web_world_pass(w, 10);
    assert_int_equal(w->port->wifi.n_joins, 2);
    assert_string_equal(w->port->wifi.join.ssid, "home");
    assert_string_equal(w->port->wifi.join.password, "12345678");
}

static void test_with_sysstore_0_nothing_is_stored(void **state)
{
    struct web_world *w = *state;

    expect(w->port, "AT+SYSSTORE=0\r\n", "\r\nOK\r\n");
    begin(w);
    get_ip(w);
    w->port->wifi.status.state = ALOFT_WIFI_IDLE;
    fake_port_boot(w->port, &w->config);
    web_world_pass(w, 10);
    assert_int_equal(w->port->wifi.n_joins, 1);
}

static void test_a_stopped_server_goes_on_with_it(void **state)
{
    struct web_world *w = *state;

    begin(w);
    expect(w->port, "AT+WEBSERVER=0\r\n", "\r\nOK\r\n");
    get_ip(w);
    expect(w->port, "AT+WEBSERVER=1,80,25\r\n", "\r\nOK\r\n");
    expect_station(w, 1, "home", "12345678", "connect OK");
}

/* -- POST /setstainfo -------------------------------------------------------------------------- */

static void test_only_mode_3_can_be_provisioned(void **state)
{
    struct web_world *w = *state;

    for (unsigned mode = 0; mode < 3; mode++) {
        set_mode(w, mode);
        web_world_expect_post(w, "/setstainfo", HOME, web_bad);
    }
    expect_station(w, 0, "", "", "waiting config");
}

static void test_a_second_one_while_it_connects_is_refused(void **state)
{
    struct web_world *w = *state;

    begin(w);
    web_world_expect_post(w, "/setstainfo", "{\"ssid\":\"other\"}", web_bad);
    expect_station(w, 0, "home", "12345678", "connecting");
}

static void test_a_second_one_after_success_or_failure_begins_anew(void **state)
{
    struct web_world *w = *state;

    begin(w);
    fail_to_join(w);
    begin(w);
    get_ip(w);
    web_world_expect_post(w, "/setstainfo", "{\"ssid\":\"other\"}", web_done);
    expect_station(w, 0, "other", "", "connecting");
    web_world_pass(w, 300);
    expect_lines(w, "WIFI DISCONNECT\r\n+WEBSERVERRSP:1\r\n");
    assert_string_equal(w->port->wifi.join.ssid, "other");
}

static void test_row_39_bad_bodies_are_400_and_change_nothing(void **state)
{
    static const char *const bodies[] = {
        "",
        "{}",
        "{\"ssid\":\"\",\"password\":\"\"}",
        "{\"ssid\":1}",
        "{\"ssid\":\"a\",\"password\":null}",
        "{\"ssid\":\"0123456789abcdef0123456789abcdefg\"}",
        "{\"ssid\":\"a\"",
        "{\"ssid\":\"a\"}&udp_port=",
        "{\"ssid\":\"a\"}&udp_port=0",
        "{\"ssid\":\"a\"}&udp_port=65536",
        "{\"ssid\":\"a\"}&udp_port=12x",
        "{\"ssid\":\"a\",\"udp_port\":-1}",
        "{\"ssid\":\"a\",\"udp_port\":1}&udp_port=1",
        "sta_ssid=",
        "sta_ssid=%zz",
        "ssid=home",
    };
    struct web_world *w = *state;

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        memset(w->net.clients, 0, sizeof w->net.clients);
        w->net.n_clients = 0;
        web_world_expect_post(w, "/setstainfo", bodies[i], web_bad);
    }
    expect_station(w, 0, "", "", "waiting config");
    expect_lines(w, "");
}

static void test_a_password_of_64_bytes_fits_and_one_of_65_does_not(void **state)
{
    static const char password[] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    struct web_world *w = *state;
    char body[128];

    (void)snprintf(body, sizeof body, "{\"password\":\"%s0\"}", password);
    web_world_expect_post(w, "/setstainfo", body, web_bad);
    (void)snprintf(body, sizeof body, "{\"ssid\":\"a\",\"password\":\"%s\"}", password);
    web_world_expect_post(w, "/setstainfo", body, web_done);
    web_world_pass(w, 300);
    assert_string_equal(w->port->wifi.join.password, password);
}

static void test_a_body_of_319_bytes_is_read_and_a_longer_one_is_500(void **state)
{
    struct web_world *w = *state;
    char body[512];

    (void)snprintf(body, sizeof body, "{\"x\":\"%0*d\",\"ssid\":\"home\"}", 319 - 22, 0);
    assert_int_equal(strlen(body), 319);
    web_world_expect_post(w, "/setstainfo", body, web_done);
    web_world_pass(w, 300);
    fail_to_join(w);
    (void)snprintf(body, sizeof body, "{\"x\":\"%0*d\",\"ssid\":\"home\"}", 320 - 22, 0);
    web_world_expect_post(w, "/setstainfo", body,
                          web_answer("500 Internal Server Error", "text/html",
                                     "Server has encountered an unexpected error"));
}

static void test_the_body_of_older_pages_is_a_form(void **state)
{
    struct web_world *w = *state;

    web_world_expect_post(w, "/setstainfo", "sta_ssid=my%20home&sta_password=a%2Bb+c%26d%3d",
                          web_done);
    web_world_pass(w, 300);
    assert_string_equal(w->port->wifi.join.ssid, "my home");
    assert_string_equal(w->port->wifi.join.password, "a+b+c&d=");
}

static void test_a_port_beside_an_ssid_is_still_browser_mode(void **state)
{
    static const char *const bodies[] = {
        "{\"ssid\":\"home\",\"password\":\"12345678\"}&udp_port=8266",
        "{\"ssid\":\"home\",\"password\":\"12345678\",\"udp_port\":8266}",
        "{\"ssid\":\"home\",\"password\":\"12345678\",\"udp_port\":\"8266\"}",
        "sta_ssid=home&sta_password=12345678&udp_port=8266",
    };
    struct web_world *w = *state;

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        web_world_expect_post(w, "/setstainfo", bodies[i], web_done);
        web_world_pass(w, 300);
        expect_lines(w, "+WEBSERVERRSP:1\r\n");
        assert_string_equal(w->port->wifi.join.ssid, "home");
        assert_int_equal(w->port->wifi.n_scans, 0);
        fail_to_join(w);
    }
}

static void test_row_33_ssid_and_password_are_told_escaped(void **state)
{
    struct web_world *w = *state;

    web_world_expect_post(w, "/setstainfo",
                          "{\"ssid\":\"a\\\"\\\\\\/\\n\\u00e4\",\"password\":\"\\u001f\"}",
                          web_done);
    expect_station(w, 0, "a\\\"\\\\\\/\\u000a\xc3\xa4", "\\u001f", "connecting");
}

/* -- POST /getresult --------------------------------------------------------------------------- */

static void test_a_result_at_the_start_changes_nothing(void **state)
{
    struct web_world *w = *state;

    web_world_expect_post(w, "/getresult", "received=1", web_done);
    web_world_expect_post(w, "/getresult", "", web_done);
    expect_lines(w, "");
}

static void test_a_result_while_it_connects_is_told_and_the_state_stays(void **state)
{
    struct web_world *w = *state;

    begin(w);
    web_world_expect_post(w, "/getresult", "", web_done);
    expect_lines(w, "+WEBSERVERRSP:2\r\n");
    expect_station(w, 0, "home", "12345678", "connecting");
}

static void test_a_result_after_success_clears_everything(void **state)
{
    struct web_world *w = *state;

    begin(w);
    get_ip(w);
    web_world_expect_post(w, "/getresult", "received=1", web_done);
    expect_lines(w, "+WEBSERVERRSP:2\r\n");
    expect_station(w, 0, "", "", "waiting config");
    assert_int_equal(w->port->wifi.status.state, ALOFT_WIFI_GOT_IP);
}

static void test_a_result_after_failure_clears_everything(void **state)
{
    struct web_world *w = *state;

    begin(w);
    fail_to_join(w);
    web_world_expect_post(w, "/getresult", "x=1&received=", web_done);
    expect_lines(w, "+WEBSERVERRSP:2\r\n");
    expect_station(w, 0, "", "", "waiting config");
}

static void test_a_result_without_its_key_is_400(void **state)
{
    struct web_world *w = *state;

    begin(w);
    get_ip(w);
    web_world_expect_post(w, "/getresult", "", web_bad);
    web_world_expect_post(w, "/getresult", "received", web_bad);
    web_world_expect_post(w, "/getresult", "xreceived=1", web_bad);
    expect_lines(w, "");
    expect_station(w, 1, "home", "12345678", "connect OK");
}

/* -- the page made for stock firmware (3.7) -----------------------------------------------------
 */

static void say_again(struct web_world *w, struct fake_client *client, const char *text,
                      const char *body)
{
    fake_client_forget_response(client);
    fake_client_say(client, text, strlen(text));
    web_world_pass(w, 10);
    assert_string_equal(client->response, web_answer("200 OK", "application/json", body));
}

static void test_the_requests_of_the_stock_page_are_served_over_one_connection(void **state)
{
    struct web_world *w = *state;
    struct fake_client *client = web_world_say(w, GET_STATION);

    w->port->wifi.aps[0] = (struct aloft_scan_entry){.ssid = "home", .auth = ALOFT_WIFI_WPA2};
    w->port->wifi.n_aps = 1;
    say_again(w, client, "GET /getaprecord HTTP/1.1\r\nHost: 192.168.4.1\r\n\r\n",
              "{\"state\":0,\"message\":\"scan done\",\"aplist\":[{\"ssid\":\"home\","
              "\"auth_mode\":3}]}");
    say_again(w, client,
              "POST /setstainfo HTTP/1.1\r\nHost: 192.168.4.1\r\nContent-Type: application/json\r\n"
              "Content-Length: 67\r\n\r\n" HOME,
              "{\"state\": 0}");
    w->port->wifi.status.state = ALOFT_WIFI_JOINING;
    web_world_pass(w, 1000);
    say_again(w, client, GET_STATION,
              "{\"state\":0,\"sta_ssid\":\"home\",\"sta_password\":\"12345678\","
              "\"message\":\"connecting\"}");
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
    web_world_pass(w, 1000);
    say_again(w, client, GET_STATION,
              "{\"state\":1,\"sta_ssid\":\"home\",\"sta_password\":\"12345678\","
              "\"message\":\"connect OK\"}");
    say_again(w, client,
              "POST /getresult HTTP/1.1\r\nHost: 192.168.4.1\r\nContent-Type: "
              "application/x-www-form-urlencoded;charset=UTF-8\r\nContent-Length: 10\r\n\r\n"
              "received=1",
              "{\"state\": 0}");
    expect_lines(w, "+WEBSERVERRSP:1\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\n+WEBSERVERRSP:2\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, web_world_tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_each_state_is_told_with_number_and_message),
        TEST(test_the_attempt_begins_300_ms_after_the_answer),
        TEST(test_the_access_point_is_joined_and_looked_at_every_500_ms),
        TEST(test_without_a_password_open_access_points_will_do),
        TEST(test_after_the_timeout_of_the_server_it_failed),
        TEST(test_what_fails_is_tried_again_until_the_timeout),
        TEST(test_an_access_point_the_driver_refuses_leads_back_to_the_start),
        TEST(test_the_access_point_is_stored_as_cwjap_does),
        TEST(test_with_sysstore_0_nothing_is_stored),
        TEST(test_a_stopped_server_goes_on_with_it),
        TEST(test_only_mode_3_can_be_provisioned),
        TEST(test_a_second_one_while_it_connects_is_refused),
        TEST(test_a_second_one_after_success_or_failure_begins_anew),
        TEST(test_row_39_bad_bodies_are_400_and_change_nothing),
        TEST(test_a_password_of_64_bytes_fits_and_one_of_65_does_not),
        TEST(test_a_body_of_319_bytes_is_read_and_a_longer_one_is_500),
        TEST(test_the_body_of_older_pages_is_a_form),
        TEST(test_a_port_beside_an_ssid_is_still_browser_mode),
        TEST(test_row_33_ssid_and_password_are_told_escaped),
        TEST(test_a_result_at_the_start_changes_nothing),
        TEST(test_a_result_while_it_connects_is_told_and_the_state_stays),
        TEST(test_a_result_after_success_clears_everything),
        TEST(test_a_result_after_failure_clears_everything),
        TEST(test_a_result_without_its_key_is_400),
        TEST(test_the_requests_of_the_stock_page_are_served_over_one_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
