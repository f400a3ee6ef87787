/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "aloft/http_head.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** Feed `text` in two parts; returns the last result, collects the payload and the bytes used. */
static enum aloft_err feed_cut(const char *text, size_t len, size_t cut, char *payload,
                               size_t *ret_used)
{
    struct aloft_http_chunked chunked = {0};
    enum aloft_err err = ALOFT_ERR_OK;
    size_t at = 0;

    while (at < len && err == ALOFT_ERR_OK) {
        size_t part_end = at < cut ? cut : len;
        size_t used;
        size_t off;
        size_t n;

        err = aloft_http_chunked_feed(&chunked, text + at, part_end - at, &used, &off, &n);
        assert_true(off + n <= used && used <= part_end - at && used > 0);
        strncat(payload, text + at + off, n);
        at += used;
    }
    *ret_used = at;
    return err;
}

static void chunked_feed__takes_and_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum aloft_err wanted;
        const char *payload;
    } rows[] = {
        {"0\r\n\r\n", ALOFT_ERR_CLOSED, ""},
        {"5\r\nhello\r\n0\r\n\r\n", ALOFT_ERR_CLOSED, "hello"},
        {"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", ALOFT_ERR_CLOSED, "hello!"},
        {"0A\r\n0123456789\r\n000\r\n\r\n", ALOFT_ERR_CLOSED, "0123456789"},
        {"a\r\n0123456789\r\n0\r\n\r\n", ALOFT_ERR_CLOSED, "0123456789"},
        {"1;x=\"y\"\r\n!\r\n0;z\r\n\r\n", ALOFT_ERR_CLOSED, "!"},
        {"1\r\n!\r\n0\r\nTrailer: a\r\nB: c\r\n\r\n", ALOFT_ERR_CLOSED, "!"},
        {"4\r\n\r\n\r\n\r\n0\r\n\r\n", ALOFT_ERR_CLOSED, "\r\n\r\n"},
        {"5\r\nhel", ALOFT_ERR_OK, "hel"},
        {"FFFFFFFFFFFFFFFF\r\nx", ALOFT_ERR_OK, "x"},
        {"10000000000000000\r\nx", ALOFT_ERR_HTTP_FRAMING, ""},
        {"\r\n", ALOFT_ERR_HTTP_FRAMING, ""},
        {";x\r\n", ALOFT_ERR_HTTP_FRAMING, ""},
        {"g\r\n", ALOFT_ERR_HTTP_FRAMING, ""},
        {"-1\r\n", ALOFT_ERR_HTTP_FRAMING, ""},
        {"+1\r\n", ALOFT_ERR_HTTP_FRAMING, ""},
        {" 1\r\n", ALOFT_ERR_HTTP_FRAMING, ""},
        {"1 \r\n", ALOFT_ERR_HTTP_FRAMING, ""},
        {"0x1\r\n", ALOFT_ERR_HTTP_FRAMING, ""},
        {"1\n!\r\n", ALOFT_ERR_HTTP_FRAMING, ""},
        {"1\r!\r\n", ALOFT_ERR_HTTP_FRAMING, ""},
        {"1;a\n!\r\n", ALOFT_ERR_HTTP_FRAMING, ""},
        {"1\r\n!!\r\n", ALOFT_ERR_HTTP_FRAMING, "!"},
        {"1\r\n!\n0\r\n\r\n", ALOFT_ERR_HTTP_FRAMING, "!"},
        {"1\r\n!\r0\r\n\r\n", ALOFT_ERR_HTTP_FRAMING, "!"},
        {"0\r\n\n", ALOFT_ERR_HTTP_FRAMING, ""},
        {"0\r\n\rx", ALOFT_ERR_HTTP_FRAMING, ""},
        {"0\r\nA: b\rx", ALOFT_ERR_HTTP_FRAMING, ""},
        {"0\r\nA\x01", ALOFT_ERR_HTTP_FRAMING, ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = strlen(rows[i].text);

        for (size_t cut = 0; cut <= len; cut++) {
            char payload[64] = "";
            size_t used;
            enum aloft_err got = feed_cut(rows[i].text, len, cut, payload, &used);

            if (got != rows[i].wanted) {
                fail_msg("row %zu cut at %zu: got %s, wanted %s", i, cut, aloft_err_name(got),
                         aloft_err_name(rows[i].wanted));
            }
            assert_string_equal(payload, rows[i].payload);
            if (got == ALOFT_ERR_CLOSED) {
                assert_int_equal(used, len);
            }
        }
    }
}

static void chunked_feed__leaves_the_next_message_alone(void **state)
{
    (void)state;
    static const char text[] = "0\r\n\r\nHTTP/1.1 200 OK";
    struct aloft_http_chunked chunked = {0};
    size_t used;
    size_t off;
    size_t n;

    assert_err(aloft_http_chunked_feed(&chunked, text, strlen(text), &used, &off, &n),
               ALOFT_ERR_CLOSED);
    assert_int_equal(used, 5);
    assert_int_equal(n, 0);
    assert_err(aloft_http_chunked_feed(&chunked, text + 5, strlen(text) - 5, &used, &off, &n),
               ALOFT_ERR_CLOSED);
    assert_int_equal(used, 0);
}

