/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/wire.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "host/files.h"
#include "host/hashes.h"

#define VALID_BEFORE_S (24 * 60 * 60L) /* clocks that are a little behind */
#define VALID_DAYS     (20 * 365)      /* as long as a product lives */
#define SERIAL_BYTES   16

static bool fill_certificate(X509 *x, EVP_PKEY *key)
{
    unsigned char serial_bytes[SERIAL_BYTES];
    X509_NAME *name = X509_get_subject_name(x);

    if (RAND_bytes(serial_bytes, sizeof serial_bytes) != 1) {
        return false;
    }
    serial_bytes[0] &= 0x7F; /* positive (RFC 5280 4.1.2.2) */
    BIGNUM *serial = BN_bin2bn(serial_bytes, sizeof serial_bytes, NULL);
    bool is_set = serial && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x)) != NULL;
    BN_free(serial);
    return is_set && X509_set_version(x, X509_VERSION_3) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(x), -VALID_BEFORE_S) != NULL &&
           X509_time_adj_ex(X509_getm_notAfter(x), VALID_DAYS, 0, NULL) != NULL &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"aloft", -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, key) == 1 &&
           X509_sign(x, key, EVP_sha256()) > 0;
}

static enum aloft_err save_pem(BIO *bio, const char *path, mode_t mode, struct error *e)
{
    char *text;
    long len = BIO_get_mem_data(bio, &text);

    return file_replace(path, text, (size_t)len, mode, e);
}

/* The key first: a certificate whose key is missing would be taken for an operator's mistake. */
static enum aloft_err save_pair(X509 *x, EVP_PKEY *key, const char *cert_path, const char *key_path,
                                struct error *e)
{
    BIO *key_pem = BIO_new(BIO_s_secmem());
    BIO *cert_pem = BIO_new(BIO_s_mem());
    enum aloft_err err = ALOFT_ERR_OK;

    if (!key_pem || !cert_pem || PEM_write_bio_X509(cert_pem, x) != 1 ||
        PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) != 1) {
        err = fail(e, ALOFT_ERR_TLS, "cannot write the certificate as PEM");
    }
    if (err == ALOFT_ERR_OK) {
        err = save_pem(key_pem, key_path, S_IRUSR | S_IWUSR, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = save_pem(cert_pem, cert_path, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH, e);
    }
    BIO_free(key_pem);
    BIO_free(cert_pem);
    return err;
}

static enum aloft_err make_pair(const char *cert_path, const char *key_path, struct error *e)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    enum aloft_err err = key && x && fill_certificate(x, key)
                             ? save_pair(x, key, cert_path, key_path, e)
                             : fail(e, ALOFT_ERR_TLS, "cannot make a TLS certificate");

    X509_free(x);
    EVP_PKEY_free(key);
    return err;
}

enum aloft_err wire_certificate_ensure(const char *dir, struct error *e)
{
    char cert_path[PATH_MAX];
    char key_path[PATH_MAX];

    if ((size_t)snprintf(cert_path, sizeof cert_path, "%s/cert.pem", dir) >= sizeof cert_path ||
        (size_t)snprintf(key_path, sizeof key_path, "%s/key.pem", dir) >= sizeof key_path) {
        return fail(e, ALOFT_ERR_TOO_BIG, "the path '%s' is too long", dir);
    }
    bool has_cert = access(cert_path, F_OK) == 0;
    bool has_key = access(key_path, F_OK) == 0;
    if (has_cert && !has_key) {
        return fail(e, ALOFT_ERR_NOT_FOUND,
                    "'%s' has no key: put '%s' back, or remove the certificate to get a new pair",
                    cert_path, key_path);
    }
    return has_cert ? ALOFT_ERR_OK : make_pair(cert_path, key_path, e);
}

enum aloft_err wire_certificate_pin(const char *path, char *ret_pin, struct error *e)
{
    BIO *file = BIO_new_file(path, "re");
    X509 *x = file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
    unsigned char *der = NULL;
    int len = x ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der) : -1;
    unsigned char digest[ALOFT_SHA256_BYTES];
    enum aloft_err err = ALOFT_ERR_OK;

    if (len > 0 && EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1) {
        hex_encode(digest, sizeof digest, ret_pin);
    } else {
        err = fail(e, ALOFT_ERR_TLS, "'%s' has no certificate", path);
    }
    OPENSSL_free(der);
    X509_free(x);
    BIO_free(file);
    return err;
}
