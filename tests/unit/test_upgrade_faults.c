/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/config.h"

/* What a server, a network and a flash can do wrong: each must end in ERROR, never in a false
 * success, and nothing may be erased before good bytes came (facts/ciupdate-wire.md 7). And what a
 * tolerant client must stand. */

#define UPDATE  "AT+CIUPDATE=0,\"v5.0.1.0\""
#define DONE_MS 10000

#define OK_HEAD   "HTTP/1.1 200 OK\r\n"
#define IMAGE_LEN 592 /* Of fake_image_new(SMALL). */
#define SMALL     512

static void assert_ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);

    if (len < strlen(end) || strcmp(text + len - strlen(end), end) != 0) {
        fail_msg("\"%s\" does not end with \"%s\"", text, end);
    }
}

/* facts/at-commands.md 2.2, run-time failures; 6.1. */
static void row_20_network_faults_end_in_error_with_nothing_erased(void **state)
{
    static const struct {
        const char *reason;
        struct fake_answer answer;
    } rows[] = {
        {"RESOLVE", {.resolve_err = ALOFT_ERR_RESOLVE}},
        {"RESOLVE", {.resolve_err = ALOFT_ERR_RESOLVE, .n_resolve_waits = 3}},
        {"STALLED", {.n_resolve_waits = 1u << 30}},
        {"CONNECT", {.open_err = ALOFT_ERR_CONNECT}},
        {"CONNECT", {.ready_err = ALOFT_ERR_CONNECT, .n_ready_waits = 3}},
        {"TLS", {.ready_err = ALOFT_ERR_TLS, .n_ready_waits = 3}},
        {"STALLED", {.n_ready_waits = 1u << 30}},
        {"IO", {.write_err = ALOFT_ERR_IO}},
        {"CLOSED", {.write_err = ALOFT_ERR_CLOSED}},
        {"STALLED", {.write_err = ALOFT_ERR_AGAIN}},
        {"STALLED", {.end = FAKE_END_SILENCE}},
        {"CLOSED", {.end = FAKE_END_FIN}},
        {"IO", {.end = FAKE_END_RESET}},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_new(SMALL);
        *fake_net_add(&w->net, "", 0) = rows[i].answer;
        const char *out = world_run(w, UPDATE, ALOFT_CONFIG_STALL_MS + 1000);
        bool has_address =
            rows[i].answer.resolve_err == ALOFT_ERR_OK && rows[i].answer.n_resolve_waits == 0;
        assert_string_equal(out, has_address ? "+CIPUPDATE:1\r\n\r\nERROR\r\n" : "\r\nERROR\r\n");
        world_assert_failed(w, rows[i].reason);
        world_assert_flash_untouched(w);
        world_free(w);
    }
}

static void row_10_a_stall_ends_after_its_time_not_before(void **state)
{
    struct world *w = world_new(SMALL);

    (void)state;
    fake_net_add(&w->net, w->answer, 400)->end = FAKE_END_SILENCE;
    assert_string_equal(world_run(w, UPDATE, ALOFT_CONFIG_STALL_MS - 1000), "+CIPUPDATE:1\r\n");
    assert_string_equal(world_run(w, "", 2000), "\r\nbusy p...\r\n\r\nERROR\r\n");
    world_assert_failed(w, "STALLED");
    world_free(w);
}

