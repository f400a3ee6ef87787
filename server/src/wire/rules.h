/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WIRE_RULES_H
#define ALOFT_WIRE_RULES_H

#include <openssl/types.h>
#include <stdatomic.h>

#include "wire/wire.h"

/*
 * What may change while the loops run: one immutable thing with references, replaced as a whole. A
 * loop takes the new one before its next round; connections under way keep the certificate they
 * began with, because each holds its own reference to the SSL_CTX.
 */

struct rules {
    atomic_uint n_refs;
    SSL_CTX *tls; /**< NULL: no TLS listener. */
    uint64_t head_timeout_ms;
    uint64_t stall_timeout_ms;
    struct networks proxies;
};

/** One reference, the caller's. Results as wire_start(). */
ALOFT_MUST_CHECK
enum aloft_err rules_new(const struct wire_options *options, bool has_tls, struct rules **ret_rules,
                         struct error *e);
struct rules *rules_hold(struct rules *rules);
void rules_release(struct rules *rules); /**< NULL is fine. */

#endif
