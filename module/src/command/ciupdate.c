/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

#include <string.h>

#include "aloft/limits.h"
#include "aloft/module.h"

#include "at/message.h"
#include "http/client.h"
#include "upgrade/confirm.h"
#include "upgrade/engine.h"
#include "upgrade/proof.h"

/* AT+CIUPDATE (facts/at-commands.md 2.2). */

#define PARAMS_MAX 4
#define TEXT_MAX   64

static void print_line(struct aloft_module *m, const char *name, int news)
{
    aloft_at_print(m, name);
    aloft_at_print_int(m, news);
    aloft_at_print(m, "\r\n");
}

static void take_news(struct aloft_module *m, enum aloft_upgrade_news news)
{
    struct aloft_ciupdate_state *c = &m->ciupdate;

    c->news = (int8_t)news;
    if (news != ALOFT_UPGRADE_FAILED || c->is_nonblocking) {
        aloft_at_begin_message(m);
        print_line(m, "+CIPUPDATE:", news);
        aloft_at_end_message(m);
    }
    if (c->is_nonblocking) {
        return;
    }
    if (news == ALOFT_UPGRADE_DONE) {
        aloft_at_finish(m, ALOFT_REPLY_RESTART);
    } else if (news == ALOFT_UPGRADE_FAILED) {
        aloft_at_finish(m, ALOFT_REPLY_ERROR);
    }
}

static enum aloft_reply query(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    print_line(m, m->config.query_as_documented ? "+CIPUPDATE:" : "+CIUPDATE:", m->ciupdate.news);
    return ALOFT_REPLY_OK;
}

static enum aloft_reply start(struct aloft_module *m, const struct aloft_upgrade_job *job,
                              bool is_nonblocking)
{
    if (aloft_upgrade_start(m, job) != ALOFT_ERR_OK) {
        return ALOFT_REPLY_ERROR;
    }
    m->ciupdate.is_nonblocking = is_nonblocking;
    return is_nonblocking ? ALOFT_REPLY_OK : ALOFT_REPLY_LATER;
}

static enum aloft_reply execute(struct aloft_module *m, const struct aloft_params *params)
{
    const struct aloft_upgrade_job job = {.name = "ota", .tell = take_news};

    (void)params;
    return start(m, &job, false);
}

/* 0 or 1. */
static bool get_flag(const struct aloft_param *param, uint8_t *ret_flag)
{
    if (param->kind != ALOFT_PARAM_INTEGER || param->number < 0 || param->number > 1) {
        return false;
    }
    *ret_flag = (uint8_t)param->number;
    return true;
}

/* Omitted and empty both leave the default. */
static bool get_text(const struct aloft_param *param, const char **ret_text)
{
    if (param->kind == ALOFT_PARAM_OMITTED) {
        return true;
    }
    if (param->kind != ALOFT_PARAM_STRING || param->text_len > TEXT_MAX) {
        return false;
    }
    if (param->text_len > 0) {
        *ret_text = param->text;
    }
    return true;
}

static enum aloft_reply set(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_upgrade_job job = {.name = "ota", .tell = take_news};
    const struct aloft_param *items = params->items;
    uint8_t nonblocking = 0;
    bool is_valid = params->count <= PARAMS_MAX && get_flag(&items[0], &job.mode) &&
                    (params->count < 2 || get_text(&items[1], &job.version)) &&
                    (params->count < 3 || get_text(&items[2], &job.name)) &&
                    (params->count < 4 || get_flag(&items[3], &nonblocking));

    /* A version goes into the request as it is: facts/at-commands.md 6.1, row 9. */
    if (!is_valid || (job.version != NULL && !aloft_request_is_version(job.version))) {
        return ALOFT_REPLY_ERROR;
    }
    return start(m, &job, nonblocking != 0);
}

static const struct aloft_command commands[] = {
    {.name = "+CIUPDATE", .query = query, .set = set, .execute = execute},
};

/* The client first, so that what it received is stored in the same step. */
static uint32_t step(struct aloft_module *m)
{
    uint32_t client_ms = aloft_http_step(m);
    uint32_t engine_ms = aloft_upgrade_step(m);
    uint32_t proof_ms = aloft_proof_step(m);
    uint32_t confirm_ms = aloft_confirm_step(m);

    client_ms = engine_ms < client_ms ? engine_ms : client_ms;
    proof_ms = confirm_ms < proof_ms ? confirm_ms : proof_ms;
    return proof_ms < client_ms ? proof_ms : client_ms;
}

/* An upgrade that runs ends here, and so does any other request: the slot it was writing is not
 * selected. */
static void stop(struct aloft_module *m)
{
    aloft_confirm_before_restart(m);
    aloft_upgrade_drop(m);
    aloft_http_end(m);
}

static void init(struct aloft_module *m)
{
    aloft_proof_init(m);
    aloft_confirm_init(m);
}

/* facts/at-commands.md 1.9: the new image marks itself valid just before `ready`. */
static void boot(struct aloft_module *m)
{
    (void)aloft_confirm_step(m);
}

const struct aloft_family aloft_ciupdate_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .init = init,
    .boot = boot,
    .step = step,
    .stop = stop,
};
