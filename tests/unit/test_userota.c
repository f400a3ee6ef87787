/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/config.h"
#include "aloft/limits.h"

/* AT+USEROTA from the UART to the boot entry (facts/at-commands.md 2.1, 6.2). */

#define DONE_MS 10000
#define SMALL   512
#define PROMPT  "\r\nOK\r\n\r\n>"
#define URL     "http://192.0.2.1:8080/fw/esp-at.bin" /* 35 bytes */
#define MOVED   "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "

static char url_buf[ALOFT_URL_MAX];

static struct world *world_with(size_t data_len, size_t url_cap)
{
    struct world *w = world_new(data_len);

    memset(url_buf, 0, sizeof url_buf);
    w->config.url_buf = url_cap > 0 ? url_buf : NULL;
    w->config.url_cap = url_cap;
    world_reboot(w);
    return w;
}

static int set_up(void **state)
{
    *state = world_with(SMALL, sizeof url_buf);
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static void run_ms(struct world *w, uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i++) {
        w->port->now_ms++;
        (void)aloft_module_step(&w->port->module, w->port->now_ms);
    }
}

/* The command and its URL; what came behind the prompt until `ms` were over. */
static const char *run_url(struct world *w, const char *url, uint32_t ms)
{
    char line[40];

    (void)snprintf(line, sizeof line, "AT+USEROTA=%zu\r\n", strlen(url));
    fake_port_send(w->port, line);
    assert_string_equal(fake_port_read(w->port), PROMPT);
    fake_port_send(w->port, url);
    run_ms(w, ms);
    return fake_port_read(w->port);
}

static void url__of_an_image_upgrades_and_restarts(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, w->answer_len);
    assert_string_equal(run_url(w, URL, DONE_MS), "\r\nRecv 35 bytes\r\n\r\nOK\r\n");
    world_assert_upgraded(w);
    assert_int_equal(w->port->boot.n_restarts, 1);
    assert_string_equal(w->net.contacts[0].host, "192.0.2.1");
    assert_int_equal(w->net.contacts[0].port, 8080);
    assert_string_equal(w->net.contacts[0].tls_host, "");
    /* facts/at-commands.md 2.1: exactly these, in this order. */
    assert_string_equal(w->net.contacts[0].request, "GET /fw/esp-at.bin HTTP/1.1\r\n"
                                                    "User-Agent: ESP32 HTTP Client/1.0\r\n"
                                                    "Host: 192.0.2.1:8080\r\n\r\n");
}

