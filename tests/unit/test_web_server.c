/* SPDX-License-Identifier: Apache-2.0 */
#include "web_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialogue.h"

/* AT+WEBSERVER and the HTTP rules of the module's server (facts/at-commands.md 2.4, 3.1). */

#define VERSION_REQUEST "GET /getversion HTTP/1.1\r\nHost: 192.168.4.1\r\n\r\n"
#define VERSION_ANSWER                                                                             \
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n"              \
    "{\"version\":\"1.0\"}"

static const char not_found[] = "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n"
                                "Content-Length: 29\r\n\r\nNothing matches the given URI";

/* -- AT+WEBSERVER ------------------------------------------------------------------------------ */

static void test_start_and_stop_answer_ok_however_often(void **state)
{
    struct web_world *w = *state;

    expect(w->port, "AT+WEBSERVER=1,80,25\r\n", "\r\nOK\r\n");
    expect(w->port, "AT+WEBSERVER=0\r\n", "\r\nOK\r\n");
    assert_int_equal(w->net.n_open, 0);
    expect(w->port, "AT+WEBSERVER=0\r\n", "\r\nOK\r\n");
    expect(w->port, "AT+WEBSERVER=1,8080,60\r\n", "\r\nOK\r\n");
    assert_int_equal(w->net.n_open, 1);
    assert_int_equal(w->net.listeners[0].port, 8080);
}

static void test_a_second_start_keeps_the_port_and_takes_the_timeout(void **state)
{
    struct web_world *w = *state;

    expect(w->port, "AT+WEBSERVER=1,8080,60\r\n", "\r\nOK\r\n");
    assert_int_equal(w->net.listeners[0].port, WEB_PORT);
    assert_int_equal(w->net.n_open, 1);
    assert_int_equal(w->port->module.web->timeout_s, 60);
}

static void test_row_37_bad_parameters_answer_error(void **state)
{
    static const char *const lines[] = {
        "AT+WEBSERVER=0,80,25\r\n",
        "AT+WEBSERVER=0,\r\n",
        "AT+WEBSERVER=\r\n",
        "AT+WEBSERVER=1\r\n",
        "AT+WEBSERVER=1,80\r\n",
        "AT+WEBSERVER=1,80,20\r\n",
        "AT+WEBSERVER=1,80,61\r\n",
        "AT+WEBSERVER=1,80,\r\n",
        "AT+WEBSERVER=1,,25\r\n",
        "AT+WEBSERVER=1,-1,25\r\n",
        "AT+WEBSERVER=1,65536,25\r\n",
        "AT+WEBSERVER=2,80,25\r\n",
        "AT+WEBSERVER=1,80,25,1\r\n",
        "AT+WEBSERVER=\"1\",80,25\r\n",
        "AT+WEBSERVER=-1\r\n",
        "AT+WEBSERVER=1,\"80\",25\r\n",
        "AT+WEBSERVER?\r\n",
        "AT+WEBSERVER=?\r\n",
        "AT+WEBSERVER\r\n",
    };
    struct web_world *w = *state;

    expect(w->port, "AT+WEBSERVER=0\r\n", "\r\nOK\r\n");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        expect(w->port, lines[i], "\r\nERROR\r\n");
        assert_int_equal(w->net.n_open, 0);
    }
    expect(w->port, "AT+WEBSERVER=1,65535,21\r\n", "\r\nOK\r\n");
    expect(w->port, "AT+WEBSERVER=1,80,60\r\n", "\r\nOK\r\n");
}

static void test_port_0_means_any_free_one_and_the_log_names_it(void **state)
{
    struct web_world *w = *state;

    expect(w->port, "AT+WEBSERVER=0\r\nAT+WEBSERVER=1,0,25\r\n", "\r\nOK\r\n\r\nOK\r\n");
    assert_int_equal(w->net.listeners[0].port, FAKE_NET_FREE_PORT);
    assert_non_null(strstr(w->port->log, "web.started port=49152\n"));
}

static void test_a_port_that_is_taken_answers_error(void **state)
{
    struct web_world *w = *state;

    w->net.listen_err = ALOFT_ERR_CONNECT;
    expect(w->port, "AT+WEBSERVER=0\r\nAT+WEBSERVER=1,80,25\r\n", "\r\nOK\r\n\r\nERROR\r\n");
}

