/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <stdio.h>
#include <string.h>

#include "http/client.h"

/* The client's requests for a URL, as the HTTP commands and AT+USEROTA make them. */

#define URL      "http://us:pw@a.test:81/x"
#define AT_STALL 3000
#define DIGEST                                                                                     \
    "HTTP/1.1 401 X\r\nWWW-Authenticate: Basic realm=\"weak\"\r\n"                                 \
    "WWW-AUTHENTICATE: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n\r\n"
#define STALE                                                                                      \
    "HTTP/1.1 401 X\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"m\", qop=\"auth\", "          \
    "stale=true\r\n\r\n"
#define BASIC "HTTP/1.1 401 X\r\nWWW-Authenticate: Basic realm=\"r\"\r\n\r\n"
#define OK    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define MOVED "HTTP/1.1 307 X\r\nLocation: "

static struct world *w;
static struct aloft_module *m;

static int set_up(void **state)
{
    (void)state;
    w = world_new(512);
    m = &w->port->module;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static struct aloft_http_request request_for(const char *url)
{
    return (struct aloft_http_request){
        .ask = ALOFT_HTTP_ASK_URL,
        .url = url,
        .url_len = strlen(url),
        .deadline_ms = w->port->now_ms + 60000,
    };
}

static void run(const struct aloft_http_request *request, enum aloft_http_phase wanted)
{
    assert_err(aloft_http_begin(m, request), ALOFT_ERR_OK);
    (void)world_run(w, "AT", 100);
    assert_int_equal(m->http.phase, wanted);
}

static void assert_asked(size_t n, const char *wanted)
{
    if (strstr(w->net.contacts[n].request, wanted) == NULL) {
        fail_msg("wanted %s, asked %s", wanted, w->net.contacts[n].request);
    }
}

static void assert_not_asked(size_t n, const char *text)
{
    assert_true(n < w->net.n_contacts);
    assert_null(strstr(w->net.contacts[n].request, text));
}

static void head__has_a_length_and_no_body(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
    };
    struct aloft_http_request request = request_for("http://a.test/x");
    (void)state;

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        uint64_t bytes = 0;
        size_t len = 1;
        request.is_head = true;
        fake_net_add_text(&w->net, answers[i])->end = FAKE_END_SILENCE;
        run(&request, ALOFT_HTTP_DONE);
        assert_asked(i, "HEAD /x HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\n"
                        "Host: a.test\r\n\r\n");
        (void)aloft_http_body(m, &len);
        assert_int_equal(len, 0);
        assert_int_equal(aloft_http_body_bytes(m, &bytes), i == 0);
        assert_int_equal(bytes, i == 0 ? 12345 : 0);
        aloft_http_end(m);
    }
    assert_int_equal(w->net.n_open, 0);
}

/* Ranges of the caller's own, and answers without a body. */
static void any_2xx__is_a_success_of_whatever_is_at_a_url(void **state)
{
    struct aloft_http_request request = request_for("http://a.test/x");
    size_t len = 0;

    (void)state;
    request.headers = "Range: bytes=0-1\r\n";
    fake_net_add_text(&w->net, "HTTP/1.1 206 P\r\nContent-Range: bytes 0-1/9\r\n"
                               "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxy");
    run(&request, ALOFT_HTTP_DONE);
    assert_memory_equal(aloft_http_body(m, &len), "xy", 2);
    assert_int_equal(len, 2);
    assert_asked(0, "Host: a.test\r\nRange: bytes=0-1\r\n\r\n");
    aloft_http_end(m);

    fake_net_add_text(&w->net, "HTTP/1.1 204 N\r\n\r\n")->end = FAKE_END_SILENCE;
    run(&request, ALOFT_HTTP_DONE);
    aloft_http_end(m);

    fake_net_add_text(&w->net, "HTTP/1.1 404 N\r\n\r\n");
    run(&request, ALOFT_HTTP_FAILED);
    assert_err(m->http.err, ALOFT_ERR_HTTP_STATUS);
    assert_int_equal(m->http.status, 404);
}

static void stall_time__can_be_the_caller_s(void **state)
{
    struct aloft_http_request request = request_for("http://a.test/x");

    (void)state;
    request.stall_ms = AT_STALL;
    fake_net_add_text(&w->net, "")->end = FAKE_END_SILENCE;
    assert_err(aloft_http_begin(m, &request), ALOFT_ERR_OK);
    (void)world_run(w, "AT", AT_STALL - 100);
    assert_int_equal(m->http.phase, ALOFT_HTTP_HEAD);
    (void)world_run(w, "AT", 200);
    assert_int_equal(m->http.phase, ALOFT_HTTP_FAILED);
    assert_err(m->http.err, ALOFT_ERR_STALLED);
}

