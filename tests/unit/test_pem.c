/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "aloft/pem.h"

/* RFC 7468; what is inside the certificates does not matter here. */

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END   "-----END CERTIFICATE-----\n"
#define BODY  "MIIBpzCCAU2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlBbG9mdCBD\nQSAx\n"

static void expect_each(const char *const *rows, size_t n, bool wanted)
{
    for (size_t i = 0; i < n; i++) {
        if (aloft_pem_is_certificates(rows[i], strlen(rows[i])) != wanted) {
            fail_msg("row %zu:\n%s", i, rows[i]);
        }
    }
}

static void certificates__are_taken(void **state)
{
    static const char *const rows[] = {
        BEGIN BODY END,
        BEGIN BODY "-----END CERTIFICATE-----",
        BEGIN BODY END BEGIN BODY END,
        BEGIN "MIIB\nAA==\n" END,
        BEGIN "MIIBAA=\n=\n" END,
        "-----BEGIN CERTIFICATE-----\r\nMIIBAAA=\r\n-----END CERTIFICATE-----\r\n",
        "Aloft CA, valid until 2046 \xE2\x80\x93 ask \t operations\n\n" BEGIN BODY END "the end",
        "----BEGIN is four dashes, so an explanation\n" BEGIN BODY END,
    };

    (void)state;
    expect_each(rows, sizeof rows / sizeof rows[0], true);
}

static void everything_else__is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "hello\n",
        BEGIN,
        END,
        BEGIN END,
        BEGIN "\n" END,
        BEGIN BODY,
        BEGIN BODY BEGIN BODY END,
        BEGIN BODY END END,
        BEGIN BODY END BEGIN BODY,
        BEGIN BODY END "-----BEGIN PRIVATE KEY-----\n" BODY "-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n" BODY "-----END PRIVATE KEY-----\n" BEGIN BODY END,
        "-----BEGIN X509 CRL-----\n" BODY "-----END X509 CRL-----\n",
        "-----BEGIN CERTIFICATE----\n" BODY END,
        "-----BEGIN CERTIFICATE-----x\n" BODY END,
        BEGIN "AIIB\n" END,
        BEGIN "MIIBA\n" END,
        BEGIN "MIIB\nM=II\n" END,
        BEGIN "MIIBA===\n" END,
        BEGIN "MIIB====\n" END,
        BEGIN "MI!B\n" END,
        BEGIN "MI B\n" END,
        BEGIN BODY END "\x01",
        BEGIN BODY END "\x7F",
    };

    (void)state;
    expect_each(rows, sizeof rows / sizeof rows[0], false);
}

static void a_nul__is_refused_anywhere(void **state)
{
    static const char text[] = BEGIN BODY END "more";

    (void)state;
    for (size_t i = 0; i < sizeof text - 1; i++) {
        char cut[sizeof text];
        memcpy(cut, text, sizeof text);
        cut[i] = '\0';
        assert_false(aloft_pem_is_certificates(cut, sizeof text - 1));
    }
}

static void every_truncation__is_refused_until_the_end_line_is_whole(void **state)
{
    static const char text[] = BEGIN BODY END;

    (void)state;
    for (size_t len = 0; len < sizeof text - 2; len++) {
        assert_false(aloft_pem_is_certificates(text, len));
    }
    assert_true(aloft_pem_is_certificates(text, sizeof text - 2));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates__are_taken),
        cmocka_unit_test(everything_else__is_refused),
        cmocka_unit_test(a_nul__is_refused_anywhere),
        cmocka_unit_test(every_truncation__is_refused_until_the_end_line_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
