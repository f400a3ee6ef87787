/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

#include <string.h>

#include "aloft/module.h"

#include "at/engine.h"
#include "at/params.h"
#include "clock/calendar.h"
#include "clock/clock.h"
#include "clock/sntp.h"
#include "text.h"

/* The time of day (facts/at-commands.md 4). Nothing of it is in force after a restart: facts leave
 * it open, and the vendor's manual does not count these commands among the stored ones. */

#define CALENDAR_BYTES 32
#define INTERVAL_S     3600 /* The vendor's default. */

/* Parameters of AT+CIPSNTPCFG. */
enum { ENABLE, ZONE, SERVERS, PARAMS_MAX = SERVERS + ALOFT_SNTP_SERVERS };

/* A time zone: whole hours from -12 to 14, or hours and minutes as in 530 for 5:30. */
#define ZONE_HOURS_MIN (-12)
#define ZONE_HOURS_MAX 14
#define HOUR_MIN       60
#define MINUTE_S       60

static const struct aloft_int_range zero_or_one = {0, 1};

static enum aloft_reply query_systimestamp(struct aloft_module *m,
                                           const struct aloft_params *params)
{
    (void)params;
    aloft_at_print(m, "+SYSTIMESTAMP:");
    aloft_at_print_uint(m, aloft_clock_get(m));
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static enum aloft_reply set_systimestamp(struct aloft_module *m, const struct aloft_params *params)
{
    static const struct aloft_int_range seconds = {0, INT32_MAX};
    int32_t unix_s;

    if (!aloft_params_check_count(m, params, 1, 1) ||
        !aloft_params_get_int(m, params, 0, &seconds, &unix_s)) {
        return ALOFT_REPLY_ERROR;
    }
    aloft_clock_set_ms(m, (uint64_t)unix_s * 1000);
    return ALOFT_REPLY_OK;
}

static int32_t zone_minutes(int32_t zone)
{
    bool is_hours = zone >= ZONE_HOURS_MIN && zone <= ZONE_HOURS_MAX;

    return is_hours ? zone * HOUR_MIN : zone / 100 * HOUR_MIN + zone % 100;
}

static bool get_zone(struct aloft_module *m, const struct aloft_params *params, int32_t *ret_zone)
{
    static const struct aloft_int_range range = {ZONE_HOURS_MIN * 100, ZONE_HOURS_MAX * 100};

    *ret_zone = m->clock.zone;
    if (!aloft_params_has(params, ZONE)) {
        return true;
    }
    if (!aloft_params_get_int(m, params, ZONE, &range, ret_zone)) {
        return false;
    }
    int32_t minute = *ret_zone % 100;
    if (minute >= HOUR_MIN || minute <= -HOUR_MIN) {
        (void)aloft_at_fail(m, ALOFT_AT_FAIL_INVALID, ZONE);
        return false;
    }
    return true;
}

static bool get_servers(struct aloft_module *m, const struct aloft_params *params,
                        struct aloft_sntp_names *ret_names)
{
    const char *name;

    ret_names->len = 0;
    for (uint8_t i = SERVERS; i < params->count; i++) {
        if (!aloft_params_has(params, i)) {
            continue;
        }
        if (!aloft_params_get_text(m, params, i, ALOFT_SNTP_NAME_BYTES - 1, &name)) {
            return false;
        }
        if (name[0] == '\0') {
            (void)aloft_at_fail(m, ALOFT_AT_FAIL_LENGTH, i);
            return false;
        }
        memcpy(ret_names->text + ret_names->len, name, strlen(name) + 1);
        ret_names->len += strlen(name) + 1;
    }
    return true;
}

static enum aloft_reply query_cipsntpcfg(struct aloft_module *m, const struct aloft_params *params)
{
    bool is_on = aloft_sntp_is_running(m);
    char name[ALOFT_SNTP_NAME_BYTES];

    (void)params;
    aloft_at_print(m, is_on ? "+CIPSNTPCFG:1," : "+CIPSNTPCFG:0,");
    aloft_at_print_int(m, m->clock.zone);
    for (uint8_t i = 0; is_on && aloft_sntp_get_server(m, i, name); i++) {
        aloft_at_print(m, ",");
        aloft_at_print_quoted(m, name);
    }
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

/* The zone also counts without SNTP. Servers are those of the last AT+CIPSNTPCFG=1. */
static enum aloft_reply set_cipsntpcfg(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_sntp_names names;
    int32_t is_on;
    int32_t zone;

    if (!aloft_params_check_count(m, params, 1, PARAMS_MAX) ||
        !aloft_params_get_int(m, params, ENABLE, &zero_or_one, &is_on) ||
        !get_zone(m, params, &zone) || !get_servers(m, params, &names) ||
        (is_on == 1 &&
         (!aloft_sntp_is_possible(m) || aloft_sntp_set_servers(m, &names) != ALOFT_ERR_OK))) {
        return ALOFT_REPLY_ERROR;
    }
    aloft_sntp_stop(m);
    m->clock.zone = (int16_t)zone;
    if (is_on == 1) {
        aloft_sntp_start(m);
    }
    return ALOFT_REPLY_OK;
}

static enum aloft_reply query_cipsntptime(struct aloft_module *m, const struct aloft_params *params)
{
    char buf[CALENDAR_BYTES];
    struct aloft_text t;

    (void)params;
    aloft_text_init(&t, buf, sizeof buf);
    aloft_calendar_add(&t, aloft_clock_get(m), zone_minutes(m->clock.zone) * MINUTE_S);
    aloft_at_print(m, "+CIPSNTPTIME:");
    aloft_at_print(m, buf);
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static enum aloft_reply query_cipsntpintv(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    aloft_at_print(m, "+CIPSNTPINTV:");
    aloft_at_print_uint(m, m->clock.sntp.interval_s);
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static enum aloft_reply set_cipsntpintv(struct aloft_module *m, const struct aloft_params *params)
{
    static const struct aloft_int_range seconds = {15, 4294967};
    int32_t interval_s;

    if (!aloft_params_check_count(m, params, 1, 1) ||
        !aloft_params_get_int(m, params, 0, &seconds, &interval_s)) {
        return ALOFT_REPLY_ERROR;
    }
    aloft_sntp_set_interval(m, (uint32_t)interval_s);
    return ALOFT_REPLY_OK;
}

static void init(struct aloft_module *m)
{
    aloft_clock_set_ms(m, 0);
    m->clock.sntp.socket = -1;
    m->clock.sntp.interval_s = INTERVAL_S;
}

/* clang-format off */
static const struct aloft_command commands[] = {
    {"+SYSTIMESTAMP", NULL, query_systimestamp, set_systimestamp, NULL},
    {"+CIPSNTPCFG",   NULL, query_cipsntpcfg,   set_cipsntpcfg,   NULL},
    {"+CIPSNTPTIME",  NULL, query_cipsntptime,  NULL,             NULL},
    {"+CIPSNTPINTV",  NULL, query_cipsntpintv,  set_cipsntpintv,  NULL},
};
/* clang-format on */

const struct aloft_family aloft_clock_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .init = init,
    .step = aloft_sntp_step,
    .stop = aloft_sntp_stop,
};