static void begin__refuses_what_it_cannot_ask_for(void **state)
{
    static char too_long[ALOFT_URL_MAX + 2];
    struct aloft_http_request request = request_for("/x");

    (void)state;
    assert_err(aloft_http_begin(m, &request), ALOFT_ERR_SYNTAX);
    request = request_for("//a.test/x");
    assert_err(aloft_http_begin(m, &request), ALOFT_ERR_SYNTAX);
    memset(too_long, 'a', sizeof too_long - 1);
    memcpy(too_long, "http://a/", 9);
    request = request_for(too_long);
    assert_err(aloft_http_begin(m, &request), ALOFT_ERR_TOO_BIG);
    memset(too_long, 'a', sizeof too_long - 1);
    memcpy(too_long, "http://", 7);
    request = request_for(too_long);
    request.url_len = 7 + ALOFT_HOST_MAX + 1;
    assert_err(aloft_http_begin(m, &request), ALOFT_ERR_TOO_BIG);
    request.url_len = 7 + ALOFT_HOST_MAX;
    assert_err(aloft_http_begin(m, &request), ALOFT_ERR_OK);
    assert_err(aloft_http_begin(m, &request), ALOFT_ERR_BUSY);
}

static void upgrade_from_a_url__is_refused_while_the_client_is_busy(void **state)
{
    struct aloft_http_request request = request_for("http://a.test/x");

    (void)state;
    fake_net_add_text(&w->net, "")->end = FAKE_END_SILENCE;
    run(&request, ALOFT_HTTP_HEAD);
    assert_err(aloft_upgrade_from_url(m, "http://a.test/y", 15, NULL), ALOFT_ERR_BUSY);
    assert_false(aloft_upgrade_is_running(m));
}

static void challenge__is_answered_with_the_strongest(void **state)
{
    struct aloft_http_request request = request_for(URL);

    (void)state;
    fake_net_add_text(&w->net, DIGEST);
    fake_net_add_text(&w->net, OK);
    run(&request, ALOFT_HTTP_DONE);
    assert_not_asked(0, "uthorization");
    assert_asked(1, "GET /x HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: a.test:81\r\n"
                    "Authorization: Digest username=\"us\", realm=\"r\", nonce=\"n\", ");
    assert_asked(1, ", uri=\"/x\"\r\n\r\n");
}

static void challenge__of_basic_is_answered_once(void **state)
{
    struct aloft_http_request request = request_for(URL);

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        fake_net_add_text(&w->net, BASIC);
    }
    run(&request, ALOFT_HTTP_FAILED);
    assert_err(m->http.err, ALOFT_ERR_HTTP_STATUS);
    assert_int_equal(w->net.n_contacts, 2);
    assert_asked(1, "\r\nAuthorization: Basic dXM6cHc=\r\n\r\n");
}

static void challenge__of_digest_is_answered_once(void **state)
{
    struct aloft_http_request request = request_for(URL);

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        fake_net_add_text(&w->net, DIGEST);
    }
    run(&request, ALOFT_HTTP_FAILED);
    assert_int_equal(w->net.n_contacts, 2);
}

static void challenge__of_a_stale_nonce_is_answered_again_but_not_for_ever(void **state)
{
    struct aloft_http_request request = request_for(URL);

    (void)state;
    fake_net_add_text(&w->net, DIGEST);
    fake_net_add_text(&w->net, STALE);
    fake_net_add_text(&w->net, OK);
    run(&request, ALOFT_HTTP_DONE);
    assert_asked(2, "nonce=\"m\"");
    aloft_http_end(m);

    for (size_t i = 0; i < 6; i++) {
        fake_net_add_text(&w->net, STALE);
    }
    run(&request, ALOFT_HTTP_FAILED);
    assert_int_equal(w->net.n_contacts, 3 + 4);
}

static void challenge__without_credentials_or_of_nothing_known_fails(void **state)
{
    struct aloft_http_request request = request_for("http://a.test/x");

    (void)state;
    fake_net_add_text(&w->net, BASIC);
    run(&request, ALOFT_HTTP_FAILED);
    assert_int_equal(m->http.status, 401);
    aloft_http_end(m);

    request = request_for(URL);
    fake_net_add_text(&w->net, "HTTP/1.1 401 X\r\nWWW-Authenticate: Bearer\r\n\r\n");
    run(&request, ALOFT_HTTP_FAILED);
    aloft_http_end(m);
    fake_net_add_text(&w->net, "HTTP/1.1 401 X\r\nX-WWW-Authenticate: Basic\r\n\r\n");
    run(&request, ALOFT_HTTP_FAILED);
    assert_int_equal(w->net.n_contacts, 3);
}

