/* SPDX-License-Identifier: Apache-2.0 */
#include "process/tls_trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/error.h>
#include <mbedtls/sha256.h>

#include "host/hashes.h"
#include "host/log.h"
#include "process/endpoint.h"

#define SAN_IP_ADDRESS (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 7) /* iPAddress, RFC 5280 4.2.1.6 */
#define NAME_BYTES     96
#define REASON_BYTES   128

static const struct reason {
    uint32_t flag;
    const char *text;
} reasons[] = {
    {MBEDTLS_X509_BADCERT_EXPIRED, "it has expired"},
    {MBEDTLS_X509_BADCERT_FUTURE, "it is not valid yet"},
    {MBEDTLS_X509_BADCERT_CN_MISMATCH, "it is for another name or address"},
    {MBEDTLS_X509_BADCERT_NOT_TRUSTED, "no CA of the setting " ALOFT_SETTING_TLS_CA " signed it"},
};

static void append(char *text, size_t cap, const char *more)
{
    size_t used = strlen(text);

    (void)snprintf(text + used, cap - used, "%s", more);
}

/* The certificate's own words come from outside: they must not end a quoted value of the log. */
static void disarm(char *text)
{
    for (; *text != '\0'; text++) {
        *text = *text == '"' ? '\'' : *text;
    }
}

static void describe(const mbedtls_x509_crt *crt, char *out, size_t cap)
{
    char subject[NAME_BYTES] = "?";
    char issuer[NAME_BYTES] = "?";
    const mbedtls_x509_time *from = &crt->valid_from;
    const mbedtls_x509_time *to = &crt->valid_to;

    (void)mbedtls_x509_dn_gets(subject, sizeof subject, &crt->subject); /* '?' if too long */
    (void)mbedtls_x509_dn_gets(issuer, sizeof issuer, &crt->issuer);
    (void)snprintf(out, cap, "subject %s, issuer %s, valid %04d-%02d-%02d to %04d-%02d-%02d",
                   subject, issuer, from->year, from->mon, from->day, to->year, to->mon, to->day);
    disarm(out);
}

static bool names_address(const mbedtls_x509_crt *crt, const struct aloft_addr *addr)
{
    for (const mbedtls_x509_sequence *san = &crt->subject_alt_names; san; san = san->next) {
        if (san->buf.tag == SAN_IP_ADDRESS && san->buf.len == addr->len &&
            memcmp(san->buf.p, addr->bytes, addr->len) == 0) {
            return true;
        }
    }
    return false;
}

/* Called for each certificate of the chain, the server's own (depth 0) last. */
static int verify(void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct tls_trust *t = ctx;

    if (depth == 0 && t->literal.len > 0 && !names_address(crt, &t->literal)) {
        *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    }
    if (*flags != 0) {
        describe(crt, t->rejected, sizeof t->rejected);
    }
    return 0;
}

static enum aloft_err load_ca(struct tls_trust *t, const char *pem)
{
    char why[REASON_BYTES] = "";

    if (!pem) {
        (void)snprintf(t->failure, sizeof t->failure,
                       "the server is to be verified, but the setting " ALOFT_SETTING_TLS_CA
                       " holds no CA certificate (AT+UPDATETLS=1 stores one)");
        return ALOFT_ERR_TLS;
    }
    int rc = mbedtls_x509_crt_parse(&t->ca, (const unsigned char *)pem, strlen(pem) + 1);
    if (rc == 0) {
        return ALOFT_ERR_OK;
    }
    if (rc < 0) {
        mbedtls_strerror(rc, why, sizeof why);
    } else {
        (void)snprintf(why, sizeof why, "%d of its certificates", rc);
    }
    (void)snprintf(t->failure, sizeof t->failure,
                   "the setting " ALOFT_SETTING_TLS_CA " cannot be read as PEM certificates (%s)",
                   why);
    return ALOFT_ERR_TLS;
}

