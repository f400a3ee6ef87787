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

int io_handshake(struct conn *conn)
{
    int rc = SSL_do_handshake(conn->ssl);

    if (rc == 1) {
        return 1;
    }
    rc = tls_result(conn, rc);
    return rc == IO_AGAIN ? IO_AGAIN : IO_FAILED;
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
