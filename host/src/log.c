/* SPDX-License-Identifier: Apache-2.0 */

/* A format is walked field by field: make the raw value (fields), then write it as the line's
 * format wants it (line). */

#include "host/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES  2048
#define CUT_TEXT    ",\"is_cut\":true"
#define LINE_KEPT   (sizeof CUT_TEXT + sizeof "\"}\n") /* always left for the end */
#define NO_LIMIT    (-1)
#define NUMBER_SIZE 32

static const char *const level_words[] = {"error", "warn", "info"};
static atomic_uint s_format;

struct line {
    char text[LINE_BYTES];
    size_t len;
    bool is_json;
    bool is_cut;
};

struct value {
    char bytes[LINE_BYTES];
    size_t len;
    bool is_number;
    bool is_cut;
};

struct walk {
    const char *at; /* in the format */
    va_list args;
};

void log_set_format(enum log_format format)
{
    atomic_store(&s_format, format);
}

/* -- line -------------------------------------------------------------------------------------- */

/* A string's last quote is of LINE_KEPT, so the line may already be longer than all but that. */
static size_t room_left(const struct line *l)
{
    size_t max = sizeof l->text - LINE_KEPT;

    return l->is_cut || l->len > max ? 0 : max - l->len;
}

/* All of it, or nothing and the line is cut. */
static bool put(struct line *l, const char *text, size_t len)
{
    if (l->is_cut || len > room_left(l)) {
        l->is_cut = true;
        return false;
    }
    memcpy(l->text + l->len, text, len);
    l->len += len;
    return true;
}

/* As much as fits. */
static void put_some(struct line *l, const char *bytes, size_t len)
{
    size_t room = room_left(l);

    l->is_cut = l->is_cut || len > room;
    len = len < room ? len : room;
    memcpy(l->text + l->len, bytes, len);
    l->len += len;
}

static bool put_text(struct line *l, const char *text)
{
    return put(l, text, strlen(text));
}

static bool is_control(unsigned char c)
{
    return c < ' ' || c == 0x7F;
}

/* Bytes of the UTF-8 sequence at `p`; 0 = there is none (RFC 3629 4). */
static size_t utf8_len(const unsigned char *p, size_t left)
{
    size_t len = *p < 0x80 ? 1 : *p >= 0xC2 && *p < 0xE0 ? 2 : (*p & 0xF0) == 0xE0 ? 3 : 4;

    if ((*p >= 0x80 && *p < 0xC2) || *p > 0xF4 || len > left) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool is_overlong = (*p == 0xE0 && p[1] < 0xA0) || (*p == 0xF0 && p[1] < 0x90);
    bool is_outside = (*p == 0xED && p[1] >= 0xA0) || (*p == 0xF4 && p[1] >= 0x90);
    return is_overlong || is_outside ? 0 : len;
}

/* Bytes at `p` that stand for themselves: ASCII, no control, quote or backslash. */
static size_t count_ordinary(const char *p, size_t len)
{
    size_t n = 0;

    while (n < len && p[n] >= ' ' && p[n] < 0x7F && p[n] != '"' && p[n] != '\\') {
        n++;
    }
    return n;
}

/* One character that is not ordinary; how many bytes it has. */
static size_t put_json_character(struct line *l, const char *p, size_t left)
{
    char escape[8];
    unsigned char c = (unsigned char)*p;
    size_t len = utf8_len((const unsigned char *)p, left);

    if (len == 0) {
        (void)put_text(l, "\\ufffd");
        return 1;
    }
    if (len > 1 || (c != '"' && c != '\\' && !is_control(c))) {
        (void)put(l, p, len);
        return len;
    }
    (void)snprintf(escape, sizeof escape, is_control(c) ? "\\u%04x" : "\\%c", c);
    (void)put_text(l, escape);
    return 1;
}

/* The rest of a string whose first quote is there already. */
static void put_json_string(struct line *l, const struct value *v)
{
    for (size_t at = 0; at < v->len && !l->is_cut;) {
        size_t n = count_ordinary(v->bytes + at, v->len - at);
        put_some(l, v->bytes + at, n);
        at += n;
        if (at < v->len && !l->is_cut) {
            at += put_json_character(l, v->bytes + at, v->len - at);
        }
    }
    l->text[l->len++] = '"'; /* of LINE_KEPT */
}

