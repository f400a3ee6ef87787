/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TRUST_H
#define ALOFT_TRUST_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"
#include "aloft/hash.h"
#include "aloft/module.h"

/*
 * Which servers of TLS connections are the right ones: what the configuration says, or what
 * AT+UPDATETLS stored over it. One rule for everything that opens TLS.
 */

/** What is stored. */
struct aloft_trust_record {
    uint8_t trust; /**< enum aloft_tls_trust. */
    uint8_t pin[ALOFT_TLS_PIN_BYTES];
    /* Of the certificates AT+UPDATETLS stored last, for its query. */
    uint16_t ca_bytes; /**< 0 = none. */
    uint8_t ca_sha256[ALOFT_SHA256_BYTES];
};

/** At boot. A record that cannot be read trusts nobody: a pin must not fall away unseen. */
void aloft_trust_init(struct aloft_module *m);

/** What is in force; compiled-in values if nothing is stored. */
void aloft_trust_load(const struct aloft_module *m, struct aloft_trust_record *ret_record);

/** Store and put in force. On an error the old trust is. */
ALOFT_MUST_CHECK
enum aloft_err aloft_trust_save(struct aloft_module *m, const struct aloft_trust_record *record);

/** For a connection that is about to be opened: all of `tls` but the host. With
 * ALOFT_TLS_TRUST_NONE the log gets a warning. */
void aloft_trust_fill(const struct aloft_module *m, struct aloft_tls *tls);

#endif
