/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"
#include "stock_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/http_head.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define STOCK_VERSION                                                                              \
    "GET /v1/device/rom/?is_format_simple=true HTTP/1.0\r\n"                                       \
    "Host: iot.espressif.cn:80\r\n" STOCK_TAIL "\r\n"

#define STOCK_FILE                                                                                 \
    "GET /v1/device/rom/?action=download_rom&version=v5.0.1.0&filename=ota.bin HTTP/1.1\r\n"       \
    "Host: iot.espressif.cn:80\r\n" STOCK_TAIL "\r\n"

/* facts/ciupdate-wire.md 4.1 */
#define STOCK_LIST                                                                                 \
    "GET /v1/device/rom HTTP/1.1\r\n"                                                              \
    "User-Agent: ESP32 HTTP Client/1.0\r\n"                                                        \
    "Host: iot.espressif.cn\r\n"                                                                   \
    "Authorization: token 0123456789abcdef0123456789abcdef01234567\r\n"                            \
    "\r\n"

static enum aloft_err parse(struct aloft_http_head *head, enum aloft_http_kind kind,
                            const char *text)
{
    aloft_http_head_init(head, kind);
    return aloft_http_head_parse(head, text, strlen(text));
}

static void assert_piece(const char *buf, struct aloft_http_piece piece, const char *wanted)
{
    if (!aloft_http_piece_is(buf, piece, wanted)) {
        fail_msg("got '%.*s', wanted '%s'", piece.len, buf + piece.off, wanted);
    }
}

static void assert_field(const struct aloft_http_head *head, const char *buf, const char *name,
                         const char *wanted)
{
    const char *value;
    size_t len;

    assert_true(aloft_http_head_find(head, buf, name, &value, &len));
    if (len != strlen(wanted) || memcmp(value, wanted, len) != 0) {
        fail_msg("%s: got '%.*s', wanted '%s'", name, (int)len, value, wanted);
    }
}

static void head_parse__reads_the_version_request_of_a_stock_module(void **state)
{
    (void)state;
    struct aloft_http_head head;

    assert_int_equal(strlen(STOCK_VERSION), 392);
    assert_err(parse(&head, ALOFT_HTTP_REQUEST, STOCK_VERSION), ALOFT_ERR_OK);
    assert_int_equal(head.head_len, 392);
    assert_int_equal(head.minor_version, 0);
    assert_piece(STOCK_VERSION, head.method, "GET");
    assert_piece(STOCK_VERSION, head.target, "/v1/device/rom/?is_format_simple=true");
    assert_int_equal(head.n_fields, 8);
    assert_field(&head, STOCK_VERSION, "Host", "iot.espressif.cn:80");
    assert_field(&head, STOCK_VERSION, "authorization",
                 "token 0123456789abcdef0123456789abcdef01234567");
    assert_field(&head, STOCK_VERSION, "USER-AGENT",
                 "Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 (KHTML, like Gecko) "
                 "Chrome/30.0.1599.101 Safari/537.36");
    assert_true(head.is_keep_alive);
    assert_false(head.has_content_length);
    assert_false(head.is_chunked);
}

static void head_parse__reads_the_file_request_of_a_stock_module(void **state)
{
    (void)state;
    struct aloft_http_head head;

    assert_int_equal(strlen(STOCK_FILE), 424);
    assert_err(parse(&head, ALOFT_HTTP_REQUEST, STOCK_FILE), ALOFT_ERR_OK);
    assert_int_equal(head.minor_version, 1);
    assert_piece(STOCK_FILE, head.target,
                 "/v1/device/rom/?action=download_rom&version=v5.0.1.0&filename=ota.bin");
}

static void head_parse__reads_the_list_request_of_a_stock_module(void **state)
{
    (void)state;
    struct aloft_http_head head;

    assert_int_equal(strlen(STOCK_LIST), 153);
    assert_err(parse(&head, ALOFT_HTTP_REQUEST, STOCK_LIST), ALOFT_ERR_OK);
    assert_piece(STOCK_LIST, head.target, "/v1/device/rom");
    assert_field(&head, STOCK_LIST, "User-Agent", "ESP32 HTTP Client/1.0");
    assert_true(head.is_keep_alive);
}

