/* SPDX-License-Identifier: Apache-2.0 */
#include "http/url.h"

#include <string.h>

static size_t count_until(const char *text, size_t len, const char *stops)
{
    size_t n = 0;

    while (n < len && strchr(stops, text[n]) == NULL) {
        n++;
    }
    return n;
}

static bool is_clean(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] >= 0x7F) {
            return false;
        }
    }
    return len > 0;
}

static bool is_scheme(const char *text, size_t len, const char *name)
{
    if (len != strlen(name)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if ((text[i] | 0x20) != name[i]) {
            return false;
        }
    }
    return true;
}

static enum aloft_err parse_port(const char *text, size_t len, uint16_t *ret_port)
{
    uint32_t port = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || port > UINT16_MAX) {
            return ALOFT_ERR_SYNTAX;
        }
        port = port * 10 + (uint32_t)(text[i] - '0');
    }
    if (port > UINT16_MAX || (len > 0 && port == 0)) {
        return ALOFT_ERR_SYNTAX;
    }
    *ret_port = (uint16_t)port;
    return ALOFT_ERR_OK;
}

static bool is_host(const char *text, size_t len, const char *others)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_alnum && strchr(others, c) == NULL) {
            return false;
        }
    }
    return len > 0;
}

/* The host of `text`, and how many bytes of it that was. 0: there is none. */
static size_t parse_host(const char *text, size_t len, struct aloft_url *url)
{
    if (len == 0 || text[0] != '[') {
        url->host = text;
        url->host_len = count_until(text, len, ":");
        return is_host(text, url->host_len, ".-_") ? url->host_len : 0;
    }
    url->host = text + 1;
    url->host_len = count_until(text + 1, len - 1, "]");
    bool is_literal = url->host_len + 1 < len && memchr(url->host, ':', url->host_len) != NULL &&
                      is_host(url->host, url->host_len, ".:");
    return is_literal ? url->host_len + 2 : 0;
}

static enum aloft_err parse_authority(const char *text, size_t len, struct aloft_url *url)
{
    size_t userinfo_len = count_until(text, len, "@");

    if (userinfo_len < len) {
        url->userinfo = text;
        url->userinfo_len = userinfo_len;
        text += userinfo_len + 1;
        len -= userinfo_len + 1;
    }
    size_t host_len = parse_host(text, len, url);
    if (host_len == 0 || (host_len < len && text[host_len] != ':')) {
        return ALOFT_ERR_SYNTAX;
    }
    return host_len < len ? parse_port(text + host_len + 1, len - host_len - 1, &url->port)
                          : ALOFT_ERR_OK;
}

enum aloft_err aloft_url_parse(const char *text, size_t len, struct aloft_url *ret_url)
{
    struct aloft_url url = {0};

    if (!is_clean(text, len)) {
        return ALOFT_ERR_SYNTAX;
    }
    len = count_until(text, len, "#");
    size_t scheme_len = count_until(text, len, ":/?");
    if (scheme_len < len && text[scheme_len] == ':') {
        url.has_scheme = true;
        url.is_tls = is_scheme(text, scheme_len, "https");
        text += scheme_len + 1;
        len -= scheme_len + 1;
        bool is_known = url.is_tls || is_scheme(text - scheme_len - 1, scheme_len, "http");
        if (!is_known || len < 2 || memcmp(text, "//", 2) != 0) {
            return ALOFT_ERR_SYNTAX;
        }
    }
    if (len >= 2 && memcmp(text, "//", 2) == 0) {
        size_t authority_len = count_until(text + 2, len - 2, "/?");
        if (parse_authority(text + 2, authority_len, &url) != ALOFT_ERR_OK) {
            return ALOFT_ERR_SYNTAX;
        }
        text += 2 + authority_len;
        len -= 2 + authority_len;
    }
    url.target = text;
    url.target_len = len;
    *ret_url = url;
    return ALOFT_ERR_OK;
}
