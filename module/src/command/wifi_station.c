/* SPDX-License-Identifier: Apache-2.0 */
#include "command/wifi.h"

#include <string.h>

#include "at/params.h"
#include "command/basic.h"
#include "command/families.h"
#include "command/wifi_link.h"

/* The station's commands (facts/at-commands.md 4); ranges of the numbers the facts leave open are
 * the vendor manual's. */

#define DEFAULT_HOST_NAME "espressif" /* The default of the vendor's IP stack. */

/* Parameters of AT+CWJAP. */
enum {
    JOIN_SSID,
    JOIN_PASSWORD,
    JOIN_BSSID,
    JOIN_NUMBERS, /* The first of six numbers. */
    JOIN_N_NUMBERS = 6,
    JOIN_MAX = JOIN_NUMBERS + JOIN_N_NUMBERS,
    JOIN_RECONNECT = JOIN_NUMBERS + 1,
};

static const struct aloft_int_range zero_or_one = {0, 1};
static const struct aloft_int_range seconds = {0, 7200};

static const struct {
    struct aloft_int_range range;
    int32_t value_if_omitted;
} join_numbers[JOIN_N_NUMBERS] = {
    {{0, 1}, 0},    /* pci */
    {{0, 7200}, 1}, /* reconnect, s */
    {{1, 100}, 3},  /* listen, beacons */
    {{0, 1}, 0},    /* scan */
    {{3, 600}, 15}, /* timeout, s */
    {{0, 3}, 1},    /* pmf */
};

static void set_options(const int32_t *numbers, struct aloft_wifi_options *ret_options)
{
    ret_options->pci = (uint8_t)numbers[0];
    ret_options->reconnect = (uint16_t)numbers[1];
    ret_options->listen = (uint8_t)numbers[2];
    ret_options->scan = (uint8_t)numbers[3];
    ret_options->timeout_s = (uint16_t)numbers[4];
    ret_options->pmf = (uint8_t)numbers[5];
}

void aloft_wifi_set_default_options(struct aloft_wifi_options *ret_options)
{
    int32_t numbers[JOIN_N_NUMBERS];

    for (size_t i = 0; i < JOIN_N_NUMBERS; i++) {
        numbers[i] = join_numbers[i].value_if_omitted;
    }
    set_options(numbers, ret_options);
}

