/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "fake_port.h"
#include "http/auth.h"

/* RFC 7616 and 7617. The wanted responses were computed by Python's hashlib; its formula gives
 * those of RFC 7616 3.9.1 with the cnonce printed there. The fake port's random bytes count up from
 * 0. */

#define CNONCE "0001020304050607"
#define REALM  "http-auth@example.org"
#define NONCE  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define OPAQUE "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"

static struct fake_port *port;

static int set_up(void **state)
{
    (void)state;
    port = fake_port_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_port_free(port);
    return 0;
}

static struct aloft_auth_challenge parse(const char *value)
{
    struct aloft_auth_challenge challenge = {.scheme = ALOFT_AUTH_NONE};

    aloft_auth_parse(&port->port, value, strlen(value), &challenge);
    return challenge;
}

static enum aloft_err answer(const char *value, const struct aloft_auth_ask *ask, char *ret_text)
{
    struct aloft_auth_challenge challenge = parse(value);
    struct aloft_text t;

    aloft_text_init(&t, ret_text, 1024);
    return aloft_auth_answer(&port->port, &challenge, ask, &t);
}

static struct aloft_auth_ask get(const char *target, const char *userinfo)
{
    return (struct aloft_auth_ask){
        .method = "GET",
        .target = target,
        .target_len = strlen(target),
        .userinfo = userinfo,
        .userinfo_len = strlen(userinfo),
    };
}

