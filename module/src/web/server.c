/* SPDX-License-Identifier: Apache-2.0 */
#include "web/server.h"

#include <string.h>

#include "aloft/module.h"

#include "log.h"
#include "text.h"
#include "web/request.h"
#include "web/routes.h"
#include "web/upload.h"

/*
 * The buffer holds, from its start: the bytes received and not yet used (`n_in`; of them `n_body`
 * belong to the request in work, the others to the next one), then the window of the answer. Heads
 * are read in small portions, so that not much can stand behind the end of one.
 */

#define HEAD_PORTION 256

/* Turns of one step: enough for a whole short dialogue, few enough to let the UART live. */
#define TURNS_MAX 16

#define LOG_BYTES 40

enum phase {
    PHASE_IDLE, /* No connection is served. */
    PHASE_HEAD,
    PHASE_BODY,   /* A form comes in. */
    PHASE_UPLOAD, /* The engine stores what comes. */
    PHASE_ANSWER,
    PHASE_SKIP,  /* What is left of the body is passed over. */
    PHASE_DRAIN, /* The same in front of the end: closed at once, the answer would be lost. */
    N_PHASES
};

enum outcome {
    OUTCOME_WAIT, /* Nothing moves until the peer does. */
    OUTCOME_MORE, /* Something moved; perhaps in another phase. */
    OUTCOME_GONE, /* The connection is of no more use. */
};

typedef enum outcome work_fn(struct aloft_module *m);

static work_fn find_work, receive_head, receive_form, receive_upload, send_answer, skip_body,
    drain_body;

/* Indexed by enum phase. A peer that moves slowly is not served for ever, nor is one that does not
 * move at all (facts/at-commands.md 6.3, row 41). */
static const struct {
    work_fn *work;
    uint32_t silence_ms; /* 0 = any. */
    uint32_t total_ms;
} phases[N_PHASES] = {
    /* clang-format off */
    [PHASE_IDLE]   = {find_work,    0,    0},
    [PHASE_HEAD]   = {receive_head, 5000, 20000},
    [PHASE_BODY]   = {receive_form, 5000, 20000},
    [PHASE_UPLOAD] = {receive_upload, ALOFT_CONFIG_STALL_MS, ALOFT_CONFIG_TOTAL_MS},
    [PHASE_ANSWER] = {send_answer,  5000, 60000},
    [PHASE_SKIP]   = {skip_body,    5000, 20000},
    [PHASE_DRAIN]  = {drain_body,   1000, 5000},
    /* clang-format on */
};

static void enter(struct aloft_module *m, enum phase phase)
{
    m->web->phase = (uint8_t)phase;
    m->web->begun_ms = m->now_ms;
    m->web->moved_ms = m->now_ms;
}

/* Connections */

static int current_socket(const struct aloft_module *m)
{
    return m->web->connections[m->web->current].socket;
}

static void close_connection(struct aloft_module *m, uint8_t index)
{
    m->port->net.close(m->port->ctx, m->web->connections[index].socket);
    m->web->connections[index].socket = -1;
}

/* A free place; if all are taken, the one that was idle for longest. */
static uint8_t find_place(const struct aloft_module *m)
{
    const struct aloft_web_connection *connections = m->web->connections;
    uint32_t now_ms = (uint32_t)m->now_ms;
    uint8_t best = 0;

    for (uint8_t i = 0; i < ALOFT_WEB_CONNECTIONS; i++) {
        if (connections[i].socket < 0) {
            return i;
        }
        if (now_ms - connections[i].idle_ms > now_ms - connections[best].idle_ms) {
            best = i;
        }
    }
    return best;
}

/* Take a connection that waits. Browsers open spare ones, so the longest idle one may go; but only
 * when none is served and none has bytes. */
static bool accept_one(struct aloft_module *m, bool may_replace)
{
    uint8_t place = find_place(m);
    int socket = -1;

    if ((m->web->connections[place].socket >= 0 && !may_replace) ||
        m->port->net.accept(m->port->ctx, m->web->listener, &socket) != ALOFT_ERR_OK) {
        return false;
    }
    close_connection(m, place);
    m->web->connections[place] = (struct aloft_web_connection){socket, (uint32_t)m->now_ms};
    return true;
}

/* Bytes */