/* facts/ciupdate-wire.md 2.5, 3.4 and 4.4: the heads and their lengths. */
static void head_parse__reads_the_worked_answers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t head_len;
        uint16_t status;
        uint64_t content_length;
    } rows[] = {
        {"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 139\r\n"
         "Cache-Control: no-store\r\nConnection: close\r\n\r\n{\"recommended_rom_version\": ",
         116, 200, 139},
        {"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000\r\n"
         "Cache-Control: no-store, no-transform\r\nConnection: close\r\n\r\n\xE9\x05",
         142, 200, 1000000},
        {"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 24\r\n"
         "Connection: close\r\n\r\nno such version or file\n",
         91, 404, 24},
        {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 207\r\n"
         "Connection: close\r\n\r\n",
         91, 200, 207},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct aloft_http_head head;

        assert_err(parse(&head, ALOFT_HTTP_RESPONSE, rows[i].text), ALOFT_ERR_OK);
        assert_int_equal(head.head_len, rows[i].head_len);
        assert_int_equal(head.status, rows[i].status);
        assert_true(head.has_content_length);
        assert_int_equal(head.content_length, rows[i].content_length);
        assert_false(head.is_keep_alive);
    }
}

struct row {
    const char *text;
    enum aloft_err wanted;
};

static void assert_rows(enum aloft_http_kind kind, const struct row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        struct aloft_http_head head;
        enum aloft_err got = parse(&head, kind, rows[i].text);

        if (got != rows[i].wanted) {
            fail_msg("row %zu '%s': got %s, wanted %s", i, rows[i].text, aloft_err_name(got),
                     aloft_err_name(rows[i].wanted));
        }
        /* Errors and the end are sticky. */
        assert_err(aloft_http_head_parse(&head, rows[i].text, strlen(rows[i].text)), got);
    }
}

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"

/* facts/serving.md 6, row by row; the NUL has a case of its own below. */
static void head_parse__refuses_ambiguous_framing(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {GET "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Content-Length: 5, 5\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Content-Length : 5\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Content-Length\t: 5\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Transfer-Encoding: xchunked\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Transfer-Encoding: gzip, chunked\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Transfer-Encoding:\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         ALOFT_ERR_HTTP_FRAMING},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Content-Length: +5\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Content-Length: -5\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Content-Length: 0x5\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Content-Length: 5 5\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Content-Length:\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Content-Length: 18446744073709551616\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {"GET / HTTP/1.1\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "Host: b\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "A: b\r\n c\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "A: b\r\n\tc\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "A: b\rc\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "A: b\x01\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "A: b\x7F\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {GET "A: b\r\n\r\r\n", ALOFT_ERR_HTTP_FRAMING},
    };
    assert_rows(ALOFT_HTTP_REQUEST, rows, COUNT(rows));
}

static void head_parse__refuses_a_nul_anywhere(void **state)
{
    (void)state;
    static const char text[] = GET "A: b\r\n\r\n";

    for (size_t i = 0; i < sizeof text - 2; i++) {
        struct aloft_http_head head;
        char copy[sizeof text];

        memcpy(copy, text, sizeof text);
        copy[i] = '\0';
        aloft_http_head_init(&head, ALOFT_HTTP_REQUEST);
        assert_err(aloft_http_head_parse(&head, copy, sizeof text - 1),
                   i < strlen("GET / HTTP/1.1\r\n") ? ALOFT_ERR_SYNTAX : ALOFT_ERR_HTTP_FRAMING);
    }
}

/* A long value, so that the walk in eights meets each byte value at each offset. */
static void head_parse__judges_each_byte_of_a_long_value(void **state)
{
    (void)state;
    char text[] = GET "A: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n\r\n";
    const size_t value_off = strlen(GET "A: x");

    for (size_t i = value_off; i < value_off + 24; i++) {
        for (int byte = 0; byte < 256; byte++) {
            struct aloft_http_head head;
            bool is_control = (byte < 0x20 && byte != '\t') || byte == 0x7F;
            enum aloft_err wanted = is_control ? ALOFT_ERR_HTTP_FRAMING : ALOFT_ERR_OK;

            text[i] = (char)byte;
            aloft_http_head_init(&head, ALOFT_HTTP_REQUEST);
            assert_err(aloft_http_head_parse(&head, text, sizeof text - 1),
                       byte == '\n' ? ALOFT_ERR_SYNTAX : wanted); /* LF: a line without colon. */
            text[i] = 'x';
        }
    }
}