/* A peer that always sends a little is no stall, but it is not for ever. */
static void row_10_the_total_time_ends_an_endless_trickle(void **state)
{
    struct world *w = world_new(SMALL);
    size_t len = 20000;
    char *head = malloc(len);

    (void)state;
    memset(head, 'x', len);
    memcpy(head, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    for (size_t at = 0; at + 25 <= len; at += 25) {
        memcpy(head + at, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
    fake_net_add(&w->net, head, len - len % 25)->portion = 1;
    for (int i = 0; i < 900; i++) {
        w->port->now_ms += 1000;
        (void)aloft_module_step(&w->port->module, w->port->now_ms);
    }
    (void)fake_port_read(w->port);
    fake_port_send(w->port, UPDATE "\r\n");
    while (w->port->now_ms < 2 * (uint64_t)ALOFT_CONFIG_TOTAL_MS) {
        w->port->now_ms += 1000;
        (void)aloft_module_step(&w->port->module, w->port->now_ms);
    }
    assert_ends_with(fake_port_read(w->port), "\r\nERROR\r\n");
    world_assert_failed(w, "TIMEOUT");
    world_free(w);
    free(head);
}

/* One file answer: `head` and the first `n_image` bytes of the image. */
static void run_file(struct world *w, const char *head, size_t n_image)
{
    size_t head_len = strlen(head);
    uint8_t *bytes = malloc(head_len + n_image + 1);

    memcpy(bytes, head, head_len);
    memcpy(bytes + head_len, w->image, n_image);
    fake_net_add(&w->net, bytes, head_len + n_image);
    world_run(w, UPDATE, ALOFT_CONFIG_STALL_MS + 1000);
    free(bytes);
}

static void file__heads_that_are_not_good_are_refused_untouched(void **state)
{
    static const struct {
        const char *head;
        const char *reason;
    } rows[] = {
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 592\r\n\r\n", "HTTP_STATUS"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Length: 592\r\n\r\n", "HTTP_STATUS"},
        {"HTTP/1.1 500 Oops\r\nContent-Length: 592\r\n\r\n", "HTTP_STATUS"},
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP_STATUS"},
        {OK_HEAD "\r\n", "HTTP_FRAMING"}, /* facts/at-commands.md 6.1, row 3 */
        {OK_HEAD "Connection: close\r\n\r\n", "HTTP_FRAMING"},
        {OK_HEAD "Content-Length: 592\r\nContent-Length: 593\r\n\r\n", "HTTP_FRAMING"},
        {OK_HEAD "Content-Length: 592\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP_FRAMING"},
        {OK_HEAD "Content-Length: 592\r\nContent-Encoding: gzip\r\n\r\n", "UNSUPPORTED"},
        {OK_HEAD "Content-Length: 592\r\nAloft-Sha256: 1234\r\n\r\n", "HEADER"},
        {OK_HEAD "Content-Length: 0\r\n\r\n", "TRUNCATED"},
        {OK_HEAD "Content-Length: 287\r\n\r\n", "TRUNCATED"},
        {OK_HEAD "Content-Length: 1900545\r\n\r\n", "TOO_BIG"}, /* the slot has 1900544 */
        {OK_HEAD "Content-Length: 99999999999999\r\n\r\n", "TOO_BIG"},
        {"220 mail.example ready\r\n\r\n", "SYNTAX"},
        {OK_HEAD "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "HTTP_FRAMING"},
        {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "TRUNCATED"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_new(SMALL);
        run_file(w, rows[i].head, w->image_len);
        assert_string_equal(fake_port_read(w->port), "");
        world_assert_failed(w, rows[i].reason);
        world_assert_flash_untouched(w);
        world_free(w);
    }
}

static void row_03_a_file_without_a_length_fails_untouched(void **state)
{
    struct world *w = world_new(SMALL);

    (void)state;
    run_file(w, OK_HEAD "Content-Type: application/octet-stream\r\n\r\n", w->image_len);
    world_assert_failed(w, "HTTP_FRAMING");
    world_assert_flash_untouched(w);
    world_free(w);
}

/* A whole image behind any of them: it is not taken for one. */
static void row_05_a_status_other_than_200_fails_untouched(void **state)
{
    static const int statuses[] = {201, 202, 203, 204, 205, 206, 226, 300, 304, 305, 306, 400,
                                   401, 403, 404, 410, 416, 429, 500, 502, 503, 504, 599};
    char head[100];
    (void)state;

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct world *w = world_new(SMALL);
        (void)snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Length: 592\r\n\r\n",
                       statuses[i]);
        run_file(w, head, w->image_len);
        world_assert_failed(w, "HTTP_STATUS");
        world_assert_flash_untouched(w);
        world_free(w);
    }
}

static void file__head_without_end_is_refused(void **state)
{
    struct world *w = world_new(SMALL);
    char *head = malloc(6000);

    (void)state;
    memset(head, 'a', 6000);
    memcpy(head, OK_HEAD "X: ", sizeof OK_HEAD + 2);
    fake_net_add(&w->net, head, 6000);
    assert_string_equal(world_run(w, UPDATE, DONE_MS), "+CIPUPDATE:1\r\n\r\nERROR\r\n");
    world_assert_failed(w, "TOO_BIG");
    world_assert_flash_untouched(w);
    world_free(w);
    free(head);
}

/* The first 288 bytes decide whether the spare slot is touched at all: it may hold the image to
 * fall back to. */
static void row_20_wrong_first_bytes_are_refused_untouched(void **state)
{
    static const struct {
        size_t off;
        uint8_t value;
        const char *reason;
    } rows[] = {
        {0, 'E', "MAGIC"},       {0, '{', "MAGIC"},
        {12, 0x0D, "CHIP"}, /* facts/esp-formats.md 8.3: an ESP32-C6 */
        {1, 0, "SEGMENT_COUNT"}, {1, 17, "SEGMENT_COUNT"},
        {28, 2, "SEGMENT_LEN"},  {24, 0x24, "ALIGN"},
        {32, 0, "NO_APP_DESC"},  {30, 0x40, "TOO_BIG"}, /* a segment of 4 MiB */
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_new(SMALL);
        w->image[rows[i].off] = rows[i].value;
        run_file(w, OK_HEAD "Content-Length: 592\r\n\r\n", w->image_len);
        world_assert_failed(w, rows[i].reason);
        world_assert_flash_untouched(w);
        world_free(w);
    }
}

/* facts/esp-formats.md 1.7, checks 4 and 5: the boot loader would refuse it, after the image to
 * fall back to is gone. */
static void file__for_another_chip_revision_is_refused_untouched(void **state)
{
    static const struct {
        size_t off;
        uint8_t low, high;
    } bounds[] = {{15, 0x2D, 0x01}, {17, 0x2B, 0x01}}; /* From 301, up to 299. */
    (void)state;

    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        struct world *w = world_new(SMALL);
        w->config.chip_revision = 300;
        world_reboot(w);
        w->image[bounds[i].off] = bounds[i].low;
        w->image[bounds[i].off + 1] = bounds[i].high;
        run_file(w, OK_HEAD "Content-Length: 592\r\n\r\n", w->image_len);
        world_assert_failed(w, "CHIP_REVISION");
        world_assert_flash_untouched(w);
        world_free(w);
    }
}

static void file__cut_anywhere_is_never_selected(void **state)
{
    static const enum fake_end ends[] = {FAKE_END_FIN, FAKE_END_RESET, FAKE_END_SILENCE};
    static const char *const reasons[] = {"TRUNCATED", "IO", "STALLED"};
    (void)state;

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        for (size_t n = 1; n < IMAGE_LEN; n += 31) {
            struct world *w = world_new(SMALL);
            struct fake_answer *answer =
                fake_net_add(&w->net, w->answer, w->answer_len - IMAGE_LEN + n);
            answer->end = ends[i];
            assert_string_equal(world_run(w, UPDATE, ALOFT_CONFIG_STALL_MS + 1000),
                                "+CIPUPDATE:1\r\n\r\nERROR\r\n");
            world_assert_failed(w, reasons[i]);
            if (n < 288) {
                world_assert_flash_untouched(w);
            }
            world_free(w);
        }
    }
}

