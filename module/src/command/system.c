/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

#include "aloft/module.h"

#include "at/params.h"
#include "command/basic.h"
#include "log.h"

/*
 * Commands about the module itself (facts/at-commands.md 4). AT+SLEEP, AT+SYSMSG, AT+USERWKMCUCFG
 * and AT+USERMCUSLEEP are accepted and remembered: the library neither saves power nor has the
 * connections and the passthrough whose messages AT+SYSMSG chooses, and its lines leave without a
 * wake signal before them. Ranges the facts leave open are the vendor manual's.
 */

#define MESSAGES_MAX 7 /* Three bits. */

/* Bits of AT+USERWKMCUCFG's last parameter. */
#define AWAKE_BY_MCUSLEEP 0x01 /* The host MCU says so by AT+USERMCUSLEEP; the default. */
#define AWAKE_BY_SLEEP    0x02 /* By AT+SLEEP: 0 is awake. */
#define AWAKE_MAX         0x07

static const char key_messages[] = "sys.msg";

static const struct aloft_int_range zero_or_one = {0, 1};

static enum aloft_reply print_number(struct aloft_module *m, const char *name, uint32_t value)
{
    aloft_at_print(m, name);
    aloft_at_print_uint(m, value);
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

/* The one number of a command. */
static bool get_only(struct aloft_module *m, const struct aloft_params *params, int32_t max,
                     uint8_t *ret_value)
{
    const struct aloft_int_range range = {0, max};
    int32_t value;

    if (!aloft_params_check_count(m, params, 1, 1) ||
        !aloft_params_get_int(m, params, 0, &range, &value)) {
        return false;
    }
    *ret_value = (uint8_t)value;
    return true;
}

static enum aloft_reply query_sleep(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    return print_number(m, "+SLEEP:", m->system.sleep_mode);
}

static enum aloft_reply set_sleep(struct aloft_module *m, const struct aloft_params *params)
{
    const struct aloft_system_state *s = &m->system;

    if (!get_only(m, params, 3, &m->system.sleep_mode)) {
        return ALOFT_REPLY_ERROR;
    }
    if (s->wakes_host && (s->awake_checks & AWAKE_BY_SLEEP) != 0) {
        m->system.is_host_asleep = s->sleep_mode != 0;
    }
    return ALOFT_REPLY_OK;
}

static enum aloft_reply query_sysram(struct aloft_module *m, const struct aloft_params *params)
{
    uint32_t now;
    uint32_t least;

    (void)params;
    if (m->port->free_memory == NULL) {
        return ALOFT_REPLY_ERROR;
    }
    m->port->free_memory(m->port->ctx, &now, &least);
    aloft_at_print(m, "+SYSRAM:");
    aloft_at_print_uint(m, now);
    return print_number(m, ",", least);
}

static enum aloft_reply query_sysmsg(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    return print_number(m, "+SYSMSG:", m->system.messages);
}

static enum aloft_reply set_sysmsg(struct aloft_module *m, const struct aloft_params *params)
{
    const uint8_t *messages = &m->system.messages;

