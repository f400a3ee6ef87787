/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/config.h"
#include "aloft/upgrade.h"

/* Row 12 of facts/at-commands.md 6.1: a broken transfer goes on where it ended, by Range and
 * If-Range, with pauses of 1, 2, 4 and 8 s and at most five tries without progress. */

#define UPDATE    "AT+CIUPDATE=0,\"v5.0.1.0\""
#define DONE_TEXT "+CIPUPDATE:1\r\n+CIPUPDATE:4\r\n\r\nOK\r\n"
#define FAIL_TEXT "+CIPUPDATE:1\r\n\r\nERROR\r\n"
#define DONE_MS   5000
#define DATA      9000 /* More than two sectors, more than the client's buffer. */
#define ETAG      "\"0123456789abcdef0123456789abcdef\""

static struct world *w;
static char *allocated[FAKE_NET_MAX];
static size_t n_allocated;

static int set_up(void **state)
{
    (void)state;
    w = world_new(DATA);
    n_allocated = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(w);
    while (n_allocated > 0) {
        free(allocated[--n_allocated]);
    }
    return 0;
}

/* An answer of `head` and `len` bytes of the image from `from`. */
static struct fake_answer *add(const char *head, size_t from, size_t len)
{
    size_t head_len = strlen(head);
    char *bytes = malloc(head_len + len);

    memcpy(bytes, head, head_len);
    memcpy(bytes + head_len, w->image + from, len);
    allocated[n_allocated++] = bytes;
    return fake_net_add(&w->net, bytes, head_len + len);
}

/* The whole, of which only `len` bytes come. */
static struct fake_answer *add_whole(const char *headers, size_t len)
{
    char head[300];

    (void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n", headers,
                   w->image_len);
    return add(head, 0, len);
}

/* The rest, of which only `len` bytes come. */
static struct fake_answer *add_rest(const char *headers, size_t from, size_t len)
{
    char head[300];

    (void)snprintf(head, sizeof head,
                   "HTTP/1.1 206 Partial Content\r\n%sContent-Length: %zu\r\n"
                   "Content-Range: bytes %zu-%zu/%zu\r\n\r\n",
                   headers, w->image_len - from, from, w->image_len - 1, w->image_len);
    return add(head, from, len);
}

/* The n-th request asks for the rest from `from`. */
static void assert_range(size_t n, size_t from)
{
    char wanted[100];

    (void)snprintf(wanted, sizeof wanted, "\r\nRange: bytes=%zu-\r\nIf-Range: " ETAG "\r\n", from);
    if (strstr(w->net.contacts[n].request, wanted) == NULL) {
        fail_msg("wanted %s, got %s", wanted, w->net.contacts[n].request);
    }
}

static size_t in_flash(size_t n_came)
{
    return n_came / 4 * 4;
}

/* Wherever it breaks: in the head's packet, in the first bytes, between the words the flash takes,
 * in each sector, and before the last byte. */
static void row_12_a_break_anywhere_is_resumed(void **state)
{
    static const enum fake_end ends[] = {FAKE_END_FIN, FAKE_END_RESET};
    (void)state;

    for (size_t cut = 288; cut < w->image_len; cut += cut < 300 || cut > 9000 ? 1 : 97) {
        struct fake_answer *first = add_whole("ETag: " ETAG "\r\n", cut);
        first->end = ends[cut % 2];
        first->portion = cut % 3 == 0 ? 100 : 0;
        add_rest("", in_flash(cut), w->image_len - in_flash(cut))->portion = cut % 5 == 0 ? 1 : 0;
        assert_string_equal(world_run(w, UPDATE, 25000), DONE_TEXT);
        world_assert_upgraded(w);
        assert_range(1, in_flash(cut));
        assert_int_equal(w->net.n_contacts, 2);
        tear_down(NULL);
        set_up(NULL);
    }
}

static void row_12_a_stall_is_resumed(void **state)
{
    (void)state;
    add_whole("ETag: " ETAG "\r\n", 5000)->end = FAKE_END_SILENCE;
    add_rest("ETag: " ETAG "\r\n", 5000, w->image_len - 5000);
    assert_string_equal(world_run(w, UPDATE, ALOFT_CONFIG_STALL_MS + DONE_MS), DONE_TEXT);
    world_assert_upgraded(w);
    assert_range(1, 5000);
}

