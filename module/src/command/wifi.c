/* SPDX-License-Identifier: Apache-2.0 */
#include "command/wifi.h"

#include "at/engine.h"
#include "command/basic.h"
#include "command/families.h"

/* The station's link: who wants it, what the host was told about it (facts/at-commands.md 1.8), and
 * the tries after a lost link. The port knows the link itself; here it is looked at. */

#define POLL_JOINING_MS 20
#define POLL_MS         250
#define MS_PER_S        1000u

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
    return (m->wifi.mode & 1) != 0;
}

/* Returns whether a link was lost. */
static bool print_changes(struct aloft_module *m, enum aloft_wifi_state state)
{
    bool was_linked = aloft_wifi_is_linked(m->wifi.printed);
    bool is_linked = aloft_wifi_is_linked(state);

    if (was_linked && !is_linked) {
        aloft_at_print(m, "WIFI DISCONNECT\r\n");
    }
    if (!was_linked && is_linked) {
        aloft_at_print(m, "WIFI CONNECTED\r\n");
    }
    if (state == ALOFT_WIFI_GOT_IP && m->wifi.printed != ALOFT_WIFI_GOT_IP) {
        aloft_at_print(m, "WIFI GOT IP\r\n");
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
    if (begin_join(m, ALOFT_WIFI_COMMAND) != ALOFT_ERR_OK) {
        return fail_command(m, ALOFT_WIFI_FAIL_OTHER);
    }
    return ALOFT_REPLY_LATER;
}

void aloft_wifi_begin_auto(struct aloft_module *m)
{
    m->wifi.task = ALOFT_WIFI_PAUSE;
    m->wifi.deadline_ms = m->now_ms;
}

/* After a failed automatic try or a lost link. */
static void begin_pause(struct aloft_module *m)
{
    if (!m->wifi.has_join || m->wifi.options.reconnect == 0) {
        m->wifi.task = ALOFT_WIFI_REST;
        return;
    }
    m->wifi.task = ALOFT_WIFI_PAUSE;
    m->wifi.deadline_ms = m->now_ms + m->wifi.options.reconnect * MS_PER_S;
}

static void step_command(struct aloft_module *m, const struct aloft_wifi_status *status)
{
    if (status->state == ALOFT_WIFI_GOT_IP) {
        m->wifi.task = ALOFT_WIFI_REST;
        if (aloft_basic_has_store(m)) {
            aloft_wifi_save_join(m);
        }
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
    if (status->state == ALOFT_WIFI_GOT_IP) {
        m->wifi.task = ALOFT_WIFI_REST;
    } else if (status->state == ALOFT_WIFI_DISCONNECTED) {
        begin_pause(m);
    } else if (m->now_ms >= m->wifi.deadline_ms) {
        aloft_wifi_leave(m);
        begin_pause(m);
    }
}

static void step_pause(struct aloft_module *m, const struct aloft_wifi_status *status)
{
    if (aloft_wifi_is_linked(status->state)) {
        m->wifi.task = ALOFT_WIFI_REST; /* The port came back on its own. */
    } else if (m->now_ms >= m->wifi.deadline_ms && begin_join(m, ALOFT_WIFI_AUTO) != ALOFT_ERR_OK) {
        begin_pause(m);
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
    aloft_wifi_load(m);
    if (m->port->wifi.set_mode(m->port->ctx, m->wifi.mode) != ALOFT_ERR_OK) {
        m->wifi.mode = 0;
    }
    if (aloft_wifi_has_station(m) && m->wifi.has_join) {
        aloft_wifi_begin_auto(m);
    }
}

const struct aloft_family aloft_wifi_family = {
    .commands = aloft_wifi_commands,
    .n_commands = ALOFT_WIFI_COMMANDS,
    .init = init_wifi,
    .step = step_wifi,
};
