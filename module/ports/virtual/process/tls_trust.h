/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_TLS_TRUST_H
#define ALOFT_VIRTUAL_TLS_TRUST_H

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "aloft/attr.h"
#include "aloft/port.h"

/*
 * Whether the server of a TLS connection is the right one, and if not, why, in a sentence.
 *
 * CA: Mbed TLS checks chain, dates and name. For an IP address as host it knows no rule, so the
 * address is looked for among the iPAddress entries of subjectAltName here (RFC 2818 3.1); a
 * common name that looks like it does not count.
 * PIN: the key counts, not the certificate: chain, dates and name are not looked at.
 */

#define TLS_FAILURE_BYTES 640

/** One connection's. Its members are private. */
struct tls_trust {
    enum aloft_tls_trust kind;
    uint8_t pin[ALOFT_TLS_PIN_BYTES];
    char *host;
    struct aloft_addr literal; /**< `len` 0: the host is a name. */
    mbedtls_x509_crt ca;
    char rejected[TLS_FAILURE_BYTES / 2]; /**< The last certificate that was found wrong. */
    char failure[TLS_FAILURE_BYTES];
};

/**
 * Set `config` up for what is asked. `trust` must live as long as it.
 *
 * @param asked   Copied.
 * @param ca_pem  With CA: one or more certificates as text; NULL = none are stored.
 * @retval ALOFT_ERR_TLS  The CA is missing or cannot be read: `failure` says so.
 */
ALOFT_MUST_CHECK
enum aloft_err tls_trust_init(struct tls_trust *trust, const struct aloft_tls *asked,
                              const char *ca_pem, mbedtls_ssl_config *config);

void tls_trust_free(struct tls_trust *trust);

/**
 * After a good handshake, before any byte is sent. Logs a warning with the key's pin when nothing
 * is checked.
 *
 * @retval ALOFT_ERR_TLS  It is not the pinned key: `failure` names both.
 */
ALOFT_MUST_CHECK
enum aloft_err tls_trust_judge(struct tls_trust *trust, const mbedtls_x509_crt *peer);

/** After a handshake that ended with MBEDTLS_ERR_X509_CERT_VERIFY_FAILED: fill `failure`.
 * @param flags  mbedtls_ssl_get_verify_result(). */
void tls_trust_explain(struct tls_trust *trust, uint32_t flags);

#endif
