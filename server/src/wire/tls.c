/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/loop.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

/* What modules and everybody else can do, without RSA key exchange or CBC. */
#define CIPHERS_TLS12 "ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS        "P-256:X25519"

static enum aloft_err fail_tls(struct error *e, const char *what, const char *name)
{
    char reason[256];
    unsigned long code = ERR_get_error();

    ERR_error_string_n(code, reason, sizeof reason);
    ERR_clear_error();
    return fail(e, ALOFT_ERR_TLS, "%s '%s': %s", what, name, code ? reason : "no reason given");
}

static enum aloft_err load_certificate(SSL_CTX *context, const struct wire_options *options,
                                       struct error *e)
{
    if (SSL_CTX_use_certificate_chain_file(context, options->certificate) != 1) {
        return fail_tls(e, "cannot use the certificate", options->certificate);
    }
    if (SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) != 1) {
        return fail_tls(e, "cannot use the key", options->key);
    }
    if (SSL_CTX_check_private_key(context) != 1) {
        return fail_tls(e, "the certificate does not belong to the key", options->key);
    }
    return ALOFT_ERR_OK;
}

static bool set_up(SSL_CTX *context, size_t record_bytes)
{
    char groups[] = GROUPS; /* OpenSSL's macro casts const away */

    (void)SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_NO_RENEGOTIATION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* modules resume nothing */
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, CIPHERS_TLS12) == 1 &&
           SSL_CTX_set1_groups_list(context, groups) == 1 &&
           SSL_CTX_set_num_tickets(context, 0) == 1 &&
           SSL_CTX_set_max_send_fragment(context, (long)record_bytes) == 1;
}

enum aloft_err tls_context_new(const struct wire_options *options, SSL_CTX **ret_context,
                               struct error *e)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    size_t record_bytes = options->record_bytes ? options->record_bytes : LOOP_RECORD_MAX;

    if (!context) {
        return fail_tls(e, "cannot set up", "TLS");
    }
    enum aloft_err err = set_up(context, record_bytes) ? load_certificate(context, options, e)
                                                       : fail_tls(e, "cannot set up", "TLS");
    if (err != ALOFT_ERR_OK) {
        SSL_CTX_free(context);
        return err;
    }
    *ret_context = context;
    return ALOFT_ERR_OK;
}
