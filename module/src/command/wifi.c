/* SPDX-License-Identifier: Apache-2.0 */
#include "command/wifi.h"

#include "at/engine.h"
#include "at/message.h"
#include "command/basic.h"
#include "command/families.h"
#include "command/wifi_link.h"

/* The station's link: who wants it, what the host was told about it (facts/at-commands.md 1.8), and
 * the tries after a lost link. The port knows the link itself; here it is looked at. */

#define POLL_JOINING_MS    20
#define POLL_MS            250
#define MS_PER_S           1000u
#define PROVISION_PAUSE_MS 500 /* As often as facts/at-commands.md 3.4, step 7 looks. */
#define MODE_STATION       1   /* Bits of the mode number. */
#define MODE_SOFT_AP       2

bool aloft_wifi_is_linked(enum aloft_wifi_state state)
{
    return state == ALOFT_WIFI_CONNECTED || state == ALOFT_WIFI_GOT_IP;
}

bool aloft_wifi_has_ip(const struct aloft_module *m)
{
    struct aloft_wifi_status status;

    m->port->wifi.status(m->port->ctx, &status);
    return status.state == ALOFT_WIFI_GOT_IP;
}

bool aloft_wifi_has_station(const struct aloft_module *m)
{
    return (m->wifi.mode & MODE_STATION) != 0;
}

bool aloft_wifi_has_soft_ap(const struct aloft_module *m)
{
    return (m->wifi.mode & MODE_SOFT_AP) != 0;
}

/* Returns whether a link was lost. */
static bool print_changes(struct aloft_module *m, enum aloft_wifi_state state)
{
    bool was_linked = aloft_wifi_is_linked(m->wifi.printed);
    bool is_linked = aloft_wifi_is_linked(state);

    if (was_linked && !is_linked) {
        aloft_at_print_message(m, "WIFI DISCONNECT\r\n");
    }
    if (!was_linked && is_linked) {
        aloft_at_print_message(m, "WIFI CONNECTED\r\n");
    }
    if (state == ALOFT_WIFI_GOT_IP && m->wifi.printed != ALOFT_WIFI_GOT_IP) {
        aloft_at_print_message(m, "WIFI GOT IP\r\n");
    }
    m->wifi.printed = state;
    return was_linked && !is_linked;
}

static enum aloft_err begin_join(struct aloft_module *m, enum aloft_wifi_task task)
{
    (void)print_changes(m, ALOFT_WIFI_DISCONNECTED);
    m->wifi.task = task;
    m->wifi.deadline_ms = m->now_ms + m->wifi.options.timeout_s * MS_PER_S;
    return m->port->wifi.join(m->port->ctx, &m->wifi.join);
}

void aloft_wifi_leave(struct aloft_module *m)
{
    struct aloft_wifi_status status;

    m->wifi.task = ALOFT_WIFI_REST;
    m->wifi.is_provisioning = false;
    m->port->wifi.status(m->port->ctx, &status);
    if (status.state != ALOFT_WIFI_IDLE) {
        m->port->wifi.leave(m->port->ctx);
        (void)print_changes(m, ALOFT_WIFI_DISCONNECTED);
    }
}

static enum aloft_reply fail_command(struct aloft_module *m, enum aloft_wifi_fail fail)
{
    m->wifi.task = ALOFT_WIFI_REST;
    aloft_at_print(m, "+CWJAP:");
    aloft_at_print_int(m, fail != ALOFT_WIFI_FAIL_NONE ? (int32_t)fail : ALOFT_WIFI_FAIL_OTHER);
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_ERROR;
}

enum aloft_reply aloft_wifi_begin_command(struct aloft_module *m)
{
    m->wifi.is_provisioning = false;
    m->wifi.n_tries = 0;
    if (begin_join(m, ALOFT_WIFI_COMMAND) != ALOFT_ERR_OK) {
        return fail_command(m, ALOFT_WIFI_FAIL_OTHER);
    }
    return ALOFT_REPLY_LATER;
}

void aloft_wifi_begin_auto(struct aloft_module *m)
{
    m->wifi.task = ALOFT_WIFI_PAUSE;
    m->wifi.deadline_ms = m->now_ms;
    m->wifi.n_tries = 0;
}

/* A join has brought an address. */
static void finish_join(struct aloft_module *m, bool is_to_be_stored)
{
    m->wifi.task = ALOFT_WIFI_REST;
    m->wifi.is_provisioning = false;
    m->wifi.n_tries = 0;
    if (is_to_be_stored && aloft_basic_has_store(m)) {
        aloft_wifi_save_join(m);
    }
}

