/* SPDX-License-Identifier: Apache-2.0 */
#include "http/follow.h"

#include <string.h>

#include "aloft/limits.h"
#include "aloft/module.h"

#include "http/location.h"
#include "http/request.h"

/* The target of a redirect waits at the end of the client's buffer, out of the way of the next
 * request and of the head that answers it: a relative redirect needs it as its base. */

static const struct aloft_server *server_of(const struct aloft_module *m)
{
    return m->http.mode == 0 ? &m->config.plain : &m->config.tls;
}

const char *aloft_follow_host(const struct aloft_module *m)
{
    return m->http.is_redirected ? m->http.redirect_host : server_of(m)->host;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_same_host(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

static enum aloft_err set_host(struct aloft_module *m, const struct aloft_location *loc)
{
    struct aloft_http_state *h = &m->http;

    if (loc->has_scheme && h->is_tls && !loc->is_tls) {
        return ALOFT_ERR_REDIRECT;
    }
    if (loc->host == NULL) {
        const char *host = aloft_follow_host(m);
        if (!h->is_redirected && strlen(host) >= sizeof h->redirect_host) {
            return ALOFT_ERR_REDIRECT;
        }
        memmove(h->redirect_host, host, strlen(host) + 1);
        return ALOFT_ERR_OK;
    }
    if (loc->host_len >= sizeof h->redirect_host) {
        return ALOFT_ERR_REDIRECT;
    }
    memcpy(h->redirect_host, loc->host, loc->host_len);
    h->redirect_host[loc->host_len] = '\0';
    h->is_tls = loc->has_scheme ? loc->is_tls : h->is_tls;
    h->port = loc->port != 0 ? loc->port : h->is_tls ? ALOFT_PORT_HTTPS : ALOFT_PORT_HTTP;
    h->is_foreign = !is_same_host(h->redirect_host, server_of(m)->host);
    return ALOFT_ERR_OK;
}

/* Bytes of the current target that stay in front of a relative one (RFC 3986 5.2.3; dot segments
 * are left to the server). */
static size_t kept_bytes(const char *base, size_t base_len, const struct aloft_location *loc)
{
    const char *query = memchr(base, '?', base_len);
    size_t path_len = query != NULL ? (size_t)(query - base) : base_len;

    if (loc->target[0] == '?') {
        return path_len;
    }
    while (path_len > 0 && base[path_len - 1] != '/') {
        path_len--;
    }
    return path_len;
}

static enum aloft_err set_target(struct aloft_http_state *h, const struct aloft_location *loc)
{
    char *end = h->buf + sizeof h->buf;
    const char *base = end - h->target_len;
    size_t base_len = h->target_len;
    size_t kept = 0;

    if (!h->is_redirected) {
        base = aloft_request_path((enum aloft_http_ask)h->ask);
        base_len = strlen(base);
    }
    if (loc->host != NULL) {
        base = "/";
        base_len = 1;
    } else if (loc->target_len == 0) {
        return ALOFT_ERR_REDIRECT;
    }
    if (loc->target_len == 0 || loc->target[0] != '/') {
        kept = loc->target_len == 0 ? base_len : kept_bytes(base, base_len, loc);
    }
    size_t len = kept + loc->target_len;
    if (len > sizeof h->buf - h->target_len) {
        return ALOFT_ERR_TOO_BIG;
    }
    memmove(h->buf + kept, loc->target, loc->target_len);
    memcpy(h->buf, base, kept);
    memmove(end - len, h->buf, len);
    h->target_len = (uint16_t)len;
    return ALOFT_ERR_OK;
}

static enum aloft_err build(struct aloft_module *m)
{
    struct aloft_http_state *h = &m->http;
    size_t len = 0;
    struct aloft_request_line line = {
        .ask = (enum aloft_http_ask)h->ask,
        .target = h->buf + sizeof h->buf - h->target_len,
        .target_len = h->target_len,
        .host = h->redirect_host,
        .port = h->port,
        .is_tls = h->is_tls,
        .token = server_of(m)->token,
        .is_foreign = h->is_foreign,
    };
    enum aloft_err err = aloft_request_build(m, &line, h->buf, sizeof h->buf - h->target_len, &len);

    h->len = (uint16_t)len;
    h->sent = 0;
    return err;
}

enum aloft_err aloft_follow_redirect(struct aloft_module *m)
{
    struct aloft_http_state *h = &m->http;
    struct aloft_location loc;
    const char *value;
    size_t len;

    if (h->hops == ALOFT_REDIRECT_MAX ||
        !aloft_http_head_find(&h->head, h->buf, "Location", &value, &len)) {
        return ALOFT_ERR_REDIRECT;
    }
    h->hops++;
    enum aloft_err err = aloft_location_parse(value, len, &loc);
    if (err == ALOFT_ERR_OK) {
        err = set_host(m, &loc);
    }
    if (err == ALOFT_ERR_OK) {
        err = set_target(h, &loc);
    }
    h->is_redirected = true;
    return err == ALOFT_ERR_OK ? build(m) : err;
}
