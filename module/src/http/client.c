/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client.h"

#include <string.h>

#include "aloft/limits.h"
#include "aloft/module.h"

#include "http/follow.h"
#include "http/head.h"
#include "http/json.h"
#include "trust.h"

/* A look-up and a handshake need not show as socket events, so they are asked again this often. */
#define POLL_MS 20

/* Turns of one step: enough for a whole short answer, few enough to let the UART live. */
#define TURNS_MAX 16

#define STATUS_UNAUTHORIZED 401

enum outcome {
    OUTCOME_WAIT, /* Nothing moves until the peer does. */
    OUTCOME_MORE, /* Something moved; same phase. */
    OUTCOME_NEXT,
    OUTCOME_REDIRECT,
    OUTCOME_FAIL, /* `err` is set. */
};

typedef enum outcome work_fn(struct aloft_module *m);

static enum outcome fail(struct aloft_module *m, enum aloft_err err)
{
    m->http.err = err;
    return OUTCOME_FAIL;
}

static void close_socket(struct aloft_module *m)
{
    m->port->net.close(m->port->ctx, m->http.socket);
    m->http.socket = -1;
}

static enum outcome resolve_host(struct aloft_module *m)
{
    enum aloft_err err = m->port->net.resolve(m->port->ctx, m->http.host, &m->http.addrs);

    m->http.addr_index = 0;

    if (err == ALOFT_ERR_AGAIN) {
        return OUTCOME_WAIT;
    }
    return err == ALOFT_ERR_OK ? OUTCOME_NEXT : fail(m, ALOFT_ERR_RESOLVE);
}

/* facts/at-commands.md 6.1, row 22: the other family may work where the first does not. */
static enum outcome try_next_address(struct aloft_module *m, enum aloft_err err)
{
    if (m->http.addr_index + 1 >= m->http.addrs.n) {
        return fail(m, err);
    }
    close_socket(m);
    m->http.addr_index++;
    return OUTCOME_MORE;
}

static enum outcome connect_socket(struct aloft_module *m)
{
    const struct aloft_port_net *net = &m->port->net;
    struct aloft_http_state *h = &m->http;
    enum aloft_err err = ALOFT_ERR_OK;

    if (h->socket < 0) {
        h->tls = (struct aloft_tls){.host = h->host};
        if (h->is_tls) {
            aloft_trust_fill(m, &h->tls);
        }
        err = net->open(m->port->ctx, &h->addrs.items[h->addr_index], h->port,
                        h->is_tls ? &h->tls : NULL, &h->socket);
    }
    if (err == ALOFT_ERR_OK) {
        err = net->ready(m->port->ctx, h->socket);
    }
    if (err == ALOFT_ERR_AGAIN) {
        return OUTCOME_WAIT;
    }
    return err == ALOFT_ERR_OK ? OUTCOME_NEXT : try_next_address(m, err);
}

/* What is to be sent next, of the text and of the target in its holes; 0 = nothing. */
static size_t find_unsent(const struct aloft_module *m, const char **ret_bytes)
{
    const struct aloft_http_state *h = &m->http;
    size_t target_len = 0;
    const char *target = aloft_follow_target(m, &target_len);
    size_t at = h->sent;
    size_t from = 0;

    for (size_t i = 0; i < h->request.n_holes; i++) {
        size_t len = h->request.holes[i] - from;
        if (at < len) {
            *ret_bytes = h->buf + from + at;
            return len - at;
        }
        at -= len;
        if (at < target_len) {
            *ret_bytes = target + at;
            return target_len - at;
        }
        at -= target_len;
        from = h->request.holes[i];
    }
    *ret_bytes = h->buf + from + at;
    return h->request.len - from - at;
}

static enum outcome send_request(struct aloft_module *m)
{
    struct aloft_http_state *h = &m->http;
    const char *bytes;
    size_t len = find_unsent(m, &bytes);
    size_t n = 0;
    enum aloft_err err =
        m->port->net.write(m->port->ctx, h->socket, (const uint8_t *)bytes, len, &n);

    if (err == ALOFT_ERR_AGAIN) {
        return OUTCOME_WAIT;
    }
    if (err != ALOFT_ERR_OK) {
        return fail(m, err);
    }
    h->sent = (uint16_t)(h->sent + n);
    if (find_unsent(m, &bytes) > 0) {
        return OUTCOME_MORE;
    }
    h->auth_len = 0;
    h->len = 0;
    aloft_http_head_init(&h->head, ALOFT_HTTP_RESPONSE);
    return OUTCOME_NEXT;
}

/* Read up to `limit` bytes behind those in the buffer. AGAIN: nothing came. */
static enum aloft_err read_more(struct aloft_module *m, size_t limit)
{
    struct aloft_http_state *h = &m->http;
    size_t n = 0;
    enum aloft_err err =
        m->port->net.read(m->port->ctx, h->socket, (uint8_t *)h->buf + h->len, limit, &n);