static void request__names_host_port_and_target_of_the_url(void **state)
{
    static const struct {
        const char *url;
        const char *host;
        uint16_t port;
        bool is_tls;
        const char *target;
        const char *host_field;
    } rows[] = {
        {"http://a.test/x?y=1", "a.test", 80, false, "/x?y=1", "a.test"},
        {"http://a.test:80/x", "a.test", 80, false, "/x", "a.test"},
        {"http://a.test:443/x", "a.test", 443, false, "/x", "a.test:443"},
        {"https://a.test/x", "a.test", 443, true, "/x", "a.test"},
        {"HTTPS://a.test:8443/x", "a.test", 8443, true, "/x", "a.test:8443"},
        {"http://a.test", "a.test", 80, false, "/", "a.test"},
        {"http://a.test?x", "a.test", 80, false, "/?x", "a.test"},
        {"http://a.test/x#y", "a.test", 80, false, "/x", "a.test"},
        {"http://u:p@a.test/x", "a.test", 80, false, "/x", "a.test"},
        {"http://[2001:db8::1]:81/x", "2001:db8::1", 81, false, "/x", "[2001:db8::1]:81"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_with(SMALL, sizeof url_buf);
        char wanted[200];
        fake_net_add(&w->net, w->answer, w->answer_len);
        (void)run_url(w, rows[i].url, DONE_MS);
        world_assert_upgraded(w);
        assert_string_equal(w->net.contacts[0].host, rows[i].host);
        assert_int_equal(w->net.contacts[0].port, rows[i].port);
        assert_string_equal(w->net.contacts[0].tls_host, rows[i].is_tls ? rows[i].host : "");
        (void)snprintf(wanted, sizeof wanted,
                       "GET %s HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: %s\r\n\r\n",
                       rows[i].target, rows[i].host_field);
        assert_string_equal(w->net.contacts[0].request, wanted);
        world_free(w);
    }
}

/* facts/at-commands.md 8, check 3. */
static void parameters__that_are_wrong_are_refused(void **state)
{
    static const char *const lines[] = {
        "AT+USEROTA=0\r\n",      "AT+USEROTA=8193\r\n", "AT+USEROTA=1,2\r\n", "AT+USEROTA=?\r\n",
        "AT+USEROTA?\r\n",       "AT+USEROTA\r\n",      "AT+USEROTA=\r\n",    "AT+USEROTA=-1\r\n",
        "AT+USEROTA=\"36\"\r\n", "AT+USEROTA=36,\r\n",  "AT+USEROTA=x\r\n",
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        fake_port_send(w->port, lines[i]);
        assert_string_equal(fake_port_read(w->port), "\r\nERROR\r\n");
    }
    fake_port_send(w->port, "AT+USEROTA=1\r\n");
    assert_string_equal(fake_port_read(w->port), PROMPT);
    fake_port_send(w->port, "x");
    run_ms(w, 1);
    assert_string_equal(fake_port_read(w->port), "\r\nRecv 1 bytes\r\n\r\nERROR\r\n");
    assert_int_equal(w->net.n_contacts, 0);
}

static void buffer__bounds_the_length(void **state)
{
    struct world *w = world_with(SMALL, 0);

    (void)state;
    fake_port_send(w->port, "AT+USEROTA=1\r\n");
    assert_string_equal(fake_port_read(w->port), "\r\nERROR\r\n");
    world_free(w);

    w = world_with(SMALL, 100);
    fake_port_send(w->port, "AT+USEROTA=101\r\n");
    assert_string_equal(fake_port_read(w->port), "\r\nERROR\r\n");
    fake_port_send(w->port, "AT+USEROTA=100\r\n");
    assert_string_equal(fake_port_read(w->port), PROMPT);
    world_free(w);
}

static void url__that_is_none_is_refused_without_traffic(void **state)
{
    static const char *const urls[] = {
        "/fw.bin",
        "a.test/fw.bin",
        "ftp://a.test/",
        "http://",
        "http:///x",
        "//a.test/x",
        "http://a b/",
        "http://a/\r\nX:",
        "http://a.test/\x01",
        "http://a:0/",
        "http://a/\t",
        "http://a/\xc3\xa4",
        " http://a/",
        ("http://01234567890123456789012345678901234567890123456789012345678901234567890123456789"
         "012345678901234567890123456789012345678901234567/"),
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        char wanted[64];
        (void)snprintf(wanted, sizeof wanted, "\r\nRecv %zu bytes\r\n\r\nERROR\r\n",
                       strlen(urls[i]));
        assert_string_equal(run_url(w, urls[i], 100), wanted);
    }
    assert_int_equal(w->net.n_contacts, 0);
    world_assert_flash_untouched(w);
}

static void url__with_a_nul_is_refused(void **state)
{
    struct world *w = *state;

    fake_port_send(w->port, "AT+USEROTA=11\r\n");
    aloft_module_feed(&w->port->module, (const uint8_t *)"http://a/\0b", 11);
    run_ms(w, 1);
    assert_string_equal(fake_port_read(w->port), PROMPT "\r\nRecv 11 bytes\r\n\r\nERROR\r\n");
    assert_int_equal(w->net.n_contacts, 0);
}

/* facts/at-commands.md 2.1 step 5, and 8 check 4. */
static void surplus_line_end__is_answered_busy_once_and_upgrades(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, w->answer_len);
    assert_string_equal(run_url(w, URL "", 0), "\r\nRecv 35 bytes\r\n");
    fake_port_send(w->port, "\r\n");
    run_ms(w, DONE_MS);
    assert_string_equal(fake_port_read(w->port), "\r\nbusy p...\r\n\r\nOK\r\n");
    world_assert_upgraded(w);
}

