/* SPDX-License-Identifier: Apache-2.0 */
#include "at/message.h"

#include "aloft/module.h"

#include "at/engine.h"
#include "at/pattern.h"

size_t aloft_filter_len(const uint8_t *filter)
{
    return (size_t)ALOFT_FILTER_TEXT_OFF + filter[ALOFT_FILTER_HEAD_OFF] +
           filter[ALOFT_FILTER_TAIL_OFF];
}

/* Head or tail; false if this side is open. */
static bool get_side(const uint8_t *filter, bool is_tail, const uint8_t **ret_text, size_t *ret_len)
{
    *ret_text = filter + ALOFT_FILTER_TEXT_OFF + (is_tail ? filter[ALOFT_FILTER_HEAD_OFF] : 0);
    *ret_len = filter[is_tail ? ALOFT_FILTER_TAIL_OFF : ALOFT_FILTER_HEAD_OFF];
    return *ret_len > 0;
}

bool aloft_filter_is_valid(const uint8_t *filter)
{
    struct aloft_pattern pattern;
    const uint8_t *text;
    size_t len;

    for (int is_tail = 0; is_tail <= 1; is_tail++) {
        if (get_side(filter, is_tail == 1, &text, &len) &&
            !aloft_pattern_parse(text, len, &pattern)) {
            return false;
        }
    }
    return true;
}

/* An open side matches nothing at the place where it stands. */
static bool find_side(const uint8_t *filter, bool is_tail, const struct aloft_pattern_input *input,
                      struct aloft_pattern_range *ret_range)
{
    struct aloft_pattern pattern;
    const uint8_t *text;
    size_t len;

    *ret_range = (struct aloft_pattern_range){0, 0};
    return !get_side(filter, is_tail, &text, &len) ||
           (aloft_pattern_parse(text, len, &pattern) &&
            aloft_pattern_find(&pattern, input, ret_range));
}

static bool is_within(const struct aloft_pattern_range *range, size_t at)
{
    return at >= range->from && at < range->to;
}

/* The message is the end of the ring; what stays of it moves up. */
static void cut(struct aloft_module *m, const struct aloft_pattern_input *input,
                const struct aloft_pattern_range *head, const struct aloft_pattern_range *tail)
{
    uint8_t *bytes = m->at.tx.bytes;
    size_t n_kept = 0;

    for (size_t at = 0; at < input->len; at++) {
        if (!is_within(head, at) && !is_within(tail, at)) {
            bytes[(input->start + n_kept++) % input->cap] = bytes[(input->start + at) % input->cap];
        }
    }
    m->at.tx.len = (uint16_t)(m->at.tx.len - (input->len - n_kept));
}

static void filter_message(struct aloft_module *m, const struct aloft_pattern_input *input)
{
    const uint8_t *filters = m->config.filter_buf;
    struct aloft_pattern_range head;
    struct aloft_pattern_range tail;

    for (size_t at = 0; at < m->at.filter.len; at += aloft_filter_len(filters + at)) {
        if (find_side(filters + at, false, input, &head) &&
            find_side(filters + at, true, input, &tail)) {
            cut(m, input, &head, &tail);
            return;
        }
    }
}

void aloft_at_begin_message(struct aloft_module *m)
{
    aloft_at_flush(m);
    m->at.filter.message_len = 0;
    m->at.filter.is_message = true;
}

void aloft_at_end_message(struct aloft_module *m)
{
    const struct aloft_at_ring *tx = &m->at.tx;
    size_t len = m->at.filter.message_len;

    m->at.filter.is_message = false;
    if (!m->at.filter.is_on || len == 0 || len > tx->len) {
        return;
    }
    const struct aloft_pattern_input input = {
        .bytes = tx->bytes,
        .cap = ALOFT_CONFIG_TX_BYTES,
        .start = (size_t)(tx->start + tx->len - len) % ALOFT_CONFIG_TX_BYTES,
        .len = len,
    };
    filter_message(m, &input);
}

void aloft_at_print_message(struct aloft_module *m, const char *text)
{
    aloft_at_begin_message(m);
    aloft_at_print(m, text);
    aloft_at_end_message(m);
}
