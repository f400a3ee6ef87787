/* SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/proof.h"

#include "aloft/module.h"

#include "command/wifi.h"
#include "http/client.h"
#include "upgrade/confirm.h"
#include "upgrade/engine.h"

#define SETTING      "upgrade.mode"
#define TRIES_MAX    5
#define TRY_MS       60000 /* A server that drips holds one try, not the whole trial. */
#define PAUSE_MS     2000  /* Behind the first try; each further pause is twice as long. */
#define DOUBLES_MAX  5     /* Of the pause, where more tries are demanded. */
#define POLL_MS      500   /* For an address, or for the client to be free. */
#define STATUS_FAULT 500   /* From here on it is the server that failed: asked again. */

static bool load_mode(struct aloft_module *m, uint8_t *ret_mode)
{
    size_t len = sizeof *ret_mode;
    enum aloft_err err = m->port->settings.get(m->port->ctx, SETTING, ret_mode, &len);

    return err == ALOFT_ERR_OK && len == sizeof *ret_mode && *ret_mode <= 1;
}

static enum aloft_err store_mode(struct aloft_module *m, uint8_t mode)
{
    return m->port->settings.set(m->port->ctx, SETTING, &mode, sizeof mode);
}

static bool has_server(const struct aloft_module *m, uint8_t mode)
{
    return (mode == 0 ? m->config.plain.host : m->config.tls.host) != NULL;
}

/* A file from elsewhere has no mode, and the new image need not know all the servers of the one
 * before. */
static uint8_t usable_mode(const struct aloft_module *m, uint8_t wanted)
{
    return has_server(m, wanted) ? wanted : !wanted;
}

void aloft_proof_init(struct aloft_module *m)
{
    struct aloft_proof_state *p = &m->upgrade.proof;

    p->is_due = load_mode(m, &p->mode);
    p->mode = usable_mode(m, p->mode);
}

static uint64_t pause_ms(const struct aloft_proof_state *p)
{
    uint8_t doubles = p->tries > DOUBLES_MAX ? DOUBLES_MAX : (uint8_t)(p->tries - 1);

    return (uint64_t)PAUSE_MS << doubles;
}

static void begin_try(struct aloft_module *m)
{
    struct aloft_proof_state *p = &m->upgrade.proof;
    const struct aloft_http_request request = {
        .ask = ALOFT_HTTP_ASK_VERSION,
        .mode = p->mode,
        .deadline_ms = m->now_ms + TRY_MS,
    };

    p->is_running = aloft_http_begin(m, &request) == ALOFT_ERR_OK;
    p->is_due = p->is_running;
    p->tries = p->tries < UINT8_MAX ? p->tries + 1 : UINT8_MAX;
}

void aloft_proof_settle(struct aloft_module *m)
{
    if (m->upgrade.proof.is_answered && !aloft_confirm_is_due(m)) {
        (void)m->port->settings.remove(m->port->ctx, SETTING); /* Else it is asked once more. */
    }
}

/* The setting stays when all tries fail: the next boot tries again. */
static void end_try(struct aloft_module *m, bool is_answered)
{
    struct aloft_proof_state *p = &m->upgrade.proof;

    aloft_http_end(m);
    p->is_running = false;
    p->is_answered = is_answered;
    p->is_due = !is_answered && (p->tries < TRIES_MAX || p->is_demanded);
    p->next_ms = m->now_ms + pause_ms(p);
    aloft_proof_settle(m);
}

static uint32_t run_try(struct aloft_module *m)
{
    const struct aloft_http_state *h = &m->http;
    size_t len = 0;

    if (h->phase == ALOFT_HTTP_FAILED) {
        end_try(m, h->err == ALOFT_ERR_HTTP_STATUS && h->status < STATUS_FAULT);
        return 0;
    }
    if (h->phase == ALOFT_HTTP_DONE) {
        end_try(m, true);
        return 0;
    }
    if (h->phase == ALOFT_HTTP_BODY) {
        (void)aloft_http_body(m, &len);
        aloft_http_consume(m, len);
    }
    return len > 0 ? 0 : UINT32_MAX;
}

uint32_t aloft_proof_step(struct aloft_module *m)
{
    struct aloft_proof_state *p = &m->upgrade.proof;

    if (p->is_running) {
        return run_try(m);
    }
    if (!p->is_due) {
        return UINT32_MAX;
    }
    if (m->now_ms < p->next_ms) {
        return (uint32_t)(p->next_ms - m->now_ms);
    }
    /* What is not confirmed yet is proven only where that is what the trial waits for. */
    if (m->http.phase != ALOFT_HTTP_IDLE || aloft_upgrade_is_running(m) || !aloft_wifi_has_ip(m) ||
        (aloft_confirm_is_due(m) && !p->is_demanded)) {
        return POLL_MS;
    }
    begin_try(m);
    return 0;
}

void aloft_proof_demand(struct aloft_module *m)
{
    struct aloft_proof_state *p = &m->upgrade.proof;

    p->is_demanded = true;
    p->is_due = true;
}

bool aloft_proof_is_answered(const struct aloft_module *m)
{
    return m->upgrade.proof.is_answered;
}

void aloft_proof_yield(struct aloft_module *m)
{
    struct aloft_proof_state *p = &m->upgrade.proof;

    if (!p->is_running) {
        return;
    }
    aloft_http_end(m);
    p->is_running = false;
    p->tries--;
    p->next_ms = m->now_ms + PAUSE_MS;
}

enum aloft_err aloft_proof_arm(struct aloft_module *m, uint8_t mode)
{
    aloft_proof_yield(m); /* Its answer would remove what is set here. */
    m->upgrade.proof.is_due = false;
    mode = usable_mode(m, mode);
    if (!has_server(m, mode)) {
        return m->port->settings.remove(m->port->ctx, SETTING);
    }
    return store_mode(m, mode);
}

void aloft_proof_disarm(struct aloft_module *m)
{
    (void)m->port->settings.remove(m->port->ctx, SETTING); /* At worst one proof too many. */
}

enum aloft_err aloft_proof_remove_others(struct aloft_module *m)
{
    uint8_t mode = 0;
    bool is_owed = load_mode(m, &mode);
    enum aloft_err err = m->port->settings.remove_all(m->port->ctx);

    return err == ALOFT_ERR_OK && is_owed ? store_mode(m, mode) : err;
}