/* Read up to `limit` bytes behind those that are there. */
static enum aloft_err read_more(struct aloft_module *m, size_t limit)
{
    struct aloft_web_state *w = m->web;
    size_t room = sizeof m->web->buf - w->n_in;
    size_t n = 0;
    enum aloft_err err = m->port->net.read(m->port->ctx, current_socket(m), m->web->buf + w->n_in,
                                           limit < room ? limit : room, &n);

    if (err == ALOFT_ERR_OK) {
        w->n_in = (uint16_t)(w->n_in + n);
    }
    return err;
}

static enum aloft_err read_body(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;
    uint16_t before = w->n_in;
    size_t limit = w->body_left < SIZE_MAX ? (size_t)w->body_left : SIZE_MAX;
    enum aloft_err err = read_more(m, limit);

    w->n_body = (uint16_t)(w->n_body + w->n_in - before);
    w->body_left -= (uint64_t)w->n_in - before;
    return err;
}

static enum outcome outcome_of(enum aloft_err err)
{
    if (err == ALOFT_ERR_AGAIN) {
        return OUTCOME_WAIT;
    }
    return err == ALOFT_ERR_OK ? OUTCOME_MORE : OUTCOME_GONE;
}

/* The first `len` received bytes are done with. */
static void drop(struct aloft_module *m, size_t len)
{
    m->web->n_in = (uint16_t)(m->web->n_in - len);
    memmove(m->web->buf, m->web->buf + len, m->web->n_in);
}

static void drop_body(struct aloft_module *m)
{
    drop(m, m->web->n_body);
    m->web->n_body = 0;
}

/* IDLE */

static bool has_request(struct aloft_module *m, uint8_t index)
{
    m->web->current = index;
    if (m->web->connections[index].socket < 0) {
        return false;
    }
    enum aloft_err err = read_more(m, HEAD_PORTION);
    if (outcome_of(err) == OUTCOME_GONE) {
        close_connection(m, index);
    }
    return err == ALOFT_ERR_OK;
}

/* In turn, so that none is forgotten for another's sake. */
static enum outcome find_work(struct aloft_module *m)
{
    uint8_t last = m->web->current;

    for (uint8_t i = 1; i <= ALOFT_WEB_CONNECTIONS; i++) {
        if (has_request(m, (uint8_t)((last + i) % ALOFT_WEB_CONNECTIONS))) {
            enter(m, PHASE_HEAD);
            return OUTCOME_MORE;
        }
    }
    return accept_one(m, true) ? OUTCOME_MORE : OUTCOME_WAIT;
}

/* HEAD and BODY */

static void begin_answer(struct aloft_module *m, enum aloft_answer answer)
{
    struct aloft_web_state *w = m->web;

    drop_body(m);
    w->answer = (uint8_t)answer;
    w->closes = w->closes || aloft_answer_is_error(answer);
    w->answer_bytes = 0;
    w->answer_off = 0;
    w->window_len = 0;
    w->n_sent = 0;
    enter(m, PHASE_ANSWER);
}

/* The request cannot be read, nor where it ends. */
static enum outcome refuse(struct aloft_module *m, enum aloft_answer answer)
{
    struct aloft_web_state *w = m->web;

    w->n_in = 0;
    w->n_body = 0;
    w->body_left = UINT64_MAX;
    w->closes = true;
    w->route = ALOFT_ROUTES_NONE;
    begin_answer(m, answer);
    return OUTCOME_MORE;
}

/* The head is whole: what it says about the body, and about what follows. */
static void take_framing(struct aloft_module *m, const struct aloft_http_head *head)
{
    struct aloft_web_state *w = m->web;

    w->body_bytes = head->content_length;
    /* A chunked body counts as none (facts 3.1); where it ends nobody looks. */
    w->closes = !head->is_keep_alive || head->is_chunked;
    drop(m, head->head_len);
    w->n_body = w->n_in < w->body_bytes ? w->n_in : (uint16_t)w->body_bytes;
    w->body_left = head->is_chunked ? UINT64_MAX : w->body_bytes - w->n_body;
}

static void begin_route(struct aloft_module *m, enum aloft_answer answer)
{
    const struct aloft_route *route = aloft_routes_at(m->web->route);

    if (answer == ALOFT_ANSWER_NONE && route->kind == ALOFT_ROUTE_INFO) {
        answer = route->answer;
    }
    if (answer == ALOFT_ANSWER_NONE && route->kind == ALOFT_ROUTE_FORM &&
        m->web->body_bytes > ALOFT_ROUTES_FORM_BYTES) {
        answer = ALOFT_ANSWER_BODY_LONG;
    }
    if (answer != ALOFT_ANSWER_NONE) {
        begin_answer(m, answer);
    } else {
        enter(m, route->kind == ALOFT_ROUTE_FORM ? PHASE_BODY : PHASE_UPLOAD);
    }
}

