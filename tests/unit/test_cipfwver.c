/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/config.h"

/* AT+CIPFWVER? (facts/at-commands.md 2.3). */

#define QUERY "AT+CIPFWVER?"
#define HEAD  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"

/* facts/ciupdate-wire.md 4.4. */
static const char example[] =
    HEAD "Content-Length: 207\r\n\r\n"
         "{\"recommended_rom_version\": \"v5.0.1.0\", \"status\": 200, \"productRoms\": "
         "[{\"version\": \"v5.0.1.0\", \"recommended\": 1, \"life_cycle\": \"release\"}, "
         "{\"version\": \"v5.0.0.0\", \"recommended\": 0, \"life_cycle\": \"release\"}]}";
static const char printed[] = "+CIPFWVER:\"v5.0.1.0\"\r\n+CIPFWVER:\"v5.0.0.0\"\r\n\r\nOK\r\n";

static int set_up(void **state)
{
    *state = world_new(512);
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static void query__prints_each_version_of_the_tls_server(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, example);
    assert_string_equal(world_run(w, QUERY, 100), printed);
    assert_string_equal(w->net.contacts[0].tls_host, "tls.test");
    assert_int_equal(w->net.contacts[0].port, 443);
    assert_memory_equal(w->net.contacts[0].request, "GET /v1/device/rom HTTP/1.1\r\n", 29);
    assert_int_equal(w->net.n_open, 0);
}

/* facts/at-commands.md 6.1, row 15. */
static void row_15_the_configured_server_and_port_are_asked(void **state)
{
    struct world *w = *state;

    w->config.tls.host = NULL;
    w->config.plain.port = 8080;
    world_reboot(w);
    fake_net_add_text(&w->net, example);
    assert_string_equal(world_run(w, QUERY, 100), printed);
    assert_string_equal(w->net.contacts[0].tls_host, "");
    assert_int_equal(w->net.contacts[0].port, 8080);
    assert_non_null(strstr(w->net.contacts[0].request, "\r\nHost: plain.test:8080\r\n"));
}

static void query__stands_any_portions(void **state)
{
    (void)state;
    for (size_t portion = 1; portion < sizeof example; portion += 1 + portion / 2) {
        struct world *w = world_new(512);
        fake_net_add_text(&w->net, example)->portion = portion;
        assert_string_equal(world_run(w, QUERY, 1000), printed);
        world_free(w);
    }
}

static void query__prints_ok_alone_for_an_empty_list(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, HEAD "\r\n{\"status\": 200, \"productRoms\": []}");
    assert_string_equal(world_run(w, QUERY, 100), "\r\nOK\r\n");
}

static void faults__end_in_error(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 503 Busy\r\n\r\n",
        HEAD "\r\n",
        HEAD "\r\n{\"productRoms\": [",
        HEAD "Content-Length: 100\r\n\r\n{\"productRoms\": [",
        HEAD "\r\nnot json",
        "",
    };
    (void)state;

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct world *w = world_new(512);
        fake_net_add_text(&w->net, answers[i]);
        assert_string_equal(world_run(w, QUERY, 100), "\r\nERROR\r\n");
        assert_int_equal(w->net.n_open, 0);
        fake_net_add_text(&w->net, example);
        assert_string_equal(world_run(w, QUERY, 100), printed);
        world_free(w);
    }
}

static void silence__ends_in_error(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, example, 200)->end = FAKE_END_SILENCE;
    assert_string_equal(world_run(w, QUERY, ALOFT_CONFIG_STALL_MS - 100),
                        "+CIPFWVER:\"v5.0.1.0\"\r\n");
    assert_string_equal(world_run(w, "", 200), "\r\nbusy p...\r\n\r\nERROR\r\n");
}

static enum aloft_err endless_read(void *ctx, int socket, uint8_t *buf, size_t cap, size_t *ret_n)
{
    (void)ctx;
    (void)socket;
    for (*ret_n = 0; *ret_n + 25 <= cap; *ret_n += 25) {
        memcpy(buf + *ret_n, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
    return *ret_n > 0 ? ALOFT_ERR_OK : ALOFT_ERR_AGAIN;
}

static void row_14_a_flood_ends_in_error(void **state)
{
    struct world *w = *state;

    w->port->port.net.read = endless_read;
    fake_net_add(&w->net, "", 0);
    assert_string_equal(world_run(w, QUERY, 3 * ALOFT_CONFIG_STALL_MS + 100), "\r\nERROR\r\n");
    assert_non_null(strstr(w->port->log, "err=TIMEOUT"));
}

static void forms__other_than_the_query_are_errors(void **state)
{
    struct world *w = *state;

    assert_string_equal(world_run(w, "AT+CIPFWVER", 10), "\r\nERROR\r\n");
    assert_string_equal(world_run(w, "AT+CIPFWVER=1", 10), "\r\nERROR\r\n");
    assert_string_equal(world_run(w, "AT+CIPFWVER=?", 10), "\r\nERROR\r\n");
    assert_int_equal(w->net.n_contacts, 0);
}

/* Nothing a server names may look like another line. */
static void row_14_versions_that_could_harm_are_left_out(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, HEAD "\r\n[{\"version\":\"a\\r\\nOK\"},{\"version\":\"b\\\"c\"},"
                                    "{\"version\":\"\"},{\"version\":\"d\"},{\"version\":4}]");
    assert_string_equal(world_run(w, QUERY, 100), "+CIPFWVER:\"d\"\r\n\r\nOK\r\n");
}

/* Longer than every buffer between the socket and a UART that takes a byte per ms. */
static void row_14_a_list_of_any_length_is_printed_whole(void **state)
{
    struct world *w = *state;
    char *answer = NULL;
    char *wanted = NULL;
    size_t answer_len = 0;
    size_t wanted_len = 0;
    FILE *sent = open_memstream(&answer, &answer_len);
    FILE *seen = open_memstream(&wanted, &wanted_len);

    (void)fputs(HEAD "\r\n{\"productRoms\": [", sent);
    for (unsigned i = 0; i < 800; i++) {
        (void)fprintf(sent, "%s{\"version\": \"v5.0.%u\", \"life_cycle\": \"x\"}",
                      i == 0 ? "" : ", ", i);
        (void)fprintf(seen, "+CIPFWVER:\"v5.0.%u\"\r\n", i);
    }
    (void)fputs("]}", sent);
    (void)fputs("\r\nOK\r\n", seen);
    (void)fclose(sent);
    (void)fclose(seen);
    fake_net_add(&w->net, answer, answer_len);
    w->port->uart.room = 0;
    fake_port_send(w->port, QUERY "\r\n");
    for (int i = 0; i < 25000; i++) {
        w->port->uart.room++;
        w->port->now_ms++;
        (void)aloft_module_step(&w->port->module, w->port->now_ms);
    }
    assert_string_equal(fake_port_read(w->port), wanted);
    free(answer);
    free(wanted);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(query__prints_each_version_of_the_tls_server),
        CASE(row_15_the_configured_server_and_port_are_asked),
        CASE(query__stands_any_portions),
        CASE(query__prints_ok_alone_for_an_empty_list),
        CASE(faults__end_in_error),
        CASE(silence__ends_in_error),
        CASE(row_14_a_flood_ends_in_error),
        CASE(forms__other_than_the_query_are_errors),
        CASE(row_14_versions_that_could_harm_are_left_out),
        CASE(row_14_a_list_of_any_length_is_printed_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
