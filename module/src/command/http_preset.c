/* SPDX-License-Identifier: Apache-2.0 */
#include "command/http_preset.h"

#include <string.h>

#include "aloft/limits.h"
#include "aloft/module.h"

#include "at/engine.h"
#include "at/params.h"
#include "command/families.h"
#include "upgrade/engine.h"

/*
 * AT+HTTPURLCFG and AT+HTTPCHEAD (facts/at-commands.md 4): what AT+HTTPCGET and AT+HTTPGETSIZE ask
 * for. The URL lies in the buffer of AT+USEROTA and AT+UPDATETLS; it stays until one of them takes
 * the buffer, or another URL or length 0 comes. The headers stay until length 0 comes; one with the
 * key of an older one replaces it.
 */

#define URL_MIN   8
#define LINE_ROOM 32 /* What stands before or behind lent bytes, or OK, fits. */

enum job {
    JOB_NONE,
    JOB_URL,     /* AT+HTTPURLCFG? */
    JOB_HEADERS, /* AT+HTTPCHEAD? */
};

static const char line_end[] = "\r\n";
#define LINE_END_LEN (sizeof line_end - 1)

/* Of these the client itself says what is true. */
static const char *const reserved[] = {"host", "user-agent", "connection", "content-length",
                                       "transfer-encoding"};

const char *aloft_http_preset_url(const struct aloft_module *m, size_t *ret_len)
{
    *ret_len = m->http_command.url_len;
    return m->http_command.url_len > 0 ? m->config.url_buf : NULL;
}

void aloft_http_preset_forget_url(struct aloft_module *m)
{
    m->http_command.url_len = 0;
}

const char *aloft_http_preset_headers(const struct aloft_module *m)
{
    if (m->http_command.head_len == 0) {
        return NULL;
    }
    /* A header that was begun and not finished may have left its bytes here. */
    m->config.head_buf[m->http_command.head_len] = '\0';
    return m->config.head_buf;
}

static enum aloft_reply take_url(struct aloft_module *m, uint8_t *buf, size_t len)
{
    (void)buf;
    m->http_command.url_len = (uint16_t)len;
    aloft_at_print(m, "\r\nSET OK\r\n");
    return ALOFT_REPLY_SILENT;
}

static enum aloft_reply set_url(struct aloft_module *m, const struct aloft_params *params)
{
    size_t cap = m->config.url_cap < ALOFT_URL_MAX ? m->config.url_cap : ALOFT_URL_MAX;
    const struct aloft_int_range lens = {0, (int32_t)cap};
    int32_t len;

    /* The buffer may still be read by an upgrade that somebody else began. */
    if (!aloft_params_check_count(m, params, 1, 1) || m->config.url_buf == NULL ||
        !aloft_params_get_int(m, params, 0, &lens, &len) || aloft_upgrade_is_running(m)) {
        return ALOFT_REPLY_ERROR;
    }
    if (len > 0 && len < URL_MIN) {
        return aloft_at_fail(m, ALOFT_AT_FAIL_INVALID, 0);
    }
    aloft_http_preset_forget_url(m);
    return len == 0 ? ALOFT_REPLY_OK
                    : aloft_at_take_data(m, (uint8_t *)m->config.url_buf, (size_t)len,
                                         ALOFT_CONFIG_URL_IDLE_MS, take_url);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Bytes of the key, RFC 9110 5.1; 0 = `text` is no header. */
static size_t find_key(const char *text, size_t len)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    size_t n = 0;

    while (n < len && text[n] != ':') {
        char c = lower(text[n]);
        bool is_token = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                        (c != '\0' && strchr(others, c) != NULL);
        if (!is_token) {
            return 0;
        }
        n++;
    }
    return n < len ? n : 0;
}

static bool is_printable(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return false;
        }
    }
    return true;
}

static bool is_same_key(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

static bool is_reserved(const char *key, size_t len)
{
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (strlen(reserved[i]) == len && is_same_key(reserved[i], key, len)) {
            return true;
        }
    }
    return false;
}

/* Bytes of the line at `at`, CR LF included. */
static size_t line_len(const struct aloft_module *m, size_t at)
{
    const char *start = m->config.head_buf + at;
    const char *lf = memchr(start, '\n', m->http_command.head_len - at);

    return (size_t)(lf - start) + 1;
}

/* The line of this key, if there is one, goes; what stands behind it, `n_behind` bytes more than
 * the headers, moves up. */
