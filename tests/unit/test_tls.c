/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "host/hashes.h"
#include "process/tls.h"
#include "test_certs.h"

#define DEADLINE_MS 30000
#define PEM_BYTES   8192
#define HOST        "update.test"

/* Who is who: `root` is trusted, `other` is not; what the servers show is in servers[]. */
static struct test_cert s_root, s_other, s_middle, s_no_ca;

enum who { ROOT, OTHER, MIDDLE, NO_CA, SELF };

static const struct test_cert *cert_of(enum who who)
{
    static const struct test_cert *const certs[] = {&s_root, &s_other, &s_middle, &s_no_ca, NULL};

    return certs[who];
}

static int make_certs(void **state)
{
    const struct cert_plan ca = {"Root", NULL, -1, 9, true};
    const struct cert_plan other = {"Other", NULL, -1, 9, true};
    const struct cert_plan middle = {"Middle", NULL, -1, 9, true};
    const struct cert_plan no_ca = {"Leaf", "DNS:" HOST, -1, 9, false};

    (void)state;
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to who has gone */
    s_root = test_cert_new(&ca, NULL, false);
    s_other = test_cert_new(&other, NULL, false);
    s_middle = test_cert_new(&middle, &s_root, false);
    s_no_ca = test_cert_new(&no_ca, &s_root, false);
    return 0;
}

static int free_certs(void **state)
{
    (void)state;
    test_cert_free(&s_root);
    test_cert_free(&s_other);
    test_cert_free(&s_middle);
    test_cert_free(&s_no_ca);
    return 0;
}

/* One connection: a handshake, then what the client says. */
struct server {
    int fd;
    const struct test_cert *cert;
    const struct test_cert *between; /* sent along; NULL = none */
    char sni[64];
    int n_heard;
    char heard[16];
    pthread_t thread;
};

static void *serve(void *arg)
{
    struct server *server = arg;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL *ssl;

    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
    assert_int_equal(SSL_CTX_use_certificate(ctx, server->cert->x509), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, server->cert->key), 1);
    if (server->between) {
        assert_int_equal(SSL_CTX_add1_chain_cert(ctx, server->between->x509), 1);
    }
    ssl = SSL_new(ctx);
    (void)SSL_set_fd(ssl, server->fd);
    if (SSL_accept(ssl) == 1) {
        const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        (void)snprintf(server->sni, sizeof server->sni, "%s", name ? name : "");
        server->n_heard = SSL_read(ssl, server->heard, sizeof server->heard);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    (void)close(server->fd);
    return NULL;
}

struct row {
    const char *what;
    struct cert_plan plan;
    enum who issuer;
    enum who between; /* SELF = none */
    const char *host;
    const char *reason; /* in the sentence; NULL = accepted */
};

static enum aloft_err shake(struct tls_session *session, int fd)
{
    enum tls_wait wait = TLS_WAIT_READ;
    enum aloft_err err;

    while ((err = tls_session_shake(session, &wait)) == ALOFT_ERR_AGAIN) {
        struct pollfd p = {.fd = fd, .events = wait == TLS_WAIT_READ ? POLLIN : POLLOUT};
        assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
    }
    return err;
}

/* Connect, and say `hi` if the server is accepted. @param ret_failure TLS failure, if any. */
static enum aloft_err meet(struct server *server, const struct aloft_tls *asked, const char *ca_pem,
                           char *ret_failure, size_t cap)
{
    struct tls_client *client = NULL;
    enum tls_wait wait;
    int pair[2];
    size_t n;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    server->fd = pair[0];
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    assert_err(tls_client_new(&client, NULL), ALOFT_ERR_OK);
    struct tls_session *session = tls_session_new(client, pair[1], asked, ca_pem);
    assert_non_null(session);
    enum aloft_err err = shake(session, pair[1]);
    if (err == ALOFT_ERR_OK) {
        assert_err(tls_session_write(session, (const uint8_t *)"hi", 2, &n, &wait), ALOFT_ERR_OK);
    }
    (void)snprintf(ret_failure, cap, "%s", tls_session_failure(session));
    tls_session_free(session);
    (void)close(pair[1]);
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    tls_client_free(client);
    return err;
}

static void check_row(const struct row *row, const char *ca_pem)
{
    const struct aloft_tls asked = {.host = row->host, .trust = ALOFT_TLS_TRUST_CA};
    struct test_cert cert = test_cert_new(&row->plan, cert_of(row->issuer), false);
    struct server server = {.cert = &cert, .between = cert_of(row->between)};
    char failure[1024];

    enum aloft_err err = meet(&server, &asked, ca_pem, failure, sizeof failure);
    if (err != (row->reason ? ALOFT_ERR_TLS : ALOFT_ERR_OK) ||
        (row->reason && !strstr(failure, row->reason))) {
        fail_msg("%s: got %s, '%s'", row->what, aloft_err_name(err), failure);
    }
    assert_int_equal(server.n_heard > 0, row->reason == NULL);
    assert_null(strchr(failure, '"')); /* it stands in quotes in the log */
    test_cert_free(&cert);
}

