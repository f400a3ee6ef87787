/* SPDX-License-Identifier: Apache-2.0 */
#include "at/params.h"

#include <string.h>

#include "aloft/bytes.h"

#include "at/engine.h"

#define MAC_BYTES 6
#define MAC_CHARS 17
#define IP_BYTES  4
#define IP_CHARS  15

static const char *find_comma(const char *at, const char *end)
{
    const char *comma = memchr(at, ',', (size_t)(end - at));
    return comma != NULL ? comma : end;
}

/* Decimal or 0x, with an optional sign, within int32. */
static bool parse_number(const char *at, const char *end, int32_t *ret_value)
{
    bool is_negative = at < end && *at == '-';
    uint32_t limit = is_negative ? 0x80000000u : 0x7fffffffu;
    uint32_t base = 10;
    uint32_t value = 0;

    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    if (end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
        base = 16;
        at += 2;
    }
    if (at == end) {
        return false;
    }
    for (; at < end; at++) {
        uint32_t digit = aloft_hex_digit(*at);
        if (digit >= base || value > (limit - digit) / base) {
            return false;
        }
        value = value * base + digit;
    }
    /* -(value - 1) - 1 reaches INT32_MIN without leaving int32. */
    *ret_value = is_negative && value > 0 ? -(int32_t)(value - 1) - 1 : (int32_t)value;
    return true;
}

/* `at` is behind the opening quote. Returns the comma or end behind the parameter. */
static const char *parse_string(char *at, const char *end, struct aloft_param *ret_param)
{
    char *text = at;
    char *out = at;

    while (at < end && *at != '"' && *at != ',' && *at != '\0') {
        if (*at == '\\' && at + 1 < end && at[1] != '\0') {
            at++;
        }
        *out++ = *at++;
    }
    if (at == end || *at != '"' || (at + 1 < end && at[1] != ',')) {
        ret_param->kind = ALOFT_PARAM_BAD;
        return find_comma(at, end);
    }
    *out = '\0';
    ret_param->kind = ALOFT_PARAM_STRING;
    ret_param->text = text;
    ret_param->text_len = (uint16_t)(out - text);
    return at + 1;
}

static const char *parse_one(char *at, const char *end, struct aloft_param *ret_param)
{
    *ret_param = (struct aloft_param){.kind = ALOFT_PARAM_OMITTED, .text = ""};
    if (at < end && *at == '"') {
        return parse_string(at + 1, end, ret_param);
    }
    const char *comma = find_comma(at, end);
    if (comma > at) {
        ret_param->kind =
            parse_number(at, comma, &ret_param->number) ? ALOFT_PARAM_INTEGER : ALOFT_PARAM_BAD;
    }
    return comma;
}

bool aloft_params_parse(char *text, size_t len, struct aloft_params *ret_params)
{
    const char *end = text + len;
    char *at = text;

    ret_params->count = 0;
    while (ret_params->count < ALOFT_CONFIG_PARAMS) {
        const char *comma = parse_one(at, end, &ret_params->items[ret_params->count++]);
        if (comma == end) {
            return true;
        }
        at = text + (comma - text) + 1;
    }
    return false;
}

bool aloft_params_has(const struct aloft_params *params, uint8_t index)
{
    return index < params->count && params->items[index].kind != ALOFT_PARAM_OMITTED;
}

bool aloft_params_check_count(struct aloft_module *m, const struct aloft_params *params,
                              uint8_t min, uint8_t max)
{
    if (params->count >= min && params->count <= max) {
        return true;
    }
    uint8_t needed = params->count < min ? min : max;
    (void)aloft_at_fail(m, ALOFT_AT_FAIL_COUNT, (uint16_t)(needed << 8 | params->count));
    return false;
}