/* So a server that restarts looks: the transfer is cut, and what stands before it says 503. */
static void row_12_a_server_that_restarts_is_asked_again(void **state)
{
    (void)state;
    add_whole("ETag: " ETAG "\r\n", 5000);
    add("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", 0, 0);
    add_rest("ETag: " ETAG "\r\n", 5000, w->image_len - 5000);
    assert_string_equal(world_run(w, UPDATE, DONE_MS), DONE_TEXT);
    world_assert_upgraded(w);
    assert_range(2, 5000);
}

/* Before the first 288 bytes nothing was stored: then the whole is asked for again. */
static void row_12_a_break_before_the_first_good_bytes_begins_again(void **state)
{
    (void)state;
    add_whole("ETag: " ETAG "\r\n", 200);
    add_whole("ETag: " ETAG "\r\n", w->image_len);
    assert_string_equal(world_run(w, UPDATE, DONE_MS), DONE_TEXT);
    world_assert_upgraded(w);
    assert_null(strstr(w->net.contacts[1].request, "Range"));
}

static void row_12_each_break_is_resumed_while_there_is_progress(void **state)
{
    size_t at = 800;

    (void)state;
    add_whole("ETag: " ETAG "\r\n", at);
    for (size_t i = 0; i < FAKE_NET_MAX - 2; i++) {
        add_rest("", at, 400);
        at += 400;
    }
    add_rest("", at, w->image_len - at);
    assert_string_equal(world_run(w, UPDATE, 20000), DONE_TEXT);
    world_assert_upgraded(w);
    assert_int_equal(w->net.n_contacts, FAKE_NET_MAX);
}

static void row_12_five_tries_without_progress_end_it(void **state)
{
    uint64_t start_ms = w->port->now_ms;

    (void)state;
    add_whole("ETag: " ETAG "\r\n", 5000);
    for (size_t i = 0; i < 6; i++) {
        fake_net_add_text(&w->net, "")->ready_err = ALOFT_ERR_CONNECT;
    }
    fake_port_send(w->port, UPDATE "\r\n");
    while (w->net.n_contacts < 6 && w->port->now_ms < start_ms + 60000) {
        w->port->now_ms++;
        (void)aloft_module_step(&w->port->module, w->port->now_ms);
    }
    /* 1 + 2 + 4 + 8 + 8 s. */
    assert_in_range(w->port->now_ms - start_ms, 23000, 23500);
    assert_string_equal(world_run(w, "AT", 60000), FAIL_TEXT "\r\nOK\r\n");
    world_assert_failed(w, "CONNECT");
    assert_int_equal(w->net.n_contacts, 6);
}

/* A server that knows no ranges, behind a network that always breaks at the same place. */
static void row_12_the_same_beginning_again_is_no_progress(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAKE_NET_MAX; i++) {
        add_whole("ETag: " ETAG "\r\n", 5000);
    }
    assert_string_equal(world_run(w, UPDATE, 60000), FAIL_TEXT);
    world_assert_failed(w, "TRUNCATED");
    assert_int_equal(w->net.n_contacts, 6);
}

static void row_12_the_total_time_bounds_the_pauses(void **state)
{
    (void)state;
    add_whole("ETag: " ETAG "\r\n", 5000);
    fake_port_send(w->port, UPDATE "\r\n");
    for (int i = 0; i < 20; i++) {
        (void)aloft_module_step(&w->port->module, w->port->now_ms);
    }
    w->port->now_ms += ALOFT_CONFIG_TOTAL_MS;
    (void)aloft_module_step(&w->port->module, w->port->now_ms);
    assert_string_equal(fake_port_read(w->port), FAIL_TEXT);
    world_assert_failed(w, "TIMEOUT");
}