static void file__each_flipped_byte_is_found(void **state)
{
    (void)state;
    for (size_t off = 288; off < IMAGE_LEN; off += 7) {
        struct world *w = world_new(SMALL);
        w->image[off] ^= 0x10;
        run_file(w, OK_HEAD "Content-Length: 592\r\n\r\n", w->image_len);
        bool is_in_hash = off >= IMAGE_LEN - 32;
        bool is_zero_padding = off >= 32 + SMALL && off < IMAGE_LEN - 33;
        world_assert_failed(w, is_in_hash || is_zero_padding ? "HASH" : "CHECKSUM");
        world_free(w);
    }
}

static void file__length_shorter_than_the_image_is_truncated(void **state)
{
    struct world *w = world_new(SMALL);

    (void)state;
    run_file(w, OK_HEAD "Content-Length: 584\r\n\r\n", w->image_len);
    world_assert_failed(w, "TRUNCATED");
    world_free(w);
}

/* Only the announced length is read: what a server sends behind it is not ours. */
static void row_13_bytes_behind_the_length_are_not_read(void **state)
{
    struct world *w = world_new(SMALL);
    uint8_t *bytes = calloc(1, w->answer_len + 500);

    (void)state;
    memcpy(bytes, w->answer, w->answer_len);
    fake_net_add(&w->net, bytes, w->answer_len + 500);
    world_run(w, UPDATE, DONE_MS);
    world_assert_upgraded(w);
    world_free(w);
    free(bytes);
}