    if (!get_only(m, params, MESSAGES_MAX, &m->system.messages)) {
        return ALOFT_REPLY_ERROR;
    }
    if (aloft_basic_has_store(m)) {
        enum aloft_err err =
            m->port->settings.set(m->port->ctx, key_messages, messages, sizeof *messages);
        if (err != ALOFT_ERR_OK) {
            aloft_log_err(m, "settings.store_failed", err);
        }
    }
    return ALOFT_REPLY_OK;
}

static void print_docs(struct aloft_module *m, const char *language)
{
    aloft_at_print(m, "+USERDOCS:\"https://docs.espressif.com/projects/esp-at/");
    aloft_at_print(m, language);
    aloft_at_print(m, "/latest/");
    aloft_at_print(m, m->config.chip_name);
    aloft_at_print(m, "/index.html\"\r\n");
}

/* The vendor's manual describes the commands; where ours differ, docs/guide/at-commands.md says. */
static enum aloft_reply query_userdocs(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    print_docs(m, "en");
    print_docs(m, "zh_CN");
    return ALOFT_REPLY_OK;
}

/* Parameters of AT+USERWKMCUCFG behind the switch, checked in their order. */
static bool check_wake(struct aloft_module *m, const struct aloft_params *params,
                       int32_t *ret_awake_checks)
{
    enum { MODE = 1, NUMBER, SIGNAL, DELAY, CHECKS, MODE_GPIO = 1, MODE_UART = 2 };
    static const struct aloft_int_range modes = {MODE_GPIO, MODE_UART};
    static const struct aloft_int_range delays_ms = {0, 60000};
    static const struct aloft_int_range checks = {0, AWAKE_MAX};
    static const struct aloft_int_range numbers[] = {[MODE_GPIO] = {0, 48}, [MODE_UART] = {1, 1}};
    static const struct aloft_int_range signals[] = {[MODE_GPIO] = {0, 1}, [MODE_UART] = {0, 255}};
    int32_t mode;
    int32_t other;

    *ret_awake_checks = AWAKE_BY_MCUSLEEP;
    return aloft_params_check_count(m, params, CHECKS, CHECKS + 1) &&
           aloft_params_get_int(m, params, MODE, &modes, &mode) &&
           aloft_params_get_int(m, params, NUMBER, &numbers[mode], &other) &&
           aloft_params_get_int(m, params, SIGNAL, &signals[mode], &other) &&
           aloft_params_get_int(m, params, DELAY, &delays_ms, &other) &&
           (params->count == CHECKS ||
            aloft_params_get_int(m, params, CHECKS, &checks, ret_awake_checks));
}

/* Facts leave open when it is refused; as in the vendor's source: on while on, and any change while
 * the host MCU sleeps. */
static enum aloft_reply set_userwkmcucfg(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_system_state *s = &m->system;
    int32_t is_on;
    int32_t awake_checks = 0;

    if (s->is_host_asleep || !aloft_params_get_int(m, params, 0, &zero_or_one, &is_on)) {
        return ALOFT_REPLY_ERROR;
    }
    if (is_on == 0 && !aloft_params_check_count(m, params, 1, 1)) {
        return ALOFT_REPLY_ERROR;
    }
    if (is_on == 1 && (s->wakes_host || !check_wake(m, params, &awake_checks))) {
        return ALOFT_REPLY_ERROR;
    }
    s->wakes_host = is_on == 1;
    s->awake_checks = (uint8_t)awake_checks;
    return ALOFT_REPLY_OK;
}

static enum aloft_reply set_usermcusleep(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_system_state *s = &m->system;
    uint8_t is_asleep;

    if (!s->wakes_host || !get_only(m, params, 1, &is_asleep)) {
        return ALOFT_REPLY_ERROR;
    }
    if ((s->awake_checks & AWAKE_BY_MCUSLEEP) != 0) {
        s->is_host_asleep = is_asleep == 1;
    }
    return ALOFT_REPLY_OK;
}

static void init(struct aloft_module *m)
{
    uint8_t messages;
    size_t len = sizeof messages;
    enum aloft_err err = m->port->settings.get(m->port->ctx, key_messages, &messages, &len);

    if (err == ALOFT_ERR_OK && len == sizeof messages && messages <= MESSAGES_MAX) {
        m->system.messages = messages;
    }
}

/* clang-format off */
static const struct aloft_command commands[] = {
    {"+SLEEP",        NULL, query_sleep,    set_sleep,        NULL},
    {"+SYSRAM",       NULL, query_sysram,   NULL,             NULL},
    {"+SYSMSG",       NULL, query_sysmsg,   set_sysmsg,       NULL},
    {"+USERDOCS",     NULL, query_userdocs, NULL,             NULL},
    {"+USERWKMCUCFG", NULL, NULL,           set_userwkmcucfg, NULL},
    {"+USERMCUSLEEP", NULL, NULL,           set_usermcusleep, NULL},
};
/* clang-format on */

const struct aloft_family aloft_system_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .init = init,
};