static void head_parse__refuses_what_is_no_request(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"GET /\r\n\r\n", ALOFT_ERR_SYNTAX}, /* HTTP/0.9 */
        {"GET / HTTP/2.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET / HTTP/1.2\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET / HTTP/1.10\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET / http/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET  / HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET /  HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET / HTTP/1.0 \r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET /a b HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET /a\tb HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {" GET / HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"G@T / HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET\t/ HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET  HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET index.html HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET http:// HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET ftp://a/ HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET ** HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"CONNECT a:443 HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"\r\n\r\nGET / HTTP/1.0\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"\x16\x03\x01\x02", ALOFT_ERR_SYNTAX}, /* TLS at the plain door: refused at once. */
        {"GET / HTTP/1.0\r\nno colon\r\n\r\n", ALOFT_ERR_HTTP_FRAMING},
        {"GET / HTTP/1.0\r\ncolon\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET / HTTP/1.0\r\n: a\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET / HTTP/1.0\r\na(: a\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"GET / HTTP/1.0\r\n\xC3\xA4: a\r\n\r\n", ALOFT_ERR_SYNTAX},
    };
    assert_rows(ALOFT_HTTP_REQUEST, rows, COUNT(rows));
}

static void head_parse__takes_what_the_grammar_allows(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"GET / HTTP/1.0\n\n", ALOFT_ERR_OK},
        {"GET / HTTP/1.1\nHost: a\r\nB: c\n\n", ALOFT_ERR_OK},
        {"\r\nGET / HTTP/1.0\r\n\r\n", ALOFT_ERR_OK},
        {"\nGET / HTTP/1.0\r\n\r\n", ALOFT_ERR_OK},
        {"GET http://a/b HTTP/1.0\r\n\r\n", ALOFT_ERR_OK},
        {"GET HTTPS://a HTTP/1.0\r\n\r\n", ALOFT_ERR_OK},
        {"OPTIONS * HTTP/1.0\r\n\r\n", ALOFT_ERR_OK},
        {"M-SEARCH / HTTP/1.0\r\n\r\n", ALOFT_ERR_OK},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", ALOFT_ERR_OK},
        {"GET / HTTP/1.1\r\nhOST: [::1]:80\r\n\r\n", ALOFT_ERR_OK},
        {GET "A: \xC3\xA4\tb\r\n\r\n", ALOFT_ERR_OK},
        {GET "transfer-encoding:CHUNKED\r\n\r\n", ALOFT_ERR_OK},
        {GET "Content-Length: 18446744073709551615\r\n\r\n", ALOFT_ERR_OK},
        {"", ALOFT_ERR_AGAIN},
        {"GET / HTTP/1.0\r\n", ALOFT_ERR_AGAIN},
        {"GET / HTTP/1.0\r\n\r", ALOFT_ERR_AGAIN},
    };
    assert_rows(ALOFT_HTTP_REQUEST, rows, COUNT(rows));
}

static void head_parse__takes_and_refuses_status_lines(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"HTTP/1.0 200 OK\r\n\r\n", ALOFT_ERR_OK},
        {"HTTP/1.1 200 \r\n\r\n", ALOFT_ERR_OK},
        {"HTTP/1.1 200\r\n\r\n", ALOFT_ERR_OK},
        {"HTTP/1.1 599 \xC3\xA4\r\n\r\n", ALOFT_ERR_OK},
        {"HTTP/1.1 100 Continue\r\n\r\n", ALOFT_ERR_OK},
        {"HTTP/1.1 099 x\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"HTTP/1.1 600 x\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"HTTP/1.1 20\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"HTTP/1.1 +20 x\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"HTTP/1.1 2000 x\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"HTTP/1.1  200 x\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"HTTP/1.1\t200 x\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"HTTP/3.0 200 x\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"ICY 200 OK\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"\r\nHTTP/1.1 200 OK\r\n\r\n", ALOFT_ERR_SYNTAX},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         ALOFT_ERR_HTTP_FRAMING},
    };
    assert_rows(ALOFT_HTTP_RESPONSE, rows, COUNT(rows));
}