/* One ERROR, not a second one for the line end: the host would take it for that of its next line.
 */
static void surplus_line_end__behind_a_refused_url_is_busy_too(void **state)
{
    struct world *w = *state;

    fake_port_send(w->port, "AT+USEROTA=14\r\n");
    assert_string_equal(fake_port_read(w->port), PROMPT);
    fake_port_send(w->port, "ftp://a.test/x\r\n");
    run_ms(w, 1);
    assert_string_equal(fake_port_read(w->port),
                        "\r\nRecv 14 bytes\r\n\r\nbusy p...\r\n\r\nERROR\r\n");
    fake_port_send(w->port, "AT\r\n");
    assert_string_equal(fake_port_read(w->port), "\r\nOK\r\n");
}

static void surplus__does_not_stand_before_the_next_command(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    (void)run_url(w, URL, 0);
    fake_port_send(w->port, "AT+GM");
    run_ms(w, DONE_MS);
    assert_string_equal(fake_port_read(w->port), "\r\nERROR\r\n");
    fake_port_send(w->port, "AT\r\n");
    assert_string_equal(fake_port_read(w->port), "\r\nOK\r\n");
    world_assert_failed(w, "HTTP_STATUS");
    world_assert_flash_untouched(w);
}

static void any_line__is_busy_and_at_rst_restarts(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, 400)->end = FAKE_END_SILENCE;
    (void)run_url(w, URL, 100);
    fake_port_send(w->port, "AT+GMR\r\n");
    assert_string_equal(fake_port_read(w->port), "\r\nbusy p...\r\n");
    fake_port_send(w->port, "AT+RST\r\n");
    run_ms(w, 100);
    assert_string_equal(fake_port_read(w->port), "\r\nWill force to restart!!!\r\n");
    assert_int_equal(w->port->boot.n_restarts, 1);
    assert_int_equal(w->port->boot.n_selects, 0);
    assert_int_equal(w->net.n_open, 0);
}

static void row_19_no_prompt_while_an_upgrade_runs(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, 400)->end = FAKE_END_SILENCE;
    world_run(w, "AT+CIUPDATE=0,\"v1\",,1", 100);
    fake_port_send(w->port, "AT+USEROTA=35\r\n");
    assert_string_equal(fake_port_read(w->port), "\r\nERROR\r\n");
}

static void row_23_a_silent_host_ends_the_url_phase(void **state)
{
    struct world *w = *state;

    fake_port_send(w->port, "AT+USEROTA=35\r\n");
    assert_string_equal(fake_port_read(w->port), PROMPT);
    run_ms(w, ALOFT_CONFIG_URL_IDLE_MS - 1000);
    fake_port_send(w->port, "http://"); /* The clock starts anew with every byte. */
    run_ms(w, ALOFT_CONFIG_URL_IDLE_MS - 1000);
    assert_string_equal(fake_port_read(w->port), "");
    run_ms(w, 2000);
    assert_string_equal(fake_port_read(w->port), "\r\nERROR\r\n");
    fake_port_send(w->port, "AT\r\n");
    assert_string_equal(fake_port_read(w->port), "\r\nOK\r\n");
    assert_int_equal(w->net.n_contacts, 0);
}

/* `http://a.test/` and letters, `len` bytes in all. */
static char *long_url(size_t len)
{
    char *url = malloc(len + 1);

    memset(url, 'a', len);
    memcpy(url, "http://a.test/", 14);
    url[len] = '\0';
    return url;
}