static void remove_key(struct aloft_module *m, const char *key, size_t key_len, size_t n_behind)
{
    struct aloft_http_command_state *s = &m->http_command;
    char *head = m->config.head_buf;

    for (size_t at = 0; at < s->head_len; at += line_len(m, at)) {
        if (head[at + key_len] == ':' && is_same_key(head + at, key, key_len)) {
            size_t len = line_len(m, at);
            memmove(head + at, head + at + len, s->head_len + n_behind - at - len);
            s->head_len = (uint16_t)(s->head_len - len);
            return;
        }
    }
}

/* It stands behind the headers already. */
static enum aloft_reply take_header(struct aloft_module *m, uint8_t *buf, size_t len)
{
    struct aloft_http_command_state *s = &m->http_command;
    const char *text = (const char *)buf;
    size_t key_len = find_key(text, len);

    if (key_len == 0 || !is_printable(text, len) || is_reserved(text, key_len)) {
        return ALOFT_REPLY_ERROR;
    }
    remove_key(m, text, key_len, len);
    memcpy(m->config.head_buf + s->head_len + len, line_end, LINE_END_LEN);
    s->head_len = (uint16_t)(s->head_len + len + LINE_END_LEN);
    return ALOFT_REPLY_OK;
}

static enum aloft_reply set_header(struct aloft_module *m, const struct aloft_params *params)
{
    size_t cap = m->config.head_cap < UINT16_MAX ? m->config.head_cap : UINT16_MAX;
    size_t needed = m->http_command.head_len + LINE_END_LEN + 1;
    const struct aloft_int_range lens = {0, cap > needed ? (int32_t)(cap - needed) : 0};
    int32_t len;

    if (!aloft_params_check_count(m, params, 1, 1) || m->config.head_buf == NULL ||
        !aloft_params_get_int(m, params, 0, &lens, &len)) {
        return ALOFT_REPLY_ERROR;
    }
    if (len == 0) {
        m->http_command.head_len = 0;
        return ALOFT_REPLY_OK;
    }
    return aloft_at_take_data(m, (uint8_t *)m->config.head_buf + m->http_command.head_len,
                              (size_t)len, ALOFT_CONFIG_URL_IDLE_MS, take_header);
}

static enum aloft_reply query_url(struct aloft_module *m, const struct aloft_params *params)
{
    size_t len;
    const char *url = aloft_http_preset_url(m, &len);

    (void)params;
    if (url == NULL) {
        return ALOFT_REPLY_OK;
    }
    aloft_at_print(m, "+HTTPURLCFG:");
    aloft_at_print_uint(m, (uint32_t)len);
    aloft_at_print(m, ",");
    aloft_at_print_lent(m, url, len);
    aloft_at_print(m, line_end);
    m->http_command.job = JOB_URL;
    return ALOFT_REPLY_LATER;
}

static enum aloft_reply query_headers(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    m->http_command.job = JOB_HEADERS;
    m->http_command.n_listed = 0;
    m->http_command.list_at = 0;
    return ALOFT_REPLY_LATER;
}

static void print_header(struct aloft_module *m)
{
    struct aloft_http_command_state *s = &m->http_command;
    size_t len = line_len(m, s->list_at);

    aloft_at_print(m, "+HTTPCHEAD:");
    aloft_at_print_uint(m, s->n_listed++);
    aloft_at_print(m, ",\"");
    aloft_at_print_lent(m, m->config.head_buf + s->list_at, len - LINE_END_LEN);
    aloft_at_print(m, "\"\r\n");
    s->list_at = (uint16_t)(s->list_at + len);
}

static uint32_t step(struct aloft_module *m)
{
    struct aloft_http_command_state *s = &m->http_command;

    while (s->job != JOB_NONE) {
        aloft_at_flush(m);
        if (aloft_at_has_lent(m) || aloft_at_print_room(m) < LINE_ROOM) {
            return ALOFT_AT_TX_POLL_MS;
        }
        if (s->job == JOB_HEADERS && s->list_at < s->head_len) {
            print_header(m);
        } else {
            s->job = JOB_NONE;
            aloft_at_finish(m, ALOFT_REPLY_OK);
        }
    }
    return UINT32_MAX;
}

/* clang-format off */
static const struct aloft_command commands[] = {
    {"+HTTPURLCFG", NULL, query_url,     set_url,    NULL},
    {"+HTTPCHEAD",  NULL, query_headers, set_header, NULL},
};
/* clang-format on */

const struct aloft_family aloft_http_preset_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .step = step,
};
