/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* AT+HTTPGETSIZE, AT+HTTPCGET, AT+HTTPURLCFG and AT+HTTPCHEAD (facts/at-commands.md 1.6, 4), echo
 * off. */

#define ERROR  "\r\nERROR\r\n"
#define OK     "\r\nOK\r\n"
#define PROMPT "\r\nOK\r\n\r\n>"

#define HEAD_BYTES 128

static char s_head[HEAD_BYTES];

static int set_up(void **state)
{
    struct world *w = world_new(512);

    memset(s_head, 0xA5, sizeof s_head);
    w->config.head_buf = s_head;
    w->config.head_cap = sizeof s_head;
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

/* A command, its data behind the prompt, and what comes of it. */
static void expect_data(struct world *w, const char *command, const char *data, const char *wanted)
{
    char line[64];

    (void)snprintf(line, sizeof line, "AT+%s=%zu", command, strlen(data));
    expect(w, line, PROMPT);
    fake_port_send(w->port, data);
    assert_string_equal(fake_port_read(w->port), wanted);
}

static void httpcget__prints_the_body(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello,\r\nbody");
    expect(w, "AT+HTTPCGET=\"http://192.0.2.1:8080/a?b=c\"", "+HTTPCGET:12,hello,\r\nbody\r\n" OK);
    assert_string_equal(w->net.contacts[0].request,
                        "GET /a?b=c HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\n"
                        "Host: 192.0.2.1:8080\r\n\r\n");
    assert_int_equal(w->net.n_open, 0);
}

static void httpcget__takes_chunked_and_unended_bodies(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\n\r\nuntil the end");
    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect(w, "AT+HTTPCGET=\"http://h.test/\"", "+HTTPCGET:5,abcde\r\n" OK);
    expect(w, "AT+HTTPCGET=\"http://h.test/\"", "+HTTPCGET:13,until the end\r\n" OK);
    expect(w, "AT+HTTPCGET=\"http://h.test/\"", OK);
}

/* Lines of at most `rx` bytes, over a UART that takes little at a time. */
static void httpcget__cuts_the_body_into_lines(void **state)
{
    struct world *w = *state;
    static char answer[6000];
    static char wanted[7000];
    size_t len = 0;

    int head = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
    for (size_t i = 0; i < 5000; i++) {
        answer[(size_t)head + i] = (char)('a' + i % 26);
    }
    fake_net_add(&w->net, answer, (size_t)head + 5000);
    w->port->uart.room = 0;
    fake_port_send(w->port, "AT+HTTPCGET=\"http://h.test/big\",2048,300,1000\r\n");
    for (unsigned i = 0; i < 2000; i++) {
        w->port->uart.room = 13;
        w->port->now_ms++;
        (void)aloft_module_step(&w->port->module, w->port->now_ms);
    }
    const char *text = fake_port_read(w->port);
    const char *at = text;
    for (size_t got = 0; got < 5000;) {
        unsigned n = 0;
        assert_int_equal(sscanf(at, "+HTTPCGET:%u,", &n), 1);
        assert_in_range(n, 1, 300);
        len += (size_t)snprintf(wanted + len, sizeof wanted - len, "+HTTPCGET:%u,%.*s\r\n", n,
                                (int)n, answer + head + got);
        got += n;
        at = text + len;
    }
    (void)snprintf(wanted + len, sizeof wanted - len, OK);
    assert_string_equal(text, wanted);
}

static void httpgetsize__asks_by_head(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 4294967295\r\n\r\n");
    expect(w, "AT+HTTPGETSIZE=\"http://h.test/a\"", "+HTTPGETSIZE:4294967295\r\n" OK);
    assert_memory_equal(w->net.contacts[0].request, "HEAD /a HTTP/1.1\r\n", 18);
}

static void httpgetsize__without_a_length_is_an_error(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\n\r\n");
    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 4294967296\r\n\r\n");
    expect(w, "AT+HTTPGETSIZE=\"http://h.test/a\"", ERROR);
    expect(w, "AT+HTTPGETSIZE=\"http://h.test/a\"", ERROR);
    assert_int_equal(w->net.n_open, 0);
}

/* facts 1.6: 7000 and the status; 7000 alone if there is none. */
static void failure__tells_the_status_in_the_error_code(void **state)
{
    struct world *w = *state;

    expect(w, "AT+SYSLOG=1", OK);
    fake_net_add_text(&w->net, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
    fake_net_add_text(&w->net, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    fake_net_add_text(&w->net, "")->ready_err = ALOFT_ERR_CONNECT;
    fake_net_add_text(&w->net, "")->resolve_err = ALOFT_ERR_RESOLVE;
    expect(w, "AT+HTTPCGET=\"http://h.test/a\"", "ERR CODE:0x010a7194\r\n" ERROR);
    expect(w, "AT+HTTPGETSIZE=\"http://h.test/a\"", "ERR CODE:0x010a71f7\r\n" ERROR);
    expect(w, "AT+HTTPCGET=\"http://h.test/a\"", "ERR CODE:0x010a7000\r\n" ERROR);
    expect(w, "AT+HTTPCGET=\"http://h.test/a\"", "ERR CODE:0x010a7000\r\n" ERROR);
    assert_int_equal(w->net.n_open, 0);
}

static void failure__in_the_middle_follows_what_was_printed(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")->end =
        FAKE_END_SILENCE;
    expect(w, "AT+HTTPCGET=\"http://h.test/a\"", "+HTTPCGET:4,half\r\n" ERROR);
    expect(w, "AT+HTTPCGET=\"http://h.test/a\",,,500", "+HTTPCGET:4,half\r\n");
    expect(w, "AT", "\r\nbusy p...\r\n");
    fake_port_run(w->port, 600);
    assert_string_equal(fake_port_read(w->port), ERROR);
}

static void parameters__are_checked(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {
        "AT+HTTPCGET",
        "AT+HTTPCGET?",
        "AT+HTTPCGET=",
        "AT+HTTPCGET=\"\"",
        "AT+HTTPCGET=http://h.test/",
        "AT+HTTPCGET=\"ftp://h.test/\"",
        "AT+HTTPCGET=\"/path\"",
        "AT+HTTPCGET=\"http://h.test/a b\"",
        "AT+HTTPCGET=\"http://h.test/\",10241",
        "AT+HTTPCGET=\"http://h.test/\",,10241",
        "AT+HTTPCGET=\"http://h.test/\",,,180001",
        "AT+HTTPCGET=\"http://h.test/\",-1",
        "AT+HTTPCGET=\"http://h.test/\",1,1,1,1",
        "AT+HTTPGETSIZE=\"http://h.test/\",\"1\"",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect(w, bad[i], ERROR);
    }
    assert_int_equal(w->net.n_contacts, 0);
    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    expect(w, "AT+HTTPCGET=\"http://h.test/\",0,0,0", "+HTTPCGET:1,x\r\n" OK);
}

static void httpurlcfg__presets_the_url(void **state)
{
    struct world *w = *state;

    expect(w, "AT+HTTPURLCFG?", OK);
    expect_data(w, "HTTPURLCFG", "http://h.test/preset", "\r\nSET OK\r\n");
    expect(w, "AT+HTTPURLCFG?", "+HTTPURLCFG:20,http://h.test/preset\r\n" OK);
    for (unsigned i = 0; i < 2; i++) {
        fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        expect(w, "AT+HTTPCGET=\"\"", "+HTTPCGET:1,x\r\n" OK);
        assert_memory_equal(w->net.contacts[i].request, "GET /preset HTTP/1.1\r\n", 22);
    }
    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
    expect(w, "AT+HTTPGETSIZE=\"\"", "+HTTPGETSIZE:7\r\n" OK);
    expect(w, "AT+HTTPURLCFG=0", OK);
    expect(w, "AT+HTTPURLCFG?", OK);
    expect(w, "AT+HTTPCGET=\"\"", ERROR);
}

static void httpurlcfg__takes_8_to_8192_bytes(void **state)
{
    struct world *w = *state;
    static char url[8193];
    static char wanted[8300];
    static const char *const bad[] = {
        "AT+HTTPURLCFG=7", "AT+HTTPURLCFG=1",   "AT+HTTPURLCFG=8193", "AT+HTTPURLCFG=-1",
        "AT+HTTPURLCFG=",  "AT+HTTPURLCFG=8,8", "AT+HTTPURLCFG",      "AT+HTTPURLCFG=\"8\"",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect(w, bad[i], ERROR);
    }
    memset(url, 'u', sizeof url - 1);
    memcpy(url, "http://h.test/", 14);
    expect_data(w, "HTTPURLCFG", url, "\r\nSET OK\r\n");
    (void)snprintf(wanted, sizeof wanted, "+HTTPURLCFG:8192,%s\r\n" OK, url);
    expect(w, "AT+HTTPURLCFG?", wanted);
    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    expect(w, "AT+HTTPCGET=\"\"", "+HTTPCGET:1,x\r\n" OK);
    assert_memory_equal(w->net.contacts[0].request + 4, url + 13, 8192 - 13);
}

/* They share its buffer. */
static void httpurlcfg__is_forgotten_when_userota_takes_the_buffer(void **state)
{
    struct world *w = *state;

    expect_data(w, "HTTPURLCFG", "http://h.test/preset", "\r\nSET OK\r\n");
    expect(w, "AT+USEROTA=0", ERROR);
    expect(w, "AT+HTTPURLCFG?", "+HTTPURLCFG:20,http://h.test/preset\r\n" OK);
    expect(w, "AT+USEROTA=4", PROMPT);
    fake_port_run(w->port, 61000);
    assert_string_equal(fake_port_read(w->port), ERROR);
    expect(w, "AT+HTTPURLCFG?", OK);
}

static void httpurlcfg__is_gone_when_the_next_one_breaks_off(void **state)
{
    struct world *w = *state;

    expect_data(w, "HTTPURLCFG", "http://h.test/preset", "\r\nSET OK\r\n");
    expect(w, "AT+HTTPURLCFG=20", PROMPT);
    fake_port_send(w->port, "http://");
    fake_port_run(w->port, 61000);
    assert_string_equal(fake_port_read(w->port), ERROR);
    expect(w, "AT+HTTPURLCFG?", OK);
}

static void httpchead__adds_headers_to_the_request(void **state)
{
    struct world *w = *state;

    expect(w, "AT+HTTPCHEAD?", OK);
    expect_data(w, "HTTPCHEAD", "Range: bytes=0-255", OK);
    expect_data(w, "HTTPCHEAD", "X-One: \"1\"", OK);
    expect(w, "AT+HTTPCHEAD?",
           "+HTTPCHEAD:0,\"Range: bytes=0-255\"\r\n+HTTPCHEAD:1,\"X-One: \"1\"\"\r\n" OK);
    fake_net_add_text(&w->net, "HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\n"
                               "Content-Range: bytes 0-2/9\r\n\r\nabc");
    expect(w, "AT+HTTPCGET=\"http://h.test/\"", "+HTTPCGET:3,abc\r\n" OK);
    assert_string_equal(w->net.contacts[0].request,
                        "GET / HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: h.test\r\n"
                        "Range: bytes=0-255\r\nX-One: \"1\"\r\n\r\n");
    expect(w, "AT+HTTPCHEAD=0", OK);
    expect(w, "AT+HTTPCHEAD?", OK);
    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect(w, "AT+HTTPCGET=\"http://h.test/\"", OK);
    assert_null(strstr(w->net.contacts[1].request, "Range"));
}

static void httpchead__replaces_the_header_of_the_same_key(void **state)
{
    struct world *w = *state;

    expect_data(w, "HTTPCHEAD", "X-One: 1", OK);
    expect_data(w, "HTTPCHEAD", "Range: bytes=0-255", OK);
    expect_data(w, "HTTPCHEAD", "X-Two: 2", OK);
    expect_data(w, "HTTPCHEAD", "range: bytes=256-511", OK);
    expect_data(w, "HTTPCHEAD", "X-T: 3", OK);
    expect(w, "AT+HTTPCHEAD?",
           "+HTTPCHEAD:0,\"X-One: 1\"\r\n+HTTPCHEAD:1,\"X-Two: 2\"\r\n"
           "+HTTPCHEAD:2,\"range: bytes=256-511\"\r\n+HTTPCHEAD:3,\"X-T: 3\"\r\n" OK);
}

static void httpchead__refuses_what_would_break_the_request(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {
        "no colon",
        ": no key",
        "X One: 1",
        "X: 1\r\n",
        "X: 1\rY: 2",
        "X: \x01",
        "X: \xc3\xa4",
        "Host: h",
        "HOST: h",
        "Content-Length: 1",
        "transfer-encoding: chunked",
        "Connection: close",
        "User-Agent: me",
    };

    expect_data(w, "HTTPCHEAD", "X-One: 1", OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect_data(w, "HTTPCHEAD", bad[i], ERROR);
    }
    expect(w, "AT+HTTPCHEAD=-1", ERROR);
    expect(w, "AT+HTTPCHEAD=", ERROR);
    expect(w, "AT+HTTPCHEAD", ERROR);
    expect(w, "AT+HTTPCHEAD?", "+HTTPCHEAD:0,\"X-One: 1\"\r\n" OK);
    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect(w, "AT+HTTPCGET=\"http://h.test/\"", OK);
    assert_non_null(strstr(w->net.contacts[0].request, "\r\nX-One: 1\r\n\r\n"));
}

/* 128 bytes: two headers of 61 and 60 bytes, each with its CR LF, and a NUL. */
static void httpchead__takes_no_more_than_its_buffer(void **state)
{
    struct world *w = *state;
    char first[62];
    char second[62];

    (void)snprintf(first, sizeof first, "A: %058d", 1);
    (void)snprintf(second, sizeof second, "B: %057d", 2);
    expect(w, "AT+HTTPCHEAD=126", ERROR);
    expect(w, "AT+HTTPCHEAD=125", PROMPT);
    fake_port_run(w->port, 61000);
    assert_string_equal(fake_port_read(w->port), ERROR);
    expect_data(w, "HTTPCHEAD", first, OK);
    expect(w, "AT+HTTPCHEAD=63", ERROR);
    expect_data(w, "HTTPCHEAD", second, OK);
    expect(w, "AT+HTTPCHEAD=1", ERROR);
    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect(w, "AT+HTTPCGET=\"http://h.test/\"", OK);
    assert_non_null(strstr(w->net.contacts[0].request, second));
}

static void presets__without_memory_are_errors(void **state)
{
    struct world *w = *state;

    w->config.head_buf = NULL;
    w->config.url_buf = NULL;
    world_reboot(w);
    expect(w, "AT+HTTPCHEAD=8", ERROR);
    expect(w, "AT+HTTPCHEAD?", OK);
    expect(w, "AT+HTTPURLCFG=8", ERROR);
    expect(w, "AT+HTTPURLCFG?", OK);
    fake_net_add_text(&w->net, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    expect(w, "AT+HTTPCGET=\"http://h.test/\"", "+HTTPCGET:1,x\r\n" OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(httpcget__prints_the_body, set_up, clean_up),
        cmocka_unit_test_setup_teardown(httpcget__takes_chunked_and_unended_bodies, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(httpcget__cuts_the_body_into_lines, set_up, clean_up),
        cmocka_unit_test_setup_teardown(httpgetsize__asks_by_head, set_up, clean_up),
        cmocka_unit_test_setup_teardown(httpgetsize__without_a_length_is_an_error, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(failure__tells_the_status_in_the_error_code, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(failure__in_the_middle_follows_what_was_printed, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(parameters__are_checked, set_up, clean_up),
        cmocka_unit_test_setup_teardown(httpurlcfg__presets_the_url, set_up, clean_up),
        cmocka_unit_test_setup_teardown(httpurlcfg__takes_8_to_8192_bytes, set_up, clean_up),
        cmocka_unit_test_setup_teardown(httpurlcfg__is_forgotten_when_userota_takes_the_buffer,
                                        set_up, clean_up),
        cmocka_unit_test_setup_teardown(httpurlcfg__is_gone_when_the_next_one_breaks_off, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(httpchead__adds_headers_to_the_request, set_up, clean_up),
        cmocka_unit_test_setup_teardown(httpchead__replaces_the_header_of_the_same_key, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(httpchead__refuses_what_would_break_the_request, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(httpchead__takes_no_more_than_its_buffer, set_up, clean_up),
        cmocka_unit_test_setup_teardown(presets__without_memory_are_errors, set_up, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
