/* SPDX-License-Identifier: Apache-2.0 */
#include "web_world.h"

#include <stdio.h>
#include <string.h>

#include "dialogue.h"

/* The captive portal (facts/at-commands.md 3.6) and what a module may ask of its clients (6.3, row
 * 34). */

#define DNS_PORT 53
#define QUERY    "\x12\x34\1\0\0\1\0\0\0\0\0\0\1m\0\0\1\0\1"
#define RESPONSE                                                                                   \
    "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\1m\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\xa8\4\1"

static int set_up(void **state)
{
    struct web_world *w = web_world_new();

    w->config.has_portal = true;
    web_world_start(w);
    *state = w;
    return 0;
}

static const char redirect[] = "HTTP/1.1 302 Temporary Redirect\r\nContent-Type: text/html\r\n"
                               "Content-Length: 26\r\nLocation: http://192.168.4.1/\r\n\r\n"
                               "Redirect to captive portal";

static void test_unknown_paths_and_methods_lead_to_the_page(void **state)
{
    struct web_world *w = *state;
    struct fake_client *client =
        web_world_say(w, "GET /generate_204 HTTP/1.1\r\nHost: connectivity.test\r\n\r\n");

    assert_string_equal(client->response, redirect);
    assert_false(client->is_closed);
    client = web_world_say(w, "POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 3\r\n\r\nabc"
                              "GET /getversion HTTP/1.1\r\nHost: m\r\n\r\n");
    assert_memory_equal(client->response, redirect, strlen(redirect));
    assert_memory_equal(client->response + strlen(redirect), "HTTP/1.1 200 OK\r\n", 17);
}

static void test_a_target_that_is_too_long_leads_to_the_page(void **state)
{
    static char request[4096] = "GET /";
    struct fake_client *client;

    memset(request + 5, 'x', 2000);
    client = web_world_say(*state, request);
    assert_string_equal(client->response, redirect);
    web_world_pass(*state, 1000);
    assert_true(client->is_closed); /* Where the request ends is not known. */
}

static void test_other_errors_stay_errors(void **state)
{
    web_world_expect_post(*state, "/setstainfo", "{}", web_bad);
}

static void test_row_40_the_redirect_names_the_port(void **state)
{
    struct web_world *w = *state;

    expect(w->port, "AT+WEBSERVER=0\r\nAT+WEBSERVER=1,8080,25\r\n", "\r\nOK\r\n\r\nOK\r\n");
    struct fake_client *client =
        fake_net_connect_text(&w->net, 8080, "GET /x HTTP/1.1\r\nHost: m\r\n\r\n");
    w->port->wifi.ap_ip = (struct aloft_ip_config){.ip = {10, 0, 0, 1}};
    web_world_pass(w, 10);
    assert_string_equal(client->response,
                        "HTTP/1.1 302 Temporary Redirect\r\nContent-Type: text/html\r\n"
                        "Content-Length: 26\r\nLocation: http://10.0.0.1:8080/\r\n\r\n"
                        "Redirect to captive portal");
}

static void test_without_a_portal_nothing_is_redirected_and_no_dns_answers(void **state)
{
    struct web_world *w = *state;

    w->config.has_portal = false;
    fake_net_attach(&w->net, w->port);
    web_world_start(w);
    assert_int_equal(w->net.n_open, 1);
    struct fake_client *client = web_world_say(w, "GET /x HTTP/1.1\r\nHost: m\r\n\r\n");
    assert_memory_equal(client->response, "HTTP/1.1 404 Not Found\r\n", 24);
}

static void test_every_name_has_the_address_of_the_soft_ap(void **state)
{
    const struct aloft_addr phone = {4, {192, 168, 4, 2}};
    struct web_world *w = *state;

    for (unsigned i = 0; i < 20; i++) {
        fake_net_datagram(&w->net, DNS_PORT, &phone, (uint16_t)(5000 + i), QUERY, sizeof QUERY - 1);
    }
    web_world_pass(w, 3);
    assert_int_equal(w->net.n_sent, 20);
    for (unsigned i = 0; i < 20; i++) {
        const struct fake_datagram *sent = &w->net.sent[i];
        assert_int_equal(sent->own_port, DNS_PORT);
        assert_int_equal(sent->port, 5000 + i);
        assert_memory_equal(sent->addr.bytes, phone.bytes, 4);
        assert_int_equal(sent->len, sizeof RESPONSE - 1);
        assert_memory_equal(sent->bytes, RESPONSE, sizeof RESPONSE - 1);
    }
}

