/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client.h"

#include <string.h>

#include "aloft/limits.h"
#include "aloft/module.h"

#include "http/follow.h"
#include "http/head.h"

/* A look-up and a handshake need not show as socket events, so they are asked again this often. */
#define POLL_MS 20

/* Turns of one step: enough for a whole short answer, few enough to let the UART live. */
#define TURNS_MAX 16

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

static enum outcome resolve_host(struct aloft_module *m)
{
    enum aloft_err err = m->port->net.resolve(m->port->ctx, aloft_follow_host(m), &m->http.addrs);

    if (err == ALOFT_ERR_AGAIN) {
        return OUTCOME_WAIT;
    }
    return err == ALOFT_ERR_OK ? OUTCOME_NEXT : fail(m, ALOFT_ERR_RESOLVE);
}

static enum outcome connect_socket(struct aloft_module *m)
{
    const struct aloft_port_net *net = &m->port->net;
    struct aloft_http_state *h = &m->http;
    enum aloft_err err = ALOFT_ERR_OK;

    if (h->socket < 0) {
        h->tls = (struct aloft_tls){.host = aloft_follow_host(m)};
        err = net->open(m->port->ctx, &h->addrs.items[0], h->port, h->is_tls ? &h->tls : NULL,
                        &h->socket);
    }
    if (err == ALOFT_ERR_OK) {
        err = net->ready(m->port->ctx, h->socket);
    }
    if (err == ALOFT_ERR_AGAIN) {
        return OUTCOME_WAIT;
    }
    return err == ALOFT_ERR_OK ? OUTCOME_NEXT : fail(m, err);
}

static enum outcome send_request(struct aloft_module *m)
{
    struct aloft_http_state *h = &m->http;
    size_t n = 0;
    enum aloft_err err = m->port->net.write(m->port->ctx, h->socket, (uint8_t *)h->buf + h->sent,
                                            (size_t)h->len - h->sent, &n);

    if (err == ALOFT_ERR_AGAIN) {
        return OUTCOME_WAIT;
    }
    if (err != ALOFT_ERR_OK) {
        return fail(m, err);
    }
    h->sent = (uint16_t)(h->sent + n);
    if (h->sent < h->len) {
        return OUTCOME_MORE;
    }
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
        break;
    default:
        return fail(m, err);
    }
    err = aloft_follow_redirect(m);
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

static void close_socket(struct aloft_module *m)
{
    m->port->net.close(m->port->ctx, m->http.socket);
    m->http.socket = -1;
}

static void enter(struct aloft_module *m, enum aloft_http_phase phase)
{
    m->http.phase = (uint8_t)phase;
    if (phase < ALOFT_HTTP_DONE && phase > m->http.reached) {
        m->http.reached = (uint8_t)phase;
    }
    if (phase == ALOFT_HTTP_RESOLVE || phases[phase].work == NULL) {
        close_socket(m);
    }
}

static uint32_t wait_ms(const struct aloft_module *m)
{
    const struct aloft_http_state *h = &m->http;
    uint64_t end_ms = h->moved_ms + ALOFT_CONFIG_STALL_MS;

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
        if (m->now_ms < h->moved_ms + ALOFT_CONFIG_STALL_MS) {
            return false;
        }
        outcome = fail(m, ALOFT_ERR_STALLED);
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
    const struct aloft_server *server = request->mode == 0 ? &m->config.plain : &m->config.tls;
    size_t len = 0;

    if (h->phase != ALOFT_HTTP_IDLE) {
        return ALOFT_ERR_BUSY;
    }
    if (server->host == NULL) {
        return ALOFT_ERR_UNSUPPORTED;
    }
    struct aloft_request_line line = {
        .ask = request->ask,
        .version = request->version,
        .host = server->host,
        .port = server->port,
        .is_tls = request->mode != 0,
        .token = server->token,
    };
    enum aloft_err err = aloft_request_build(m, &line, h->buf, sizeof h->buf, &len);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    /* All but the buffer starts anew. */
    memset(h, 0, offsetof(struct aloft_http_state, buf));
    h->socket = -1;
    h->ask = (uint8_t)request->ask;
    h->mode = request->mode;
    h->is_tls = line.is_tls;
    h->port = line.port;
    h->len = (uint16_t)len;
    h->moved_ms = m->now_ms;
    h->deadline_ms = request->deadline_ms;
    enter(m, ALOFT_HTTP_RESOLVE);
    return ALOFT_ERR_OK;
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
    *ret_bytes = m->http.head.content_length;
    return m->http.reached == ALOFT_HTTP_BODY && m->http.head.has_content_length;
}

uint8_t *aloft_http_scratch(struct aloft_module *m, size_t *ret_cap)
{
    *ret_cap = sizeof m->http.buf;
    return (uint8_t *)m->http.buf;
}