static void row_24_a_target_of_any_length_is_asked_for(void **state)
{
    static const size_t lens[] = {472,
                                  473,
                                  474,
                                  13 + ALOFT_CONFIG_HTTP_BYTES / 4,
                                  14 + ALOFT_CONFIG_HTTP_BYTES / 4,
                                  2048,
                                  4096,
                                  ALOFT_URL_MAX};
    (void)state;

    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        for (size_t write_portion = 0; write_portion < 2000; write_portion += 999) {
            struct world *w = world_with(SMALL, sizeof url_buf);
            char *url = long_url(lens[i]);
            char *wanted = malloc(lens[i] + 200);
            (void)snprintf(wanted, lens[i] + 200,
                           "GET %s HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\n"
                           "Host: a.test\r\n\r\n",
                           url + 13);
            fake_net_add(&w->net, w->answer, w->answer_len)->write_portion = write_portion;
            (void)run_url(w, url, DONE_MS);
            world_assert_upgraded(w);
            assert_string_equal(w->net.contacts[0].request, wanted);
            free(wanted);
            free(url);
            world_free(w);
        }
    }
}

static void row_25_a_stalled_body_ends_in_error(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, 500)->end = FAKE_END_SILENCE;
    assert_string_equal(run_url(w, URL, ALOFT_CONFIG_STALL_MS - 1000), "\r\nRecv 35 bytes\r\n");
    run_ms(w, 2000);
    assert_string_equal(fake_port_read(w->port), "\r\nERROR\r\n");
    world_assert_failed(w, "STALLED");
}

static void row_26_ten_redirects_are_followed_and_no_more(void **state)
{
    (void)state;
    for (size_t n = ALOFT_REDIRECT_MAX; n <= ALOFT_REDIRECT_MAX + 1; n++) {
        struct world *w = world_with(SMALL, sizeof url_buf);
        for (size_t i = 0; i < n; i++) {
            fake_net_add_text(&w->net, MOVED "/again\r\n\r\n");
        }
        fake_net_add(&w->net, w->answer, w->answer_len);
        (void)run_url(w, URL, DONE_MS);
        if (n == ALOFT_REDIRECT_MAX) {
            world_assert_upgraded(w);
        } else {
            world_assert_failed(w, "REDIRECT");
            assert_int_equal(w->net.n_contacts, ALOFT_REDIRECT_MAX + 1);
        }
        world_free(w);
    }
}

static void row_27_progress_lines_are_an_option(void **state)
{
    struct world *w = world_with(150000, sizeof url_buf);
    char wanted[200];
    (void)state;

    fake_net_add(&w->net, w->answer, w->answer_len);
    assert_string_equal(run_url(w, URL, DONE_MS), "\r\nRecv 35 bytes\r\n\r\nOK\r\n");
    world_free(w);

    w = world_with(150000, sizeof url_buf);
    w->config.userota_prints_progress = true;
    world_reboot(w);
    fake_net_add(&w->net, w->answer, w->answer_len);
    const char *out = run_url(w, URL, DONE_MS);
    unsigned first = 0;
    unsigned second = 0;
    unsigned total = 0;
    assert_int_equal(
        sscanf(out, "\r\nRecv 35 bytes\r\n+USEROTA:%u,%u\r\n+USEROTA:%u,", &first, &total, &second),
        3);
    assert_in_range(first, 65536, 65536 + 4096);
    assert_in_range(second, first + 65536, first + 65536 + 4096);
    (void)snprintf(wanted, sizeof wanted,
                   "\r\nRecv 35 bytes\r\n+USEROTA:%u,%zu\r\n+USEROTA:%u,%zu\r\n"
                   "+USEROTA:%zu,%zu\r\n\r\nOK\r\n",
                   first, w->image_len, second, w->image_len, w->image_len, w->image_len);
    assert_string_equal(out, wanted);
    world_free(w);
}