/* facts/ciupdate-wire.md 3.1: these reach the server raw. */
static void head_parse__leaves_odd_bytes_in_the_target(void **state)
{
    (void)state;
    static const char text[] = "GET /v1/device/rom/?action=download_rom&version=a#b%zz&c"
                               "&filename=\xC3\xA4.bin HTTP/1.0\r\n\r\n";
    struct aloft_http_head head;

    assert_err(parse(&head, ALOFT_HTTP_REQUEST, text), ALOFT_ERR_OK);
    assert_piece(text, head.target,
                 "/v1/device/rom/?action=download_rom&version=a#b%zz&c&filename=\xC3\xA4.bin");
}

static void head_parse__knows_when_the_connection_stays(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool wanted;
    } rows[] = {
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: x, keep-alive\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive,close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive-not\r\n\r\n", false},
        {GET "\r\n", true},
        {GET "Connection: Close\r\n\r\n", false},
        {GET "Connection: upgrade\r\nConnection: close\r\n\r\n", false},
        {GET "Connection: closed\r\n\r\n", true},
        {GET "Connection: (;close\r\n\r\n", false},
        {GET "Connection:\r\n\r\n", true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct aloft_http_head head;

        assert_err(parse(&head, ALOFT_HTTP_REQUEST, rows[i].text), ALOFT_ERR_OK);
        if (head.is_keep_alive != rows[i].wanted) {
            fail_msg("row %zu '%s'", i, rows[i].text);
        }
    }
}

static void head_parse__trims_values_and_keeps_their_inside(void **state)
{
    (void)state;
    static const char text[] = GET "A:\t  b \t c \t\r\nEmpty: \t \r\n\r\nbody";
    struct aloft_http_head head;

    assert_err(parse(&head, ALOFT_HTTP_REQUEST, text), ALOFT_ERR_OK);
    assert_field(&head, text, "a", "b \t c");
    assert_field(&head, text, "empty", "");
    assert_int_equal(head.head_len, strlen(text) - strlen("body"));
}

static void head_find__takes_the_first_and_whole_names_only(void **state)
{
    (void)state;
    static const char text[] = GET "Range-Unit: x\r\nRange: 1\r\nrange: 2\r\n\r\n";
    struct aloft_http_head head;
    const char *value;
    size_t len;

    assert_err(parse(&head, ALOFT_HTTP_REQUEST, text), ALOFT_ERR_OK);
    assert_field(&head, text, "Range", "1");
    assert_false(aloft_http_head_find(&head, text, "Rang", &value, &len));
    assert_false(aloft_http_head_find(&head, text, "If-Range", &value, &len));
}

static void head_parse__takes_32_fields_and_refuses_the_33rd(void **state)
{
    (void)state;
    char text[1024] = "GET / HTTP/1.0\r\n";
    size_t len = strlen(text);
    struct aloft_http_head head;

    for (int i = 0; i < ALOFT_HTTP_FIELDS_MAX; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "F%d: v\r\n", i);
    }
    snprintf(text + len, sizeof text - len, "\r\n");
    assert_err(parse(&head, ALOFT_HTTP_REQUEST, text), ALOFT_ERR_OK);
    assert_int_equal(head.n_fields, 32);
    snprintf(text + len, sizeof text - len, "G: v\r\n");
    assert_err(parse(&head, ALOFT_HTTP_REQUEST, text), ALOFT_ERR_TOO_BIG);
}

