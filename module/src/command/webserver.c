/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

#include "aloft/module.h"

#include "at/params.h"
#include "web/provision.h"
#include "web/restart.h"
#include "web/server.h"

/* AT+WEBSERVER (facts/at-commands.md 2.4). */

static enum aloft_reply start(struct aloft_module *m, const struct aloft_params *params)
{
    const struct aloft_int_range ports = {0, UINT16_MAX};
    const struct aloft_int_range timeouts = {21, 60};
    int32_t port = 0;
    int32_t timeout_s = 0;

    if (!aloft_params_check_count(m, params, 3, 3) ||
        !aloft_params_get_int(m, params, 1, &ports, &port) ||
        !aloft_params_get_int(m, params, 2, &timeouts, &timeout_s) ||
        (!aloft_web_is_running(m) && aloft_web_start(m, (uint16_t)port) != ALOFT_ERR_OK)) {
        return ALOFT_REPLY_ERROR;
    }
    m->web->timeout_s = (uint16_t)timeout_s;
    return ALOFT_REPLY_OK;
}

static enum aloft_reply set(struct aloft_module *m, const struct aloft_params *params)
{
    const struct aloft_int_range flag = {0, 1};
    int32_t enable = 0;

    if (!aloft_params_get_int(m, params, 0, &flag, &enable)) {
        return ALOFT_REPLY_ERROR;
    }
    if (enable == 1) {
        return start(m, params);
    }
    /* Stock firmware starts with =0,<port>,<timeout>: facts/at-commands.md 6.3, row 37. */
    if (!aloft_params_check_count(m, params, 1, 1)) {
        return ALOFT_REPLY_ERROR;
    }
    aloft_web_stop(m);
    return ALOFT_REPLY_OK;
}

static const struct aloft_command commands[] = {
    {.name = "+WEBSERVER", .set = set},
};

static uint32_t step(struct aloft_module *m)
{
    if (m->web == NULL) {
        return UINT32_MAX;
    }
    uint32_t wait_ms = aloft_web_step(m);
    uint32_t provision_ms = aloft_provision_step(m);
    uint32_t restart_ms = aloft_restart_step(m);
    wait_ms = provision_ms < wait_ms ? provision_ms : wait_ms;
    return restart_ms < wait_ms ? restart_ms : wait_ms;
}

const struct aloft_family aloft_webserver_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .init = aloft_web_init,
    .step = step,
    .stop = aloft_web_stop,
};