static void chunked_feed__bounds_its_lines(void **state)
{
    (void)state;
    static const struct {
        const char *start;
        const char *end;
    } rows[] = {{"0;", "\r\n\r\n"}, {"", "1\r\n!\r\n0\r\n\r\n"}, {"0\r\nA:", "\r\n\r\n"}};
    static const char fill[] = {'x', '0', 'y'};

    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[ALOFT_HTTP_CHUNK_LINE_MAX + 64];
        char payload[64] = "";
        size_t start_len = strlen(rows[i].start);
        size_t end_len = strlen(rows[i].end);
        size_t used;

        memcpy(text, rows[i].start, start_len);
        memset(text + start_len, fill[i], ALOFT_HTTP_CHUNK_LINE_MAX + 1);
        memcpy(text + start_len + 100, rows[i].end, end_len);
        assert_err(feed_cut(text, start_len + 100 + end_len, 0, payload, &used), ALOFT_ERR_CLOSED);
        memset(text + start_len + 100, fill[i], end_len);
        assert_err(feed_cut(text, start_len + ALOFT_HTTP_CHUNK_LINE_MAX + 1, 0, payload, &used),
                   ALOFT_ERR_HTTP_FRAMING);
    }
}

static void chunked_feed__bounds_the_trailer_as_a_whole(void **state)
{
    (void)state;
    char text[ALOFT_HTTP_CHUNK_LINE_MAX * 2] = "0\r\n";
    char payload[8] = "";
    size_t used;

    for (size_t at = 3; at + 5 < sizeof text; at += 5) {
        memcpy(text + at, "A:b\r\n", 5);
    }
    assert_err(feed_cut(text, sizeof text - 8, 0, payload, &used), ALOFT_ERR_HTTP_FRAMING);
}

static void range_parse__follows_the_table(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        uint64_t total;
        enum aloft_err wanted;
        uint64_t start;
        uint64_t end;
    } rows[] = {
        {"bytes=0-", 1000, ALOFT_ERR_OK, 0, 1000},
        {"bytes=999-", 1000, ALOFT_ERR_OK, 999, 1000},
        {"BYTES=1-", 1000, ALOFT_ERR_OK, 1, 1000},
        {"bytes=0-0", 1000, ALOFT_ERR_OK, 0, 1},
        {"bytes=10-19", 1000, ALOFT_ERR_OK, 10, 20},
        {"bytes=10-999", 1000, ALOFT_ERR_OK, 10, 1000},
        {"bytes=10-1000", 1000, ALOFT_ERR_OK, 10, 1000},
        {"bytes=10-18446744073709551615", 1000, ALOFT_ERR_OK, 10, 1000},
        {"bytes=-1", 1000, ALOFT_ERR_OK, 999, 1000},
        {"bytes=-1000", 1000, ALOFT_ERR_OK, 0, 1000},
        {"bytes=-1001", 1000, ALOFT_ERR_OK, 0, 1000},
        {"bytes=1000-", 1000, ALOFT_ERR_RANGE, 0, 0},
        {"bytes=0-", 0, ALOFT_ERR_RANGE, 0, 0},
        {"bytes=-1", 0, ALOFT_ERR_RANGE, 0, 0},
        {"bytes=-0", 1000, ALOFT_ERR_RANGE, 0, 0},
        {"bytes=18446744073709551615-", 1000, ALOFT_ERR_RANGE, 0, 0},
        {"bytes=18446744073709551616-", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"bytes=5-4", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"bytes=0-1,3-4", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"bytes=0-1,-4", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"bytes=,0-1", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"bytes=-", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"bytes=--1", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"bytes=", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"bytes=5", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"bytes= 0-", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"bytes=0- ", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"bytes=+0-", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"bytes=a-", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"bytes:0-", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"lines=0-", 1000, ALOFT_ERR_SYNTAX, 0, 0},
        {"", 1000, ALOFT_ERR_SYNTAX, 0, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct aloft_http_range range = {0, 0};
        enum aloft_err got =
            aloft_http_range_parse(rows[i].value, strlen(rows[i].value), rows[i].total, &range);

        if (got != rows[i].wanted) {
            fail_msg("'%s': got %s, wanted %s", rows[i].value, aloft_err_name(got),
                     aloft_err_name(rows[i].wanted));
        }
        assert_int_equal(range.start, rows[i].start);
        assert_int_equal(range.end, rows[i].end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunked_feed__takes_and_refuses),
        cmocka_unit_test(chunked_feed__leaves_the_next_message_alone),
        cmocka_unit_test(chunked_feed__bounds_its_lines),
        cmocka_unit_test(chunked_feed__bounds_the_trailer_as_a_whole),
        cmocka_unit_test(range_parse__follows_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