    if (err == ALOFT_ERR_OK) {
        h->len = (uint16_t)(h->len + n);
    }
    return err;
}

static enum outcome judge_head(struct aloft_module *m)
{
    enum aloft_err err = aloft_head_judge(&m->http);

    switch (err) {
    case ALOFT_ERR_OK:
        return OUTCOME_NEXT;
    case ALOFT_ERR_AGAIN:
        return OUTCOME_MORE;
    case ALOFT_ERR_REDIRECT:
        err = aloft_follow_redirect(m);
        break;
    case ALOFT_ERR_HTTP_STATUS:
        err = m->http.status == STATUS_UNAUTHORIZED ? aloft_follow_challenge(m) : err;
        break;
    default:
        break;
    }
    return err == ALOFT_ERR_OK ? OUTCOME_REDIRECT : fail(m, err);
}

static enum outcome receive_head(struct aloft_module *m)
{
    struct aloft_http_state *h = &m->http;
    size_t cap = sizeof h->buf - h->target_len;
    enum aloft_err err = aloft_http_head_parse(&h->head, h->buf, h->len);

    if (err == ALOFT_ERR_OK) {
        return judge_head(m);
    }
    if (err != ALOFT_ERR_AGAIN) {
        return fail(m, err);
    }
    if (h->len == cap) {
        return fail(m, ALOFT_ERR_TOO_BIG);
    }
    err = read_more(m, cap - h->len);
    if (err == ALOFT_ERR_AGAIN) {
        return OUTCOME_WAIT;
    }
    return err == ALOFT_ERR_OK ? OUTCOME_MORE : fail(m, err);
}

static enum outcome receive_body(struct aloft_module *m)
{
    struct aloft_http_state *h = &m->http;
    size_t limit = sizeof h->buf - h->len;

    if (aloft_head_body_is_over(h)) {
        return OUTCOME_NEXT;
    }
    if (h->framing == ALOFT_HEAD_LENGTH && h->body_left < limit) {
        limit = (size_t)h->body_left;
    }
    if (limit == 0) {
        h->moved_ms = m->now_ms; /* We are the slow one. */
        return OUTCOME_WAIT;
    }
    size_t before = h->len;
    enum aloft_err err = read_more(m, limit);
    if (err == ALOFT_ERR_AGAIN) {
        return OUTCOME_WAIT;
    }
    if (err == ALOFT_ERR_CLOSED) {
        return h->framing == ALOFT_HEAD_UNTIL_CLOSE ? OUTCOME_NEXT : fail(m, ALOFT_ERR_TRUNCATED);
    }
    if (err == ALOFT_ERR_OK) {
        err = aloft_head_take_body(h, h->len - before);
    }
    return err == ALOFT_ERR_OK ? OUTCOME_MORE : fail(m, err);
}

/* Indexed by enum aloft_http_phase; phases without work wait for the caller. */
static const struct phase {
    work_fn *work;
    enum aloft_http_phase next;
} phases[] = {
    /* clang-format off */
    [ALOFT_HTTP_IDLE]    = {NULL,             ALOFT_HTTP_IDLE},
    [ALOFT_HTTP_RESOLVE] = {resolve_host,     ALOFT_HTTP_CONNECT},
    [ALOFT_HTTP_CONNECT] = {connect_socket,   ALOFT_HTTP_SEND},
    [ALOFT_HTTP_SEND]    = {send_request,     ALOFT_HTTP_HEAD},
    [ALOFT_HTTP_HEAD]    = {receive_head,     ALOFT_HTTP_BODY},
    [ALOFT_HTTP_BODY]    = {receive_body,     ALOFT_HTTP_DONE},
    [ALOFT_HTTP_DONE]    = {NULL,             ALOFT_HTTP_DONE},
    [ALOFT_HTTP_FAILED]  = {NULL,             ALOFT_HTTP_FAILED},
    /* clang-format on */
};

static void enter(struct aloft_module *m, enum aloft_http_phase phase)
{
    m->http.phase = (uint8_t)phase;
    if (phase < ALOFT_HTTP_DONE && phase > m->http.reached) {
        m->http.reached = (uint8_t)phase;
    }
    if (phase == ALOFT_HTTP_BODY) {
        aloft_json_init(&m->http.json, m->http.ask == ALOFT_HTTP_ASK_LIST ? ALOFT_JSON_VERSIONS
                                                                          : ALOFT_JSON_RECOMMENDED);
    }
    if (phase == ALOFT_HTTP_RESOLVE || phases[phase].work == NULL) {
        close_socket(m);
    }
}

