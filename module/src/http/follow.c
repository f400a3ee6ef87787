/* SPDX-License-Identifier: Apache-2.0 */
#include "http/follow.h"

#include <string.h>

#include "aloft/limits.h"
#include "aloft/module.h"

#include "http/auth.h"
#include "http/request.h"
#include "http/url.h"
#include "server_choice.h"
#include "text.h"

/*
 * The client's buffer has a place at its end for the target of a redirect, and in front of that one
 * for the answer to a challenge: there both are out of the way of the next request, which names
 * them, and the target also of the head that answers it, since a relative redirect needs it as its
 * base.
 */

#define AUTHS_MAX 3 /* One, and two more for a nonce that was too old. */

/* The URL the request began with: it was good then. */
static struct aloft_url first_url(const struct aloft_module *m)
{
    struct aloft_url url = {0};
    enum aloft_err err = aloft_url_parse(m->http.url, m->http.url_len, &url);

    return err == ALOFT_ERR_OK ? url : (struct aloft_url){.target = ""};
}

const char *aloft_follow_target(const struct aloft_module *m, size_t *ret_len)
{
    const struct aloft_http_state *h = &m->http;

    if (h->is_redirected) {
        *ret_len = h->target_len;
        return h->buf + sizeof h->buf - h->target_len;
    }
    if (h->url == NULL) {
        const char *path = aloft_request_path((enum aloft_http_ask)h->ask);
        *ret_len = strlen(path);
        return path;
    }
    struct aloft_url url = first_url(m);
    *ret_len = url.target_len;
    return url.target;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_same_host(const char *a, const char *b, size_t b_len)
{
    if (strlen(a) != b_len) {
        return false;
    }
    while (b_len > 0 && lower(*a) == lower(*b)) {
        a++;
        b++;
        b_len--;
    }
    return b_len == 0;
}

static uint16_t port_of(const struct aloft_url *url, bool is_tls)
{
    return url->port != 0 ? url->port : is_tls ? ALOFT_PORT_HTTPS : ALOFT_PORT_HTTP;
}

static enum aloft_err set_name(struct aloft_http_state *h, const char *host, size_t len)
{
    if (len >= sizeof h->host) {
        return ALOFT_ERR_TOO_BIG;
    }
    memcpy(h->host, host, len);
    h->host[len] = '\0';
    return ALOFT_ERR_OK;
}

static enum aloft_err begin_at_server(struct aloft_module *m)
{
    struct aloft_server_choice choice;
    struct aloft_server server;

    aloft_server_get(m, m->http.mode, &choice, &server);
    if (server.host == NULL) {
        return ALOFT_ERR_UNSUPPORTED;
    }
    m->http.is_tls = m->http.mode != 0;
    m->http.port = server.port;
    return set_name(&m->http, server.host, strlen(server.host));
}

enum aloft_err aloft_follow_begin(struct aloft_module *m)
{
    struct aloft_http_state *h = &m->http;
    struct aloft_url url;

    if (h->url == NULL) {
        return begin_at_server(m);
    }
    if (aloft_url_parse(h->url, h->url_len, &url) != ALOFT_ERR_OK || !url.has_scheme) {
        return ALOFT_ERR_SYNTAX;
    }
    h->is_tls = url.is_tls;
    h->port = port_of(&url, url.is_tls);
    return set_name(h, url.host, url.host_len);
}

/* The token is for a server, whatever its port; a URL's credentials are for one port only. */
static bool is_foreign(const struct aloft_module *m)
{
    const struct aloft_http_state *h = &m->http;
    struct aloft_server_choice choice;
    struct aloft_server server;

    if (h->url == NULL) {
        aloft_server_get(m, h->mode, &choice, &server);
        return !is_same_host(h->host, server.host, strlen(server.host));
    }
    struct aloft_url url = first_url(m);
    return !is_same_host(h->host, url.host, url.host_len) || h->is_tls != url.is_tls ||
           h->port != port_of(&url, url.is_tls);
}

static enum aloft_err set_host(struct aloft_module *m, const struct aloft_url *url)
{
    struct aloft_http_state *h = &m->http;

    if (url->userinfo != NULL || (url->has_scheme && h->is_tls && !url->is_tls)) {
        return ALOFT_ERR_REDIRECT;
    }
    if (url->host == NULL) {
        return ALOFT_ERR_OK;
    }
    if (set_name(h, url->host, url->host_len) != ALOFT_ERR_OK) {
        return ALOFT_ERR_REDIRECT;
    }
    h->is_tls = url->has_scheme ? url->is_tls : h->is_tls;
    h->port = port_of(url, h->is_tls);
    h->is_foreign = is_foreign(m);
    return ALOFT_ERR_OK;
}

/* Bytes of the current target that stay in front of a relative one (RFC 3986 5.2.3). */
static size_t kept_bytes(const char *base, size_t base_len, const struct aloft_url *url)
{
    const char *query = memchr(base, '?', base_len);
    size_t path_len = query != NULL ? (size_t)(query - base) : base_len;

    if (url->target[0] == '?') {
        return path_len;
    }
    while (path_len > 0 && base[path_len - 1] != '/') {
        path_len--;
    }
    return path_len;
}

/* RFC 3986 5.2.4, for a target that begins with a slash; what is left of it. */
static size_t remove_dot_segments(char *target, size_t len)
{
    const char *query = memchr(target, '?', len);
    size_t path_len = query != NULL ? (size_t)(query - target) : len;
    size_t out = 0;
    size_t n;

    for (size_t in = 0; in < path_len; in += n) {
        const char *slash = memchr(target + in + 1, '/', path_len - in - 1);
        n = slash != NULL ? (size_t)(slash - target) - in : path_len - in;
        bool is_same = n == 2 && target[in + 1] == '.';
        bool is_parent = n == 3 && memcmp(target + in, "/..", n) == 0;
        while (is_parent && out > 0 && target[--out] != '/') {
        }
        if (!is_same && !is_parent) {
            memmove(target + out, target + in, n);
            out += n;
        } else if (slash == NULL) {
            target[out++] = '/';
        }
    }
    memmove(target + out, target + path_len, len - path_len);
    return out + len - path_len;
}

static enum aloft_err set_target(struct aloft_module *m, const struct aloft_url *url)
{
    struct aloft_http_state *h = &m->http;
    char *end = h->buf + sizeof h->buf;
    size_t base_len = 0;
    size_t kept = 0;
    const char *base = aloft_follow_target(m, &base_len);

    if (base_len == 0 || base[0] != '/' || url->host != NULL) {
        base = "/";
        base_len = 1;
    }
    if (url->host == NULL && url->target_len == 0) {
        return ALOFT_ERR_REDIRECT;
    }
    if (url->target_len == 0 || url->target[0] != '/') {
        kept = url->target_len == 0 ? base_len : kept_bytes(base, base_len, url);
    }
    size_t len = kept + url->target_len;
    if (len >= sizeof h->buf - h->target_len) { /* The request needs some room too. */
        return ALOFT_ERR_TOO_BIG;
    }
    memmove(h->buf + kept, url->target, url->target_len);
    memcpy(h->buf, base, kept);
    len = remove_dot_segments(h->buf, len);
    memmove(end - len, h->buf, len);
    h->target_len = (uint16_t)len;
    return ALOFT_ERR_OK;
}

enum aloft_err aloft_follow_build(struct aloft_module *m, const char *version)
{
    struct aloft_http_state *h = &m->http;
    size_t cap = sizeof h->buf - h->target_len - h->auth_len;
    struct aloft_server_choice choice;
    struct aloft_server server = {0};
    struct aloft_request_line line = {
        .ask = (enum aloft_http_ask)h->ask,
        .version = version,
        .is_head = h->is_head,
        .host = h->host,
        .port = h->port,
        .is_tls = h->is_tls,
        .is_foreign = h->is_foreign,
        .headers = h->headers,
        .auth = h->auth_len > 0 ? h->buf + cap : NULL,
        .auth_len = h->auth_len,
        .is_digest = h->is_digest,
        .range_from = h->range_from,
        .etag = h->etag,
    };

    if (h->url == NULL) {
        aloft_server_get(m, h->mode, &choice, &server);
        line.token = server.token;
    }
    if (h->url != NULL || h->is_redirected) {
        line.target = aloft_follow_target(m, &line.target_len);
    }
    h->sent = 0;
    return aloft_request_build(m, &line, h->buf, cap, &h->request);
}

enum aloft_err aloft_follow_redirect(struct aloft_module *m)
{
    struct aloft_http_state *h = &m->http;
    struct aloft_url url;
    const char *value;
    size_t len;

    if (h->hops == ALOFT_REDIRECT_MAX ||
        !aloft_http_head_find(&h->head, h->buf, "Location", &value, &len) ||
        aloft_url_parse(value, len, &url) != ALOFT_ERR_OK) {
        return ALOFT_ERR_REDIRECT;
    }
    h->hops++;
    h->n_auths = 0;
    enum aloft_err err = set_host(m, &url);
    if (err == ALOFT_ERR_OK) {
        err = set_target(m, &url);
    }
    h->is_redirected = true;
    return err == ALOFT_ERR_OK ? aloft_follow_build(m, NULL) : err;
}

static bool is_challenge(const struct aloft_http_state *h, const struct aloft_http_field *field)
{
    static const char wanted[] = "www-authenticate";
    size_t i = 0;

    while (i < field->name.len && wanted[i] != '\0' &&
           lower(h->buf[field->name.off + i]) == wanted[i]) {
        i++;
    }
    return i == field->name.len && wanted[i] == '\0';
}

static void find_challenge(const struct aloft_module *m, struct aloft_auth_challenge *ret_challenge)
{
    const struct aloft_http_state *h = &m->http;

    *ret_challenge = (struct aloft_auth_challenge){.scheme = ALOFT_AUTH_NONE};
    for (size_t i = 0; i < h->head.n_fields; i++) {
        const struct aloft_http_field *field = &h->head.fields[i];
        if (is_challenge(h, field)) {
            aloft_auth_parse(m->port, h->buf + field->value.off, field->value.len, ret_challenge);
        }
    }
}

enum aloft_err aloft_follow_challenge(struct aloft_module *m)
{
    struct aloft_http_state *h = &m->http;
    struct aloft_auth_challenge challenge;
    struct aloft_text t;

    if (h->url == NULL || h->is_foreign) {
        return ALOFT_ERR_HTTP_STATUS;
    }
    struct aloft_url url = first_url(m);
    find_challenge(m, &challenge);
    h->is_digest = challenge.scheme > ALOFT_AUTH_BASIC;
    bool is_worth_it =
        h->n_auths == 0 || (h->is_digest && challenge.is_stale && h->n_auths < AUTHS_MAX);
    if (url.userinfo == NULL || challenge.scheme == ALOFT_AUTH_NONE || !is_worth_it) {
        return ALOFT_ERR_HTTP_STATUS;
    }
    struct aloft_auth_ask ask = {
        .method = aloft_request_method(h->is_head),
        .userinfo = url.userinfo,
        .userinfo_len = url.userinfo_len,
    };
    ask.target = aloft_follow_target(m, &ask.target_len);
    char *end = h->buf + sizeof h->buf - h->target_len;
    size_t room = (size_t)(end - h->buf) - h->head.head_len;
    if (room == 0) {
        return ALOFT_ERR_TOO_BIG;
    }
    aloft_text_init(&t, h->buf + h->head.head_len, room);
    enum aloft_err err = aloft_auth_answer(m->port, &challenge, &ask, &t);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    h->n_auths++;
    h->auth_len = (uint16_t)t.len;
    memmove(end - t.len, t.buf, t.len);
    return aloft_follow_build(m, NULL);
}