static void ca__decides_by_chain_dates_and_name(void **state)
{
    static const struct row rows[] = {
        {"signed by the root", {"x", "DNS:" HOST, -1, 1, false}, ROOT, SELF, HOST, NULL},
        {"by the middle", {"x", "DNS:" HOST, -1, 1, false}, MIDDLE, MIDDLE, HOST, NULL},
        {"a wild card", {"x", "DNS:*.test", -1, 1, false}, ROOT, SELF, HOST, NULL},
        {"expired",
         {"x", "DNS:" HOST, -9, -1, false},
         ROOT,
         SELF,
         HOST,
         "'update.test' is refused: it has expired (subject CN=x, issuer CN=Root, valid "},
        {"of tomorrow", {"x", "DNS:" HOST, 1, 2, false}, ROOT, SELF, HOST, "it is not valid yet"},
        {"wrong name", {"x", "DNS:a.test", -1, 1, false}, ROOT, SELF, HOST, "it is for another"},
        {"wrong common name", {"a.test", NULL, -1, 1, false}, ROOT, SELF, HOST, "for another name"},
        {"other CA", {"x", "DNS:" HOST, -1, 1, false}, OTHER, SELF, HOST, "tls.ca signed it"},
        {"other CA sent along", {"x", "DNS:" HOST, -1, 1, false}, OTHER, OTHER, HOST, "signed it"},
        {"middle missing", {"x", "DNS:" HOST, -1, 1, false}, MIDDLE, SELF, HOST, "signed it"},
        {"self-signed", {"x", "DNS:" HOST, -1, 1, false}, SELF, SELF, HOST, "tls.ca signed it"},
        {"signed by a leaf", {"x", "DNS:" HOST, -1, 1, false}, NO_CA, NO_CA, HOST, "signed it"},
        {"all of it",
         {"q\"", "DNS:a.test", -9, -1, false},
         SELF,
         SELF,
         HOST,
         "it has expired, it is for another name or address, no CA of the setting tls.ca signed"},
    };
    char pem[PEM_BYTES] = "";

    (void)state;
    test_cert_append_pem(&s_root, pem, sizeof pem);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(&rows[i], pem);
    }
}

static void ca__wants_an_address_among_the_addresses(void **state)
{
    static const struct row rows[] = {
        {"IPv4", {"x", "DNS:a,IP:127.0.0.1", -1, 1, false}, ROOT, SELF, "127.0.0.1", NULL},
        {"IPv6", {"x", "IP:127.0.0.1,IP:::1", -1, 1, false}, ROOT, SELF, "::1", NULL},
        {"other IPv4", {"x", "IP:127.0.0.2", -1, 1, false}, ROOT, SELF, "127.0.0.1", "or address"},
        {"common name", {"127.0.0.1", NULL, -1, 1, false}, ROOT, SELF, "127.0.0.1", "or address"},
        {"DNS name", {"x", "DNS:127.0.0.1", -1, 1, false}, ROOT, SELF, "127.0.0.1", "or address"},
        {"its bytes", {"x", "DNS:a.bc", -1, 1, false}, ROOT, SELF, "97.46.98.99", "or address"},
        {"other CA", {"x", "IP:127.0.0.1", -1, 1, false}, OTHER, SELF, "127.0.0.1", "signed it"},
    };
    char pem[PEM_BYTES] = "";

    (void)state;
    test_cert_append_pem(&s_root, pem, sizeof pem);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(&rows[i], pem);
    }
}

static void ca__may_be_one_of_a_bundle(void **state)
{
    const struct row row = {"x", {"x", "DNS:" HOST, -1, 1, false}, ROOT, SELF, HOST, NULL};
    char pem[PEM_BYTES] = "Explanations stand between.\n";

    (void)state;
    test_cert_append_pem(&s_other, pem, sizeof pem);
    test_cert_append_pem(&s_root, pem, sizeof pem);
    check_row(&row, pem);
}

static void ca__that_is_missing_or_not_readable_accepts_nobody(void **state)
{
    struct row row = {"none", {"x", "DNS:" HOST, -1, 1, false}, ROOT, SELF, HOST, NULL};
    char pem[PEM_BYTES] = "";

    (void)state;
    row.reason = "the setting tls.ca holds no CA certificate";
    check_row(&row, NULL);
    row.reason = "the setting tls.ca cannot be read as PEM certificates";
    check_row(&row, "");
    check_row(&row, "no certificate");
    test_cert_append_pem(&s_root, pem, sizeof pem);
    char *half = pem + strlen(pem);
    test_cert_append_pem(&s_other, pem, sizeof pem);
    memcpy(half + 100, "AAAA", 4);
    check_row(&row, pem);
}