static void row_28_the_server_of_a_url_is_verified_if_the_module_is_told_to(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, w->answer_len);
    (void)run_url(w, "https://a.test/x", DONE_MS);
    assert_int_equal(w->net.contacts[0].tls_trust, ALOFT_TLS_TRUST_NONE);

    w->config.trust = ALOFT_TLS_TRUST_CA;
    w->port->boot.n_selects = 0;
    world_reboot(w);
    fake_net_add(&w->net, "", 0)->ready_err = ALOFT_ERR_TLS;
    assert_string_equal(run_url(w, "https://a.test/x", DONE_MS),
                        "\r\nRecv 16 bytes\r\n\r\nERROR\r\n");
    assert_int_equal(w->net.contacts[0].tls_trust, ALOFT_TLS_TRUST_CA);
    assert_string_equal(w->net.contacts[0].tls_host, "a.test");
    assert_int_equal(w->port->boot.n_selects, 0);
}

/* Nothing but the spare slot is written, whatever the URL says. */
static void row_29_only_the_spare_slot_is_written(void **state)
{
    struct world *w = *state;
    const struct aloft_slot *slot = &w->port->boot.spare;

    fake_net_add(&w->net, w->answer, w->answer_len);
    (void)run_url(w, "http://a.test/v1/device/rom/?filename=mfg_nvs.bin", DONE_MS);
    world_assert_upgraded(w);
    for (uint32_t at = 0; at < FAKE_FLASH_BYTES; at++) {
        bool is_spare = at >= slot->addr && at < slot->addr + slot->size_bytes;
        if (!is_spare && w->port->flash.bytes[at] != 0xFF) {
            fail_msg("written at 0x%x", at);
        }
    }
}

