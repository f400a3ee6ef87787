/* SPDX-License-Identifier: Apache-2.0 */
#include "process/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>

#include "process/endpoint.h"
#include "process/tls_trust.h"

struct tls_client {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
};

struct tls_session {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config; /**< Of its own: what is trusted differs. */
    struct tls_trust trust;
    bool is_hopeless; /**< What it asks for cannot be had. */
    int fd;
};

static int map_errno(int other)
{
    if (errno == EAGAIN || errno == EINTR) {
        return other;
    }
    return errno == ECONNRESET || errno == EPIPE ? MBEDTLS_ERR_NET_CONN_RESET
                                                 : MBEDTLS_ERR_NET_RECV_FAILED;
}

static int send_bytes(void *ctx, const unsigned char *buf, size_t len)
{
    const struct tls_session *s = ctx;
    ssize_t n = send(s->fd, buf, len, MSG_NOSIGNAL);

    return n < 0 ? map_errno(MBEDTLS_ERR_SSL_WANT_WRITE) : (int)n;
}

static int receive_bytes(void *ctx, unsigned char *buf, size_t cap)
{
    const struct tls_session *s = ctx;
    ssize_t n = recv(s->fd, buf, cap, 0);

    return n < 0 ? map_errno(MBEDTLS_ERR_SSL_WANT_READ) : (int)n;
}

enum aloft_err tls_client_new(struct tls_client **ret_client, struct error *e)
{
    struct tls_client *c = calloc(1, sizeof *c);

    if (!c) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    mbedtls_entropy_init(&c->entropy);
    mbedtls_ctr_drbg_init(&c->drbg);
    int rc = mbedtls_ctr_drbg_seed(&c->drbg, mbedtls_entropy_func, &c->entropy, NULL, 0);
    if (rc != 0) {
        tls_client_free(c);
        return fail(e, ALOFT_ERR_TLS, "cannot set up TLS (Mbed TLS error -0x%04x)", (unsigned)-rc);
    }
    *ret_client = c;
    return ALOFT_ERR_OK;
}

void tls_client_free(struct tls_client *c)
{
    if (!c) {
        return;
    }
    mbedtls_ctr_drbg_free(&c->drbg);
    mbedtls_entropy_free(&c->entropy);
    free(c);
}

static bool configure(struct tls_session *s, struct tls_client *c)
{
    if (mbedtls_ssl_config_defaults(&s->config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
        return false;
    }
    mbedtls_ssl_conf_min_version(&s->config, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3); /* 3.3 on the wire is TLS 1.2 */
    mbedtls_ssl_conf_rng(&s->config, mbedtls_ctr_drbg_random, &c->drbg);
    return true;
}

struct tls_session *tls_session_new(struct tls_client *c, int fd, const struct aloft_tls *asked,
                                    const char *ca_pem)
{
    struct tls_session *s = calloc(1, sizeof *s);
    struct aloft_addr literal;

    if (!s) {
        return NULL;
    }
    s->fd = fd;
    mbedtls_ssl_init(&s->ssl);
    mbedtls_ssl_config_init(&s->config);
    bool is_ready = configure(s, c);
    s->is_hopeless = tls_trust_init(&s->trust, asked, ca_pem, &s->config) != ALOFT_ERR_OK;
    /* The host's name is for SNI and for the certificate; an address is in neither as a name. */
    bool is_name = !endpoint_parse_literal(asked->host, &literal);
    if (!is_ready || mbedtls_ssl_setup(&s->ssl, &s->config) != 0 ||
        (is_name && mbedtls_ssl_set_hostname(&s->ssl, asked->host) != 0)) {
        tls_session_free(s);
        return NULL;
    }
    mbedtls_ssl_set_bio(&s->ssl, s, send_bytes, receive_bytes, NULL);
    return s;
}

void tls_session_free(struct tls_session *s)
{
    if (!s) {
        return;
    }
    if (s->ssl.state == MBEDTLS_SSL_HANDSHAKE_OVER) {
        (void)mbedtls_ssl_close_notify(&s->ssl); /* politeness: the socket closes in any case */
    }
    mbedtls_ssl_free(&s->ssl);
    mbedtls_ssl_config_free(&s->config);
    tls_trust_free(&s->trust);
    free(s);
}

/* Mbed TLS number to ours; 0 and above never comes here. */
static enum aloft_err judge(int rc, enum tls_wait *ret_wait)
{
    switch (rc) {
    case MBEDTLS_ERR_SSL_WANT_READ:
        *ret_wait = TLS_WAIT_READ;
        return ALOFT_ERR_AGAIN;
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        *ret_wait = TLS_WAIT_WRITE;
        return ALOFT_ERR_AGAIN;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return ALOFT_ERR_CLOSED;
    default:
        return ALOFT_ERR_IO;
    }
}

enum aloft_err tls_session_shake(struct tls_session *s, enum tls_wait *ret_wait)
{
    if (s->is_hopeless) {
        return ALOFT_ERR_TLS;
    }
    int rc = mbedtls_ssl_handshake(&s->ssl);
    if (rc == 0) {
        return tls_trust_judge(&s->trust, mbedtls_ssl_get_peer_cert(&s->ssl));
    }
    if (judge(rc, ret_wait) == ALOFT_ERR_AGAIN) {
        return ALOFT_ERR_AGAIN;
    }
    if (rc == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
        tls_trust_explain(&s->trust, mbedtls_ssl_get_verify_result(&s->ssl));
    } else {
        mbedtls_strerror(rc, s->trust.failure, sizeof s->trust.failure);
    }
    return ALOFT_ERR_TLS;
}

enum aloft_err tls_session_read(struct tls_session *s, uint8_t *buf, size_t cap, size_t *ret_n,
                                enum tls_wait *ret_wait)
{
    int rc = mbedtls_ssl_read(&s->ssl, buf, cap);

    if (rc < 0) {
        return judge(rc, ret_wait);
    }
    if (rc == 0) {
        return ALOFT_ERR_CLOSED;
    }
    *ret_n = (size_t)rc;
    return ALOFT_ERR_OK;
}

enum aloft_err tls_session_write(struct tls_session *s, const uint8_t *buf, size_t len,
                                 size_t *ret_n, enum tls_wait *ret_wait)
{
    int rc = mbedtls_ssl_write(&s->ssl, buf, len);

    if (rc < 0) {
        return judge(rc, ret_wait);
    }
    *ret_n = (size_t)rc;
    return ALOFT_ERR_OK;
}

const char *tls_session_failure(const struct tls_session *s)
{
    return s->trust.failure;
}