enum aloft_err tls_trust_init(struct tls_trust *t, const struct aloft_tls *asked,
                              const char *ca_pem, mbedtls_ssl_config *config)
{
    memset(t, 0, sizeof *t);
    mbedtls_x509_crt_init(&t->ca);
    t->kind = asked->trust;
    t->host = strdup(asked->host);
    if (!t->host || (t->kind == ALOFT_TLS_TRUST_PIN && !asked->pin)) {
        (void)snprintf(t->failure, sizeof t->failure, "out of memory, or no pin given");
        return ALOFT_ERR_TLS;
    }
    if (!endpoint_parse_literal(asked->host, &t->literal)) {
        t->literal.len = 0;
    }
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_NONE);
    if (t->kind == ALOFT_TLS_TRUST_PIN) {
        memcpy(t->pin, asked->pin, sizeof t->pin);
    }
    if (t->kind != ALOFT_TLS_TRUST_CA) {
        return ALOFT_ERR_OK;
    }
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(config, &t->ca, NULL);
    mbedtls_ssl_conf_verify(config, verify, t);
    return load_ca(t, ca_pem);
}

void tls_trust_free(struct tls_trust *t)
{
    mbedtls_x509_crt_free(&t->ca);
    free(t->host);
}

/* In a time that does not depend on where they differ. */
static bool is_same_pin(const uint8_t *a, const uint8_t *b)
{
    volatile uint8_t difference = 0;

    for (size_t i = 0; i < ALOFT_TLS_PIN_BYTES; i++) {
        difference = (uint8_t)(difference | (a[i] ^ b[i]));
    }
    return difference == 0;
}

enum aloft_err tls_trust_judge(struct tls_trust *t, const mbedtls_x509_crt *peer)
{
    uint8_t seen[ALOFT_TLS_PIN_BYTES];
    char seen_hex[HASH_HEX_BYTES];
    char pin_hex[HASH_HEX_BYTES];

    if (t->kind == ALOFT_TLS_TRUST_CA) {
        return ALOFT_ERR_OK; /* verified in the handshake */
    }
    if (!peer || mbedtls_sha256_ret(peer->pk_raw.p, peer->pk_raw.len, seen, 0) != 0) {
        (void)snprintf(t->failure, sizeof t->failure, "'%s' showed no key", t->host);
        return t->kind == ALOFT_TLS_TRUST_PIN ? ALOFT_ERR_TLS : ALOFT_ERR_OK;
    }
    hex_encode(seen, sizeof seen, seen_hex);
    if (t->kind == ALOFT_TLS_TRUST_NONE) {
        log_warn("tls.unverified",
                 "host=%s pin=%s remedy=\"anybody on the way could pose as this server: "
                 "AT+UPDATETLS=1 trusts a CA, AT+UPDATETLS=2 this pin\"",
                 t->host, seen_hex);
        return ALOFT_ERR_OK;
    }
    if (is_same_pin(seen, t->pin)) {
        return ALOFT_ERR_OK;
    }
    hex_encode(t->pin, sizeof t->pin, pin_hex);
    (void)snprintf(t->failure, sizeof t->failure,
                   "the key of '%s' is not the pinned one: seen %s, pinned %s", t->host, seen_hex,
                   pin_hex);
    return ALOFT_ERR_TLS;
}

void tls_trust_explain(struct tls_trust *t, uint32_t flags)
{
    char other[REASON_BYTES] = "";
    const char *separator = "";

    (void)snprintf(t->failure, sizeof t->failure, "the certificate of '%s' is refused: ", t->host);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if ((flags & reasons[i].flag) != 0) {
            append(t->failure, sizeof t->failure, separator);
            append(t->failure, sizeof t->failure, reasons[i].text);
            separator = ", ";
            flags &= ~reasons[i].flag;
        }
    }
    if (flags != 0) {
        (void)mbedtls_x509_crt_verify_info(other, sizeof other, separator, flags);
        other[strcspn(other, "\n")] = '\0';
        append(t->failure, sizeof t->failure, other);
    }
    append(t->failure, sizeof t->failure, " (");
    append(t->failure, sizeof t->failure, t->rejected);
    append(t->failure, sizeof t->failure, ")");
}
