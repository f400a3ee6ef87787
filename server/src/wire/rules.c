/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/rules.h"

#include <stdlib.h>

#include <openssl/ssl.h>

#include "wire/loop.h"

enum aloft_err rules_new(const struct wire_options *options, bool has_tls, struct rules **ret_rules,
                         struct error *e)
{
    struct rules *rules = calloc(1, sizeof *rules);

    if (!rules) {
        return fail(e, ALOFT_ERR_TOO_BIG, "out of memory for the rules of the module plane");
    }
    atomic_init(&rules->n_refs, 1);
    rules->head_timeout_ms =
        options->head_timeout_ms ? options->head_timeout_ms : WIRE_HEAD_TIMEOUT_MS;
    rules->stall_timeout_ms =
        options->stall_timeout_ms ? options->stall_timeout_ms : WIRE_STALL_TIMEOUT_MS;
    if (options->proxies) {
        rules->proxies = *options->proxies;
    }
    if (has_tls) {
        enum aloft_err err = tls_context_new(options, &rules->tls, e);
        if (err != ALOFT_ERR_OK) {
            free(rules);
            return err;
        }
    }
    *ret_rules = rules;
    return ALOFT_ERR_OK;
}

struct rules *rules_hold(struct rules *rules)
{
    atomic_fetch_add_explicit(&rules->n_refs, 1, memory_order_relaxed);
    return rules;
}

void rules_release(struct rules *rules)
{
    if (rules && atomic_fetch_sub_explicit(&rules->n_refs, 1, memory_order_acq_rel) == 1) {
        SSL_CTX_free(rules->tls);
        free(rules);
    }
}