/* `is_quoted`: quotes and backslashes get a backslash. */
static void put_bytes(struct line *l, const struct value *v, bool is_quoted)
{
    for (size_t at = 0; at < v->len;) {
        size_t n = count_ordinary(v->bytes + at, v->len - at);
        put_some(l, v->bytes + at, n);
        at += n;
        if (at < v->len) {
            char c = is_control((unsigned char)v->bytes[at]) ? '?' : v->bytes[at];
            const char pair[] = {'\\', c};
            bool has_escape = is_quoted && (c == '"' || c == '\\');
            (void)put(l, has_escape ? pair : pair + 1, has_escape ? 2 : 1);
            at++;
        }
    }
}

static void put_json_field(struct line *l, const char *key, size_t key_len, const struct value *v)
{
    size_t before = l->len;

    if (!put_text(l, ",\"") || !put(l, key, key_len) ||
        !put_text(l, v->is_number ? "\":" : "\":\"") ||
        (v->is_number && !put(l, v->bytes, v->len))) {
        l->len = before; /* half a field is none */
    } else if (!v->is_number) {
        put_json_string(l, v);
    }
}

static void put_text_field(struct line *l, const char *key, size_t key_len, const struct value *v,
                           bool is_quoted)
{
    (void)put_text(l, " ");
    if (key_len == 0) {
        put_bytes(l, v, false);
        return;
    }
    (void)put(l, key, key_len);
    (void)put_text(l, "=");
    /* Without quotes it would be taken for none, or for several. */
    is_quoted =
        is_quoted || v->len == 0 || memchr(v->bytes, ' ', v->len) || memchr(v->bytes, '"', v->len);
    (void)put_text(l, is_quoted ? "\"" : "");
    put_bytes(l, v, is_quoted);
    (void)put_text(l, is_quoted ? "\"" : "");
}

/* -- fields ------------------------------------------------------------------------------------ */

static void add(struct value *v, const char *bytes, size_t len)
{
    size_t room = sizeof v->bytes - v->len;

    v->is_cut = v->is_cut || len > room;
    len = len < room ? len : room;
    memcpy(v->bytes + v->len, bytes, len);
    v->len += len;
}

static int take_int(struct walk *w)
{
    int n = 0;

    if (*w->at == '*') {
        w->at++;
        return va_arg(w->args, int);
    }
    for (; *w->at >= '0' && *w->at <= '9'; w->at++) {
        n = n * 10 + (*w->at - '0');
    }
    return n;
}

static long long take_signed(struct walk *w, int n_l, bool is_size)
{
    if (is_size) {
        return va_arg(w->args, ssize_t);
    }
    return n_l == 2   ? va_arg(w->args, long long)
           : n_l == 1 ? va_arg(w->args, long)
                      : va_arg(w->args, int);
}

static unsigned long long take_unsigned(struct walk *w, int n_l, bool is_size)
{
    if (is_size) {
        return va_arg(w->args, size_t);
    }
    return n_l == 2   ? va_arg(w->args, unsigned long long)
           : n_l == 1 ? va_arg(w->args, unsigned long)
                      : va_arg(w->args, unsigned);
}

static void add_string(struct walk *w, struct value *v, int precision)
{
    const char *text = va_arg(w->args, const char *);

    text = text ? text : "(null)";
    add(v, text, precision == NO_LIMIT ? strlen(text) : strnlen(text, (size_t)precision));
}

