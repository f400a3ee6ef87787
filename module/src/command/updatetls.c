/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

#include <string.h>

#include "aloft/bytes.h"
#include "aloft/module.h"
#include "aloft/pem.h"

#include "at/engine.h"
#include "at/params.h"
#include "command/http_preset.h"
#include "log.h"
#include "text.h"
#include "trust.h"
#include "upgrade/engine.h"
#include "upgrade/proof.h"

/*
 * AT+UPDATETLS: which servers of TLS connections are trusted, ours (facts/at-commands.md 6.1 row
 * 11, 6.2 row 28).
 *
 *   AT+UPDATETLS=0          any, as stock does
 *   AT+UPDATETLS=1,<len>    those of a CA: prompt, <len> bytes of PEM, then OK once it is stored
 *   AT+UPDATETLS=1          the same with the CA of before
 *   AT+UPDATETLS=2,"<hex>"  this key: SHA-256 of its SubjectPublicKeyInfo (RFC 7469 2.4)
 *   AT+UPDATETLS?           +UPDATETLS:<trust>,"<hex of the key>",<CA bytes>,"<SHA-256 of the CA>"
 *
 * Always stored, like the server. The CA itself is never shown.
 */

#define PARAMS_MAX 2
#define PIN_CHARS  (2 * ALOFT_TLS_PIN_BYTES)

static enum aloft_reply save(struct aloft_module *m, const struct aloft_trust_record *record)
{
    enum aloft_err err = aloft_trust_save(m, record);

    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "settings.store_failed", err);
        return ALOFT_REPLY_ERROR;
    }
    aloft_proof_yield(m); /* It began under the old trust; the next try is under the new one. */
    return ALOFT_REPLY_OK;
}

static enum aloft_reply save_trust(struct aloft_module *m, enum aloft_tls_trust trust,
                                   const uint8_t *pin)
{
    struct aloft_trust_record record;

    aloft_trust_load(m, &record);
    record.trust = (uint8_t)trust;
    memset(record.pin, 0, sizeof record.pin);
    if (pin != NULL) {
        memcpy(record.pin, pin, sizeof record.pin);
    }
    return save(m, &record);
}

static enum aloft_reply set_none(struct aloft_module *m, const struct aloft_params *params)
{
    if (!aloft_params_check_count(m, params, 1, 1)) {
        return ALOFT_REPLY_ERROR;
    }
    return save_trust(m, ALOFT_TLS_TRUST_NONE, NULL);
}

static bool has_ca(const struct aloft_module *m)
{
    uint8_t byte;
    size_t len = sizeof byte;

    /* It need not fit to be there. */
    return m->port->settings.get(m->port->ctx, ALOFT_SETTING_TLS_CA, &byte, &len) !=
           ALOFT_ERR_NOT_FOUND;
}

/* The record second: a power cut between the two leaves the trust of before, with the new CA if
 * that was a CA. The host saw no OK. */
static enum aloft_reply take_ca(struct aloft_module *m, uint8_t *buf, size_t len)
{
    const struct aloft_hash *sha256 = &m->port->sha256;
    struct aloft_trust_record record = {
        .trust = ALOFT_TLS_TRUST_CA,
        .ca_bytes = (uint16_t)len,
    };

    if (aloft_upgrade_is_running(m)) {
        return ALOFT_REPLY_ERROR; /* It began in between; the hash is its own. */
    }
    if (!aloft_pem_is_certificates((const char *)buf, len)) {
        return aloft_at_fail(m, ALOFT_AT_FAIL_INVALID, 1);
    }
    sha256->ops->start(sha256->state);
    sha256->ops->update(sha256->state, buf, len);
    sha256->ops->finish(sha256->state, record.ca_sha256);
    enum aloft_err err = m->port->settings.set(m->port->ctx, ALOFT_SETTING_TLS_CA, buf, len);
    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "settings.store_failed", err);
        return ALOFT_REPLY_ERROR;
    }
    return save(m, &record);
}