static void test_without_memory_or_listeners_start_answers_error(void **state)
{
    struct web_world *w = *state;

    w->config.web = NULL;
    fake_port_boot(w->port, &w->config);
    expect(w->port, "ATE0\r\nAT+WEBSERVER=1,80,25\r\n", "ATE0\r\n\r\nOK\r\n\r\nERROR\r\n");
    expect(w->port, "AT+WEBSERVER=0\r\n", "\r\nOK\r\n");
    w->config.web = &w->web;
    w->port->port.net.listen = NULL;
    fake_port_boot(w->port, &w->config);
    expect(w->port, "ATE0\r\nAT+WEBSERVER=1,80,25\r\n", "ATE0\r\n\r\nOK\r\n\r\nERROR\r\n");
}

static void test_a_restart_closes_all_sockets(void **state)
{
    struct web_world *w = *state;

    (void)web_world_say(w, VERSION_REQUEST);
    expect(w->port, "AT+RST\r\n", "\r\nOK\r\n");
    assert_int_equal(w->net.n_open, 0);
    assert_int_equal(w->port->boot.n_restarts, 1);
}

/* -- requests and answers ---------------------------------------------------------------------- */

static void test_getversion_is_answered_byte_for_byte(void **state)
{
    web_world_expect(*state, VERSION_REQUEST, VERSION_ANSWER);
}

static void test_a_connection_is_kept_for_the_next_request(void **state)
{
    struct web_world *w = *state;
    struct fake_client *client = web_world_say(w, VERSION_REQUEST);

    fake_client_forget_response(client);
    fake_client_say(client, VERSION_REQUEST, strlen(VERSION_REQUEST));
    web_world_pass(w, 10);
    assert_string_equal(client->response, VERSION_ANSWER);
    assert_false(client->is_closed);
}

static void test_requests_that_come_together_are_answered_in_order(void **state)
{
    struct web_world *w = *state;

    web_world_expect(w, VERSION_REQUEST VERSION_REQUEST VERSION_REQUEST,
                     VERSION_ANSWER VERSION_ANSWER VERSION_ANSWER);
}

static void test_a_request_may_come_byte_by_byte(void **state)
{
    struct web_world *w = *state;
    struct fake_client *client =
        fake_net_connect(&w->net, WEB_PORT, VERSION_REQUEST, strlen(VERSION_REQUEST), 1);

    web_world_pass(w, 300);
    assert_string_equal(client->response, VERSION_ANSWER);
}

static void test_a_peer_may_take_the_answer_byte_by_byte(void **state)
{
    struct web_world *w = *state;
    struct fake_client *client = fake_net_connect_text(&w->net, WEB_PORT, VERSION_REQUEST);

    client->script.write_portion = 1;
    web_world_pass(w, 300);
    assert_string_equal(client->response, VERSION_ANSWER);
}

static void test_the_query_is_ignored_and_the_path_must_match(void **state)
{
    struct web_world *w = *state;

    web_world_expect(w, "GET /getversion?x=/y HTTP/1.1\r\nHost: m\r\n\r\n", VERSION_ANSWER);
    web_world_expect(w, "GET http://m/getversion?x HTTP/1.1\r\nHost: m\r\n\r\n", VERSION_ANSWER);
    web_world_expect(w, "GET /getversion/ HTTP/1.1\r\nHost: m\r\n\r\n", not_found);
    web_world_expect(w, "GET /GETVERSION HTTP/1.1\r\nHost: m\r\n\r\n", not_found);
    web_world_expect(w, "OPTIONS * HTTP/1.1\r\nHost: m\r\n\r\n", not_found);
    web_world_expect(w, "GET http://m HTTP/1.1\r\nHost: m\r\n\r\n", not_found);
}

static void test_an_unknown_path_is_404_and_closes(void **state)
{
    struct fake_client *client = web_world_say(*state, "GET /x HTTP/1.1\r\nHost: m\r\n\r\n");

    assert_string_equal(client->response, not_found);
    assert_true(client->is_closed);
}

static void test_a_wrong_method_is_405_and_closes(void **state)
{
    struct fake_client *client =
        web_world_say(*state, "POST /getversion HTTP/1.1\r\nHost: m\r\n\r\n");

    assert_string_equal(client->response,
                        web_answer("405 Method Not Allowed", "text/html",
                                   "Specified method is invalid for this resource"));
    assert_true(client->is_closed);
}

