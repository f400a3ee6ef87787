/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

#include <string.h>

#include "aloft/module.h"

#include "at/engine.h"
#include "at/message.h"
#include "at/params.h"
#include "at/pattern.h"

/* AT+SYSMSGFILTER and AT+SYSMSGFILTERCFG (facts/at-commands.md 1.8, 4). Facts leave the forms open:
 * they are the vendor manual's. Filters lie in the caller's memory, one behind the other; the one
 * that comes in, to be added or deleted, stands behind them. Nothing of it is stored. */

#define DATA_IDLE_MS 60000 /* As of AT+USERRAM. */
#define FILTER_MAX   (ALOFT_FILTER_TEXT_OFF + 2 * ALOFT_PATTERN_MAX)
#define LINE_MAX     (FILTER_MAX + 32) /* Of a `+SYSMSGFILTERCFG:` line, or OK. */

enum { CLEAR, ADD, DELETE };
enum { OPERATION, HEAD_LEN, TAIL_LEN, PARAMS_MAX };

static enum aloft_reply query_filter(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    aloft_at_print(m, m->at.filter.is_on ? "+SYSMSGFILTER:1\r\n" : "+SYSMSGFILTER:0\r\n");
    return ALOFT_REPLY_OK;
}

static enum aloft_reply set_filter(struct aloft_module *m, const struct aloft_params *params)
{
    static const struct aloft_int_range zero_or_one = {0, 1};
    int32_t is_on;

    if (!aloft_params_check_count(m, params, 1, 1) ||
        !aloft_params_get_int(m, params, 0, &zero_or_one, &is_on)) {
        return ALOFT_REPLY_ERROR;
    }
    m->at.filter.is_on = is_on == 1;
    return ALOFT_REPLY_OK;
}

static enum aloft_reply add(struct aloft_module *m, uint8_t *buf, size_t len)
{
    const uint8_t *filter = m->config.filter_buf + m->at.filter.len;

    (void)buf;
    (void)len;
    if (!aloft_filter_is_valid(filter)) {
        return ALOFT_REPLY_ERROR;
    }
    m->at.filter.len = (uint16_t)(m->at.filter.len + aloft_filter_len(filter));
    return ALOFT_REPLY_OK;
}

static enum aloft_reply remove_one(struct aloft_module *m, uint8_t *buf, size_t text_len)
{
    uint8_t *filters = m->config.filter_buf;
    size_t end = m->at.filter.len;
    size_t len = ALOFT_FILTER_TEXT_OFF + text_len;

    (void)buf;
    for (size_t at = 0; at < end; at += aloft_filter_len(filters + at)) {
        if (aloft_filter_len(filters + at) == len &&
            memcmp(filters + at, filters + end, len) == 0) {
            memmove(filters + at, filters + at + len, end - at - len);
            m->at.filter.len = (uint16_t)(end - len);
            return ALOFT_REPLY_OK;
        }
    }
    return ALOFT_REPLY_ERROR;
}

/* The lengths of both sides: not both 0, and there is room. */
static bool begin_filter(struct aloft_module *m, const struct aloft_params *params)
{
    static const struct aloft_int_range lens = {0, ALOFT_PATTERN_MAX};
    size_t cap = m->config.filter_cap < UINT16_MAX ? m->config.filter_cap : UINT16_MAX;
    int32_t head_len;
    int32_t tail_len;

    if (!aloft_params_check_count(m, params, PARAMS_MAX, PARAMS_MAX) ||
        !aloft_params_get_int(m, params, HEAD_LEN, &lens, &head_len) ||
        !aloft_params_get_int(m, params, TAIL_LEN, &lens, &tail_len) || head_len + tail_len == 0 ||
        m->at.filter.len + (size_t)FILTER_MAX > cap) {
        return false;
    }
    uint8_t *filter = m->config.filter_buf + m->at.filter.len;
    filter[ALOFT_FILTER_HEAD_OFF] = (uint8_t)head_len;
    filter[ALOFT_FILTER_TAIL_OFF] = (uint8_t)tail_len;
    return true;
}

static enum aloft_reply set_filters(struct aloft_module *m, const struct aloft_params *params)
{
    static const struct aloft_int_range operations = {CLEAR, DELETE};
    int32_t operation;

    if (m->config.filter_buf == NULL ||
        !aloft_params_get_int(m, params, OPERATION, &operations, &operation)) {
        return ALOFT_REPLY_ERROR;
    }
    if (operation == CLEAR) {
        if (!aloft_params_check_count(m, params, 1, 1)) {
            return ALOFT_REPLY_ERROR;
        }
        m->at.filter.len = 0;
        return ALOFT_REPLY_OK;
    }
    if (!begin_filter(m, params)) {
        return ALOFT_REPLY_ERROR;
    }
    uint8_t *filter = m->config.filter_buf + m->at.filter.len;
    return aloft_at_take_data(m, filter + ALOFT_FILTER_TEXT_OFF,
                              aloft_filter_len(filter) - ALOFT_FILTER_TEXT_OFF, DATA_IDLE_MS,
                              operation == ADD ? add : remove_one);
}

static enum aloft_reply query_filters(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    m->at.filter.is_listing = true;
    m->at.filter.list_at = 0;
    m->at.filter.n_listed = 0;
    return ALOFT_REPLY_LATER;
}

static void print_filter(struct aloft_module *m)
{
    const uint8_t *filter = m->config.filter_buf + m->at.filter.list_at;
    const uint8_t *text = filter + ALOFT_FILTER_TEXT_OFF;
    size_t head_len = filter[ALOFT_FILTER_HEAD_OFF];

    aloft_at_print(m, "+SYSMSGFILTERCFG:");
    aloft_at_print_uint(m, m->at.filter.n_listed++);
    aloft_at_print(m, ",\"");
    aloft_at_print_bytes(m, text, head_len);
    aloft_at_print(m, "\",\"");
    aloft_at_print_bytes(m, text + head_len, filter[ALOFT_FILTER_TAIL_OFF]);
    aloft_at_print(m, "\"\r\n");
    m->at.filter.list_at = (uint16_t)(m->at.filter.list_at + aloft_filter_len(filter));
}

static uint32_t step(struct aloft_module *m)
{
    struct aloft_at_filter *f = &m->at.filter;

    while (f->is_listing) {
        aloft_at_flush(m);
        if (aloft_at_print_room(m) < LINE_MAX) {
            return ALOFT_AT_TX_POLL_MS;
        }
        if (f->list_at < f->len) {
            print_filter(m);
        } else {
            f->is_listing = false;
            aloft_at_finish(m, ALOFT_REPLY_OK);
        }
    }
    return UINT32_MAX;
}

/* clang-format off */
static const struct aloft_command commands[] = {
    {"+SYSMSGFILTER",    NULL, query_filter,  set_filter,  NULL},
    {"+SYSMSGFILTERCFG", NULL, query_filters, set_filters, NULL},
};
/* clang-format on */

const struct aloft_family aloft_filter_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .step = step,
};
