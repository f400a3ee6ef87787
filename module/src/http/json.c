/* SPDX-License-Identifier: Apache-2.0 */
#include "http/json.h"

#include <string.h>

/* One function per state takes one byte. The open containers are a bit each, so the depth is
 * bounded by the width of `is_object` and nothing recurses. Numbers and the words true, false and
 * null are skipped, not judged: nothing here needs them. */

enum state {
    STATE_VALUE,        /* A value must come. */
    STATE_VALUE_OR_END, /* Behind `[`. */
    STATE_KEY,          /* A key must come. */
    STATE_KEY_OR_END,   /* Behind `{`. */
    STATE_COLON,
    STATE_AFTER, /* Behind a value: `,` or the end of the container. */
    STATE_STRING,
    STATE_ESCAPE,
    STATE_HEX,
    STATE_WORD,
    STATE_DONE,
    STATE_BAD,
};

#define NOT_ASCII 0x7F /* Stands for what no version contains. */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' || c == '+' || c == '-' ||
           c == '.';
}

static bool in_object(const struct aloft_json *json, uint8_t depth)
{
    return (json->is_object >> depth & 1) != 0;
}

static bool ends_with(const struct aloft_json *json, const char *end)
{
    size_t len = strlen(end);

    return json->text_len >= len && memcmp(json->text + json->text_len - len, end, len) == 0;
}

/* The key in `text` names a value the caller wants. */
static bool is_wanted_key(const struct aloft_json *json)
{
    if (json->is_too_long) {
        return false;
    }
    if (json->want == ALOFT_JSON_RECOMMENDED) {
        return json->depth == 1 && ends_with(json, "rom_version");
    }
    return (json->depth == 2 || json->depth == 3) && !in_object(json, json->depth - 1) &&
           strcmp(json->text, "version") == 0;
}

static void begin_string(struct aloft_json *json, bool is_key)
{
    json->is_key = is_key;
    json->text_len = 0;
    json->is_too_long = false;
    json->state = STATE_STRING;
}

static void put_char(struct aloft_json *json, uint8_t c)
{
    if (json->text_len == sizeof json->text - 1) {
        json->is_too_long = true;
        return;
    }
    json->text[json->text_len++] = (char)c;
}

static enum aloft_err end_string(struct aloft_json *json)
{
    bool is_wanted = json->is_wanted;

    json->text[json->text_len] = '\0';
    json->is_wanted = false;
    if (json->is_key) {
        json->is_wanted = is_wanted_key(json);
        json->state = STATE_COLON;
        return ALOFT_ERR_AGAIN;
    }
    if (json->is_too_long) {
        json->text[0] = '\0';
    }
    json->state = STATE_AFTER;
    return is_wanted ? ALOFT_ERR_OK : ALOFT_ERR_AGAIN;
}

static enum aloft_err open_container(struct aloft_json *json, bool is_object)
{
    if (json->depth == ALOFT_JSON_DEPTH_MAX) {
        return ALOFT_ERR_SYNTAX;
    }
    json->depth++;
    json->is_object = (uint16_t)(json->is_object & ~(1u << json->depth));
    json->is_object = (uint16_t)(json->is_object | (is_object ? 1u << json->depth : 0));
    json->is_wanted = false;
    json->state = is_object ? STATE_KEY_OR_END : STATE_VALUE_OR_END;
    return ALOFT_ERR_AGAIN;
}

static enum aloft_err close_container(struct aloft_json *json, uint8_t c)
{
    if (c != (in_object(json, json->depth) ? '}' : ']')) {
        return ALOFT_ERR_SYNTAX;
    }
    json->depth--;
    json->state = json->depth == 0 ? STATE_DONE : STATE_AFTER;
    return ALOFT_ERR_AGAIN;
}

static enum aloft_err take_value(struct aloft_json *json, uint8_t c)
{
    if (is_space(c)) {
        return ALOFT_ERR_AGAIN;
    }
    if (c == '{' || c == '[') {
        return open_container(json, c == '{');
    }
    if (json->depth == 0) {
        return ALOFT_ERR_SYNTAX;
    }
    if (c == '"') {
        begin_string(json, false);
        return ALOFT_ERR_AGAIN;
    }
    json->is_wanted = false;
    json->state = STATE_WORD;
    return is_word(c) ? ALOFT_ERR_AGAIN : ALOFT_ERR_SYNTAX;
}