/* facts/ciupdate-wire.md 3.2: what breaks the stock parser must not break ours. */
static void row_04_any_segmentation_succeeds(void **state)
{
    static const size_t portions[] = {1, 2, 3, 5, 64, 65, 128, 512, 1024, 1460};
    (void)state;

    for (size_t i = 0; i < sizeof portions / sizeof portions[0]; i++) {
        struct world *w = world_new(3000);
        fake_net_add(&w->net, w->answer, w->answer_len)->portion = portions[i];
        w->net.answers[0].write_portion = portions[i];
        assert_string_equal(world_run(w, UPDATE, 60000),
                            "+CIPUPDATE:1\r\n+CIPUPDATE:4\r\n\r\nOK\r\n");
        world_assert_upgraded(w);
        world_free(w);
    }
    for (size_t first = 1; first < 160; first++) {
        struct world *w = world_new(SMALL);
        struct fake_answer *answer = fake_net_add(&w->net, w->answer, w->answer_len);
        answer->first = first;
        answer->portion = 4096;
        world_run(w, UPDATE, 60000);
        world_assert_upgraded(w);
        world_free(w);
    }
}

static void file__header_case_and_interim_answers_do_not_matter(void **state)
{
    struct world *w = world_new(SMALL);

    (void)state;
    run_file(w,
             "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
             "HTTP/1.0 200 Fine\r\nX-Original-Content-Length: 5\r\ncontent-length:592\r\n\r\n",
             w->image_len);
    world_assert_upgraded(w);
    world_free(w);
}

static size_t add_chunk(char *out, const uint8_t *bytes, size_t len)
{
    size_t n = (size_t)snprintf(out, 16, "%zx;x=y\r\n", len);

    memcpy(out + n, bytes, len);
    memcpy(out + n + len, "\r\n", 2);
    return n + len + 2;
}

static void row_06_a_chunked_file_succeeds_in_any_portions(void **state)
{
    static const size_t chunks[] = {1, 3, 100, 4096};
    static const char head[] = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n";
    (void)state;

    for (size_t i = 0; i < 4 * sizeof chunks / sizeof chunks[0]; i++) {
        struct world *w = world_new(5000);
        char *out = malloc(100 + 16 * w->image_len);
        size_t chunk = chunks[i / 4];
        size_t len = sizeof head - 1;
        memcpy(out, head, len);
        for (size_t at = 0; at < w->image_len; at += chunk) {
            size_t n = w->image_len - at < chunk ? w->image_len - at : chunk;
            len += add_chunk(out + len, w->image + at, n);
        }
        memcpy(out + len, "0\r\nTrailer: x\r\n\r\n", 17);
        fake_net_add(&w->net, out, len + 17)->portion = (size_t[]){0, 1, 7, 1460}[i % 4];
        world_run(w, UPDATE, 200000);
        world_assert_upgraded(w);
        world_free(w);
        free(out);
    }
}

