/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_TLS_H
#define ALOFT_VIRTUAL_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/port.h"
#include "host/error.h"

/* TLS 1.2 client by Mbed TLS, the library of the chip; tls_trust.h tells the right server from
 * others. Works on a non-blocking socket it does not own. */

struct tls_client; /**< What all sessions share. */
struct tls_session;

/** What a call waits for when it answers AGAIN. */
enum tls_wait { TLS_WAIT_READ, TLS_WAIT_WRITE };

/** @param ret_client Free with tls_client_free(), after its sessions. */
ALOFT_MUST_CHECK
enum aloft_err tls_client_new(struct tls_client **ret_client, struct error *e);

void tls_client_free(struct tls_client *client);

/**
 * A session on a connected socket. What it asks for and cannot have (a CA that is not there) makes
 * its handshake fail.
 *
 * @param asked   Copied.
 * @param ca_pem  As for tls_trust_init(). Not kept.
 * @return NULL when memory is out. Free with tls_session_free().
 */
struct tls_session *tls_session_new(struct tls_client *client, int fd,
                                    const struct aloft_tls *asked, const char *ca_pem);

/** Says goodbye to the peer if that is possible at once; NULL is fine. The socket stays open. */
void tls_session_free(struct tls_session *session);

/** Go on with the handshake. @retval ALOFT_ERR_OK Done, and it is the right server. @retval
 * ALOFT_ERR_AGAIN See `ret_wait`.
 * @retval ALOFT_ERR_TLS It failed. */
ALOFT_MUST_CHECK
enum aloft_err tls_session_shake(struct tls_session *session, enum tls_wait *ret_wait);

/** As read() and write() of struct aloft_port_net; on AGAIN `ret_wait` is set. */
ALOFT_MUST_CHECK
enum aloft_err tls_session_read(struct tls_session *session, uint8_t *buf, size_t cap,
                                size_t *ret_n, enum tls_wait *ret_wait);
ALOFT_MUST_CHECK
enum aloft_err tls_session_write(struct tls_session *session, const uint8_t *buf, size_t len,
                                 size_t *ret_n, enum tls_wait *ret_wait);

/** Why the handshake failed, for the log; "" if it did not. Borrowed from the session. */
const char *tls_session_failure(const struct tls_session *session);

#endif