static enum aloft_reply set_ca(struct aloft_module *m, const struct aloft_params *params)
{
    size_t cap = m->config.url_cap < UINT16_MAX ? m->config.url_cap : UINT16_MAX;
    const struct aloft_int_range lengths = {1, (int32_t)cap};
    int32_t len;

    if (params->count == 1) {
        return has_ca(m) ? save_trust(m, ALOFT_TLS_TRUST_CA, NULL) : ALOFT_REPLY_ERROR;
    }
    if (!aloft_params_get_int(m, params, 1, &lengths, &len)) {
        return ALOFT_REPLY_ERROR;
    }
    aloft_http_preset_forget_url(m);
    return aloft_at_take_data(m, (uint8_t *)m->config.url_buf, (size_t)len,
                              ALOFT_CONFIG_URL_IDLE_MS, take_ca);
}

/* `text` has at most PIN_CHARS; its NUL is no digit. */
static bool parse_pin(const char *text, uint8_t *ret_pin)
{
    for (size_t i = 0; i < ALOFT_TLS_PIN_BYTES; i++) {
        unsigned high = aloft_hex_digit(text[2 * i]);
        unsigned low = high < 16 ? aloft_hex_digit(text[2 * i + 1]) : high;
        if (low >= 16) {
            return false;
        }
        ret_pin[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static enum aloft_reply set_pin(struct aloft_module *m, const struct aloft_params *params)
{
    uint8_t pin[ALOFT_TLS_PIN_BYTES];
    const char *text;

    if (!aloft_params_check_count(m, params, 2, 2) ||
        !aloft_params_get_text(m, params, 1, PIN_CHARS, &text)) {
        return ALOFT_REPLY_ERROR;
    }
    if (!parse_pin(text, pin)) {
        return aloft_at_fail(m, ALOFT_AT_FAIL_INVALID, 1);
    }
    return save_trust(m, ALOFT_TLS_TRUST_PIN, pin);
}

static enum aloft_reply set(struct aloft_module *m, const struct aloft_params *params)
{
    static aloft_command_fn *const setters[] = {
        [ALOFT_TLS_TRUST_NONE] = set_none,
        [ALOFT_TLS_TRUST_CA] = set_ca,
        [ALOFT_TLS_TRUST_PIN] = set_pin,
    };
    static const struct aloft_int_range trusts = {ALOFT_TLS_TRUST_NONE, ALOFT_TLS_TRUST_PIN};
    int32_t trust;

    if (!aloft_params_check_count(m, params, 1, PARAMS_MAX) ||
        !aloft_params_get_int(m, params, 0, &trusts, &trust) || m->config.is_trust_fixed ||
        aloft_upgrade_is_running(m)) {
        return ALOFT_REPLY_ERROR;
    }
    return setters[trust](m, params);
}

/* In quotes; empty if there is nothing to show. */
static void print_hex(struct aloft_module *m, const uint8_t *bytes, bool is_shown)
{
    char buf[PIN_CHARS + 1];
    struct aloft_text t;

    aloft_text_init(&t, buf, sizeof buf);
    if (is_shown) {
        aloft_text_add_hex_bytes(&t, bytes, ALOFT_TLS_PIN_BYTES, '\0');
    }
    aloft_at_print_quoted(m, buf);
}

static enum aloft_reply query(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_trust_record record;

    (void)params;
    aloft_trust_load(m, &record);
    aloft_at_print(m, "+UPDATETLS:");
    aloft_at_print_int(m, record.trust);
    aloft_at_print(m, ",");
    print_hex(m, record.pin, record.trust == ALOFT_TLS_TRUST_PIN);
    aloft_at_print(m, ",");
    aloft_at_print_int(m, record.ca_bytes);
    aloft_at_print(m, ",");
    print_hex(m, record.ca_sha256, record.ca_bytes > 0);
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static const struct aloft_command commands[] = {
    {.name = "+UPDATETLS", .query = query, .set = set},
};

const struct aloft_family aloft_updatetls_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .init = aloft_trust_init,
};