static void file__chunked_that_outgrows_the_slot_is_refused(void **state)
{
    struct world *w = world_new(9000);
    char *out = malloc(100 + 2 * w->image_len);
    static const char head[] = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n";
    size_t len = sizeof head - 1;

    (void)state;
    w->port->boot.spare.size_bytes = 8192;
    memcpy(out, head, len);
    len += add_chunk(out + len, w->image, w->image_len);
    fake_net_add(&w->net, out, len);
    world_run(w, UPDATE, DONE_MS);
    world_assert_failed(w, "TOO_BIG");
    world_assert_flash_untouched(w); /* The segment length already tells. */
    world_free(w);
    free(out);
}

/* facts/esp-formats.md 1.5 and 7 row 19; the forms of a trailer are in test_upgrade_writer.c. */
static void file__may_have_ff_behind_the_image_and_nothing_else(void **state)
{
    static const struct {
        size_t off;
        uint8_t value;
        const char *reason; /* NULL = accepted. */
    } rows[] = {
        {4097, 0xFF, NULL},
        {4097, 0, "TRAILING"},
        {4096, 0xE7, "TRAILING"}, /* A signature sector that is not whole. */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_new(SMALL);
        w->image = realloc(w->image, 5000);
        memset(w->image + w->image_len, 0xFF, 5000 - w->image_len);
        w->image[rows[i].off] = rows[i].value;
        w->image_len = 5000;
        run_file(w, OK_HEAD "Content-Length: 5000\r\n\r\n", 5000);
        if (rows[i].reason == NULL) {
            world_assert_upgraded(w);
        } else {
            world_assert_failed(w, rows[i].reason);
        }
        world_free(w);
    }
    (void)state;
}

static void row_11_an_announced_sha256_must_be_that_of_the_body(void **state)
{
    char hex[65];
    char header[100];
    (void)state;

    for (int i = 0; i < 2; i++) {
        struct world *w = world_new(5000);
        size_t len = 0;
        fake_image_sha256(w->image, w->image_len, hex);
        hex[63] = (char)(i == 0 ? hex[63] : hex[63] == '0' ? '1' : '0');
        snprintf(header, sizeof header, "Aloft-Sha256: %s\r\n", hex);
        uint8_t *answer = fake_image_answer(w->image, w->image_len, header, &len);
        fake_net_add(&w->net, answer, len);
        world_run(w, UPDATE, DONE_MS);
        if (i == 0) {
            world_assert_upgraded(w);
        } else {
            world_assert_failed(w, "HASH");
        }
        world_free(w);
        free(answer);
    }
}

/* Every flash operation fails once: no upgrade may succeed then. */
static void flash__each_failing_operation_ends_in_error(void **state)
{
    unsigned n_ops = 0;
    (void)state;

    for (unsigned n = 0; n == 0 || n <= n_ops; n++) {
        struct world *w = world_new(9000);
        fake_net_add(&w->net, w->answer, w->answer_len);
        w->port->flash.n_ops_until_failure = n;
        const char *out = world_run(w, UPDATE, DONE_MS);
        if (n == 0) {
            n_ops = w->port->flash.n_erases + w->port->flash.n_writes;
            world_assert_upgraded(w);
        } else {
            assert_string_equal(out, "+CIPUPDATE:1\r\n\r\nERROR\r\n");
            world_assert_failed(w, "FLASH");
        }
        world_free(w);
    }
    assert_true(n_ops >= 6);
}

static enum aloft_err (*good_write)(void *ctx, uint32_t addr, const uint8_t *buf, size_t len);

