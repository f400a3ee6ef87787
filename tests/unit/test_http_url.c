/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "http/url.h"

/* RFC 3986 4.2: absolute URLs and Location values, by one parser. */

static void assert_piece(const char *text, size_t len, const char *wanted)
{
    assert_int_equal(text != NULL, wanted != NULL);
    if (wanted != NULL) {
        assert_int_equal(len, strlen(wanted));
        assert_memory_equal(text, wanted, len);
    }
}

static void url__is_taken_apart(void **state)
{
    static const struct {
        const char *text;
        bool has_scheme;
        bool is_tls;
        const char *userinfo;
        const char *host;
        uint16_t port;
        const char *target;
    } rows[] = {
        {"http://a.b/c?d", true, false, NULL, "a.b", 0, "/c?d"},
        {"HTTPS://a.b:8443/c#frag", true, true, NULL, "a.b", 8443, "/c"},
        {"hTTp://a.b", true, false, NULL, "a.b", 0, ""},
        {"http://a.b?x", true, false, NULL, "a.b", 0, "?x"},
        {"http://a.b#x", true, false, NULL, "a.b", 0, ""},
        {"http://a.b:/c", true, false, NULL, "a.b", 0, "/c"},
        {"http://a-b_c.D:1/", true, false, NULL, "a-b_c.D", 1, "/"},
        {"http://a:65535/", true, false, NULL, "a", 65535, "/"},
        {"http://192.0.2.1:80/x", true, false, NULL, "192.0.2.1", 80, "/x"},
        {"http://[::1]/c", true, false, NULL, "::1", 0, "/c"},
        {"http://[2001:DB8::1]:8080?q", true, false, NULL, "2001:DB8::1", 8080, "?q"},
        {"http://[::ffff:192.0.2.1]", true, false, NULL, "::ffff:192.0.2.1", 0, ""},
        {"http://u@a/c", true, false, "u", "a", 0, "/c"},
        {"https://u:p%40%3a@a:1/c", true, true, "u:p%40%3a", "a", 1, "/c"},
        {"http://@a/c", true, false, "", "a", 0, "/c"},
        {"http://u:p@[::1]:2/", true, false, "u:p", "::1", 2, "/"},
        {"http://a/@b:c", true, false, NULL, "a", 0, "/@b:c"},
        {"//a.b/c", false, false, NULL, "a.b", 0, "/c"},
        {"/c?d=http://x/", false, false, NULL, NULL, 0, "/c?d=http://x/"},
        {"?d", false, false, NULL, NULL, 0, "?d"},
        {"c/d", false, false, NULL, NULL, 0, "c/d"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct aloft_url url = {0};
        assert_err(aloft_url_parse(rows[i].text, strlen(rows[i].text), &url), ALOFT_ERR_OK);
        assert_int_equal(url.has_scheme, rows[i].has_scheme);
        assert_int_equal(url.is_tls, rows[i].is_tls);
        assert_piece(url.userinfo, url.userinfo_len, rows[i].userinfo);
        assert_piece(url.host, url.host_len, rows[i].host);
        assert_int_equal(url.port, rows[i].port);
        assert_piece(url.target, url.target_len, rows[i].target);
    }
}

static void url__no_module_can_go_to_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "ftp://a/b",
        "file:///etc/passwd",
        "httpx://a/",
        "http:/a",
        "http:",
        "http://",
        "http:///c",
        "http://@/c",
        "http://u@v@a/c",
        "http://u@",
        "http://[::1/c",
        "http://[]/c",
        "http://[a]/c",
        "http://[::1]x/c",
        "http://[::1%25eth0]/c",
        "http://::1/c",
        "http://a\\b/c",
        "http://a%2eb/c",
        "http://a,b/c",
        "http://a:0/c",
        "http://a:65536/c",
        "http://a:99999999999/c",
        "http://a:80x/c",
        "http://a:-1/c",
        "http://a b/c",
        "http://a/b c",
        "/c\x01",
        "/c\x7f",
        "/\xc3\xa4",
        "http://a/\r\nX: y",
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct aloft_url url = {0};
        if (aloft_url_parse(rows[i], strlen(rows[i]), &url) != ALOFT_ERR_SYNTAX) {
            fail_msg("taken: %s", rows[i]);
        }
    }
}

static void url__with_a_nul_is_refused(void **state)
{
    struct aloft_url url = {0};

    (void)state;
    assert_err(aloft_url_parse("http://a/\0b", 11, &url), ALOFT_ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url__is_taken_apart),
        cmocka_unit_test(url__no_module_can_go_to_is_refused),
        cmocka_unit_test(url__with_a_nul_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
