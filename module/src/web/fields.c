/* SPDX-License-Identifier: Apache-2.0 */
#include "web/fields.h"

#include <stdint.h>
#include <string.h>

#include "aloft/bytes.h"

/* All readers move a cursor over the body; none looks behind its end. */

#define NOT_HEX       16u
#define NAME_BYTES    32 /* Longer ones are nobody's. */
#define LOW_SURROGATE 0xDC00u
#define SURROGATES    0xD800u
#define SURROGATE_END 0xE000u

struct cursor {
    const char *at;
    const char *end;
};

/* A value or a name that comes out. */
struct text {
    char *buf; /* NULL: nobody wants it. */
    size_t cap;
    size_t len;
    bool is_too_long;
};

static void put_char(struct text *t, unsigned c)
{
    if (t->buf == NULL) {
        return;
    }
    if (t->len + 1 >= t->cap) {
        t->is_too_long = true;
        return;
    }
    t->buf[t->len++] = (char)c;
    t->buf[t->len] = '\0';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_same(const char *a, size_t a_len, const char *b)
{
    if (strlen(b) != a_len) {
        return false;
    }
    for (size_t i = 0; i < a_len; i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

static struct aloft_field *find_field(struct aloft_field *fields, size_t n_fields, const char *name,
                                      size_t len)
{
    for (size_t i = 0; i < n_fields; i++) {
        if (is_same(name, len, fields[i].name)) {
            return &fields[i];
        }
    }
    return NULL;
}

/* The value of `field`, which may be NULL, is to come. */
static enum aloft_err begin_value(struct aloft_field *field, struct text *ret_text)
{
    *ret_text = (struct text){.buf = NULL};
    if (field == NULL) {
        return ALOFT_ERR_OK;
    }
    if (field->is_present) {
        return ALOFT_ERR_DUPLICATE;
    }
    field->is_present = true;
    field->text[0] = '\0';
    *ret_text = (struct text){.buf = field->text, .cap = field->cap};
    return ALOFT_ERR_OK;
}

/* JSON */

static void skip_space(struct cursor *c)
{
    while (c->at < c->end &&
           (*c->at == ' ' || *c->at == '\t' || *c->at == '\r' || *c->at == '\n')) {
        c->at++;
    }
}

static bool take(struct cursor *c, char wanted)
{
    if (c->at == c->end || *c->at != wanted) {
        return false;
    }
    c->at++;
    return true;
}

/* Four hex digits. */
static bool take_code(struct cursor *c, uint32_t *ret_code)
{
    uint32_t code = 0;

    if (c->end - c->at < 4) {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        unsigned digit = aloft_hex_digit(*c->at++);
        if (digit == NOT_HEX) {
            return false;
        }
        code = code << 4 | digit;
    }
    *ret_code = code;
    return true;
}

static void put_utf8(struct text *t, uint32_t code)
{
    if (code < 0x80) {
        put_char(t, code);
        return;
    }
    if (code < 0x800) {
        put_char(t, 0xC0 | code >> 6);
    } else if (code < 0x10000) {
        put_char(t, 0xE0 | code >> 12);
        put_char(t, 0x80 | (code >> 6 & 0x3F));
    } else {
        put_char(t, 0xF0 | code >> 18);
        put_char(t, 0x80 | (code >> 12 & 0x3F));
        put_char(t, 0x80 | (code >> 6 & 0x3F));
    }
    put_char(t, 0x80 | (code & 0x3F));
}

/* Behind `\u`. NUL would end the value early; half a pair of surrogates is no character. */
static enum aloft_err take_unicode(struct cursor *c, struct text *t)
{
    uint32_t code = 0;
    uint32_t low = 0;

    if (!take_code(c, &code) || code == 0) {
        return ALOFT_ERR_SYNTAX;
    }
    if (code >= SURROGATES && code < SURROGATE_END) {
        if (code >= LOW_SURROGATE || !take(c, '\\') || !take(c, 'u') || !take_code(c, &low) ||
            low < LOW_SURROGATE || low >= SURROGATE_END) {
            return ALOFT_ERR_SYNTAX;
        }
        code = 0x10000 + ((code - SURROGATES) << 10) + (low - LOW_SURROGATE);
    }
    put_utf8(t, code);
    return ALOFT_ERR_OK;
}

static enum aloft_err take_escape(struct cursor *c, struct text *t)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";

    if (take(c, 'u')) {
        return take_unicode(c, t);
    }
    const char *name = c->at < c->end && *c->at != '\0' ? strchr(names, *c->at) : NULL;
    if (name == NULL) {
        return ALOFT_ERR_SYNTAX;
    }
    c->at++;
    put_char(t, (unsigned char)values[name - names]);
    return ALOFT_ERR_OK;
}

static enum aloft_err take_string(struct cursor *c, struct text *t)
{
    enum aloft_err err = take(c, '"') ? ALOFT_ERR_OK : ALOFT_ERR_SYNTAX;

    while (err == ALOFT_ERR_OK && !take(c, '"')) {
        if (take(c, '\\')) {
            err = take_escape(c, t);
        } else if (c->at == c->end || (unsigned char)*c->at < ' ') {
            err = ALOFT_ERR_SYNTAX;
        } else {
            put_char(t, (unsigned char)*c->at++);
        }
    }
    return err;
}

static bool take_digits(struct cursor *c, struct text *t)
{
    const char *start = c->at;

    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        put_char(t, (unsigned char)*c->at++);
    }
    return c->at > start;
}

static bool take_one_of(struct cursor *c, struct text *t, const char *wanted)
{
    if (c->at == c->end || *c->at == '\0' || strchr(wanted, *c->at) == NULL) {
        return false;
    }
    put_char(t, (unsigned char)*c->at++);
    return true;
}

/* RFC 8259 6. */
static enum aloft_err take_number(struct cursor *c, struct text *t)
{
    (void)take_one_of(c, t, "-");
    if (!take_one_of(c, t, "0") && !take_digits(c, t)) {
        return ALOFT_ERR_SYNTAX;
    }
    if (take_one_of(c, t, ".") && !take_digits(c, t)) {
        return ALOFT_ERR_SYNTAX;
    }
    if (take_one_of(c, t, "eE")) {
        (void)take_one_of(c, t, "+-");
        return take_digits(c, t) ? ALOFT_ERR_OK : ALOFT_ERR_SYNTAX;
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err take_word(struct cursor *c)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(c->end - c->at) >= len && memcmp(c->at, words[i], len) == 0) {
            c->at += len;
            return ALOFT_ERR_OK;
        }
    }
    return ALOFT_ERR_SYNTAX;
}