/* A flash that says OK and loses a bit of what stands at 0x231000. */
static enum aloft_err lying_write(void *ctx, uint32_t addr, const uint8_t *buf, size_t len)
{
    struct fake_port *f = ctx;
    enum aloft_err err = good_write(ctx, addr, buf, len);

    f->flash.bytes[0x231000] &= 0xFE;
    return err;
}

static void flash__that_lies_is_found_before_commit(void **state)
{
    struct world *w = world_new(9000);

    (void)state;
    good_write = w->port->port.flash.write;
    w->port->port.flash.write = lying_write;
    assert_int_equal(w->image[0x1000] & 1, 1);
    fake_net_add(&w->net, w->answer, w->answer_len);
    assert_string_equal(world_run(w, UPDATE, DONE_MS), "+CIPUPDATE:1\r\n\r\nERROR\r\n");
    world_assert_failed(w, "CHECKSUM");
    world_free(w);
}

/* Behind the image no checksum looks: what stands there is compared too. */
static void flash__that_lies_behind_the_image_is_found(void **state)
{
    struct world *w = world_new(SMALL);

    (void)state;
    good_write = w->port->port.flash.write;
    w->port->port.flash.write = lying_write;
    w->image = realloc(w->image, 5000);
    memset(w->image + w->image_len, 0xFF, 5000 - w->image_len);
    run_file(w, OK_HEAD "Content-Length: 5000\r\n\r\n", 5000);
    world_assert_failed(w, "FLASH");
    world_free(w);
}

static void boot_entry__that_cannot_be_written_ends_in_error(void **state)
{
    struct world *w = world_new(SMALL);

    (void)state;
    w->port->boot.select_err = ALOFT_ERR_FLASH;
    fake_net_add(&w->net, w->answer, w->answer_len);
    assert_string_equal(world_run(w, UPDATE, DONE_MS), "+CIPUPDATE:1\r\n\r\nERROR\r\n");
    world_assert_failed(w, "FLASH");
    assert_int_equal(w->port->settings[0].key[0], '\0');
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_20_network_faults_end_in_error_with_nothing_erased),
        cmocka_unit_test(row_10_a_stall_ends_after_its_time_not_before),
        cmocka_unit_test(row_10_the_total_time_ends_an_endless_trickle),
        cmocka_unit_test(file__heads_that_are_not_good_are_refused_untouched),
        cmocka_unit_test(row_03_a_file_without_a_length_fails_untouched),
        cmocka_unit_test(row_05_a_status_other_than_200_fails_untouched),
        cmocka_unit_test(file__head_without_end_is_refused),
        cmocka_unit_test(row_20_wrong_first_bytes_are_refused_untouched),
        cmocka_unit_test(file__for_another_chip_revision_is_refused_untouched),
        cmocka_unit_test(file__cut_anywhere_is_never_selected),
        cmocka_unit_test(file__each_flipped_byte_is_found),
        cmocka_unit_test(file__length_shorter_than_the_image_is_truncated),
        cmocka_unit_test(row_13_bytes_behind_the_length_are_not_read),
        cmocka_unit_test(row_04_any_segmentation_succeeds),
        cmocka_unit_test(file__header_case_and_interim_answers_do_not_matter),
        cmocka_unit_test(row_06_a_chunked_file_succeeds_in_any_portions),
        cmocka_unit_test(file__chunked_that_outgrows_the_slot_is_refused),
        cmocka_unit_test(file__may_have_ff_behind_the_image_and_nothing_else),
        cmocka_unit_test(row_11_an_announced_sha256_must_be_that_of_the_body),
        cmocka_unit_test(flash__each_failing_operation_ends_in_error),
        cmocka_unit_test(flash__that_lies_is_found_before_commit),
        cmocka_unit_test(flash__that_lies_behind_the_image_is_found),
        cmocka_unit_test(boot_entry__that_cannot_be_written_ends_in_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