static void head_parse__takes_65535_bytes_and_no_more(void **state)
{
    (void)state;
    static char text[65536];
    static const char start[] = "GET / HTTP/1.0\r\nA: ";
    struct aloft_http_head head;

    memset(text, 'x', sizeof text);
    memcpy(text, start, strlen(start));
    memcpy(text + 65531, "\r\n\r\n", 4);
    aloft_http_head_init(&head, ALOFT_HTTP_REQUEST);
    assert_err(aloft_http_head_parse(&head, text, 65534), ALOFT_ERR_AGAIN);
    assert_err(aloft_http_head_parse(&head, text, 65535), ALOFT_ERR_OK);
    assert_int_equal(head.head_len, 65535);

    memset(text + 65531, 'x', 1);
    memcpy(text + 65532, "\r\n\r\n", 4);
    aloft_http_head_init(&head, ALOFT_HTTP_REQUEST);
    assert_err(aloft_http_head_parse(&head, text, 65536), ALOFT_ERR_TOO_BIG);
}

/** Everything public must be equal; pieces lie at the same offsets. */
static void assert_same_head(const struct aloft_http_head *a, const struct aloft_http_head *b)
{
    assert_int_equal(a->minor_version, b->minor_version);
    assert_memory_equal(&a->method, &b->method, sizeof a->method);
    assert_memory_equal(&a->target, &b->target, sizeof a->target);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->n_fields, b->n_fields);
    assert_memory_equal(a->fields, b->fields, a->n_fields * sizeof a->fields[0]);
    assert_int_equal(a->is_keep_alive, b->is_keep_alive);
    assert_int_equal(a->has_content_length, b->has_content_length);
    assert_int_equal(a->content_length, b->content_length);
    assert_int_equal(a->is_chunked, b->is_chunked);
    assert_int_equal(a->head_len, b->head_len);
}

static void head_parse__does_not_care_how_bytes_arrive(void **state)
{
    (void)state;
    static const char *const texts[] = {STOCK_VERSION, STOCK_FILE, STOCK_LIST,
                                        "\r\n" GET "Content-Length: 7\n\r\nabcdefg"};

    for (size_t i = 0; i < COUNT(texts); i++) {
        struct aloft_http_head whole;

        assert_err(parse(&whole, ALOFT_HTTP_REQUEST, texts[i]), ALOFT_ERR_OK);
        for (size_t cut = 0; cut < whole.head_len; cut++) {
            struct aloft_http_head head;
            char *first = malloc(cut + 1); /* Exact, so that ASan sees a read too far. */

            memcpy(first, texts[i], cut);
            aloft_http_head_init(&head, ALOFT_HTTP_REQUEST);
            assert_err(aloft_http_head_parse(&head, first, cut), ALOFT_ERR_AGAIN);
            free(first);
            assert_int_equal(head.head_len, 0);
            assert_err(aloft_http_head_parse(&head, texts[i], strlen(texts[i])), ALOFT_ERR_OK);
            assert_same_head(&head, &whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_parse__reads_the_version_request_of_a_stock_module),
        cmocka_unit_test(head_parse__reads_the_file_request_of_a_stock_module),
        cmocka_unit_test(head_parse__reads_the_list_request_of_a_stock_module),
        cmocka_unit_test(head_parse__reads_the_worked_answers),
        cmocka_unit_test(head_parse__refuses_ambiguous_framing),
        cmocka_unit_test(head_parse__refuses_a_nul_anywhere),
        cmocka_unit_test(head_parse__judges_each_byte_of_a_long_value),
        cmocka_unit_test(head_parse__refuses_what_is_no_request),
        cmocka_unit_test(head_parse__takes_what_the_grammar_allows),
        cmocka_unit_test(head_parse__takes_and_refuses_status_lines),
        cmocka_unit_test(head_parse__leaves_odd_bytes_in_the_target),
        cmocka_unit_test(head_parse__knows_when_the_connection_stays),
        cmocka_unit_test(head_parse__trims_values_and_keeps_their_inside),
        cmocka_unit_test(head_find__takes_the_first_and_whole_names_only),
        cmocka_unit_test(head_parse__takes_32_fields_and_refuses_the_33rd),
        cmocka_unit_test(head_parse__takes_65535_bytes_and_no_more),
        cmocka_unit_test(head_parse__does_not_care_how_bytes_arrive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
