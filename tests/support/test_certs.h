/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_TEST_CERTS_H
#define ALOFT_TESTS_TEST_CERTS_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

/* Certificates made by OpenSSL while a test runs. Whatever fails ends the test program. */

struct cert_plan {
    const char *name; /**< Common name of the subject. */
    const char *san;  /**< As in openssl.cnf: `DNS:a.test,IP:::1`; NULL = none. */
    int from_days;    /**< From now. */
    int to_days;
    bool is_ca;
};

struct test_cert {
    X509 *x509;
    EVP_PKEY *key;
};

/** A key of its own: EC P-256, or RSA with 2048 bits. @param issuer NULL = self-signed. */
struct test_cert test_cert_new(const struct cert_plan *plan, const struct test_cert *issuer,
                               bool is_rsa);
void test_cert_free(struct test_cert *cert);

/** Appended to `out`, which holds `cap` bytes and ends with a NUL. */
void test_cert_append_pem(const struct test_cert *cert, char *out, size_t cap);

/** RFC 7469 2.4: SHA-256 of the SubjectPublicKeyInfo, 32 bytes. */
void test_cert_pin(const struct test_cert *cert, uint8_t *ret_pin);

#endif