static void sni__names_hosts_and_no_addresses(void **state)
{
    static const char *const hosts[] = {HOST, "127.0.0.1", "::1"};
    struct server server = {.cert = &s_no_ca};
    char failure[1024];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const struct aloft_tls asked = {.host = hosts[i], .trust = ALOFT_TLS_TRUST_NONE};
        assert_err(meet(&server, &asked, NULL, failure, sizeof failure), ALOFT_ERR_OK);
        assert_string_equal(server.sni, i == 0 ? HOST : "");
    }
}

static void pin__counts_and_nothing_else(void **state)
{
    const struct cert_plan plan = {"a.test", "DNS:a.test", -9, -1, false};
    uint8_t pin[ALOFT_TLS_PIN_BYTES];
    char seen[HASH_HEX_BYTES];
    char failure[1024];

    (void)state;
    for (int is_rsa = 0; is_rsa <= 1; is_rsa++) {
        struct test_cert cert = test_cert_new(&plan, NULL, is_rsa);
        const struct aloft_tls asked = {HOST, ALOFT_TLS_TRUST_PIN, pin};
        struct server server = {.cert = &cert};
        test_cert_pin(&cert, pin);
        hex_encode(pin, sizeof pin, seen);
        assert_err(meet(&server, &asked, NULL, failure, sizeof failure), ALOFT_ERR_OK);
        assert_int_equal(server.n_heard, 2);
        for (size_t i = 0; i < sizeof pin; i += sizeof pin - 1) {
            struct server again = {.cert = &cert};
            pin[i] ^= 0x01;
            assert_err(meet(&again, &asked, NULL, failure, sizeof failure), ALOFT_ERR_TLS);
            assert_true(again.n_heard <= 0);
            assert_non_null(strstr(failure, "is not the pinned one: seen "));
            assert_non_null(strstr(failure, seen));
            pin[i] ^= 0x01;
        }
        test_cert_free(&cert);
    }
}

static void pin__that_is_not_given_accepts_nobody(void **state)
{
    const struct aloft_tls asked = {.host = HOST, .trust = ALOFT_TLS_TRUST_PIN};
    struct server server = {.cert = &s_no_ca};
    char failure[1024];

    (void)state;
    assert_err(meet(&server, &asked, NULL, failure, sizeof failure), ALOFT_ERR_TLS);
}

/* facts/at-commands.md 6.1 row 11, 6.2 row 28: stock behaviour is possible, and said aloud. */
static void none__accepts_any_server_with_a_warning_that_names_the_pin(void **state)
{
    const struct cert_plan plan = {"a.test", NULL, -9, -1, false};
    const struct aloft_tls asked = {.host = HOST, .trust = ALOFT_TLS_TRUST_NONE};
    struct test_cert cert = test_cert_new(&plan, NULL, false);
    struct server server = {.cert = &cert};
    uint8_t pin[ALOFT_TLS_PIN_BYTES];
    char hex[HASH_HEX_BYTES];
    char failure[1024];
    char line[1024] = "";
    FILE *log = tmpfile();

    (void)state;
    assert_non_null(log);
    int stderr_fd = dup(STDERR_FILENO);
    assert_int_not_equal(dup2(fileno(log), STDERR_FILENO), -1);
    enum aloft_err err = meet(&server, &asked, NULL, failure, sizeof failure);
    assert_int_not_equal(dup2(stderr_fd, STDERR_FILENO), -1);
    (void)close(stderr_fd);
    assert_err(err, ALOFT_ERR_OK);
    rewind(log);
    assert_non_null(fgets(line, sizeof line, log));
    test_cert_pin(&cert, pin);
    hex_encode(pin, sizeof pin, hex);
    assert_non_null(strstr(line, " warn tls.unverified host=" HOST " pin="));
    assert_non_null(strstr(line, hex));
    assert_non_null(strstr(line, " remedy="));
    assert_null(fgets(line, sizeof line, log));
    (void)fclose(log);
    test_cert_free(&cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ca__decides_by_chain_dates_and_name),
        cmocka_unit_test(ca__wants_an_address_among_the_addresses),
        cmocka_unit_test(ca__may_be_one_of_a_bundle),
        cmocka_unit_test(ca__that_is_missing_or_not_readable_accepts_nobody),
        cmocka_unit_test(sni__names_hosts_and_no_addresses),
        cmocka_unit_test(pin__counts_and_nothing_else),
        cmocka_unit_test(pin__that_is_not_given_accepts_nobody),
        cmocka_unit_test(none__accepts_any_server_with_a_warning_that_names_the_pin),
    };
    return cmocka_run_group_tests(tests, make_certs, free_certs);
}
