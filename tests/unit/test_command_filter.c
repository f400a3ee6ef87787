/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <stdio.h>
#include <string.h>

/* AT+SYSMSGFILTER and AT+SYSMSGFILTERCFG: byte-exact dialogues of facts/at-commands.md 1.8 and 4,
 * echo off. What a pattern matches is in the fuzz target, against the C library. */

#define ERROR  "\r\nERROR\r\n"
#define OK     "\r\nOK\r\n"
#define PROMPT "\r\nOK\r\n\r\n>"

#define FILTER_BYTES 300 /* Two of the longest, or many short ones, and the one that comes. */

static uint8_t s_filters[FILTER_BYTES];

static int set_up(void **state)
{
    struct world *w = world_new(512);

    w->config.filter_buf = s_filters;
    w->config.filter_cap = sizeof s_filters;
    world_reboot(w);
    *state = w;
    return 0;
}

static int clean_up(void **state)
{
    world_free(*state);
    return 0;
}

static void expect(struct world *w, const char *line, const char *wanted)
{
    assert_string_equal(world_run(w, line, 10), wanted);
}

/* `operation` 1 adds, 2 deletes. */
static void expect_filter(struct world *w, int operation, const char *head, const char *tail,
                          const char *wanted)
{
    char line[64];

    (void)snprintf(line, sizeof line, "AT+SYSMSGFILTERCFG=%d,%zu,%zu", operation, strlen(head),
                   strlen(tail));
    expect(w, line, PROMPT);
    fake_port_send(w->port, head);
    fake_port_send(w->port, tail);
    assert_string_equal(fake_port_read(w->port), wanted);
}

/* The vendor's first example. */
static void filter__hides_a_line(void **state)
{
    struct world *w = *state;

    expect_filter(w, 1, "^WIFI CONNECTED\r\n", "", OK);
    expect(w, "AT+CWMODE=1", OK);
    w->port->wifi.status.state = ALOFT_WIFI_CONNECTED;
    fake_port_run(w->port, 10);
    assert_string_equal(fake_port_read(w->port), "WIFI CONNECTED\r\n");
    w->port->wifi.status.state = ALOFT_WIFI_DISCONNECTED;
    fake_port_run(w->port, 10);
    assert_string_equal(fake_port_read(w->port), "WIFI DISCONNECT\r\n");
    expect(w, "AT+SYSMSGFILTER?", "+SYSMSGFILTER:0\r\n" OK);
    expect(w, "AT+SYSMSGFILTER=1", OK);
    expect(w, "AT+SYSMSGFILTER?", "+SYSMSGFILTER:1\r\n" OK);
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
    fake_port_run(w->port, 10);
    assert_string_equal(fake_port_read(w->port), "WIFI GOT IP\r\n");
    expect(w, "AT+SYSMSGFILTER=0", OK);
}

/* And its second: a download without anything around it. */
static void filter__leaves_only_the_data_of_a_download(void **state)
{
    struct world *w = *state;

    expect_filter(w, 1, "^+HTTPCGET:[0-9]*,", "\r\n$", OK);
    expect_filter(w, 1, "", "\r\nOK\r\n$", OK);
    expect(w, "AT+SYSMSGFILTER=1", "");
    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n12,\r\nOK\r\nplain");
    assert_string_equal(world_run(w, "AT+HTTPCGET=\"http://h.test/\",,5", 10),
                        "12,\r\nOK\r\nplain");
    expect(w, "AT", "");
    expect(w, "AT+FAKE", ERROR);
}

static void filter__needs_both_sides_to_match(void **state)
{
    struct world *w = *state;

    expect_filter(w, 1, "^+CIPUPDATE", "4\r\n$", OK);
    expect(w, "AT+SYSMSGFILTER=1", OK);
    fake_net_add(&w->net, w->answer, w->answer_len);
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\",\"ota\",1", 5000),
                        OK "+CIPUPDATE:1\r\n:");
}

/* The first that matches, even if a later one would cut more. */
static void filter__is_used_in_the_order_of_adding(void **state)
{
    struct world *w = *state;

    expect_filter(w, 1, "", "K\r\n$", OK);
    expect_filter(w, 1, ".*", "", OK);
    expect(w, "AT+SYSMSGFILTER=1", "\r\nO");
    expect(w, "AT+FAKE", "");
    expect(w, "AT+SYSMSGFILTER=0", OK);
}

