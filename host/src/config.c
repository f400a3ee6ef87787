/* SPDX-License-Identifier: Apache-2.0 */
#include "host/config.h"

#include <stdbool.h>
#include <string.h>

#define KEY_CHARS "abcdefghijklmnopqrstuvwxyz0123456789_"

/* A part of the text that is not ended by a NUL. */
struct piece {
    const char *at;
    size_t len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct piece trim(struct piece p)
{
    while (p.len > 0 && is_blank(p.at[0])) {
        p.at++;
        p.len--;
    }
    while (p.len > 0 && is_blank(p.at[p.len - 1])) {
        p.len--;
    }
    return p;
}

static bool is_printable(struct piece p)
{
    for (size_t i = 0; i < p.len; i++) {
        unsigned char c = (unsigned char)p.at[i];
        if ((c < ' ' && c != '\t') || c == 0x7F) {
            return false;
        }
    }
    return true;
}

static bool is_key(struct piece p)
{
    for (size_t i = 0; i < p.len; i++) {
        if (p.at[i] == '\0' || !strchr(KEY_CHARS, p.at[i])) {
            return false;
        }
    }
    return p.len > 0 && p.len < CONFIG_KEY_BYTES;
}

/* "... # why" would be a part of the value, which nobody means. */
static bool has_comment(struct piece p)
{
    for (size_t i = 0; i < p.len; i++) {
        if (p.at[i] == '#' && (i == 0 || is_blank(p.at[i - 1]))) {
            return true;
        }
    }
    return false;
}

static enum aloft_err take_pair(struct piece key, struct piece value, unsigned line,
                                config_take_fn *take, void *ctx, struct error *e)
{
    char key_text[CONFIG_KEY_BYTES];
    char value_text[CONFIG_VALUE_BYTES];

    if (!is_key(key)) {
        return fail(e, ALOFT_ERR_SYNTAX,
                    "a key has lower-case letters, digits and '_', at most %d of them",
                    CONFIG_KEY_BYTES - 1);
    }
    if (value.len >= sizeof value_text) {
        return fail(e, ALOFT_ERR_SYNTAX, "the value has %zu bytes, the limit is %d", value.len,
                    CONFIG_VALUE_BYTES - 1);
    }
    if (has_comment(value)) {
        return fail(e, ALOFT_ERR_SYNTAX, "a comment needs a line of its own");
    }
    memcpy(key_text, key.at, key.len);
    key_text[key.len] = '\0';
    memcpy(value_text, value.at, value.len);
    value_text[value.len] = '\0';
    return take(ctx, key_text, value_text, line, e);
}

static enum aloft_err take_line(struct piece p, unsigned line, config_take_fn *take, void *ctx,
                                struct error *e)
{
    if (p.len > 0 && p.at[p.len - 1] == '\r') {
        p.len--;
    }
    p = trim(p);
    if (p.len == 0 || p.at[0] == '#') {
        return ALOFT_ERR_OK;
    }
    if (!is_printable(p)) {
        return fail(e, ALOFT_ERR_SYNTAX, "the line holds control characters: is this a text file?");
    }
    if (p.at[0] == '[') {
        return fail(e, ALOFT_ERR_SYNTAX, "there are no sections: remove this line");
    }
    const char *equals = memchr(p.at, '=', p.len);
    if (!equals) {
        return fail(e, ALOFT_ERR_SYNTAX, "a line is 'key = value' or begins with '#'");
    }
    struct piece key = {p.at, (size_t)(equals - p.at)};
    struct piece value = {equals + 1, p.len - key.len - 1};
    return take_pair(trim(key), trim(value), line, take, ctx, e);
}

enum aloft_err config_parse(const char *text, size_t len, const char *name, config_take_fn *take,
                            void *ctx, struct error *e)
{
    size_t at = 0;

    for (unsigned line = 1; at < len; line++) {
        struct error why = {0};
        const char *end = memchr(text + at, '\n', len - at);
        size_t line_len = end ? (size_t)(end - text) - at : len - at;
        enum aloft_err err = take_line((struct piece){text + at, line_len}, line, take, ctx, &why);
        if (err != ALOFT_ERR_OK) {
            return fail(e, err, "%s:%u: %s", name, line, why.sentence);
        }
        at += line_len + 1;
    }
    return ALOFT_ERR_OK;
}