static enum aloft_reply query_cwmode(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    aloft_at_print(m, "+CWMODE:");
    aloft_at_print_int(m, m->wifi.mode);
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static bool apply_mode(struct aloft_module *m, uint8_t mode)
{
    if (aloft_wifi_has_station(m) && (mode & 1) == 0) {
        aloft_wifi_leave(m);
    }
    if (m->port->wifi.set_mode(m->port->ctx, mode) != ALOFT_ERR_OK) {
        return false;
    }
    m->wifi.mode = mode;
    if (aloft_basic_has_store(m)) {
        aloft_wifi_save_mode(m);
    }
    return true;
}

static enum aloft_reply set_cwmode(struct aloft_module *m, const struct aloft_params *params)
{
    const struct aloft_int_range modes = {0, 3};
    bool had_station = aloft_wifi_has_station(m);
    int32_t mode;
    int32_t joins = 1;

    if (!aloft_params_check_count(m, params, 1, 2) ||
        !aloft_params_get_int(m, params, 0, &modes, &mode) ||
        (params->count == 2 && !aloft_params_get_int(m, params, 1, &zero_or_one, &joins)) ||
        !apply_mode(m, (uint8_t)mode)) {
        return ALOFT_REPLY_ERROR;
    }
    if (!had_station && aloft_wifi_has_station(m) && joins == 1 && m->wifi.has_join) {
        aloft_wifi_begin_auto(m);
    }
    return ALOFT_REPLY_OK;
}

/* Without an SSID the last access point is meant; with one, all that is omitted is empty. */
static bool parse_access_point(struct aloft_module *m, const struct aloft_params *params,
                               struct aloft_wifi_join *ret_join)
{
    const char *text;

    memset(ret_join, 0, sizeof *ret_join);
    if (!aloft_params_has(params, JOIN_SSID) && m->wifi.has_join) {
        *ret_join = m->wifi.join;
    } else if (aloft_params_get_text(m, params, JOIN_SSID, sizeof ret_join->ssid - 1, &text) &&
               text[0] != '\0') {
        memcpy(ret_join->ssid, text, strlen(text));
    } else {
        return false;
    }
    if (aloft_params_has(params, JOIN_PASSWORD)) {
        if (!aloft_params_get_text(m, params, JOIN_PASSWORD, sizeof ret_join->password - 1,
                                   &text)) {
            return false;
        }
        memset(ret_join->password, 0, sizeof ret_join->password);
        memcpy(ret_join->password, text, strlen(text));
    }
    if (aloft_params_has(params, JOIN_BSSID)) {
        ret_join->has_bssid = true;
        return aloft_params_get_mac(m, params, JOIN_BSSID, ret_join->bssid);
    }
    return true;
}

static bool parse_options(struct aloft_module *m, const struct aloft_params *params,
                          struct aloft_wifi_options *ret_options)
{
    int32_t numbers[JOIN_N_NUMBERS];

    for (uint8_t i = 0; i < JOIN_N_NUMBERS; i++) {
        uint8_t index = (uint8_t)(JOIN_NUMBERS + i);
        numbers[i] = join_numbers[i].value_if_omitted;
        if (aloft_params_has(params, index) &&
            !aloft_params_get_int(m, params, index, &join_numbers[i].range, &numbers[i])) {
            return false;
        }
    }
    set_options(numbers, ret_options);
    if (!aloft_params_has(params, JOIN_RECONNECT)) {
        ret_options->reconnect = m->wifi.options.reconnect; /* Perhaps of AT+CWRECONNCFG. */
    }
    return true;
}

static enum aloft_reply set_cwjap(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_wifi_join join;
    struct aloft_wifi_options options;

    if (!aloft_params_check_count(m, params, 1, JOIN_MAX) ||
        !parse_access_point(m, params, &join) || !parse_options(m, params, &options) ||
        !aloft_wifi_has_station(m)) {
        return ALOFT_REPLY_ERROR;
    }
    join.min_auth = options.pci == 1 ? ALOFT_WIFI_WPA : ALOFT_WIFI_OPEN;
    if (options.reconnect != m->wifi.options.reconnect && aloft_basic_has_store(m)) {
        m->wifi.options = options;
        aloft_wifi_save_reconnect(m);
    }
    m->wifi.join = join;
    m->wifi.options = options;
    m->wifi.has_join = true;
    return aloft_wifi_begin_command(m);
}

static enum aloft_reply execute_cwjap(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    if (!m->wifi.has_join || !aloft_wifi_has_station(m)) {
        return ALOFT_REPLY_ERROR;
    }
    return aloft_wifi_begin_command(m);
}

static enum aloft_reply query_cwjap(struct aloft_module *m, const struct aloft_params *params)
{
    const struct aloft_wifi_options *options = &m->wifi.options;
    struct aloft_wifi_status status;

    (void)params;
    m->port->wifi.status(m->port->ctx, &status);
    if (!aloft_wifi_is_linked(status.state)) {
        return ALOFT_REPLY_OK;
    }
    const int32_t numbers[] = {status.channel,  status.rssi,   options->pci, options->reconnect,
                               options->listen, options->scan, options->pmf};
    aloft_at_print(m, "+CWJAP:");
    aloft_at_print_quoted(m, status.ssid);
    aloft_at_print(m, ",\"");
    aloft_at_print_mac(m, status.bssid);
    aloft_at_print(m, "\"");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        aloft_at_print(m, ",");
        aloft_at_print_int(m, numbers[i]);
    }
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static enum aloft_reply execute_cwqap(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    aloft_wifi_leave(m);
    return ALOFT_REPLY_OK;
}

/* The numbers of AT+CWSTATE, by state of the port. */
static const uint8_t cwstate_numbers[] = {
    [ALOFT_WIFI_IDLE] = 0,   [ALOFT_WIFI_JOINING] = 3,      [ALOFT_WIFI_CONNECTED] = 1,
    [ALOFT_WIFI_GOT_IP] = 2, [ALOFT_WIFI_DISCONNECTED] = 4,
};

static enum aloft_reply query_cwstate(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_wifi_status status;

    (void)params;
    m->port->wifi.status(m->port->ctx, &status);
    bool is_between_tries = !aloft_wifi_is_linked(status.state) && m->wifi.task != ALOFT_WIFI_REST;
    enum aloft_wifi_state state = is_between_tries ? ALOFT_WIFI_JOINING : status.state;
    aloft_at_print(m, "+CWSTATE:");
    aloft_at_print_int(m, cwstate_numbers[state]);
    aloft_at_print(m, ",");
    if (state == ALOFT_WIFI_IDLE) {
        aloft_at_print(m, "\"\"");
    } else {
        aloft_at_print_quoted(m, aloft_wifi_is_linked(state) ? status.ssid : m->wifi.join.ssid);
    }
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static void print_number(struct aloft_module *m, const char *name, int32_t value)
{
    aloft_at_print(m, name);
    aloft_at_print_int(m, value);
    aloft_at_print(m, "\r\n");
}

static enum aloft_reply query_cwautoconn(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    print_number(m, "+CWAUTOCONN:", m->wifi.is_auto ? 1 : 0);
    return ALOFT_REPLY_OK;
}

static enum aloft_reply set_cwautoconn(struct aloft_module *m, const struct aloft_params *params)
{
    int32_t value;

    if (!aloft_params_check_count(m, params, 1, 1) ||
        !aloft_params_get_int(m, params, 0, &zero_or_one, &value)) {
        return ALOFT_REPLY_ERROR;
    }
    m->wifi.is_auto = value == 1;
    aloft_wifi_save_auto(m);
    return ALOFT_REPLY_OK;
}

static enum aloft_reply query_cwreconncfg(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    aloft_at_print(m, "+CWRECONNCFG:");
    aloft_at_print_int(m, m->wifi.options.reconnect);
    print_number(m, ",", m->wifi.max_tries);
    return ALOFT_REPLY_OK;
}

static enum aloft_reply set_cwreconncfg(struct aloft_module *m, const struct aloft_params *params)
{
    const struct aloft_int_range tries = {0, 1000};
    int32_t reconnect;
    int32_t max_tries;

    if (!aloft_params_check_count(m, params, 2, 2) ||
        !aloft_params_get_int(m, params, 0, &seconds, &reconnect) ||
        !aloft_params_get_int(m, params, 1, &tries, &max_tries)) {
        return ALOFT_REPLY_ERROR;
    }
    m->wifi.options.reconnect = (uint16_t)reconnect;
    m->wifi.max_tries = (uint16_t)max_tries;
    if (aloft_basic_has_store(m)) {
        aloft_wifi_save_reconnect(m);
    }
    return ALOFT_REPLY_OK;
}

static enum aloft_reply query_cwhostname(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    aloft_at_print(m, "+CWHOSTNAME:");
    aloft_at_print(m, m->wifi.host_name);
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

/* Not stored, says the vendor's manual. */
static enum aloft_reply set_cwhostname(struct aloft_module *m, const struct aloft_params *params)
{
    const char *name;

    if (!aloft_params_check_count(m, params, 1, 1) ||
        !aloft_params_get_text(m, params, 0, sizeof m->wifi.host_name - 1, &name) ||
        name[0] == '\0' || !aloft_wifi_has_station(m)) {
        return ALOFT_REPLY_ERROR;
    }
    memcpy(m->wifi.host_name, name, strlen(name) + 1);
    return ALOFT_REPLY_OK;
}

static void init_station(struct aloft_module *m)
{
    memcpy(m->wifi.host_name, DEFAULT_HOST_NAME, sizeof DEFAULT_HOST_NAME);
}

/* clang-format off */
static const struct aloft_command commands[] = {
    /* name           test  query              set              execute */
    {"+CWMODE",       NULL, query_cwmode,      set_cwmode,      NULL},
    {"+CWJAP",        NULL, query_cwjap,       set_cwjap,       execute_cwjap},
    {"+CWQAP",        NULL, NULL,              NULL,            execute_cwqap},
    {"+CWSTATE",      NULL, query_cwstate,     NULL,            NULL},
    {"+CWAUTOCONN",   NULL, query_cwautoconn,  set_cwautoconn,  NULL},
    {"+CWRECONNCFG",  NULL, query_cwreconncfg, set_cwreconncfg, NULL},
    {"+CWHOSTNAME",   NULL, query_cwhostname,  set_cwhostname,  NULL},
};
/* clang-format on */

const struct aloft_family aloft_wifi_station_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .init = init_station,
};