static void challenges__the_strongest_is_chosen(void **state)
{
    static const struct {
        const char *value;
        enum aloft_auth_scheme scheme;
        bool has_qop;
        bool is_stale;
    } rows[] = {
        {"Basic realm=\"x\"", ALOFT_AUTH_BASIC, false, false},
        {"bAsIc", ALOFT_AUTH_BASIC, false, false},
        {"Digest realm=\"x\", nonce=\"y\"", ALOFT_AUTH_MD5, false, false},
        {"DIGEST  REALM = \"x\" ,NONCE=y", ALOFT_AUTH_MD5, false, false},
        {"Digest realm=\"x\", nonce=\"y\", algorithm=MD5, qop=\"auth\"", ALOFT_AUTH_MD5, true,
         false},
        {"Digest realm=\"x\", nonce=\"y\", algorithm=\"sha-256\", qop=auth, stale=TRUE",
         ALOFT_AUTH_SHA256, true, true},
        {"Digest realm=\"x\", nonce=\"y\", qop=\"auth-int, auth\"", ALOFT_AUTH_MD5, true, false},
        {"Basic realm=\"a\", Digest realm=\"x\", nonce=\"y\", algorithm=SHA-256, Digest "
         "realm=\"x\", nonce=\"z\", algorithm=MD5",
         ALOFT_AUTH_SHA256, false, false},
        {"Bearer, Basic realm=\"a, Digest nonce=1\"", ALOFT_AUTH_BASIC, false, false},
        {", ,Basic", ALOFT_AUTH_BASIC, false, false},
        {"Digest realm=\"a\\\"b\", nonce=\"y\", domain=\"/ /x\", charset=UTF-8, userhash=false",
         ALOFT_AUTH_MD5, false, false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct aloft_auth_challenge challenge = parse(rows[i].value);
        assert_int_equal(challenge.scheme, rows[i].scheme);
        assert_int_equal(challenge.has_qop, rows[i].has_qop);
        assert_int_equal(challenge.is_stale, rows[i].is_stale);
    }
}

static void challenges__that_cannot_be_answered_are_ignored(void **state)
{
    static const char *const rows[] = {
        "",
        "Negotiate",
        "Negotiate YII=",
        "Bearer realm=\"x\"",
        "=",
        "realm=\"x\"",
        "Digest",
        "Digest realm=\"x\"",
        "Digest nonce=\"y\"",
        "Digest realm=\"x\", nonce=\"y",
        "Digest realm=\"x\", nonce=\"y\\\"",
        "Digest realm=\"x\", nonce=\"y\\",
        "Digest realm=\"x\", nonce=",
        "Digest realm=\"x\", nonce=\"y\", nonce=\"z\"",
        "Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"",
        "Digest realm=\"x\", nonce=\"y\", qop=\"\"",
        "Digest realm=\"x\", nonce=\"y\", algorithm=MD5-sess",
        "Digest realm=\"x\", nonce=\"y\", algorithm=SHA-512-256",
        "Digest realm=\"x\", nonce=\"y\", (",
        "Basic \xc3\xa4",
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (parse(rows[i]).scheme != ALOFT_AUTH_NONE) {
            fail_msg("taken: %s", rows[i]);
        }
    }
}

static void hashes__the_port_lacks_are_not_chosen(void **state)
{
    static const char both[] = "Digest realm=\"x\", nonce=\"y\", algorithm=SHA-256, "
                               "Digest realm=\"x\", nonce=\"y\", Basic";
    (void)state;

    port->port.digest.sha256.ops = NULL;
    assert_int_equal(parse(both).scheme, ALOFT_AUTH_MD5);
    port->port.digest.md5.ops = NULL;
    assert_int_equal(parse(both).scheme, ALOFT_AUTH_BASIC);
}

static void challenge__that_is_weaker_does_not_replace_one(void **state)
{
    struct aloft_auth_challenge challenge = parse("Digest realm=\"x\", nonce=\"y\"");

    (void)state;
    aloft_auth_parse(&port->port, "Basic", 5, &challenge);
    assert_int_equal(challenge.scheme, ALOFT_AUTH_MD5);
}

/* RFC 7617 2, and RFC 4648 10. */
static void basic__is_the_encoded_user_info(void **state)
{
    static const struct {
        const char *userinfo;
        const char *wanted;
    } rows[] = {
        {"Aladdin:open%20sesame", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"},
        {"f:o", "Authorization: Basic Zjpv\r\n"},
        {"f:oo", "Authorization: Basic Zjpvbw==\r\n"},
        {"f:oob", "Authorization: Basic Zjpvb2I=\r\n"},
        {"f", "Authorization: Basic Zjo=\r\n"},
        {"", "Authorization: Basic Og==\r\n"},
        {"test:123%C2%A3", "Authorization: Basic dGVzdDoxMjPCow==\r\n"},
        {"a:b:c%3Ad", "Authorization: Basic YTpiOmM6ZA==\r\n"},
    };
    char text[1024];
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct aloft_auth_ask ask = get("/", rows[i].userinfo);
        assert_err(answer("Basic realm=\"x\"", &ask, text), ALOFT_ERR_OK);
        assert_string_equal(text, rows[i].wanted);
    }
}

static void digest__md5_with_qop(void **state)
{
    struct aloft_auth_ask ask = get("/dir/index.html", "Mufasa:Circle%20of%20Life");
    char text[1024];

    (void)state;
    assert_err(answer("Digest realm=\"" REALM "\", qop=\"auth, auth-int\", algorithm=MD5, "
                      "nonce=\"" NONCE "\", opaque=\"" OPAQUE "\"",
                      &ask, text),
               ALOFT_ERR_OK);
    assert_string_equal(text, "Authorization: Digest username=\"Mufasa\", realm=\"" REALM
                              "\", nonce=\"" NONCE "\", algorithm=MD5, opaque=\"" OPAQUE
                              "\", qop=auth, nc=00000001, cnonce=\"" CNONCE
                              "\", response=\"0565aa7fa948d79babff4dd9e3b605f7\", uri=\"");
}

static void digest__sha256_with_qop(void **state)
{
    struct aloft_auth_ask ask = get("/dir/index.html", "Mufasa:Circle%20of%20Life");
    char text[1024];

    (void)state;
    assert_err(answer("Digest realm=\"" REALM "\", qop=\"auth\", algorithm=SHA-256, nonce=\"" NONCE
                      "\"",
                      &ask, text),
               ALOFT_ERR_OK);
    assert_string_equal(
        text, "Authorization: Digest username=\"Mufasa\", realm=\"" REALM "\", nonce=\"" NONCE
              "\", algorithm=SHA-256, qop=auth, nc=00000001, "
              "cnonce=\"" CNONCE
              "\", response=\"6c2c48fba5046656e48999b530f9fd8bf7c3804c6beacbef05812ecf518527cf\", "
              "uri=\"");
}

/* The older form; the target of a URL without a path is `/`. */
static void digest__md5_without_qop(void **state)
{
    struct aloft_auth_ask ask = get("", "Mufasa:Circle%20Of%20Life");
    char text[1024];

    (void)state;
    assert_err(answer("Digest realm=\"testrealm@host.com\", "
                      "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
                      &ask, text),
               ALOFT_ERR_OK);
    assert_string_equal(text, "Authorization: Digest username=\"Mufasa\", "
                              "realm=\"testrealm@host.com\", "
                              "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", algorithm=MD5, "
                              "response=\"7031d615259b0fef7052f2310eb60092\", uri=\"");
}

static void digest__quotes_and_backslashes_are_escaped_but_not_hashed(void **state)
{
    struct aloft_auth_ask ask = get("?x", "a%22b%5Cc:");
    char text[1024];

    (void)state;
    ask.method = "HEAD";
    assert_err(answer("Digest realm=\"q\\\"r\", nonce=n, qop=auth", &ask, text), ALOFT_ERR_OK);
    assert_string_equal(text, "Authorization: Digest username=\"a\\\"b\\\\c\", realm=\"q\\\"r\", "
                              "nonce=\"n\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"" CNONCE
                              "\", response=\"d3b7848c1ba85285d0bd05dfd73b09b6\", uri=\"");
}

static void user_info__that_no_header_can_carry_is_refused(void **state)
{
    static const char *const rows[] = {"a%3Ab:c", "a:%0d%0aX", "a:%00", "a:%7f",
                                       "a:%",     "a:%4",      "a:%4x"};
    char text[1024];
    char long_info[200];
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct aloft_auth_ask ask = get("/", rows[i]);
        assert_err(answer("Basic", &ask, text), ALOFT_ERR_SYNTAX);
    }
    memset(long_info, 'a', sizeof long_info);
    long_info[127] = ':';
    struct aloft_auth_ask ask = get("/", "");
    ask.userinfo = long_info;
    ask.userinfo_len = 128;
    assert_err(answer("Basic", &ask, text), ALOFT_ERR_OK);
    ask.userinfo_len = 129;
    assert_err(answer("Basic", &ask, text), ALOFT_ERR_TOO_BIG);
}