/* The answer is composed behind the head: whatever room there is, nothing else is written. */
static void challenge__of_any_length_stays_within_the_buffer(void **state)
{
    static const char start[] = "HTTP/1.1 401 X\r\nWWW-Authenticate: Basic\r\nX: ";
    char head[ALOFT_CONFIG_HTTP_BYTES + 1];
    (void)state;

    for (size_t len = ALOFT_CONFIG_HTTP_BYTES - 60; len <= ALOFT_CONFIG_HTTP_BYTES; len++) {
        struct aloft_http_request request = request_for(URL);
        memset(head, 'x', sizeof head);
        memcpy(head, start, sizeof start - 1);
        memcpy(head + len - 4, "\r\n\r\n", 5);
        fake_net_add_text(&w->net, head);
        fake_net_add_text(&w->net, OK);
        m->upgrade.deadline_ms = UINT64_MAX; /* The first bytes behind the client's. */
        bool fits = len + sizeof "Authorization: Basic dXM6cHc=\r\n" <= ALOFT_CONFIG_HTTP_BYTES;
        run(&request, fits ? ALOFT_HTTP_DONE : ALOFT_HTTP_FAILED);
        assert_err(m->http.err, fits ? ALOFT_ERR_OK : ALOFT_ERR_TOO_BIG);
        assert_true(m->upgrade.deadline_ms == UINT64_MAX);
        tear_down(NULL);
        set_up(NULL);
    }
}

/* A long path of the URL stays in front of a relative Location, up to the whole buffer. */
static void relative_redirect__that_fills_the_buffer_is_refused(void **state)
{
    const int half = ALOFT_CONFIG_HTTP_BYTES / 2;
    char location[ALOFT_CONFIG_HTTP_BYTES / 2 + 76];
    static char url[ALOFT_CONFIG_HTTP_BYTES / 2 + 76];
    (void)state;

    memset(url, 'a', sizeof url);
    memcpy(url, "http://a.test/", 14);
    for (int kept = half - 4; kept <= half + 16; kept++) {
        struct aloft_http_request request = request_for("http://a.test/x");
        memset(url + 14, 'a', sizeof url - 14);
        url[13 + kept - 1] = '/';
        request.url = url;
        request.url_len = sizeof url;
        int n = snprintf(location, sizeof location, MOVED "%0*d\r\n\r\n", half - 6, 1);
        assert_in_range(n, half - 6, sizeof location - 1);
        fake_net_add_text(&w->net, location);
        fake_net_add_text(&w->net, OK);
        run(&request, ALOFT_HTTP_FAILED);
        assert_err(m->http.err, ALOFT_ERR_TOO_BIG);
        assert_int_equal(w->net.n_contacts, 1);
        tear_down(NULL);
        set_up(NULL);
    }
}

static void credentials__stay_with_scheme_host_and_port(void **state)
{
    static const struct {
        const char *location;
        bool is_same;
    } rows[] = {
        {"/y", true},
        {"http://A.test:81/y", true},
        {"http://a.test/y", false},
        {"http://a.test:82/y", false},
        {"https://a.test:81/y", false},
        {"http://b.test:81/y", false},
        {"http://a.test.b:81/y", false},
    };
    struct aloft_http_request request = request_for(URL);
    char answer[100];
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(answer, sizeof answer, MOVED "%s\r\n\r\n", rows[i].location);
        request.headers = "Authorization: mine\r\nX-A: b\r\ncookie: c\r\nX-B: d\r\n";
        fake_net_add_text(&w->net, answer);
        fake_net_add_text(&w->net, BASIC);
        fake_net_add_text(&w->net, OK);
        run(&request, rows[i].is_same ? ALOFT_HTTP_DONE : ALOFT_HTTP_FAILED);
        assert_int_equal(w->net.n_contacts, rows[i].is_same ? 3 : 2);
        assert_asked(0, "\r\nAuthorization: mine\r\nX-A: b\r\ncookie: c\r\nX-B: d\r\n\r\n");
        if (rows[i].is_same) {
            assert_asked(2, "Authorization: Basic dXM6cHc=\r\n");
        } else {
            assert_asked(1, "\r\nX-A: b\r\nX-B: d\r\n\r\n");
            assert_not_asked(1, "uthorization");
            assert_not_asked(1, "ookie");
        }
        tear_down(NULL);
        set_up(NULL);
    }
}