enum aloft_err aloft_wifi_provision_begin(struct aloft_module *m,
                                          const struct aloft_wifi_join *join)
{
    uint16_t reconnect = m->wifi.options.reconnect;

    if (!aloft_wifi_has_station(m) || m->wifi.task == ALOFT_WIFI_COMMAND) {
        return ALOFT_ERR_STATE;
    }
    aloft_wifi_set_default_options(&m->wifi.options);
    m->wifi.options.reconnect = reconnect;
    m->wifi.join = *join;
    m->wifi.has_join = true;
    m->wifi.n_tries = 0;
    enum aloft_err err = begin_join(m, ALOFT_WIFI_AUTO);
    m->wifi.is_provisioning = err == ALOFT_ERR_OK;
    m->wifi.task = err == ALOFT_ERR_OK ? ALOFT_WIFI_AUTO : ALOFT_WIFI_REST;
    return err;
}

void aloft_wifi_provision_stop(struct aloft_module *m)
{
    if (m->wifi.is_provisioning && aloft_wifi_has_ip(m)) {
        finish_join(m, true); /* It worked since the last step. */
    } else if (m->wifi.is_provisioning) {
        aloft_wifi_leave(m);
    }
}

/* After a failed automatic try or a lost link. */
static void begin_pause(struct aloft_module *m)
{
    uint32_t pause_ms =
        m->wifi.is_provisioning ? PROVISION_PAUSE_MS : m->wifi.options.reconnect * MS_PER_S;
    bool is_used_up = m->wifi.max_tries > 0 && m->wifi.n_tries >= m->wifi.max_tries;

    if (!m->wifi.has_join || pause_ms == 0 || (is_used_up && !m->wifi.is_provisioning)) {
        m->wifi.task = ALOFT_WIFI_REST;
        return;
    }
    m->wifi.task = ALOFT_WIFI_PAUSE;
    m->wifi.deadline_ms = m->now_ms + pause_ms;
}

static void begin_try(struct aloft_module *m)
{
    if (m->wifi.n_tries < UINT16_MAX) {
        m->wifi.n_tries++;
    }
    if (begin_join(m, ALOFT_WIFI_AUTO) != ALOFT_ERR_OK) {
        begin_pause(m);
    }
}

static void step_command(struct aloft_module *m, const struct aloft_wifi_status *status)
{
    if (status->state == ALOFT_WIFI_GOT_IP) {
        finish_join(m, true);
        aloft_at_finish(m, ALOFT_REPLY_OK);
    } else if (status->state == ALOFT_WIFI_DISCONNECTED) {
        aloft_at_finish(m, fail_command(m, status->fail));
    } else if (m->now_ms >= m->wifi.deadline_ms) {
        aloft_wifi_leave(m);
        aloft_at_finish(m, fail_command(m, ALOFT_WIFI_FAIL_TIMEOUT));
    }
}

static void step_auto(struct aloft_module *m, const struct aloft_wifi_status *status)
{
    bool is_provisioning = m->wifi.is_provisioning;

    if (status->state == ALOFT_WIFI_GOT_IP) {
        finish_join(m, is_provisioning);
    } else if (status->state == ALOFT_WIFI_DISCONNECTED) {
        begin_pause(m);
    } else if (m->now_ms >= m->wifi.deadline_ms) {
        aloft_wifi_leave(m);
        m->wifi.is_provisioning = is_provisioning;
        begin_pause(m);
    }
}

static void step_pause(struct aloft_module *m, const struct aloft_wifi_status *status)
{
    if (aloft_wifi_is_linked(status->state)) { /* The port came back on its own. */
        m->wifi.task = ALOFT_WIFI_AUTO;
        m->wifi.deadline_ms = m->now_ms + m->wifi.options.timeout_s * MS_PER_S;
    } else if (m->now_ms >= m->wifi.deadline_ms) {
        begin_try(m);
    }
}

static uint32_t step_wifi(struct aloft_module *m)
{
    struct aloft_wifi_status status;

    m->port->wifi.status(m->port->ctx, &status);
    bool is_lost = print_changes(m, status.state);
    switch (m->wifi.task) {
    case ALOFT_WIFI_REST:
        if (is_lost) {
            begin_pause(m);
        }
        break;
    case ALOFT_WIFI_COMMAND:
        step_command(m, &status);
        break;
    case ALOFT_WIFI_AUTO:
        step_auto(m, &status);
        break;
    case ALOFT_WIFI_PAUSE:
        step_pause(m, &status);
        break;
    }
    bool is_joining = m->wifi.task == ALOFT_WIFI_COMMAND || m->wifi.task == ALOFT_WIFI_AUTO;
    return is_joining ? POLL_JOINING_MS : POLL_MS;
}

static void init_wifi(struct aloft_module *m)
{
    aloft_wifi_set_default_options(&m->wifi.options);
    aloft_wifi_load_link(m);
    if (m->port->wifi.set_mode(m->port->ctx, m->wifi.mode) != ALOFT_ERR_OK) {
        m->wifi.mode = 0;
    }
    if (aloft_wifi_has_station(m) && m->wifi.has_join && m->wifi.is_auto) {
        aloft_wifi_begin_auto(m);
    }
}

const struct aloft_family aloft_wifi_family = {
    .init = init_wifi,
    .step = step_wifi,
};
