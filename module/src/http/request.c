/* SPDX-License-Identifier: Apache-2.0 */
#include "http/request.h"

#include <string.h>

#include "aloft/limits.h"
#include "aloft/module.h"

#include "text.h"

const char *aloft_request_path(enum aloft_http_ask ask)
{
    return ask == ALOFT_HTTP_ASK_LIST ? "/v1/device/rom" : "/v1/device/rom/";
}

const char *aloft_request_method(bool is_head)
{
    return is_head ? "HEAD" : "GET";
}

bool aloft_request_is_version(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_alnum && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return len > 0 && len <= ALOFT_VERSION_MAX;
}

/* A long target leaves a hole. */
static void add_target(struct aloft_text *t, const struct aloft_request_line *line,
                       struct aloft_request_text *text)
{
    if (line->target_len == 0 || line->target[0] != '/') {
        aloft_text_add_char(t, '/');
    }
    if (line->target_len <= ALOFT_REQUEST_INLINE) {
        aloft_text_add_bytes(t, line->target, line->target_len);
    } else {
        text->holes[text->n_holes++] = (uint16_t)t->len;
    }
}

static void add_own_target(struct aloft_text *t, const struct aloft_request_line *line)
{
    aloft_text_add(t, aloft_request_path(line->ask));
    if (line->ask == ALOFT_HTTP_ASK_VERSION) {
        aloft_text_add(t, "?is_format_simple=true");
    }
    if (line->ask == ALOFT_HTTP_ASK_FILE) {
        aloft_text_add(t, "?action=download_rom&version=");
        aloft_text_add(t, line->version);
        aloft_text_add(t, "&filename=ota.bin");
    }
}