static enum outcome receive_head(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;
    const char *buf = (const char *)m->web->buf;
    struct aloft_http_head head;
    enum aloft_answer answer = ALOFT_ANSWER_NONE;
    enum aloft_err err = aloft_web_request_look(buf, w->n_in, &head, &answer);

    if (err == ALOFT_ERR_AGAIN) {
        return outcome_of(read_more(m, HEAD_PORTION));
    }
    if (answer != ALOFT_ANSWER_NONE) {
        return refuse(m, answer);
    }
    const struct aloft_web_request request = {&head, buf};
    answer = aloft_routes_find(m, &request, &w->route);
    if (answer == ALOFT_ANSWER_NONE && aloft_routes_at(w->route)->check != NULL) {
        answer = aloft_routes_at(w->route)->check(m, &request);
    }
    take_framing(m, &head);
    if (w->route == ALOFT_ROUTES_NONE) {
        begin_answer(m, answer);
    } else {
        begin_route(m, answer);
    }
    return OUTCOME_MORE;
}

static enum outcome receive_form(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;

    if (w->n_body < w->body_bytes) {
        return outcome_of(read_body(m));
    }
    begin_answer(m, aloft_routes_at(w->route)->take(m, (const char *)m->web->buf, w->n_body));
    return OUTCOME_MORE;
}

static enum outcome receive_upload(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;
    enum aloft_answer answer = aloft_upload_answer(m);

    if (answer != ALOFT_ANSWER_NONE) {
        begin_answer(m, answer);
        return OUTCOME_MORE;
    }
    if (w->upload_err != ALOFT_ERR_OK || w->body_left == 0 || w->n_in == sizeof m->web->buf) {
        w->moved_ms = m->now_ms; /* The engine has work; it is not the peer who is silent. */
        return OUTCOME_WAIT;
    }
    enum outcome outcome = outcome_of(read_body(m));
    if (outcome == OUTCOME_GONE) {
        aloft_upload_fail(m, ALOFT_ERR_CLOSED);
        return OUTCOME_WAIT;
    }
    return outcome;
}

/* ANSWER */

/* False: there are no more bytes, or they are not those of the first window any more. */
static bool fill_window(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;
    struct aloft_out out = {
        .buf = m->web->buf + w->n_in,
        .cap = sizeof m->web->buf - w->n_in,
        .off = w->answer_off + w->window_len,
    };

    aloft_answer_write(m, (enum aloft_answer)w->answer, &out);
    bool is_same = w->answer_bytes == 0 || w->answer_bytes == out.len;
    uint32_t left = out.len - out.off;
    w->answer_bytes = out.len;
    w->answer_off = out.off;
    w->window_len = (uint16_t)(left < out.cap ? left : out.cap);
    w->n_sent = 0;
    w->closes = w->closes || !is_same;
    return is_same && left > 0;
}

static void end_answer(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;

    if (w->route != ALOFT_ROUTES_NONE && aloft_routes_at(w->route)->after != NULL) {
        aloft_routes_at(w->route)->after(m, (enum aloft_answer)w->answer);
    }
}

static enum outcome send_answer(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;
    size_t n = 0;

    if (w->n_sent == w->window_len && !fill_window(m)) {
        end_answer(m);
        enter(m, w->closes ? PHASE_DRAIN : PHASE_SKIP);
        return OUTCOME_MORE;
    }
    enum aloft_err err =
        m->port->net.write(m->port->ctx, current_socket(m), m->web->buf + w->n_in + w->n_sent,
                           (size_t)w->window_len - w->n_sent, &n);
    w->n_sent = (uint16_t)(w->n_sent + (err == ALOFT_ERR_OK ? n : 0));
    return outcome_of(err);
}

/* SKIP and DRAIN */

static enum outcome skip_body(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;

    if (w->body_left > 0) {
        enum outcome outcome = outcome_of(read_body(m));
        drop_body(m);
        return outcome;
    }
    m->web->connections[w->current].idle_ms = (uint32_t)m->now_ms;
    enter(m, w->n_in > 0 ? PHASE_HEAD : PHASE_IDLE);
    return OUTCOME_MORE;
}

