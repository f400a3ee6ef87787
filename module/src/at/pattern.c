/* SPDX-License-Identifier: Apache-2.0 */
#include "at/pattern.h"

#include <string.h>

/* State i of the automaton: atoms 0 to i-1 are matched. All states are followed at once, each with
 * the place where it began, the earliest if there are several. */

#define STATES  (ALOFT_PATTERN_MAX + 1)
#define NOWHERE UINT16_MAX

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Bytes of `\x`; 0 = it means something of its own. */
static size_t escape_len(const uint8_t *text, size_t len)
{
    static const char refused[] = "(){}<>|+?`'";
    bool is_plain = len >= 2 && text[1] != '\0' && !is_alphanumeric(text[1]) &&
                    strchr(refused, text[1]) == NULL;

    return is_plain ? 2 : 0;
}

static bool is_class(const uint8_t *text, size_t left)
{
    return left >= 2 && text[0] == '[' && (text[1] == ':' || text[1] == '.' || text[1] == '=');
}

/* Bytes of `[...]`; 0 = it has no end, a class, or a range that runs backwards. The first byte of
 * the list may be `]`. */
static size_t list_len(const uint8_t *text, size_t len)
{
    size_t at = len > 1 && text[1] == '^' ? 2 : 1;
    size_t first = at;

    while (at < len && (text[at] != ']' || at == first)) {
        bool is_range = at + 2 < len && text[at + 1] == '-' && text[at + 2] != ']';
        if (is_class(text + at, len - at) ||
            (is_range && (text[at + 2] < text[at] || text[at + 2] == '['))) {
            return 0;
        }
        at += is_range ? 3 : 1;
    }
    return at < len ? at + 1 : 0;
}

static size_t atom_len(const uint8_t *text, size_t len)
{
    switch (text[0]) {
    case '\\':
        return escape_len(text, len);
    case '[':
        return list_len(text, len);
    default:
        return 1;
    }
}

bool aloft_pattern_parse(const uint8_t *text, size_t len, struct aloft_pattern *ret_pattern)
{
    size_t at = 0;

    *ret_pattern = (struct aloft_pattern){.text = text};
    if (text[0] == '^') {
        ret_pattern->is_at_start = true;
        at++;
    }
    while (at < len) {
        if (text[at] == '$' && at + 1 == len) {
            ret_pattern->is_at_end = true;
            break;
        }
        size_t n = atom_len(text + at, len - at);
        if (n == 0) {
            return false;
        }
        struct aloft_pattern_atom *atom = &ret_pattern->atoms[ret_pattern->n_atoms++];
        *atom = (struct aloft_pattern_atom){.off = (uint8_t)at, .len = (uint8_t)n};
        at += n;
        for (; at < len && text[at] == '*'; at++) {
            atom->is_repeated = true; /* Twice says no more than once. */
        }
    }
    return true;
}

static bool list_has(const uint8_t *text, size_t len, uint8_t c)
{
    bool is_negated = text[1] == '^';
    size_t at = is_negated ? 2 : 1;
    bool has = false;

    while (at < len - 1) {
        bool is_range = at + 2 < len - 1 && text[at + 1] == '-';
        uint8_t last = is_range ? text[at + 2] : text[at];
        has = has || (c >= text[at] && c <= last);
        at += is_range ? 3 : 1;
    }
    return has != is_negated;
}

static bool atom_takes(const struct aloft_pattern *pattern, size_t n, uint8_t c)
{
    const struct aloft_pattern_atom *atom = &pattern->atoms[n];
    const uint8_t *text = pattern->text + atom->off;

    switch (text[0]) {
    case '\\':
        return c == text[1];
    case '[':
        return list_has(text, atom->len, c);
    case '.':
        return true;
    default:
        return c == text[0];
    }
}

/* Be in state `n`, and in those behind it that need no byte. */
static void reach(const struct aloft_pattern *pattern, uint16_t *states, size_t n, uint16_t from)
{
    while (from < states[n]) {
        states[n] = from;
        if (n == pattern->n_atoms || !pattern->atoms[n].is_repeated) {
            return;
        }
        n++;
    }
}

static void take_byte(const struct aloft_pattern *pattern, uint16_t *states, uint8_t c)
{
    uint16_t next[STATES];

    for (size_t n = 0; n <= pattern->n_atoms; n++) {
        next[n] = NOWHERE;
    }
    for (size_t n = 0; n < pattern->n_atoms; n++) {
        if (states[n] != NOWHERE && atom_takes(pattern, n, c)) {
            reach(pattern, next, pattern->atoms[n].is_repeated ? n : n + 1, states[n]);
        }
    }
    memcpy(states, next, (pattern->n_atoms + 1u) * sizeof next[0]);
}

bool aloft_pattern_find(const struct aloft_pattern *pattern,
                        const struct aloft_pattern_input *input,
                        struct aloft_pattern_range *ret_range)
{
    uint16_t states[STATES];
    uint16_t best = NOWHERE;

    for (size_t n = 0; n <= pattern->n_atoms; n++) {
        states[n] = NOWHERE;
    }
    for (size_t at = 0; at <= input->len; at++) {
        if (best == NOWHERE && (at == 0 || !pattern->is_at_start)) {
            reach(pattern, states, 0, (uint16_t)at);
        }
        uint16_t from = states[pattern->n_atoms];
        if (from <= best && from != NOWHERE && (at == input->len || !pattern->is_at_end)) {
            best = from;
            *ret_range = (struct aloft_pattern_range){.from = from, .to = at};
        }
        if (at < input->len) {
            take_byte(pattern, states, input->bytes[(input->start + at) % input->cap]);
        }
    }
    return best != NOWHERE;
}