/* RFC 9110 5.3: a request has one Authorization field. */
static void credentials__replace_a_header_of_the_caller_s(void **state)
{
    struct aloft_http_request request = request_for(URL);

    (void)state;
    request.headers = "Authorization: mine\r\nCookie: c\r\n";
    fake_net_add_text(&w->net, BASIC);
    fake_net_add_text(&w->net, OK);
    run(&request, ALOFT_HTTP_DONE);
    assert_asked(0, "Authorization: mine\r\nCookie: c\r\n\r\n");
    assert_asked(1, "Cookie: c\r\nAuthorization: Basic dXM6cHc=\r\n\r\n");
    assert_not_asked(1, "mine");
}

static void credentials__of_a_redirect_are_refused(void **state)
{
    struct aloft_http_request request = request_for(URL);

    (void)state;
    fake_net_add_text(&w->net, MOVED "http://evil:trap@a.test:81/y\r\n\r\n");
    run(&request, ALOFT_HTTP_FAILED);
    assert_err(m->http.err, ALOFT_ERR_REDIRECT);
    assert_int_equal(w->net.n_contacts, 1);
}

static void credentials__come_back_with_the_first_place(void **state)
{
    struct aloft_http_request request = request_for(URL);

    (void)state;
    fake_net_add_text(&w->net, MOVED "http://b.test/y\r\n\r\n");
    fake_net_add_text(&w->net, MOVED "http://a.test:81/z\r\n\r\n");
    fake_net_add_text(&w->net, BASIC);
    fake_net_add_text(&w->net, OK);
    run(&request, ALOFT_HTTP_DONE);
    assert_not_asked(1, "uthorization");
    assert_asked(3, "Authorization: Basic dXM6cHc=\r\n");
}

/* What stands there is another thing, with a challenge of its own. */
static void credentials__are_asked_for_again_behind_a_redirect(void **state)
{
    struct aloft_http_request request = request_for(URL);

    (void)state;
    fake_net_add_text(&w->net, BASIC);
    fake_net_add_text(&w->net, MOVED "/y\r\n\r\n");
    fake_net_add_text(&w->net, BASIC);
    fake_net_add_text(&w->net, OK);
    run(&request, ALOFT_HTTP_DONE);
    assert_not_asked(2, "uthorization");
    assert_asked(3, "GET /y HTTP/1.1\r\n");
    assert_asked(3, "Authorization: Basic dXM6cHc=\r\n");
}

/* The log is for developers, not for passwords. */
static void log__never_shows_a_url(void **state)
{
    static char url_buf[64];

    (void)state;
    w->config.url_buf = url_buf;
    w->config.url_cap = sizeof url_buf;
    world_reboot(w);
    fake_net_add_text(&w->net, BASIC);
    fake_net_add_text(&w->net, BASIC);
    (void)world_run(w, "AT+USEROTA=24", 10);
    (void)world_run(w, URL, 100);
    world_assert_failed(w, "HTTP_STATUS");
    assert_int_equal(w->net.n_contacts, 2);
    assert_null(strstr(w->port->log, "pw"));
    assert_null(strstr(w->port->log, "a.test"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(head__has_a_length_and_no_body),
        CASE(any_2xx__is_a_success_of_whatever_is_at_a_url),
        CASE(stall_time__can_be_the_caller_s),
        CASE(begin__refuses_what_it_cannot_ask_for),
        CASE(upgrade_from_a_url__is_refused_while_the_client_is_busy),
        CASE(challenge__is_answered_with_the_strongest),
        CASE(challenge__of_basic_is_answered_once),
        CASE(challenge__of_digest_is_answered_once),
        CASE(challenge__of_a_stale_nonce_is_answered_again_but_not_for_ever),
        CASE(challenge__without_credentials_or_of_nothing_known_fails),
        CASE(challenge__of_any_length_stays_within_the_buffer),
        CASE(relative_redirect__that_fills_the_buffer_is_refused),
        CASE(credentials__stay_with_scheme_host_and_port),
        CASE(credentials__replace_a_header_of_the_caller_s),
        CASE(credentials__of_a_redirect_are_refused),
        CASE(credentials__come_back_with_the_first_place),
        CASE(credentials__are_asked_for_again_behind_a_redirect),
        CASE(log__never_shows_a_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
