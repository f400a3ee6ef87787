/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <stdio.h>
#include <string.h>

#include "aloft/limits.h"

#define UPDATE  "AT+CIUPDATE=0,\"v5.0.1.0\""
#define DONE_MS 3000
#define MOVED   "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "

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

static void redirect__leads_to_the_right_place(void **state)
{
    static const struct {
        const char *location;
        const char *host;
        uint16_t port;
        bool is_tls;
        const char *target;
    } rows[] = {
        {"/x.bin", "plain.test", 80, false, "/x.bin"},
        {"?y", "plain.test", 80, false, "/v1/device/rom/?y"},
        {"x/y.bin", "plain.test", 80, false, "/v1/device/rom/x/y.bin"},
        {"../x.bin", "plain.test", 80, false, "/v1/device/x.bin"},
        {"./x/./../y.bin?a/../b", "plain.test", 80, false, "/v1/device/rom/y.bin?a/../b"},
        {"../../../../x.bin", "plain.test", 80, false, "/x.bin"},
        {"..", "plain.test", 80, false, "/v1/device/"},
        {"/a/b/../../..", "plain.test", 80, false, "/"},
        {"/a/.", "plain.test", 80, false, "/a/"},
        {"/a/..b/.c/...", "plain.test", 80, false, "/a/..b/.c/..."},
        {"http://other.test/a//../x", "other.test", 80, false, "/a/x"},
        {"http://other.test/x.bin", "other.test", 80, false, "/x.bin"},
        {"http://other.test:8080", "other.test", 8080, false, "/"},
        {"http://other.test?x", "other.test", 80, false, "/?x"},
        {"//other.test/x", "other.test", 80, false, "/x"},
        {"https://other.test/x", "other.test", 443, true, "/x"},
        {"https://PLAIN.test:444/x", "PLAIN.test", 444, true, "/x"},
    };
    static const char *const statuses[] = {"301", "302", "303", "307", "308"};
    char head[200];
    char line[100];
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_new(512);
        snprintf(head, sizeof head, "HTTP/1.1 %s X\r\nlocation: %s\r\n\r\n", statuses[i % 5],
                 rows[i].location);
        fake_net_add_text(&w->net, head);
        fake_net_add(&w->net, w->answer, w->answer_len);
        assert_string_equal(world_run(w, UPDATE, DONE_MS),
                            "+CIPUPDATE:1\r\n+CIPUPDATE:4\r\n\r\nOK\r\n");
        world_assert_upgraded(w);
        const struct fake_contact *contact = &w->net.contacts[1];
        assert_string_equal(contact->host, rows[i].host);
        assert_int_equal(contact->port, rows[i].port);
        assert_string_equal(contact->tls_host, rows[i].is_tls ? rows[i].host : "");
        snprintf(line, sizeof line, "GET %s HTTP/1.1\r\nHost: %s:%u\r\n", rows[i].target,
                 rows[i].host, rows[i].port);
        assert_memory_equal(contact->request, line, strlen(line));
        bool is_same = strcmp(rows[i].host, "other.test") != 0;
        assert_int_equal(strstr(contact->request, "token") != NULL, is_same);
        assert_int_equal(strstr(contact->request, "Aloft-Device") != NULL, is_same);
        world_free(w);
    }
}

static void relative_redirect__starts_from_the_place_before(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, MOVED "http://other.test:81/a/b/c.bin?q\r\n\r\n");
    fake_net_add_text(&w->net, MOVED "d.bin\r\n\r\n");
    fake_net_add_text(&w->net, MOVED "?e\r\n\r\n");
    fake_net_add_text(&w->net, MOVED "http://plain.test/f\r\n\r\n");
    fake_net_add(&w->net, w->answer, w->answer_len);
    world_run(w, UPDATE, DONE_MS);
    world_assert_upgraded(w);
    assert_memory_equal(w->net.contacts[1].request, "GET /a/b/c.bin?q HTTP/1.1\r\n", 27);
    assert_memory_equal(w->net.contacts[2].request, "GET /a/b/d.bin HTTP/1.1\r\n", 25);
    assert_memory_equal(w->net.contacts[3].request, "GET /a/b/d.bin?e HTTP/1.1\r\n", 27);
    assert_string_equal(w->net.contacts[3].host, "other.test");
    assert_int_equal(w->net.contacts[3].port, 81);
    assert_null(strstr(w->net.contacts[3].request, "token"));
    assert_memory_equal(w->net.contacts[4].request, "GET /f HTTP/1.1\r\n", 17);
    assert_non_null(strstr(w->net.contacts[4].request, "token"));
}

static void row_06_redirects_are_followed_ten_times(void **state)
{
    for (size_t n = ALOFT_REDIRECT_MAX; n <= ALOFT_REDIRECT_MAX + 1; n++) {
        struct world *w = world_new(512);
        for (size_t i = 0; i < n; i++) {
            fake_net_add_text(&w->net, MOVED "/again\r\n\r\n");
        }
        fake_net_add(&w->net, w->answer, w->answer_len);
        world_run(w, UPDATE, DONE_MS);
        if (n == ALOFT_REDIRECT_MAX) {
            world_assert_upgraded(w);
        } else {
            world_assert_failed(w, "REDIRECT");
            assert_int_equal(w->net.n_contacts, ALOFT_REDIRECT_MAX + 1);
        }
        world_free(w);
    }
    (void)state;
}

static void redirect__from_https_to_http_is_refused(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, MOVED "http://tls.test/x\r\n\r\n");
    world_run(w, "AT+CIUPDATE=1,\"v5.0.1.0\"", DONE_MS);
    world_assert_failed(w, "REDIRECT");
    assert_int_equal(w->net.n_contacts, 1);
}

static void redirect__that_leads_nowhere_is_refused(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        MOVED "\r\n\r\n",
        MOVED "#top\r\n\r\n",
        MOVED "ftp://x/\r\n\r\n",
        MOVED "http://0123456789012345678901234567890123456789012345678901234567890123456789"
              "0123456789012345678901234567890123456789012345678901234567890/\r\n\r\n",
    };
    (void)state;

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct world *w = world_new(512);
        fake_net_add_text(&w->net, answers[i]);
        fake_net_add(&w->net, w->answer, w->answer_len);
        world_run(w, UPDATE, DONE_MS);
        world_assert_failed(w, "REDIRECT");
        assert_int_equal(w->net.n_contacts, 1);
        world_free(w);
    }
}

static void redirect__with_a_long_target_works_as_long_as_it_fits(void **state)
{
    static const size_t lens[] = {500, 1000, 1400, 1900};
    char head[2100];
    (void)state;

    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct world *w = world_new(512);
        int n = snprintf(head, sizeof head, MOVED "/");
        memset(head + n, 'a', lens[i]);
        memcpy(head + (size_t)n + lens[i], "\r\n\r\n", 5);
        fake_net_add_text(&w->net, head);
        fake_net_add(&w->net, w->answer, w->answer_len);
        world_run(w, UPDATE, DONE_MS);
        if (lens[i] < 1500) {
            world_assert_upgraded(w);
        } else {
            world_assert_failed(w, "TOO_BIG");
        }
        world_free(w);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(redirect__leads_to_the_right_place),
        CASE(relative_redirect__starts_from_the_place_before),
        CASE(row_06_redirects_are_followed_ten_times),
        CASE(redirect__from_https_to_http_is_refused),
        CASE(redirect__that_leads_nowhere_is_refused),
        CASE(redirect__with_a_long_target_works_as_long_as_it_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