static void test_more_queries_than_one_step_answers_are_not_forgotten(void **state)
{
    const struct aloft_addr phone = {4, {192, 168, 4, 2}};
    struct web_world *w = *state;

    for (unsigned i = 0; i < 8; i++) {
        fake_net_datagram(&w->net, DNS_PORT, &phone, 5000, QUERY, sizeof QUERY - 1);
    }
    assert_int_equal(aloft_module_step(&w->port->module, w->port->now_ms), 0);
    assert_true(aloft_module_step(&w->port->module, w->port->now_ms) > 0);
}

static void test_what_is_no_query_is_not_answered(void **state)
{
    const struct aloft_addr phone = {4, {192, 168, 4, 2}};
    struct web_world *w = *state;

    fake_net_datagram(&w->net, DNS_PORT, &phone, 5000, RESPONSE, sizeof RESPONSE - 1);
    fake_net_datagram(&w->net, DNS_PORT, &phone, 5000, "", 0);
    web_world_pass(w, 10);
    assert_int_equal(w->net.n_arriving, 0);
    assert_int_equal(w->net.n_sent, 0);
}

static void test_dns_runs_with_the_server_and_ends_with_it(void **state)
{
    struct web_world *w = *state;

    assert_int_equal(w->net.n_open, 2);
    expect(w->port, "AT+WEBSERVER=0\r\n", "\r\nOK\r\n");
    assert_int_equal(w->net.n_open, 0);
    w->net.udp_open_err = ALOFT_ERR_CONNECT;
    expect(w->port, "AT+WEBSERVER=1,80,25\r\n", "\r\nERROR\r\n");
    assert_int_equal(w->net.n_open, 0);
    w->port->port.net.udp_send = NULL;
    expect(w->port, "AT+WEBSERVER=1,80,25\r\n", "\r\nERROR\r\n");
    assert_int_equal(w->net.n_open, 0);
}

/* -- row 34 ------------------------------------------------------------------------------------ */

static struct web_world *guarded(void)
{
    struct web_world *w = web_world_new();

    w->config.web_authorization = "Basic YWRtaW46c2VjcmV0";
    w->config.web_checks_origin = true;
    w->config.web_hides_password = true;
    web_world_start(w);
    expect(w->port, "AT+CWMODE=3\r\n", "\r\nOK\r\n");
    return w;
}

#define SECRET "Authorization: Basic YWRtaW46c2VjcmV0\r\n"

static void test_row_34_without_the_password_everything_is_401(void **state)
{
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: m\r\n\r\n",
        "GET /getstainfo HTTP/1.1\r\nHost: m\r\nAuthorization: Basic YWRtaW46c2VjcmV1\r\n\r\n",
        "GET /getstainfo HTTP/1.1\r\nHost: m\r\nAuthorization: Basic YWRtaW46c2VjcmV0a\r\n\r\n",
        "GET /getstainfo HTTP/1.1\r\nHost: m\r\nAuthorization: Basic YWRtaW46c2VjcmV0B\r\n\r\n",
        "GET /getstainfo HTTP/1.1\r\nHost: m\r\nAuthorization: Basic\r\n\r\n",
        "GET /getstainfo HTTP/1.1\r\nHost: m\r\nAuthorization:\r\n\r\n",
        "POST /setotadata HTTP/1.1\r\nHost: m\r\nObject: ota\r\nContent-Length: 0\r\n\r\n",
        "GET /nothing HTTP/1.1\r\nHost: m\r\n\r\n",
    };
    struct web_world *w = guarded();

    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        web_world_expect(w, requests[i],
                         "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/html\r\n"
                         "Content-Length: 21\r\nWWW-Authenticate: Basic realm=\"module\"\r\n\r\n"
                         "This needs a password");
    }
    assert_string_equal(fake_port_read(w->port), "");
    struct fake_client *client = web_world_say(w, "GET / HTTP/1.1\r\nHost: m\r\n" SECRET "\r\n");
    assert_memory_equal(client->response, "HTTP/1.1 200 OK\r\n", 17);
    web_world_free(w);
}