static void filtercfg__lists_deletes_and_clears(void **state)
{
    struct world *w = *state;

    expect(w, "AT+SYSMSGFILTERCFG?", OK);
    expect_filter(w, 1, "^a", "", OK);
    expect_filter(w, 1, "^b", "b$", OK);
    expect_filter(w, 1, "", "c$", OK);
    expect(w, "AT+SYSMSGFILTERCFG?",
           "+SYSMSGFILTERCFG:0,\"^a\",\"\"\r\n+SYSMSGFILTERCFG:1,\"^b\",\"b$\"\r\n"
           "+SYSMSGFILTERCFG:2,\"\",\"c$\"\r\n" OK);
    expect_filter(w, 2, "^b", "", ERROR);
    expect_filter(w, 2, "^b", "c$", ERROR);
    expect_filter(w, 2, "^b", "b$", OK);
    expect_filter(w, 2, "^b", "b$", ERROR);
    expect(w, "AT+SYSMSGFILTERCFG?",
           "+SYSMSGFILTERCFG:0,\"^a\",\"\"\r\n+SYSMSGFILTERCFG:1,\"\",\"c$\"\r\n" OK);
    expect(w, "AT+SYSMSGFILTERCFG=0", OK);
    expect(w, "AT+SYSMSGFILTERCFG?", OK);
}

static void filtercfg__refuses_what_is_no_pattern(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {"[a",  "\\(a\\)", "a\\{2\\}", "[[:digit:]]",
                                      "\\1", "a\\",     "[b-a]"};
    static const char *const lines[] = {
        "AT+SYSMSGFILTERCFG=3",       "AT+SYSMSGFILTERCFG=",       "AT+SYSMSGFILTERCFG=0,1",
        "AT+SYSMSGFILTERCFG=1",       "AT+SYSMSGFILTERCFG=1,1",    "AT+SYSMSGFILTERCFG=1,0,0",
        "AT+SYSMSGFILTERCFG=1,65,1",  "AT+SYSMSGFILTERCFG=1,1,65", "AT+SYSMSGFILTERCFG=1,-1,1",
        "AT+SYSMSGFILTERCFG=1,1,1,1", "AT+SYSMSGFILTERCFG=2,0,0",  "AT+SYSMSGFILTER=2",
        "AT+SYSMSGFILTER=",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        expect(w, lines[i], ERROR);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect_filter(w, 1, bad[i], "", ERROR);
        expect_filter(w, 1, "a", bad[i], ERROR);
    }
    expect(w, "AT+SYSMSGFILTERCFG?", OK);
}

#define LONG_64 "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"

static void filtercfg__takes_what_its_memory_holds(void **state)
{
    struct world *w = *state;

    expect_filter(w, 1, LONG_64, LONG_64, OK);
    expect_filter(w, 1, "a", LONG_64, OK);
    expect(w, "AT+SYSMSGFILTERCFG=1,1,1", ERROR);
    expect(w, "AT+SYSMSGFILTERCFG?",
           "+SYSMSGFILTERCFG:0,\"" LONG_64 "\",\"" LONG_64 "\"\r\n"
           "+SYSMSGFILTERCFG:1,\"a\",\"" LONG_64 "\"\r\n" OK);
    w->config.filter_buf = NULL;
    world_reboot(w);
    expect(w, "AT+SYSMSGFILTERCFG=0", ERROR);
    expect(w, "AT+SYSMSGFILTERCFG=1,1,1", ERROR);
    expect(w, "AT+SYSMSGFILTERCFG?", OK);
    expect(w, "AT+SYSMSGFILTER=1", OK);
}

static void filtercfg__forgets_a_filter_that_breaks_off(void **state)
{
    struct world *w = *state;

    expect_filter(w, 1, "^a", "", OK);
    expect(w, "AT+SYSMSGFILTERCFG=1,4,0", PROMPT);
    fake_port_send(w->port, "^b");
    fake_port_run(w->port, 61000);
    assert_string_equal(fake_port_read(w->port), ERROR);
    expect(w, "AT+SYSMSGFILTERCFG?", "+SYSMSGFILTERCFG:0,\"^a\",\"\"\r\n" OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(filter__hides_a_line, set_up, clean_up),
        cmocka_unit_test_setup_teardown(filter__leaves_only_the_data_of_a_download, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(filter__needs_both_sides_to_match, set_up, clean_up),
        cmocka_unit_test_setup_teardown(filter__is_used_in_the_order_of_adding, set_up, clean_up),
        cmocka_unit_test_setup_teardown(filtercfg__lists_deletes_and_clears, set_up, clean_up),
        cmocka_unit_test_setup_teardown(filtercfg__refuses_what_is_no_pattern, set_up, clean_up),
        cmocka_unit_test_setup_teardown(filtercfg__takes_what_its_memory_holds, set_up, clean_up),
        cmocka_unit_test_setup_teardown(filtercfg__forgets_a_filter_that_breaks_off, set_up,
                                        clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