static void digest__a_target_with_quotes_is_refused(void **state)
{
    static const char *const targets[] = {"/a\"b", "/a?\", uri=\"/c", "/a\\", "\""};
    char text[1024];
    (void)state;

    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        struct aloft_auth_ask ask = get(targets[i], "a:b");
        assert_err(answer("Digest realm=\"x\", nonce=\"y\"", &ask, text), ALOFT_ERR_SYNTAX);
        assert_err(answer("Basic", &ask, text), ALOFT_ERR_OK);
    }
}

static void answer__that_does_not_fit_is_refused(void **state)
{
    struct aloft_auth_challenge challenge = parse("Digest realm=\"x\", nonce=\"y\"");
    struct aloft_auth_ask ask = get("/", "a:b");
    struct aloft_text t;
    char text[100];

    (void)state;
    aloft_text_init(&t, text, sizeof text);
    assert_err(aloft_auth_answer(&port->port, &challenge, &ask, &t), ALOFT_ERR_TOO_BIG);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(challenges__the_strongest_is_chosen),
        CASE(challenges__that_cannot_be_answered_are_ignored),
        CASE(hashes__the_port_lacks_are_not_chosen),
        CASE(challenge__that_is_weaker_does_not_replace_one),
        CASE(basic__is_the_encoded_user_info),
        CASE(digest__md5_with_qop),
        CASE(digest__sha256_with_qop),
        CASE(digest__md5_without_qop),
        CASE(digest__quotes_and_backslashes_are_escaped_but_not_hashed),
        CASE(user_info__that_no_header_can_carry_is_refused),
        CASE(digest__a_target_with_quotes_is_refused),
        CASE(answer__that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
