/* SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/confirm.h"

#include "aloft/module.h"

#include "at/engine.h"
#include "command/wifi.h"
#include "log.h"
#include "upgrade/proof.h"

#define LIMIT_S  600
#define RETRY_MS 60000 /* Behind a confirmation that could not be written. */
#define POLL_MS  250   /* For the network and the integrator's check. */

static uint64_t limit_ms(const struct aloft_module *m)
{
    uint32_t limit_s = m->config.confirm.limit_s;

    return (uint64_t)(limit_s > 0 ? limit_s : LIMIT_S) * 1000;
}

void aloft_confirm_init(struct aloft_module *m)
{
    struct aloft_confirm_state *c = &m->upgrade.confirm;

    c->is_due = m->port->boot.is_unconfirmed(m->port->ctx);
    c->deadline_ms = m->now_ms + limit_ms(m);
    if (c->is_due && m->config.confirm.policy == ALOFT_CONFIRM_SERVER) {
        aloft_proof_demand(m);
    }
}

bool aloft_confirm_is_due(const struct aloft_module *m)
{
    return m->upgrade.confirm.is_due;
}

static bool is_fulfilled(struct aloft_module *m)
{
    const struct aloft_confirm_config *config = &m->config.confirm;

    if (config->policy == ALOFT_CONFIRM_NETWORK && !aloft_wifi_has_ip(m)) {
        return false;
    }
    if (config->policy == ALOFT_CONFIRM_SERVER && !aloft_proof_is_answered(m)) {
        return false;
    }
    return config->check == NULL || config->check(m, config->check_ctx);
}

/* A failure is not fatal: the boot loader falls back at the next reset, upgrades are refused until
 * then. */
static void confirm(struct aloft_module *m)
{
    struct aloft_confirm_state *c = &m->upgrade.confirm;
    enum aloft_err err = m->port->boot.confirm(m->port->ctx);

    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "boot.confirm_failed", err);
        c->next_ms = m->now_ms + RETRY_MS;
        return;
    }
    c->is_due = false;
    aloft_proof_settle(m);
}

void aloft_confirm_before_restart(struct aloft_module *m)
{
    /* AT+SYSROLLBACK may have ended the trial its own way. */
    if (m->upgrade.confirm.is_due && m->port->boot.is_unconfirmed(m->port->ctx) &&
        is_fulfilled(m)) {
        confirm(m);
    }
}

/* Where nothing else would boot this image goes on, and on trying. */
static void give_up(struct aloft_module *m)
{
    struct aloft_confirm_state *c = &m->upgrade.confirm;

    aloft_log(m, "boot.confirm_limit_over");
    enum aloft_err err = m->port->boot.reject(m->port->ctx);
    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "boot.reject_failed", err);
        c->deadline_ms = m->now_ms + limit_ms(m);
        return;
    }
    c->is_due = false;
    aloft_at_force_restart(m);
}

uint32_t aloft_confirm_step(struct aloft_module *m)
{
    struct aloft_confirm_state *c = &m->upgrade.confirm;

    if (!c->is_due) {
        return UINT32_MAX;
    }
    if (m->now_ms >= c->next_ms) {
        c->next_ms = m->now_ms + POLL_MS; /* Steps come as often as bytes do. */
        if (is_fulfilled(m)) {
            confirm(m);
            return POLL_MS;
        }
    }
    if (m->now_ms >= c->deadline_ms) {
        give_up(m);
    }
    return POLL_MS;
}