static void row_12_a_file_that_changed_is_stored_from_its_beginning(void **state)
{
    size_t len = 0;
    uint8_t *other = fake_image_new(DATA + 2000, 99, &len);
    uint8_t *answer;

    (void)state;
    add_whole("ETag: " ETAG "\r\n", 5000);
    free(w->image);
    w->image = other;
    w->image_len = len;
    answer = fake_image_answer(other, len, "ETag: \"new\"\r\n", &len);
    fake_net_add(&w->net, answer, 7000);
    size_t head_len = len - w->image_len;
    size_t from = in_flash(7000 - head_len);
    add_rest("ETag: \"new\"\r\n", from, w->image_len - from);
    assert_string_equal(world_run(w, UPDATE, DONE_MS), DONE_TEXT);
    world_assert_upgraded(w);
    assert_range(1, 5000);
    assert_non_null(strstr(w->net.contacts[2].request, "If-Range: \"new\"\r\n"));
    free(answer);
}

/* Progress is counted anew for the new file. */
static void row_12_a_file_that_changed_may_break_often_too(void **state)
{
    size_t at = 800;

    (void)state;
    add_whole("ETag: " ETAG "\r\n", 8000);
    for (size_t i = 0; i < 4; i++) {
        fake_net_add_text(&w->net, "")->ready_err = ALOFT_ERR_CONNECT;
    }
    add_whole("ETag: " ETAG "\r\n", at);
    for (size_t i = 0; i < 8; i++) {
        add_rest("", at, 400);
        at += 400;
    }
    add_rest("", at, w->image_len - at);
    assert_string_equal(world_run(w, UPDATE, 60000), DONE_TEXT);
    world_assert_upgraded(w);
}

static void row_12_nothing_is_resumed_without_a_strong_validator(void **state)
{
    static const char *const headers[] = {
        "",
        "ETag: W/\"0123\"\r\n",
        "ETag: 0123\r\n",
        "ETag: \"\r\n",
        "ETag: \"\"\r\n",
        "ETag: \"a\"b\"\r\n",
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
        "ETag: \"01234567890123456789012345678901234567890123456789012345678901234\"\r\n",
    };
    (void)state;

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        add_whole(headers[i], 5000);
        assert_string_equal(world_run(w, UPDATE, DONE_MS), FAIL_TEXT);
        world_assert_failed(w, "TRUNCATED");
        assert_int_equal(w->net.n_contacts, 1);
        tear_down(NULL);
        set_up(NULL);
    }
    /* The longest that is taken. */
    add_whole("ETag: \"0123456789012345678901234567890123456789012345678901234567890123\"\r\n",
              5000);
    add_rest("", 5000, w->image_len - 5000);
    assert_string_equal(world_run(w, UPDATE, DONE_MS), DONE_TEXT);
}

/* The end of a body without length cannot be told from a break. */
static void row_12_nothing_is_resumed_without_a_length(void **state)
{
    (void)state;
    add("HTTP/1.1 200 OK\r\nETag: " ETAG "\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n", 0, 4096);
    assert_string_equal(world_run(w, UPDATE, DONE_MS), FAIL_TEXT);
    world_assert_failed(w, "TRUNCATED");
    assert_int_equal(w->net.n_contacts, 1);
}