static void test_row_34_posts_for_another_site_are_403(void **state)
{
    static const char *const bad[] = {
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Origin: null\r\n",
        "Origin: http://evil.test\r\n",
        "Origin: http://evil192.168.4.1\r\n",
        "Origin: http://192.168.4.1:8080\r\n",
    };
    static const char *const good[] = {
        "",
        "Sec-Fetch-Site: same-origin\r\n",
        "Sec-Fetch-Site: none\r\n",
        "Origin: http://192.168.4.1\r\n",
    };
    struct web_world *w = guarded();
    char request[512];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(request, sizeof request,
                       "POST /getresult HTTP/1.1\r\nHost: 192.168.4.1\r\n" SECRET "%s\r\n", bad[i]);
        web_world_expect(
            w, request,
            web_answer("403 Forbidden", "text/html", "This request comes from another site"));
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        (void)snprintf(request, sizeof request,
                       "POST /getresult HTTP/1.1\r\nHost: 192.168.4.1\r\n" SECRET "%s\r\n",
                       good[i]);
        web_world_expect(w, request, web_done);
    }
    /* What changes nothing may come from everywhere. */
    struct fake_client *client = web_world_say(w, "GET /getversion HTTP/1.1\r\nHost: m\r\n" SECRET
                                                  "Sec-Fetch-Site: cross-site\r\n\r\n");
    assert_memory_equal(client->response, "HTTP/1.1 200 OK\r\n", 17);
    web_world_free(w);
}

static void test_row_34_the_password_field_is_empty_but_there(void **state)
{
    struct web_world *w = guarded();
    static const char body[] = "{\"ssid\":\"home\",\"password\":\"12345678\"}";
    char request[512];

    (void)state;
    (void)snprintf(request, sizeof request,
                   "POST /setstainfo HTTP/1.1\r\nHost: m\r\n" SECRET
                   "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    web_world_expect(w, request, web_done);
    web_world_expect(w, "GET /getstainfo HTTP/1.1\r\nHost: m\r\n" SECRET "\r\n",
                     web_answer("200 OK", "application/json",
                                "{\"state\":0,\"sta_ssid\":\"home\",\"sta_password\":\"\","
                                "\"message\":\"connecting\"}"));
    web_world_free(w);
}

static void test_row_34_by_default_everybody_may_do_everything_as_with_stock(void **state)
{
    struct web_world *w = *state;

    web_world_expect(w,
                     "POST /getresult HTTP/1.1\r\nHost: m\r\nOrigin: http://evil.test\r\n"
                     "Sec-Fetch-Site: cross-site\r\n\r\n",
                     web_done);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, web_world_tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_unknown_paths_and_methods_lead_to_the_page),
        TEST(test_a_target_that_is_too_long_leads_to_the_page),
        TEST(test_other_errors_stay_errors),
        TEST(test_row_40_the_redirect_names_the_port),
        TEST(test_without_a_portal_nothing_is_redirected_and_no_dns_answers),
        TEST(test_every_name_has_the_address_of_the_soft_ap),
        TEST(test_more_queries_than_one_step_answers_are_not_forgotten),
        TEST(test_what_is_no_query_is_not_answered),
        TEST(test_dns_runs_with_the_server_and_ends_with_it),
        cmocka_unit_test(test_row_34_without_the_password_everything_is_401),
        cmocka_unit_test(test_row_34_posts_for_another_site_are_403),
        cmocka_unit_test(test_row_34_the_password_field_is_empty_but_there),
        TEST(test_row_34_by_default_everybody_may_do_everything_as_with_stock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
