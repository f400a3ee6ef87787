/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include <string.h>

#include "aloft/bytes.h"

#include "log.h"

static const char key[] = "update.trust";

/* Layout of the setting: stored, never renumber. Numbers are little-endian. */
enum {
    LAYOUT = 1,
    LAYOUT_OFF = 0,
    TRUST_OFF = 1,
    CA_BYTES_OFF = 2,
    CA_SHA256_OFF = 4,
    PIN_OFF = CA_SHA256_OFF + ALOFT_SHA256_BYTES,
    STORED_BYTES = PIN_OFF + ALOFT_TLS_PIN_BYTES,
};

static void set_compiled_in(const struct aloft_module *m, struct aloft_trust_record *ret_record)
{
    memset(ret_record, 0, sizeof *ret_record);
    ret_record->trust = (uint8_t)m->config.trust;
    if (m->config.trust == ALOFT_TLS_TRUST_PIN) {
        memcpy(ret_record->pin, m->config.pin, sizeof ret_record->pin);
    }
}

/* No key has this SHA-256. */
static void set_nobody(struct aloft_trust_record *ret_record)
{
    memset(ret_record, 0, sizeof *ret_record);
    ret_record->trust = ALOFT_TLS_TRUST_PIN;
}

void aloft_trust_load(const struct aloft_module *m, struct aloft_trust_record *ret_record)
{
    uint8_t stored[STORED_BYTES];
    size_t len = sizeof stored;
    enum aloft_err err = m->config.is_trust_fixed
                             ? ALOFT_ERR_NOT_FOUND
                             : m->port->settings.get(m->port->ctx, key, stored, &len);

    if (err == ALOFT_ERR_NOT_FOUND) {
        set_compiled_in(m, ret_record);
        return;
    }
    if (err != ALOFT_ERR_OK || len != sizeof stored || stored[LAYOUT_OFF] != LAYOUT ||
        stored[TRUST_OFF] > ALOFT_TLS_TRUST_PIN) {
        set_nobody(ret_record);
        return;
    }
    ret_record->trust = stored[TRUST_OFF];
    ret_record->ca_bytes = aloft_get_le16(stored + CA_BYTES_OFF);
    memcpy(ret_record->ca_sha256, stored + CA_SHA256_OFF, sizeof ret_record->ca_sha256);
    memcpy(ret_record->pin, stored + PIN_OFF, sizeof ret_record->pin);
}

static void put_in_force(struct aloft_module *m, const struct aloft_trust_record *record)
{
    m->trust.trust = record->trust;
    memcpy(m->trust.pin, record->pin, sizeof m->trust.pin);
}

void aloft_trust_init(struct aloft_module *m)
{
    struct aloft_trust_record record;

    aloft_trust_load(m, &record);
    put_in_force(m, &record);
}

enum aloft_err aloft_trust_save(struct aloft_module *m, const struct aloft_trust_record *record)
{
    uint8_t stored[STORED_BYTES] = {0};

    stored[LAYOUT_OFF] = LAYOUT;
    stored[TRUST_OFF] = record->trust;
    aloft_put_le16(stored + CA_BYTES_OFF, record->ca_bytes);
    memcpy(stored + CA_SHA256_OFF, record->ca_sha256, sizeof record->ca_sha256);
    memcpy(stored + PIN_OFF, record->pin, sizeof record->pin);
    enum aloft_err err = m->port->settings.set(m->port->ctx, key, stored, sizeof stored);
    if (err == ALOFT_ERR_OK) {
        put_in_force(m, record);
    }
    return err;
}

void aloft_trust_fill(const struct aloft_module *m, struct aloft_tls *tls)
{
    tls->trust = (enum aloft_tls_trust)m->trust.trust;
    tls->pin = m->trust.trust == ALOFT_TLS_TRUST_PIN ? m->trust.pin : NULL;
    if (tls->trust == ALOFT_TLS_TRUST_NONE) {
        aloft_log(m, "tls.unverified"); /* Anybody on the way may be the server. */
    }
}