static void add_request_line(struct aloft_text *t, const struct aloft_request_line *line,
                             struct aloft_request_text *text)
{
    aloft_text_add(t, aloft_request_method(line->is_head));
    aloft_text_add_char(t, ' ');
    if (line->target != NULL) {
        add_target(t, line, text);
    } else {
        add_own_target(t, line);
    }
    aloft_text_add(t, line->ask == ALOFT_HTTP_ASK_VERSION ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
}

static void add_host(struct aloft_text *t, const struct aloft_request_line *line, bool has_port)
{
    bool is_ipv6 = strchr(line->host, ':') != NULL;

    aloft_text_add(t, is_ipv6 ? "Host: [" : "Host: ");
    aloft_text_add(t, line->host);
    aloft_text_add(t, is_ipv6 ? "]" : "");
    if (has_port) {
        aloft_text_add_char(t, ':');
        aloft_text_add_uint(t, line->port);
    }
    aloft_text_add(t, "\r\n");
}

static void add_token(struct aloft_text *t, const struct aloft_request_line *line)
{
    if (line->is_foreign) {
        return;
    }
    aloft_text_add(t, "Authorization: token ");
    aloft_text_add(t, line->token != NULL ? line->token : "(null)");
    aloft_text_add(t, "\r\n");
}

/* facts/ciupdate-wire.md 2.1 and 3.1; the User-Agent ends with a space. */
static void add_update_headers(struct aloft_text *t, const struct aloft_request_line *line)
{
    add_host(t, line, true);
    aloft_text_add(t, "Connection: keep-alive\r\n"
                      "Cache-Control: no-cache\r\n"
                      "User-Agent: Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 (KHTML, like "
                      "Gecko) Chrome/30.0.1599.101 Safari/537.36 \r\n"
                      "Accept: */*\r\n");
    add_token(t, line);
    aloft_text_add(t, "Accept-Encoding: gzip,deflate,sdch\r\n"
                      "Accept-Language: zh-CN,zh;q=0.8\r\n");
}

/* facts/at-commands.md 2.1. */
static void add_url_headers(struct aloft_text *t, const struct aloft_request_line *line)
{
    aloft_text_add(t, "User-Agent: ESP32 HTTP Client/1.0\r\n");
    add_host(t, line, line->port != (line->is_tls ? ALOFT_PORT_HTTPS : ALOFT_PORT_HTTP));
}

/* facts/ciupdate-wire.md 4.1; with a port that is not the default one, Host names it. */
static void add_list_headers(struct aloft_text *t, const struct aloft_request_line *line)
{
    add_url_headers(t, line);
    add_token(t, line);
}

/* One header of ours: at most ALOFT_OUR_HEADER_MAX bytes of printable ASCII. */
static void add_header(struct aloft_text *t, const char *name, const char *value)
{
    size_t len = 0;

    while (len < ALOFT_OUR_HEADER_MAX && value[len] >= ' ' && value[len] < 0x7F) {
        len++;
    }
    aloft_text_add(t, name);
    aloft_text_add(t, ": ");
    aloft_text_add_bytes(t, value, len);
    aloft_text_add(t, "\r\n");
}

static void add_device(struct aloft_text *t, const struct aloft_module *m)
{
    uint8_t mac[6];

    if (m->config.device_id != NULL) {
        add_header(t, "Aloft-Device", m->config.device_id);
        return;
    }
    m->port->wifi.station_mac(m->port->ctx, mac);
    aloft_text_add(t, "Aloft-Device: ");
    aloft_text_add_hex_bytes(t, mac, sizeof mac, '\0');
    aloft_text_add(t, "\r\n");
}

static void add_identity(struct aloft_text *t, const struct aloft_module *m)
{
    static const char *const boots[] = {
        [ALOFT_BOOT_POWER] = "power",
        [ALOFT_BOOT_RESTART] = "restart",
        [ALOFT_BOOT_UPGRADE] = "upgrade",
        [ALOFT_BOOT_ROLLBACK] = "rollback",
    };
    struct aloft_firmware_info info;

    m->port->firmware_info(m->port->ctx, &info);
    add_device(t, m);
    add_header(t, "Aloft-Module", m->config.module_name);
    add_header(t, "Aloft-Chip", m->config.chip_name);
    add_header(t, "Aloft-Version", info.app_version);
    add_header(t, "Aloft-Boot", boots[m->port->boot.reason(m->port->ctx)]);
    add_header(t, "Aloft-Caps", "resume,sha256");
}

static void add_range(struct aloft_text *t, const struct aloft_request_line *line)
{
    if (line->range_from > 0) {
        aloft_text_add(t, "Range: bytes=");
        aloft_text_add_uint(t, line->range_from);
        aloft_text_add(t, "-\r\nIf-Range: ");
        aloft_text_add(t, line->etag);
        aloft_text_add(t, "\r\n");
    }
}

static bool begins_with(const char *text, const char *name)
{
    while (*name != '\0' && (*text | 0x20) == *name) {
        text++;
        name++;
    }
    return *name == '\0';
}

/* What was meant for one host is not told to another. */
static void add_further(struct aloft_text *t, const struct aloft_request_line *line)
{
    const char *at = line->headers;

    while (at != NULL && *at != '\0') {
        const char *end = strchr(at, '\n');
        size_t len = end != NULL ? (size_t)(end - at) + 1 : strlen(at);
        bool is_auth = begins_with(at, "authorization:");
        bool is_secret = is_auth || begins_with(at, "cookie:");
        bool is_replaced = is_auth && line->auth != NULL; /* By the answer to a challenge. */
        if (!is_replaced && !(line->is_foreign && is_secret)) {
            aloft_text_add_bytes(t, at, len);
        }
        at += len;
    }
}

static void add_auth(struct aloft_text *t, const struct aloft_request_line *line,
                     struct aloft_request_text *text)
{
    if (line->auth == NULL || line->is_foreign) {
        return;
    }
    aloft_text_add_bytes(t, line->auth, line->auth_len);
    if (line->is_digest) {
        add_target(t, line, text);
        aloft_text_add(t, "\"\r\n");
    }
}

enum aloft_err aloft_request_build(const struct aloft_module *m,
                                   const struct aloft_request_line *line, char *buf, size_t cap,
                                   struct aloft_request_text *ret_text)
{
    struct aloft_text t;

    aloft_text_init(&t, buf, cap);
    *ret_text = (struct aloft_request_text){0};
    add_request_line(&t, line, ret_text);
    if (line->ask >= ALOFT_HTTP_ASK_IMAGE) {
        add_url_headers(&t, line);
    } else if (line->ask == ALOFT_HTTP_ASK_LIST) {
        add_list_headers(&t, line);
    } else {
        add_update_headers(&t, line);
    }
    if (line->ask < ALOFT_HTTP_ASK_IMAGE && !line->is_foreign) {
        add_identity(&t, m);
    }
    add_range(&t, line);
    add_further(&t, line);
    add_auth(&t, line, ret_text);
    aloft_text_add(&t, "\r\n");
    ret_text->len = (uint16_t)t.len;
    return t.is_cut ? ALOFT_ERR_TOO_BIG : ALOFT_ERR_OK;
}