static void test_close_and_http_1_0_end_the_connection(void **state)
{
    struct web_world *w = *state;
    struct fake_client *client =
        web_world_say(w, "GET /getversion HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n");

    assert_string_equal(client->response, VERSION_ANSWER);
    assert_true(client->is_closed);
    client = web_world_say(w, "GET /getversion HTTP/1.0\r\n\r\n");
    assert_string_equal(client->response, VERSION_ANSWER);
    assert_true(client->is_closed);
}

static void test_a_body_nobody_reads_is_passed_over(void **state)
{
    web_world_expect(
        *state,
        "GET /getversion HTTP/1.1\r\nHost: m\r\nContent-Length: 5\r\n\r\nGET /" VERSION_REQUEST,
        VERSION_ANSWER VERSION_ANSWER);
}

static void test_a_chunked_body_counts_as_none_and_ends_the_connection(void **state)
{
    struct web_world *w = *state;
    struct fake_client *client =
        web_world_say(w, "GET /getversion HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "2d\r\n" VERSION_REQUEST "\r\n0\r\n\r\n");

    assert_string_equal(client->response, VERSION_ANSWER);
    web_world_pass(w, 1000);
    assert_true(client->is_closed);
}

static void test_a_continuation_that_is_expected_is_not_sent(void **state)
{
    web_world_expect(*state,
                     "GET /getversion HTTP/1.1\r\nHost: m\r\nExpect: 100-continue\r\n"
                     "Content-Length: 1\r\n\r\n",
                     VERSION_ANSWER);
}

/* -- limits ------------------------------------------------------------------------------------ */

static struct fake_client *say_long(struct web_world *w, size_t target_len, size_t fields_len)
{
    static char request[8192];
    int len =
        snprintf(request, sizeof request, "GET /getversion?%0*d HTTP/1.1\r\nHost: %0*d\r\n\r\n",
                 (int)target_len - 12, 0, (int)fields_len - 10, 0);

    assert_true(len > 0 && (size_t)len < sizeof request);
    struct fake_client *client = web_world_say(w, request);
    web_world_pass(w, 1000); /* What may follow a refused head is passed over. */
    return client;
}

static void test_a_target_of_1024_bytes_is_served_and_a_longer_one_is_414(void **state)
{
    struct fake_client *client = say_long(*state, 1024, 1024);

    assert_string_equal(client->response, VERSION_ANSWER);
    client = say_long(*state, 1025, 20);
    assert_memory_equal(client->response, "HTTP/1.1 414 URI Too Long\r\n", 27);
    client = say_long(*state, 6000, 20);
    assert_memory_equal(client->response, "HTTP/1.1 414 URI Too Long\r\n", 27);
    assert_true(client->is_closed);
}

static void test_a_header_section_of_more_than_1024_bytes_is_431(void **state)
{
    struct fake_client *client = say_long(*state, 20, 1025);

    assert_memory_equal(client->response, "HTTP/1.1 431 Request Header Fields Too Large\r\n", 45);
    client = say_long(*state, 1024, 6000);
    assert_memory_equal(client->response, "HTTP/1.1 431 Request Header Fields Too Large\r\n", 45);
}

#define FIELDS_8 "a: b\r\nc: d\r\ne: f\r\ng: h\r\ni: j\r\nk: l\r\nm: n\r\no: p\r\n"

static void test_more_fields_than_the_parser_takes_are_431(void **state)
{
    struct fake_client *client = web_world_say(
        *state, "GET / HTTP/1.1\r\nHost: m\r\n" FIELDS_8 FIELDS_8 FIELDS_8 FIELDS_8 "\r\n");

    assert_memory_equal(client->response, "HTTP/1.1 431 ", 13);
}

static void test_what_is_not_http_is_400(void **state)
{
    static const char *const requests[] = {
        "hello\r\n",
        "GET / HTTP/2.0\r\n",
        "GET / HTTP/1.1\r\n\r\n", /* without Host */
        "GET / HTTP/1.1\r\nHost: m\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: m\r\nContent-Length: +1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: gzip\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct fake_client *client = web_world_say(*state, requests[i]);
        assert_string_equal(client->response, web_answer("400 Bad Request", "text/html",
                                                         "This is not a valid HTTP/1.1 request"));
        web_world_pass(*state, 1000);
        assert_true(client->is_closed);
    }
}

/* -- many clients ------------------------------------------------------------------------------ */

static void test_idle_connections_wait_and_are_served_when_they_speak(void **state)
{
    struct web_world *w = *state;
    struct fake_client *clients[ALOFT_WEB_CONNECTIONS];

    for (size_t i = 0; i < ALOFT_WEB_CONNECTIONS; i++) {
        clients[i] = web_world_say(w, "");
    }
    web_world_pass(w, 30000);
    for (size_t i = ALOFT_WEB_CONNECTIONS; i-- > 0;) {
        fake_client_say(clients[i], VERSION_REQUEST, strlen(VERSION_REQUEST));
        web_world_pass(w, 10);
        assert_string_equal(clients[i]->response, VERSION_ANSWER);
    }
}

static void test_the_eighth_connection_replaces_the_longest_idle_one(void **state)
{
    struct web_world *w = *state;
    struct fake_client *clients[ALOFT_WEB_CONNECTIONS];

    for (size_t i = 0; i < ALOFT_WEB_CONNECTIONS; i++) {
        clients[i] = web_world_say(w, "");
    }
    fake_client_say(clients[0], VERSION_REQUEST, strlen(VERSION_REQUEST));
    web_world_pass(w, 10);
    web_world_expect(w, VERSION_REQUEST, VERSION_ANSWER);
    assert_true(clients[1]->is_closed);
    for (size_t i = 0; i < ALOFT_WEB_CONNECTIONS; i++) {
        assert_int_equal(clients[i]->is_closed, i == 1);
    }
}

static void test_connections_whose_requests_wait_are_not_replaced(void **state)
{
    struct web_world *w = *state;
    struct fake_client *clients[ALOFT_WEB_CONNECTIONS];

    (void)web_world_say(w, "GET /getv"); /* is served, and stalls */
    for (size_t i = 1; i < ALOFT_WEB_CONNECTIONS; i++) {
        clients[i] = web_world_say(w, VERSION_REQUEST);
    }
    clients[0] = web_world_say(w, VERSION_REQUEST); /* the eighth */
    web_world_pass(w, 5000);
    for (size_t i = 0; i < ALOFT_WEB_CONNECTIONS; i++) {
        assert_string_equal(clients[i]->response, VERSION_ANSWER);
    }
}

static void test_connections_that_ended_are_given_back(void **state)
{
    struct web_world *w = *state;

    for (size_t i = 0; i < ALOFT_WEB_CONNECTIONS; i++) {
        struct fake_client *client = fake_net_connect_text(&w->net, WEB_PORT, VERSION_REQUEST);
        client->script.end = i % 2 == 0 ? FAKE_END_FIN : FAKE_END_RESET;
    }
    web_world_pass(w, 100);
    assert_int_equal(w->net.n_open, 1);
}

static void test_row_41_a_stalled_request_ends_after_5_s_and_others_go_on(void **state)
{
    struct web_world *w = *state;
    struct fake_client *stalled = web_world_say(w, "GET /getv");
    struct fake_client *other = web_world_say(w, VERSION_REQUEST);

    assert_string_equal(other->response, "");
    web_world_pass(w, 4800);
    assert_false(stalled->is_closed);
    web_world_pass(w, 200);
    assert_true(stalled->is_closed);
    assert_string_equal(stalled->response, "");
    assert_string_equal(other->response, VERSION_ANSWER);
}

static void test_row_41_a_trickling_request_ends_after_20_s(void **state)
{
    struct web_world *w = *state;
    struct fake_client *client = web_world_say(w, "GET /");

    for (size_t i = 0; i < 19; i++) {
        fake_client_say(client, "x", 1);
        web_world_pass(w, 1000);
        assert_false(client->is_closed);
    }
    web_world_pass(w, 1000);
    assert_true(client->is_closed);
}

static void test_row_41_requests_without_end_are_cut_off_after_20_s(void **state)
{
    static const char request[] = "GET /getversion?x HTTP/1.1\r\nHost: m\r\n\r\n";
    struct web_world *w = *state;
    char *requests = calloc(400, sizeof request);

    for (size_t i = 0; i < 400; i++) {
        memcpy(requests + i * (sizeof request - 1), request, sizeof request);
    }
    struct fake_client *client = fake_net_connect_text(&w->net, WEB_PORT, requests);
    web_world_pass(w, 1);
    struct fake_client *other = fake_net_connect_text(&w->net, WEB_PORT, VERSION_REQUEST);
    for (size_t i = 0; i < 30; i++) {
        w->port->now_ms += 999;
        web_world_pass(w, 1);
        if (i == 19) {
            assert_false(client->is_closed);
            assert_string_equal(other->response, "");
        }
    }
    assert_true(client->is_closed);
    assert_string_equal(other->response, VERSION_ANSWER);
    free(requests);
}

static void test_row_41_a_peer_that_does_not_read_ends_after_5_s(void **state)
{
    struct web_world *w = *state;
    struct fake_client *client = fake_net_connect_text(&w->net, WEB_PORT, VERSION_REQUEST);

    client->script.write_err = ALOFT_ERR_AGAIN;
    web_world_pass(w, 4900);
    assert_false(client->is_closed);
    web_world_expect(w, VERSION_REQUEST, "");
    web_world_pass(w, 200);
    assert_true(client->is_closed);
}

static void test_a_peer_that_is_gone_does_not_stop_the_server(void **state)
{
    struct web_world *w = *state;
    struct fake_client *client = fake_net_connect_text(&w->net, WEB_PORT, VERSION_REQUEST);

    client->script.write_err = ALOFT_ERR_IO;
    web_world_pass(w, 10);
    assert_true(client->is_closed);
    web_world_expect(w, VERSION_REQUEST, VERSION_ANSWER);
}

static void test_a_server_without_work_asks_for_no_time(void **state)
{
    struct web_world *w = *state;

    (void)web_world_say(w, VERSION_REQUEST);
    assert_int_equal(aloft_module_step(&w->port->module, w->port->now_ms), 250);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, web_world_set_up, web_world_tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_start_and_stop_answer_ok_however_often),
        TEST(test_a_second_start_keeps_the_port_and_takes_the_timeout),
        TEST(test_row_37_bad_parameters_answer_error),
        TEST(test_port_0_means_any_free_one_and_the_log_names_it),
        TEST(test_a_port_that_is_taken_answers_error),
        TEST(test_without_memory_or_listeners_start_answers_error),
        TEST(test_a_restart_closes_all_sockets),
        TEST(test_getversion_is_answered_byte_for_byte),
        TEST(test_a_connection_is_kept_for_the_next_request),
        TEST(test_requests_that_come_together_are_answered_in_order),
        TEST(test_a_request_may_come_byte_by_byte),
        TEST(test_a_peer_may_take_the_answer_byte_by_byte),
        TEST(test_the_query_is_ignored_and_the_path_must_match),
        TEST(test_an_unknown_path_is_404_and_closes),
        TEST(test_a_wrong_method_is_405_and_closes),
        TEST(test_close_and_http_1_0_end_the_connection),
        TEST(test_a_body_nobody_reads_is_passed_over),
        TEST(test_a_chunked_body_counts_as_none_and_ends_the_connection),
        TEST(test_a_continuation_that_is_expected_is_not_sent),
        TEST(test_a_target_of_1024_bytes_is_served_and_a_longer_one_is_414),
        TEST(test_a_header_section_of_more_than_1024_bytes_is_431),
        TEST(test_more_fields_than_the_parser_takes_are_431),
        TEST(test_what_is_not_http_is_400),
        TEST(test_idle_connections_wait_and_are_served_when_they_speak),
        TEST(test_the_eighth_connection_replaces_the_longest_idle_one),
        TEST(test_connections_whose_requests_wait_are_not_replaced),
        TEST(test_connections_that_ended_are_given_back),
        TEST(test_row_41_a_stalled_request_ends_after_5_s_and_others_go_on),
        TEST(test_row_41_a_trickling_request_ends_after_20_s),
        TEST(test_row_41_requests_without_end_are_cut_off_after_20_s),
        TEST(test_row_41_a_peer_that_does_not_read_ends_after_5_s),
        TEST(test_a_peer_that_is_gone_does_not_stop_the_server),
        TEST(test_a_server_without_work_asks_for_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
