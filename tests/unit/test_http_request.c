/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"
#include "stock_request.h"

#include <string.h>

#include "fake_port.h"
#include "http/request.h"

/* Byte for byte as facts/ciupdate-wire.md 2.1, 3.1 and 4.1, which also give the lengths; our own
 * headers stand between the last stock line and the blank line. */

#define STOCK_HEADERS "Host: iot.espressif.cn:80\r\n" STOCK_TAIL

#define OUR_HEADERS                                                                                \
    "Aloft-Device: 7cdfa100000a\r\n"                                                               \
    "Aloft-Module: MINI-1\r\n"                                                                     \
    "Aloft-Chip: esp32c3\r\n"                                                                      \
    "Aloft-Version: v5.0.1.0\r\n"                                                                  \
    "Aloft-Boot: power\r\n"                                                                        \
    "Aloft-Caps: resume,sha256\r\n"

static struct fake_port *port;
static struct aloft_module_config config;

static int set_up(void **state)
{
    (void)state;
    port = fake_port_new();
    config = fake_port_config();
    config.plain.host = "iot.espressif.cn";
    fake_port_boot(port, &config);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_port_free(port);
    return 0;
}

static struct aloft_request_line a_line(enum aloft_http_ask ask)
{
    return (struct aloft_request_line){
        .ask = ask,
        .version = "v5.0.1.0",
        .host = "iot.espressif.cn",
        .port = 80,
        .token = config.plain.token,
    };
}

static const char *build(const struct aloft_request_line *line)
{
    static char buf[2048];
    struct aloft_request_text text;

    assert_err(aloft_request_build(&port->module, line, buf, sizeof buf, &text), ALOFT_ERR_OK);
    assert_int_equal(text.len, strlen(buf));
    return buf;
}

static void version_request__is_the_stock_one_and_ours_after_it(void **state)
{
    static const char stock[] =
        "GET /v1/device/rom/?is_format_simple=true HTTP/1.0\r\n" STOCK_HEADERS;
    struct aloft_request_line line = a_line(ALOFT_HTTP_ASK_VERSION);

    (void)state;
    assert_int_equal(strlen(stock) + 2, 392);
    assert_string_equal(
        build(&line),
        "GET /v1/device/rom/?is_format_simple=true HTTP/1.0\r\n" STOCK_HEADERS OUR_HEADERS "\r\n");
}

static void row_11_the_file_request_says_who_asks_behind_the_stock_one(void **state)
{
    static const char first[] = "GET /v1/device/rom/?action=download_rom&version=v5.0.1.0&"
                                "filename=ota.bin HTTP/1.1\r\n";
    static const char stock[] = "GET /v1/device/rom/?action=download_rom&version=v5.0.1.0&"
                                "filename=ota.bin HTTP/1.1\r\n" STOCK_HEADERS;
    struct aloft_request_line line = a_line(ALOFT_HTTP_ASK_FILE);
    const char *request = build(&line);

    (void)state;
    assert_int_equal(strlen(stock) + 2, 424);
    assert_memory_equal(request, first, strlen(first));
    assert_string_equal(request + strlen(first), STOCK_HEADERS OUR_HEADERS "\r\n");
}

static void list_request__is_the_stock_one_and_ours_after_it(void **state)
{
    static const char stock[] = "GET /v1/device/rom HTTP/1.1\r\n"
                                "User-Agent: ESP32 HTTP Client/1.0\r\n"
                                "Host: iot.espressif.cn\r\n"
                                "Authorization: token "
                                "0123456789abcdef0123456789abcdef01234567\r\n";
    struct aloft_request_line line = a_line(ALOFT_HTTP_ASK_LIST);
    const char *request = build(&line);

    (void)state;
    assert_int_equal(strlen(stock) + 2, 153);
    assert_memory_equal(request, stock, strlen(stock));
    assert_string_equal(request + strlen(stock), OUR_HEADERS "\r\n");
}

static void list_request__names_a_port_that_is_not_the_default(void **state)
{
    struct aloft_request_line line = a_line(ALOFT_HTTP_ASK_LIST);

    (void)state;
    line.port = 8080;
    assert_non_null(strstr(build(&line), "Host: iot.espressif.cn:8080\r\n"));
    line.port = 443;
    assert_non_null(strstr(build(&line), "Host: iot.espressif.cn:443\r\n"));
    line.is_tls = true;
    assert_non_null(strstr(build(&line), "Host: iot.espressif.cn\r\n"));
}

static void token__that_is_missing_is_sent_as_null(void **state)
{
    struct aloft_request_line line = a_line(ALOFT_HTTP_ASK_FILE);

    (void)state;
    line.token = NULL;
    assert_non_null(strstr(build(&line), "Authorization: token (null)\r\n"));
}

static void foreign_host__gets_neither_token_nor_identity(void **state)
{
    struct aloft_request_line line = a_line(ALOFT_HTTP_ASK_FILE);

    (void)state;
    line.is_foreign = true;
    assert_null(strstr(build(&line), "uthorization"));
    assert_null(strstr(build(&line), "Aloft"));
    assert_non_null(strstr(build(&line), "Accept-Language: zh-CN,zh;q=0.8\r\n\r\n"));
}

static void own_headers__are_bounded_and_printable(void **state)
{
    struct aloft_request_line line = a_line(ALOFT_HTTP_ASK_FILE);

    (void)state;
    port->module.config.device_id =
        "0123456789012345678901234567890123456789012345678901234567890123456789";
    port->module.config.module_name = "MINI\r\nX: y";
    port->boot.reason = ALOFT_BOOT_UPGRADE;
    assert_non_null(strstr(build(&line), "Aloft-Device: 01234567890123456789012345678901234567890"
                                         "12345678901234567890123\r\n"
                                         "Aloft-Module: MINI\r\n"));
    assert_non_null(strstr(build(&line), "Aloft-Boot: upgrade\r\n"));
}

static void request__that_does_not_fit_is_refused(void **state)
{
    struct aloft_request_line line = a_line(ALOFT_HTTP_ASK_FILE);
    char buf[600];
    size_t len = strlen(build(&line));
    struct aloft_request_text got;

    (void)state;
    assert_true(len + 1 < sizeof buf);
    assert_err(aloft_request_build(&port->module, &line, buf, len + 1, &got), ALOFT_ERR_OK);
    assert_err(aloft_request_build(&port->module, &line, buf, len, &got), ALOFT_ERR_TOO_BIG);
}

static void row_09_only_versions_that_need_no_encoding_are_sent(void **state)
{
    static const struct {
        const char *text;
        bool is_version;
    } rows[] = {
        {"v5.0.1.0", true},
        {"A-z_0.9", true},
        {"0123456789012345678901234567890123456789012345678901234567890123", true},
        {"01234567890123456789012345678901234567890123456789012345678901234", false},
        {"", false},
        {"v1 ", false},
        {"v1%20", false},
        {"v1&x", false},
        {"v1/", false},
        {"v1\r\n", false},
        {"v\xc3\xa4", false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(aloft_request_is_version(rows[i].text), rows[i].is_version);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(version_request__is_the_stock_one_and_ours_after_it),
        CASE(row_11_the_file_request_says_who_asks_behind_the_stock_one),
        CASE(list_request__is_the_stock_one_and_ours_after_it),
        CASE(list_request__names_a_port_that_is_not_the_default),
        CASE(token__that_is_missing_is_sent_as_null),
        CASE(foreign_host__gets_neither_token_nor_identity),
        CASE(own_headers__are_bounded_and_printable),
        CASE(request__that_does_not_fit_is_refused),
        CASE(row_09_only_versions_that_need_no_encoding_are_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
