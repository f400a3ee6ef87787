/* SPDX-License-Identifier: Apache-2.0 */
#include "http/location.h"

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
            return ALOFT_ERR_REDIRECT;
        }
        port = port * 10 + (uint32_t)(text[i] - '0');
    }
    if (port > UINT16_MAX || (len > 0 && port == 0)) {
        return ALOFT_ERR_REDIRECT;
    }
    *ret_port = (uint16_t)port;
    return ALOFT_ERR_OK;
}

static enum aloft_err parse_authority(const char *text, size_t len, struct aloft_location *loc)
{
    size_t host_len = count_until(text, len, ":");

    if (host_len == 0 || count_until(text, len, "@[]\\") < len) {
        return ALOFT_ERR_REDIRECT;
    }
    loc->host = text;
    loc->host_len = host_len;
    if (host_len == len) {
        return ALOFT_ERR_OK;
    }
    return parse_port(text + host_len + 1, len - host_len - 1, &loc->port);
}

enum aloft_err aloft_location_parse(const char *text, size_t len, struct aloft_location *ret_loc)
{
    struct aloft_location loc = {0};

    if (!is_clean(text, len)) {
        return ALOFT_ERR_REDIRECT;
    }
    len = count_until(text, len, "#");
    size_t scheme_len = count_until(text, len, ":/?");
    if (scheme_len < len && text[scheme_len] == ':') {
        loc.has_scheme = true;
        loc.is_tls = is_scheme(text, scheme_len, "https");
        text += scheme_len + 1;
        len -= scheme_len + 1;
        bool is_known = loc.is_tls || is_scheme(text - scheme_len - 1, scheme_len, "http");
        if (!is_known || len < 2 || memcmp(text, "//", 2) != 0) {
            return ALOFT_ERR_REDIRECT;
        }
    }
    if (len >= 2 && memcmp(text, "//", 2) == 0) {
        size_t authority_len = count_until(text + 2, len - 2, "/?");
        if (parse_authority(text + 2, authority_len, &loc) != ALOFT_ERR_OK) {
            return ALOFT_ERR_REDIRECT;
        }
        text += 2 + authority_len;
        len -= 2 + authority_len;
    }
    loc.target = text;
    loc.target_len = len;
    *ret_loc = loc;
    return ALOFT_ERR_OK;
}
