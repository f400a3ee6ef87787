/* SPDX-License-Identifier: Apache-2.0 */
#include "test_certs.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#define DAY_S 86400L

static void need(bool is_done)
{
    if (!is_done) {
        abort();
    }
}

static void add_extension(X509 *x509, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);

    need(ext && X509_add_ext(x509, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

struct test_cert test_cert_new(const struct cert_plan *plan, const struct test_cert *issuer,
                               bool is_rsa)
{
    static long serial;
    struct test_cert cert = {.x509 = X509_new()};
    X509V3_CTX ctx;

    cert.key = is_rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    need(cert.x509 && cert.key);
    const struct test_cert *signer = issuer ? issuer : &cert;
    X509_NAME *name = X509_get_subject_name(cert.x509);
    need(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)plan->name, -1,
                                    -1, 0) == 1);
    need(X509_set_version(cert.x509, X509_VERSION_3) == 1 &&
         ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), ++serial) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(cert.x509), plan->from_days * DAY_S) &&
         X509_gmtime_adj(X509_getm_notAfter(cert.x509), plan->to_days * DAY_S) &&
         X509_set_issuer_name(cert.x509, X509_get_subject_name(signer->x509)) == 1 &&
         X509_set_pubkey(cert.x509, cert.key) == 1);
    X509V3_set_ctx(&ctx, signer->x509, cert.x509, NULL, NULL, 0);
    add_extension(cert.x509, &ctx, NID_basic_constraints,
                  plan->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (plan->san) {
        add_extension(cert.x509, &ctx, NID_subject_alt_name, plan->san);
    }
    need(X509_sign(cert.x509, signer->key, EVP_sha256()) > 0);
    return cert;
}

void test_cert_free(struct test_cert *cert)
{
    X509_free(cert->x509);
    EVP_PKEY_free(cert->key);
    *cert = (struct test_cert){0};
}

void test_cert_append_pem(const struct test_cert *cert, char *out, size_t cap)
{
    BIO *bio = BIO_new(BIO_s_mem());
    size_t used = strlen(out);
    char *text;

    need(bio && PEM_write_bio_X509(bio, cert->x509) == 1);
    long len = BIO_get_mem_data(bio, &text);
    need(len > 0 && (size_t)len < cap - used);
    memcpy(out + used, text, (size_t)len);
    out[used + (size_t)len] = '\0';
    BIO_free(bio);
}

void test_cert_pin(const struct test_cert *cert, uint8_t *ret_pin)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(cert->key, &der);

    need(len > 0 && SHA256(der, (size_t)len, ret_pin));
    OPENSSL_free(der);
}