/* The conversion behind the '%' at `w->at`. */
static void add_conversion(struct walk *w, struct value *v)
{
    char number[NUMBER_SIZE] = "";
    int precision = NO_LIMIT;
    int n_l = 0;
    char pad = *w->at == '0' ? '0' : ' ';
    int width = take_int(w);

    if (*w->at == '.') {
        w->at++;
        precision = take_int(w);
    }
    for (; *w->at == 'l'; w->at++) {
        n_l++;
    }
    bool is_size = *w->at == 'z';
    w->at += is_size;
    switch (*w->at++) {
    case 'd':
    case 'i':
        (void)snprintf(number, sizeof number, "%lld", take_signed(w, n_l, is_size));
        break;
    case 'u':
        (void)snprintf(number, sizeof number, "%llu", take_unsigned(w, n_l, is_size));
        break;
    case 'x':
        (void)snprintf(number, sizeof number, "%llx", take_unsigned(w, n_l, is_size));
        break;
    case 'c':
        number[0] = (char)va_arg(w->args, int);
        break;
    case 's':
        add_string(w, v, precision);
        break;
    case '%':
        number[0] = '%';
        break;
    default:
        assert(false && "a conversion that log.h does not name");
    }
    for (int n = (int)strlen(number); number[0] && n < width; n++) {
        add(v, &pad, 1);
    }
    add(v, number, strlen(number));
}

/* Up to `end` in the format: a quote, a blank, or (NUL) the format's own end. */
static void read_value(struct walk *w, char end, struct value *v)
{
    const char *begin = w->at;

    v->len = 0;
    v->is_cut = false;
    while (*w->at && *w->at != end) {
        if (*w->at == '%') {
            w->at++;
            add_conversion(w, v);
        } else {
            size_t n = 1;
            while (w->at[n] && w->at[n] != '%' && w->at[n] != end) {
                n++;
            }
            add(v, w->at, n);
            w->at += n;
        }
    }
    v->is_number = false;
    if (end == ' ' && *begin == '%') { /* nothing but one whole number */
        const char *last = begin + 1 + strspn(begin + 1, "lz");
        v->is_number = (*last == 'd' || *last == 'u') && last + 1 == w->at;
    }
}

static size_t count_key(const char *p)
{
    size_t n = 0;

    while ((p[n] >= 'a' && p[n] <= 'z') || (p[n] >= '0' && p[n] <= '9') || p[n] == '_') {
        n++;
    }
    return n;
}

static void put_field(struct line *l, struct walk *w)
{
    struct value v;
    size_t key_len = count_key(w->at);
    const char *key = w->at;
    bool has_key = key_len > 0 && key[key_len] == '=';
    bool is_quoted = has_key && key[key_len + 1] == '"';

    w->at += has_key ? key_len + 1 + is_quoted : 0;
    read_value(w, is_quoted ? '"' : has_key ? ' ' : '\0', &v);
    w->at += is_quoted && *w->at == '"';
    if (l->is_json) {
        put_json_field(l, has_key ? key : "text", has_key ? key_len : strlen("text"), &v);
    } else {
        put_text_field(l, key, has_key ? key_len : 0, &v, is_quoted);
    }
    l->is_cut = l->is_cut || v.is_cut;
}

static void put_head(struct line *l, enum log_level level, const char *event)
{
    char time[sizeof "2026-01-01T00:00:00.000Z" + 8];
    struct timespec now;
    struct tm t;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &t);
    size_t n = strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &t);
    (void)snprintf(time + n, sizeof time - n, ".%03ldZ", now.tv_nsec / 1000000);
    l->len = (size_t)snprintf(l->text, sizeof l->text,
                              l->is_json ? "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%.64s\""
                                         : "%s %s %.64s",
                              time, level_words[level], event);
}

static void put_end(struct line *l)
{
    if (l->is_json && l->is_cut) {
        memcpy(l->text + l->len, CUT_TEXT, sizeof CUT_TEXT - 1); /* of LINE_KEPT */
        l->len += sizeof CUT_TEXT - 1;
    }
    if (l->is_json) {
        l->text[l->len++] = '}';
    }
    l->text[l->len++] = '\n';
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    struct line l; /* its bytes are written before they are read */
    struct walk w = {.at = format};

    l.is_json = atomic_load(&s_format) == LOG_FORMAT_JSON;
    l.is_cut = false;
    put_head(&l, level, event);
    va_start(w.args, format);
    for (w.at += strspn(w.at, " "); *w.at && !l.is_cut; w.at += strspn(w.at, " ")) {
        put_field(&l, &w);
    }
    va_end(w.args);
    put_end(&l);
    ssize_t ignored = write(STDERR_FILENO, l.text, l.len); /* nobody to tell if stderr is gone */
    (void)ignored;
}