static enum aloft_err take_value(struct cursor *c, struct aloft_field *field)
{
    struct text t;
    enum aloft_err err = begin_value(field, &t);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (c->at < c->end && *c->at == '"') {
        err = take_string(c, &t);
    } else if (c->at < c->end && (*c->at == '-' || (*c->at >= '0' && *c->at <= '9'))) {
        err = field == NULL || field->takes_number ? take_number(c, &t) : ALOFT_ERR_SYNTAX;
    } else {
        err = field == NULL ? take_word(c) : ALOFT_ERR_SYNTAX;
    }
    return err == ALOFT_ERR_OK && t.is_too_long ? ALOFT_ERR_TOO_BIG : err;
}

static enum aloft_err take_member(struct cursor *c, struct aloft_field *fields, size_t n_fields)
{
    char name[NAME_BYTES] = "";
    struct text t = {.buf = name, .cap = sizeof name};
    enum aloft_err err = take_string(c, &t);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    skip_space(c);
    if (!take(c, ':')) {
        return ALOFT_ERR_SYNTAX;
    }
    skip_space(c);
    return take_value(c, t.is_too_long ? NULL : find_field(fields, n_fields, name, t.len));
}

enum aloft_err aloft_fields_read_json(const char *body, size_t len, struct aloft_field *fields,
                                      size_t n_fields, size_t *ret_used)
{
    struct cursor c = {body, body + len};

    skip_space(&c);
    if (!take(&c, '{')) {
        return ALOFT_ERR_SYNTAX;
    }
    skip_space(&c);
    bool is_over = take(&c, '}');
    while (!is_over) {
        skip_space(&c);
        enum aloft_err err = take_member(&c, fields, n_fields);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        skip_space(&c);
        is_over = take(&c, '}');
        if (!is_over && !take(&c, ',')) {
            return ALOFT_ERR_SYNTAX;
        }
    }
    *ret_used = (size_t)(c.at - body);
    return ALOFT_ERR_OK;
}

/* Forms */

static enum aloft_err decode(struct cursor *c, struct text *t)
{
    while (c->at < c->end) {
        unsigned char byte = (unsigned char)*c->at++;
        if (byte == '%') {
            unsigned high = c->at < c->end ? aloft_hex_digit(*c->at) : NOT_HEX;
            unsigned low = c->end - c->at >= 2 ? aloft_hex_digit(c->at[1]) : NOT_HEX;
            if (high == NOT_HEX || low == NOT_HEX) {
                return ALOFT_ERR_SYNTAX;
            }
            byte = (unsigned char)(high << 4 | low);
            c->at += 2;
        }
        if (byte == '\0') {
            return ALOFT_ERR_SYNTAX;
        }
        put_char(t, byte);
    }
    return t->is_too_long ? ALOFT_ERR_TOO_BIG : ALOFT_ERR_OK;
}

/* One `name=value`. */
static enum aloft_err take_pair(struct cursor pair, struct aloft_field *fields, size_t n_fields)
{
    const char *equals = memchr(pair.at, '=', (size_t)(pair.end - pair.at));
    struct aloft_field *field =
        equals != NULL ? find_field(fields, n_fields, pair.at, (size_t)(equals - pair.at)) : NULL;
    struct text t;

    if (field == NULL) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = begin_value(field, &t);
    pair.at = equals + 1;
    return err == ALOFT_ERR_OK ? decode(&pair, &t) : err;
}

enum aloft_err aloft_fields_read_form(const char *body, size_t len, struct aloft_field *fields,
                                      size_t n_fields)
{
    const char *end = body + len;
    enum aloft_err err = ALOFT_ERR_OK;

    while (err == ALOFT_ERR_OK && body < end) {
        const char *pair_end = memchr(body, '&', (size_t)(end - body));
        pair_end = pair_end != NULL ? pair_end : end;
        err = take_pair((struct cursor){body, pair_end}, fields, n_fields);
        body = pair_end < end ? pair_end + 1 : end;
    }
    return err;
}