static void row_12_another_answer_than_the_rest_ends_it(void **state)
{
    static const struct {
        const char *head;
        const char *reason;
    } rows[] = {
        {"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n", "HTTP_STATUS"},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP_STATUS"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Length: 4072\r\n\r\n", "HTTP_FRAMING"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4996-9071/9072\r\n\r\n",
         "HTTP_FRAMING"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5000-9070/9072\r\n\r\n",
         "HTTP_FRAMING"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5000-9071/9073\r\n\r\n",
         "HTTP_FRAMING"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5000-9071/*\r\n\r\n",
         "HTTP_FRAMING"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5000-9071/9072 \r\n x\r\n\r\n",
         "HTTP_FRAMING"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Range: items 5000-9071/9072\r\n\r\n",
         "HTTP_FRAMING"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5000-9071/9072x\r\n\r\n",
         "HTTP_FRAMING"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Length: 4071\r\n"
         "Content-Range: bytes 5000-9071/9072\r\n\r\n",
         "HTTP_FRAMING"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes "
         "18446744073709556616-9071/9072\r\n\r\n",
         "HTTP_FRAMING"},
    };
    (void)state;

    assert_int_equal(w->image_len, 9072);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        add_whole("ETag: " ETAG "\r\n", 5000);
        add(rows[i].head, 5000, w->image_len - 5000);
        assert_string_equal(world_run(w, UPDATE, DONE_MS), FAIL_TEXT);
        world_assert_failed(w, rows[i].reason);
        assert_int_equal(w->net.n_contacts, 2);
        tear_down(NULL);
        set_up(NULL);
    }
}

/* The digest runs over the seam, and is that of the first answer. */
static void row_12_the_announced_digest_covers_the_whole(void **state)
{
    char headers[200];
    char hex[65];
    (void)state;

    for (int is_wrong = 0; is_wrong <= 1; is_wrong++) {
        fake_image_sha256(w->image, w->image_len, hex);
        hex[0] = (char)(is_wrong ? hex[0] ^ 1 : hex[0]);
        (void)snprintf(headers, sizeof headers, "ETag: " ETAG "\r\nAloft-Sha256: %s\r\n", hex);
        add_whole(headers, 5003);
        add_rest("", 5000, w->image_len - 5000)->portion = 1;
        (void)world_run(w, UPDATE, 20000);
        if (is_wrong) {
            world_assert_failed(w, "HASH");
        } else {
            world_assert_upgraded(w);
        }
        tear_down(NULL);
        set_up(NULL);
    }
}

/* Up to three bytes come twice: those that stand in flash are judged again there. */
static void row_12_a_rest_of_other_bytes_is_found(void **state)
{
    (void)state;
    add_whole("ETag: " ETAG "\r\n", 5003);
    struct fake_answer *rest = add_rest("", 5000, w->image_len - 5000);
    ((char *)allocated[1])[rest->len - (w->image_len - 5000)] ^= 1;
    (void)world_run(w, UPDATE, DONE_MS);
    world_assert_failed(w, "CHECKSUM");
}

static void row_12_a_reset_in_the_pause_leaves_nothing_open(void **state)
{
    (void)state;
    add_whole("ETag: " ETAG "\r\n", 5000);
    (void)world_run(w, UPDATE, 500);
    assert_string_equal(world_run(w, "AT+RST", 100), "\r\nWill force to restart!!!\r\n");
    assert_int_equal(w->port->boot.n_restarts, 1);
    assert_int_equal(w->port->boot.n_selects, 0);
    assert_int_equal(w->net.n_open, 0);
    assert_int_equal(w->net.n_contacts, 1);
}

static void row_12_a_cancel_in_the_pause_leaves_nothing_open(void **state)
{
    (void)state;
    add_whole("ETag: " ETAG "\r\n", 5000);
    (void)world_run(w, UPDATE, 500);
    aloft_upgrade_cancel(&w->port->module);
    assert_false(aloft_upgrade_is_running(&w->port->module));
    assert_string_equal(world_run(w, "AT", 5000), "\r\nERROR\r\n\r\nOK\r\n");
    world_assert_failed(w, "CANCELLED");
    assert_int_equal(w->net.n_contacts, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(row_12_a_break_anywhere_is_resumed),
        CASE(row_12_a_stall_is_resumed),
        CASE(row_12_a_server_that_restarts_is_asked_again),
        CASE(row_12_a_break_before_the_first_good_bytes_begins_again),
        CASE(row_12_each_break_is_resumed_while_there_is_progress),
        CASE(row_12_five_tries_without_progress_end_it),
        CASE(row_12_the_same_beginning_again_is_no_progress),
        CASE(row_12_the_total_time_bounds_the_pauses),
        CASE(row_12_a_file_that_changed_is_stored_from_its_beginning),
        CASE(row_12_a_file_that_changed_may_break_often_too),
        CASE(row_12_nothing_is_resumed_without_a_strong_validator),
        CASE(row_12_nothing_is_resumed_without_a_length),
        CASE(row_12_another_answer_than_the_rest_ends_it),
        CASE(row_12_the_announced_digest_covers_the_whole),
        CASE(row_12_a_rest_of_other_bytes_is_found),
        CASE(row_12_a_reset_in_the_pause_leaves_nothing_open),
        CASE(row_12_a_cancel_in_the_pause_leaves_nothing_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