static enum outcome drain_body(struct aloft_module *m)
{
    m->web->n_in = 0;
    m->web->n_body = 0;
    return m->web->body_left > 0 ? outcome_of(read_body(m)) : OUTCOME_GONE;
}

/* The server */

static void end_connection(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;

    if (w->phase == PHASE_ANSWER) {
        end_answer(m);
    }
    close_connection(m, w->current);
    w->n_in = 0;
    w->n_body = 0;
    enter(m, PHASE_IDLE);
}

/* When the peer of the current connection has been waited for long enough. */
static uint64_t find_deadline(const struct aloft_module *m)
{
    const struct aloft_web_state *w = m->web;
    uint64_t silence_ms = w->moved_ms + phases[w->phase].silence_ms;
    uint64_t total_ms = w->begun_ms + phases[w->phase].total_ms;

    return silence_ms < total_ms ? silence_ms : total_ms;
}

/* True while something moves. */
static bool turn(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;
    enum outcome outcome = phases[w->phase].work(m);

    if (outcome == OUTCOME_MORE) {
        w->moved_ms = m->now_ms;
    }
    bool is_over = phases[w->phase].total_ms > 0 && m->now_ms >= find_deadline(m);
    if (is_over && w->phase == PHASE_UPLOAD) {
        aloft_upload_fail(m, ALOFT_ERR_STALLED);
        enter(m, PHASE_UPLOAD); /* The engine is about to end it. */
    } else if (outcome == OUTCOME_GONE || is_over) {
        end_connection(m);
        return true;
    }
    return outcome == OUTCOME_MORE;
}

uint32_t aloft_web_step(struct aloft_module *m)
{
    const struct aloft_web_state *w = m->web;

    if (!aloft_web_is_running(m)) {
        return UINT32_MAX;
    }
    while (accept_one(m, false)) {
    }
    for (uint8_t n = 0; n < TURNS_MAX; n++) {
        if (!turn(m)) {
            bool is_idle = phases[w->phase].total_ms == 0;
            bool has_fed_engine = n > 0 && w->phase == PHASE_UPLOAD;
            uint32_t wait_ms = is_idle ? UINT32_MAX : (uint32_t)(find_deadline(m) - m->now_ms);
            return has_fed_engine ? 0 : wait_ms;
        }
    }
    return 0;
}

void aloft_web_init(struct aloft_module *m)
{
    m->web = m->config.web;
    if (m->web == NULL) {
        return;
    }
    memset(m->web, 0, sizeof *m->web);
    m->web->listener = -1;
    m->web->dns = -1;
    for (uint8_t i = 0; i < ALOFT_WEB_CONNECTIONS; i++) {
        m->web->connections[i].socket = -1;
    }
}

bool aloft_web_is_running(const struct aloft_module *m)
{
    return m->web != NULL && m->web->listener >= 0;
}

static void log_port(const struct aloft_module *m)
{
    char line[LOG_BYTES];
    struct aloft_text t;

    aloft_text_init(&t, line, sizeof line);
    aloft_text_add(&t, "web.started port=");
    aloft_text_add_uint(&t, m->web->port);
    aloft_log(m, line);
}

enum aloft_err aloft_web_start(struct aloft_module *m, uint16_t port)
{
    const struct aloft_port_net *net = &m->port->net;
    struct aloft_web_state *w = m->web;

    if (w == NULL || net->listen == NULL || net->accept == NULL) {
        return ALOFT_ERR_UNSUPPORTED;
    }
    enum aloft_err err = net->listen(m->port->ctx, port, &w->listener, &w->port);
    if (err != ALOFT_ERR_OK) {
        w->listener = -1;
        return err;
    }
    w->n_in = 0;
    w->n_body = 0;
    enter(m, PHASE_IDLE);
    log_port(m);
    return ALOFT_ERR_OK;
}

void aloft_web_stop(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;

    if (!aloft_web_is_running(m)) {
        return;
    }
    aloft_upload_cancel(m);
    if (w->phase == PHASE_ANSWER) {
        end_answer(m);
    }
    for (uint8_t i = 0; i < ALOFT_WEB_CONNECTIONS; i++) {
        close_connection(m, i);
    }
    m->port->net.close(m->port->ctx, w->listener);
    w->listener = -1;
}
