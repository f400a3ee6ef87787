/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/loop.h"

#include <errno.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

static ssize_t plain_result(ssize_t n)
{
    if (n >= 0) {
        return n;
    }
    return errno == EAGAIN ? IO_AGAIN : IO_FAILED;
}

static int tls_result(const struct conn *conn, int rc)
{
    switch (SSL_get_error(conn->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return IO_CLOSED;
    default:
        ERR_clear_error(); /* a left-over entry would spoil the next SSL_get_error() */
        return IO_FAILED;
    }
}

ssize_t io_recv(struct conn *conn, void *buf, size_t len)
{
    size_t n;

    if (!conn->ssl) {
        return plain_result(recv(conn->fd, buf, len, 0));
    }
    int rc = SSL_read_ex(conn->ssl, buf, len, &n);
    return rc == 1 ? (ssize_t)n : tls_result(conn, rc);
}

ssize_t io_send(struct conn *conn, const void *buf, size_t len)
{
    size_t n;

    if (!conn->ssl) {
        return plain_result(send(conn->fd, buf, len, MSG_NOSIGNAL));
    }
    int rc = SSL_write_ex(conn->ssl, buf, len, &n);
    return rc == 1 ? (ssize_t)n : tls_result(conn, rc);
}

/* OpenSSL's reasons as people read them; an alert of the peer is its number and this. */
#define ALERT_OF(number) (SSL_AD_REASON_OFFSET + (number))

static enum contact_tls_reason reason_of(unsigned long code)
{
    static const struct {
        int reason;
        enum contact_tls_reason told;
    } known[] = {
        {SSL_R_UNEXPECTED_EOF_WHILE_READING, CONTACT_TLS_CLOSED},
        {SSL_R_HTTP_REQUEST, CONTACT_TLS_NOT_TLS},
        {SSL_R_HTTPS_PROXY_REQUEST, CONTACT_TLS_NOT_TLS},
        {SSL_R_WRONG_VERSION_NUMBER, CONTACT_TLS_NOT_TLS},
        {SSL_R_UNSUPPORTED_PROTOCOL, CONTACT_TLS_PROTOCOL},
        {SSL_R_VERSION_TOO_LOW, CONTACT_TLS_PROTOCOL},
        {SSL_R_NO_SHARED_CIPHER, CONTACT_TLS_CIPHER},
        {SSL_R_NO_SUITABLE_KEY_SHARE, CONTACT_TLS_CIPHER},
        {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, CONTACT_TLS_CIPHER},
        {ALERT_OF(SSL_AD_BAD_CERTIFICATE), CONTACT_TLS_CERTIFICATE},
        {ALERT_OF(SSL_AD_UNSUPPORTED_CERTIFICATE), CONTACT_TLS_CERTIFICATE},
        {ALERT_OF(SSL_AD_CERTIFICATE_REVOKED), CONTACT_TLS_CERTIFICATE},
        {ALERT_OF(SSL_AD_CERTIFICATE_EXPIRED), CONTACT_TLS_CERTIFICATE},
        {ALERT_OF(SSL_AD_CERTIFICATE_UNKNOWN), CONTACT_TLS_CERTIFICATE},
        {ALERT_OF(SSL_AD_UNKNOWN_CA), CONTACT_TLS_CERTIFICATE},
        {ALERT_OF(SSL_AD_PROTOCOL_VERSION), CONTACT_TLS_PROTOCOL},
        {ALERT_OF(SSL_AD_INSUFFICIENT_SECURITY), CONTACT_TLS_CIPHER},
    };
    int reason = ERR_GET_REASON(code);

    if (code == 0) {
        return CONTACT_TLS_CLOSED; /* the socket said so, not OpenSSL */
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].reason == reason) {
            return known[i].told;
        }
    }
    return reason >= SSL_AD_REASON_OFFSET ? CONTACT_TLS_ALERT : CONTACT_TLS_OTHER;
}

int io_handshake(struct conn *conn, enum contact_tls_reason *ret_reason)
{
    int rc = SSL_do_handshake(conn->ssl);

    if (rc == 1) {
        return 1;
    }
    unsigned long code = ERR_peek_last_error();
    if (tls_result(conn, rc) == IO_AGAIN) {
        return IO_AGAIN;
    }
    *ret_reason = reason_of(code);
    return IO_FAILED;
}

int io_notify(struct conn *conn)
{
    if (conn->ssl && !conn->is_notified) {
        int rc = SSL_shutdown(conn->ssl);
        if (rc < 0 && tls_result(conn, rc) == IO_AGAIN) {
            return IO_AGAIN;
        }
        conn->is_notified = true; /* or the peer is gone, and nobody misses it */
    }
    return 1;
}

uint16_t io_tls_version(const struct conn *conn)
{
    return conn->ssl ? (uint16_t)SSL_version(conn->ssl) : 0;
}