/* facts/at-commands.md 2.1: all framings work. */
static void body__of_any_framing_upgrades(void **state)
{
    struct world *w = *state;
    uint8_t *bytes = malloc(w->image_len + 200);
    char *text = (char *)bytes;
    (void)state;

    size_t len = (size_t)snprintf(
        text, 200, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%zx\r\n", w->image_len);
    memcpy(bytes + len, w->image, w->image_len);
    len += w->image_len;
    memcpy(bytes + len, "\r\n0\r\n\r\n", 7);
    fake_net_add(&w->net, bytes, len + 7)->portion = 100;
    (void)run_url(w, URL, DONE_MS);
    world_assert_upgraded(w);

    struct world *other = world_with(SMALL, sizeof url_buf);
    len = (size_t)snprintf(text, 200, "HTTP/1.0 200 OK\r\n\r\n");
    memcpy(bytes + len, other->image, other->image_len);
    fake_net_add(&other->net, bytes, len + other->image_len)->portion = 100;
    (void)run_url(other, URL, DONE_MS);
    world_assert_upgraded(other);
    world_free(other);

    /* A close that comes too early is no end. */
    other = world_with(SMALL, sizeof url_buf);
    fake_net_add(&other->net, bytes, len + other->image_len - 1);
    (void)run_url(other, URL, DONE_MS);
    world_assert_failed(other, "TRUNCATED");
    world_free(other);
    free(bytes);
}

static void answers__that_carry_no_image_are_refused_untouched(void **state)
{
    static const struct {
        const char *answer;
        const char *reason;
    } rows[] = {
        {"HTTP/1.1 201 Created\r\nContent-Length: 592\r\n\r\n", "HTTP_STATUS"},
        {"HTTP/1.1 203 Transformed\r\nContent-Length: 592\r\n\r\n", "HTTP_STATUS"},
        {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP_STATUS"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Length: 592\r\n\r\n", "HTTP_STATUS"},
        {"HTTP/1.1 304 Not Modified\r\n\r\n", "HTTP_STATUS"},
        {"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n", "HTTP_STATUS"},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 592\r\n\r\n", "HTTP_STATUS"},
        {"HTTP/1.1 500 Oops\r\nContent-Length: 592\r\n\r\n", "HTTP_STATUS"},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 592\r\n\r\n", "UNSUPPORTED"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1900545\r\n\r\n", "TOO_BIG"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 287\r\n\r\n", "TRUNCATED"},
        {"HTTP/1.1 200 OK\r\n\r\n", "TRUNCATED"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_with(SMALL, sizeof url_buf);
        fake_net_add_text(&w->net, rows[i].answer);
        assert_string_equal(run_url(w, URL, DONE_MS), "\r\nRecv 35 bytes\r\n\r\nERROR\r\n");
        world_assert_failed(w, rows[i].reason);
        world_assert_flash_untouched(w);
        assert_int_equal(w->net.n_contacts, 1);
        world_free(w);
    }
}

static void wrong_chip__is_refused_untouched(void **state)
{
    struct world *w = *state;

    w->answer[w->answer_len - w->image_len + 12] = 0x09; /* ESP32-S3 */
    fake_net_add(&w->net, w->answer, w->answer_len);
    assert_string_equal(run_url(w, URL, DONE_MS), "\r\nRecv 35 bytes\r\n\r\nERROR\r\n");
    world_assert_failed(w, "CHIP");
    world_assert_flash_untouched(w);
}

static void proof__is_owed_to_the_server_of_the_url_s_kind(void **state)
{
    static const struct {
        const char *url;
        bool has_plain;
        bool has_tls;
        int mode; /* -1 = no proof. */
    } rows[] = {
        {"http://a.test/x", true, true, 0},    {"https://a.test/x", true, true, 1},
        {"https://a.test/x", true, false, 0},  {"http://a.test/x", false, true, 1},
        {"http://a.test/x", false, false, -1},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_with(SMALL, sizeof url_buf);
        uint8_t mode = 0xFF;
        size_t len = 1;
        w->config.plain.host = rows[i].has_plain ? "plain.test" : NULL;
        w->config.tls.host = rows[i].has_tls ? "tls.test" : NULL;
        world_reboot(w);
        fake_net_add(&w->net, w->answer, w->answer_len);
        (void)run_url(w, rows[i].url, DONE_MS);
        world_assert_upgraded(w);
        enum aloft_err err = w->port->port.settings.get(w->port, "upgrade.mode", &mode, &len);
        assert_int_equal(err == ALOFT_ERR_OK ? mode : -1, rows[i].mode);
        world_free(w);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(url__of_an_image_upgrades_and_restarts),
        CASE(request__names_host_port_and_target_of_the_url),
        CASE(parameters__that_are_wrong_are_refused),
        CASE(buffer__bounds_the_length),
        CASE(url__that_is_none_is_refused_without_traffic),
        CASE(url__with_a_nul_is_refused),
        CASE(surplus_line_end__is_answered_busy_once_and_upgrades),
        CASE(surplus_line_end__behind_a_refused_url_is_busy_too),
        CASE(surplus__does_not_stand_before_the_next_command),
        CASE(any_line__is_busy_and_at_rst_restarts),
        CASE(row_19_no_prompt_while_an_upgrade_runs),
        CASE(row_23_a_silent_host_ends_the_url_phase),
        CASE(row_24_a_target_of_any_length_is_asked_for),
        CASE(row_25_a_stalled_body_ends_in_error),
        CASE(row_26_ten_redirects_are_followed_and_no_more),
        CASE(row_27_progress_lines_are_an_option),
        CASE(row_28_the_server_of_a_url_is_verified_if_the_module_is_told_to),
        CASE(row_29_only_the_spare_slot_is_written),
        CASE(body__of_any_framing_upgrades),
        CASE(answers__that_carry_no_image_are_refused_untouched),
        CASE(wrong_chip__is_refused_untouched),
        CASE(proof__is_owed_to_the_server_of_the_url_s_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