static uint32_t wait_ms(const struct aloft_module *m)
{
    const struct aloft_http_state *h = &m->http;
    uint64_t end_ms = h->moved_ms + h->stall_ms;

    if (h->phase < ALOFT_HTTP_SEND) {
        return POLL_MS;
    }
    if (h->phase == ALOFT_HTTP_BODY && h->len == sizeof h->buf) {
        return UINT32_MAX;
    }
    end_ms = h->deadline_ms < end_ms ? h->deadline_ms : end_ms;
    return end_ms > m->now_ms ? (uint32_t)(end_ms - m->now_ms) : 0;
}

/* True while something moves. */
static bool turn(struct aloft_module *m)
{
    struct aloft_http_state *h = &m->http;
    enum outcome outcome =
        m->now_ms < h->deadline_ms ? phases[h->phase].work(m) : fail(m, ALOFT_ERR_TIMEOUT);

    if (outcome == OUTCOME_WAIT) {
        if (m->now_ms < h->moved_ms + h->stall_ms) {
            return false;
        }
        outcome = h->phase == ALOFT_HTTP_CONNECT ? try_next_address(m, ALOFT_ERR_STALLED)
                                                 : fail(m, ALOFT_ERR_STALLED);
    }
    h->moved_ms = m->now_ms;
    if (outcome == OUTCOME_FAIL) {
        enter(m, ALOFT_HTTP_FAILED);
    } else if (outcome == OUTCOME_REDIRECT) {
        enter(m, ALOFT_HTTP_RESOLVE);
    } else if (outcome == OUTCOME_NEXT) {
        enter(m, phases[h->phase].next);
    }
    return true;
}

uint32_t aloft_http_step(struct aloft_module *m)
{
    uint8_t n = 0;

    while (phases[m->http.phase].work != NULL) {
        if (!turn(m)) {
            return wait_ms(m);
        }
        if (++n == TURNS_MAX) {
            return 0;
        }
    }
    return UINT32_MAX;
}

enum aloft_err aloft_http_begin(struct aloft_module *m, const struct aloft_http_request *request)
{
    struct aloft_http_state *h = &m->http;
    uint8_t sha256[ALOFT_SHA256_BYTES];

    if (h->phase != ALOFT_HTTP_IDLE) {
        return ALOFT_ERR_BUSY;
    }
    if (request->url_len > ALOFT_URL_MAX) {
        return ALOFT_ERR_TOO_BIG;
    }
    /* All but the buffer starts anew; a part has no digest of its own. */
    bool has_sha256 = request->range_from > 0 && h->has_sha256;
    memcpy(sha256, h->sha256, sizeof sha256);
    memset(h, 0, offsetof(struct aloft_http_state, buf));
    memcpy(h->sha256, sha256, sizeof sha256);
    h->has_sha256 = has_sha256;
    h->socket = -1;
    h->ask = (uint8_t)request->ask;
    h->mode = request->mode;
    h->url = request->url;
    h->url_len = (uint16_t)request->url_len;
    h->is_head = request->is_head;
    h->headers = request->headers;
    h->etag = request->etag;
    h->range_from = request->range_from;
    h->range_total = request->range_total;
    h->stall_ms = request->stall_ms > 0 ? request->stall_ms : ALOFT_CONFIG_STALL_MS;
    h->moved_ms = m->now_ms;
    h->deadline_ms = request->deadline_ms;
    enum aloft_err err = aloft_follow_begin(m);
    if (err == ALOFT_ERR_OK) {
        err = aloft_follow_build(m, request->version);
    }
    if (err == ALOFT_ERR_OK) {
        enter(m, ALOFT_HTTP_RESOLVE);
    }
    return err;
}

void aloft_http_end(struct aloft_module *m)
{
    if (m->http.phase != ALOFT_HTTP_IDLE) {
        enter(m, ALOFT_HTTP_IDLE);
        m->http.status = 0; /* Not to be taken for that of a request which never was. */
    }
}

const uint8_t *aloft_http_body(const struct aloft_module *m, size_t *ret_len)
{
    *ret_len = m->http.n_body;
    return (const uint8_t *)m->http.buf;
}

void aloft_http_consume(struct aloft_module *m, size_t len)
{
    struct aloft_http_state *h = &m->http;

    memmove(h->buf, h->buf + len, h->len - len);
    h->len = (uint16_t)(h->len - len);
    h->n_body = (uint16_t)(h->n_body - len);
}

bool aloft_http_body_bytes(const struct aloft_module *m, uint64_t *ret_bytes)
{
    *ret_bytes = m->http.body_bytes;
    return m->http.has_body_bytes;
}

bool aloft_http_is_partial(const struct aloft_module *m)
{
    return m->http.is_partial;
}

uint8_t *aloft_http_scratch(struct aloft_module *m, size_t *ret_cap)
{
    *ret_cap = sizeof m->http.buf;
    return (uint8_t *)m->http.buf;
}