/* Notes why parameter `index` is not of `kind`. */
static bool check_kind(struct aloft_module *m, const struct aloft_params *params, uint8_t index,
                       enum aloft_param_kind kind)
{
    if (index < params->count && params->items[index].kind == kind) {
        return true;
    }
    bool is_bad = index < params->count && params->items[index].kind == ALOFT_PARAM_BAD;
    (void)aloft_at_fail(m, is_bad ? ALOFT_AT_FAIL_PARSE : ALOFT_AT_FAIL_TYPE, index);
    return false;
}

bool aloft_params_get_int(struct aloft_module *m, const struct aloft_params *params, uint8_t index,
                          const struct aloft_int_range *range, int32_t *ret_value)
{
    if (!check_kind(m, params, index, ALOFT_PARAM_INTEGER)) {
        return false;
    }
    int32_t value = params->items[index].number;
    if (value < range->min || value > range->max) {
        (void)aloft_at_fail(m, ALOFT_AT_FAIL_INVALID, index);
        return false;
    }
    *ret_value = value;
    return true;
}

bool aloft_params_get_text(struct aloft_module *m, const struct aloft_params *params, uint8_t index,
                           size_t max_len, const char **ret_text)
{
    if (!check_kind(m, params, index, ALOFT_PARAM_STRING)) {
        return false;
    }
    if (params->items[index].text_len > max_len) {
        (void)aloft_at_fail(m, ALOFT_AT_FAIL_LENGTH, index);
        return false;
    }
    *ret_text = params->items[index].text;
    return true;
}

static bool parse_mac(const char *text, uint8_t *ret_mac)
{
    for (size_t i = 0; i < MAC_CHARS; i++) {
        bool is_separator = i % 3 == 2;
        if (is_separator ? text[i] != ':' : aloft_hex_digit(text[i]) >= 16) {
            return false;
        }
    }
    for (size_t i = 0; i < MAC_BYTES; i++) {
        ret_mac[i] =
            (uint8_t)(aloft_hex_digit(text[3 * i]) << 4 | aloft_hex_digit(text[3 * i + 1]));
    }
    return true;
}

bool aloft_params_get_mac(struct aloft_module *m, const struct aloft_params *params, uint8_t index,
                          uint8_t *ret_mac)
{
    const char *text;

    if (!aloft_params_get_text(m, params, index, MAC_CHARS, &text)) {
        return false;
    }
    if (params->items[index].text_len != MAC_CHARS || !parse_mac(text, ret_mac)) {
        (void)aloft_at_fail(m, ALOFT_AT_FAIL_INVALID, index);
        return false;
    }
    return true;
}

/* One part of a dotted address; returns what follows it, NULL if there is none or it is over 255.
 */
static const char *parse_octet(const char *at, uint8_t *ret_octet)
{
    const char *first = at;
    unsigned value = 0;

    while (*at >= '0' && *at <= '9' && at - first < 3) {
        value = value * 10 + (unsigned)(*at++ - '0');
    }
    if (at == first || value > UINT8_MAX || (*first == '0' && at - first > 1)) {
        return NULL;
    }
    *ret_octet = (uint8_t)value;
    return at;
}

static bool parse_ipv4(const char *at, uint8_t *ret_ip)
{
    uint8_t ip[IP_BYTES];

    for (size_t i = 0; i < IP_BYTES; i++) {
        at = parse_octet(at, &ip[i]);
        if (at == NULL || *at != (i + 1 < IP_BYTES ? '.' : '\0')) {
            return false;
        }
        at++;
    }
    memcpy(ret_ip, ip, sizeof ip);
    return true;
}

bool aloft_params_get_ipv4(struct aloft_module *m, const struct aloft_params *params, uint8_t index,
                           uint8_t *ret_ip)
{
    const char *text;

    if (!aloft_params_get_text(m, params, index, IP_CHARS, &text)) {
        return false;
    }
    if (!parse_ipv4(text, ret_ip)) {
        (void)aloft_at_fail(m, ALOFT_AT_FAIL_INVALID, index);
        return false;
    }
    return true;
}