static enum aloft_err take_value_or_end(struct aloft_json *json, uint8_t c)
{
    return c == ']' ? close_container(json, c) : take_value(json, c);
}

static enum aloft_err take_key(struct aloft_json *json, uint8_t c)
{
    if (is_space(c)) {
        return ALOFT_ERR_AGAIN;
    }
    begin_string(json, true);
    return c == '"' ? ALOFT_ERR_AGAIN : ALOFT_ERR_SYNTAX;
}

static enum aloft_err take_key_or_end(struct aloft_json *json, uint8_t c)
{
    return c == '}' ? close_container(json, c) : take_key(json, c);
}

static enum aloft_err take_colon(struct aloft_json *json, uint8_t c)
{
    if (is_space(c)) {
        return ALOFT_ERR_AGAIN;
    }
    json->state = STATE_VALUE;
    return c == ':' ? ALOFT_ERR_AGAIN : ALOFT_ERR_SYNTAX;
}

static enum aloft_err take_after(struct aloft_json *json, uint8_t c)
{
    if (is_space(c)) {
        return ALOFT_ERR_AGAIN;
    }
    if (c == ',') {
        json->state = in_object(json, json->depth) ? STATE_KEY : STATE_VALUE;
        return ALOFT_ERR_AGAIN;
    }
    return close_container(json, c);
}

static enum aloft_err take_string(struct aloft_json *json, uint8_t c)
{
    if (c == '"') {
        return end_string(json);
    }
    if (c < ' ') {
        return ALOFT_ERR_SYNTAX;
    }
    if (c == '\\') {
        json->state = STATE_ESCAPE;
        return ALOFT_ERR_AGAIN;
    }
    put_char(json, c);
    return ALOFT_ERR_AGAIN;
}

static enum aloft_err take_escape(struct aloft_json *json, uint8_t c)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    const char *name = c == 0 ? NULL : strchr(names, c);

    if (c == 'u') {
        json->state = STATE_HEX;
        json->n_hex = 0;
        json->code = 0;
        return ALOFT_ERR_AGAIN;
    }
    if (name == NULL) {
        return ALOFT_ERR_SYNTAX;
    }
    put_char(json, (uint8_t)values[name - names]);
    json->state = STATE_STRING;
    return ALOFT_ERR_AGAIN;
}

static enum aloft_err take_hex(struct aloft_json *json, uint8_t c)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit = c == 0 ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c);

    if (digit == NULL) {
        return ALOFT_ERR_SYNTAX;
    }
    json->code = (uint16_t)(json->code << 4 | (digit - digits));
    json->n_hex++;
    if (json->n_hex == 4) {
        put_char(json, json->code > 0 && json->code < 0x80 ? (uint8_t)json->code : NOT_ASCII);
        json->state = STATE_STRING;
    }
    return ALOFT_ERR_AGAIN;
}

static enum aloft_err take_word(struct aloft_json *json, uint8_t c)
{
    if (is_word(c)) {
        return ALOFT_ERR_AGAIN;
    }
    json->state = STATE_AFTER;
    return take_after(json, c);
}

typedef enum aloft_err take_fn(struct aloft_json *json, uint8_t c);

static take_fn *const takers[] = {
    [STATE_VALUE] = take_value,   [STATE_VALUE_OR_END] = take_value_or_end,
    [STATE_KEY] = take_key,       [STATE_KEY_OR_END] = take_key_or_end,
    [STATE_COLON] = take_colon,   [STATE_AFTER] = take_after,
    [STATE_STRING] = take_string, [STATE_ESCAPE] = take_escape,
    [STATE_HEX] = take_hex,       [STATE_WORD] = take_word,
};

void aloft_json_init(struct aloft_json *json, enum aloft_json_want want)
{
    memset(json, 0, sizeof *json);
    json->want = (uint8_t)want;
}

enum aloft_err aloft_json_feed(struct aloft_json *json, const uint8_t *buf, size_t len,
                               size_t *ret_used)
{
    size_t used = 0;
    enum aloft_err err = ALOFT_ERR_AGAIN;

    while (err == ALOFT_ERR_AGAIN && used < len && json->state < STATE_DONE) {
        err = takers[json->state](json, buf[used]);
        used++;
    }
    if (err == ALOFT_ERR_SYNTAX) {
        json->state = STATE_BAD;
    }
    *ret_used = used;
    if (json->state == STATE_BAD) {
        return ALOFT_ERR_SYNTAX;
    }
    return json->state == STATE_DONE ? ALOFT_ERR_CLOSED : err;
}
