/* SPDX-License-Identifier: Apache-2.0 */
#include "web/server.h"

#include <string.h>

#include "aloft/module.h"

#include "command/wifi.h"
#include "log.h"
#include "text.h"
#include "web/connection.h"
#include "web/hotspot.h"
#include "web/incoming.h"
#include "web/portal.h"
#include "web/routes.h"
#include "web/upload.h"

/* Heads are read in small portions, so that not much can stand behind the end of one. */
#define HEAD_PORTION 256

/* Turns of one step: enough for a whole short dialogue, few enough to let the UART live. */
#define TURNS_MAX 16

/* One connection may send request after request for so long, then the others come. */
#define SERVED_MS 20000

/* How soon to look again whether a scan is over. */
#define POLL_MS 20

#define LOG_BYTES 40

enum phase {
    PHASE_IDLE, /* No connection is served. */
    PHASE_HEAD,
    PHASE_SCAN,
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

static work_fn find_work, receive_head, await_scan, receive_form, receive_upload, send_answer,
    skip_body, drain_body;

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
    [PHASE_SCAN]   = {await_scan,   0,    20000},
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

static enum outcome outcome_of(enum aloft_err err)
{
    if (err == ALOFT_ERR_AGAIN) {
        return OUTCOME_WAIT;
    }
    return err == ALOFT_ERR_OK ? OUTCOME_MORE : OUTCOME_GONE;
}

/* IDLE */

static bool has_request(struct aloft_module *m, uint8_t index)
{
    m->web->current = index;
    if (m->web->connections[index].socket < 0) {
        return false;
    }
    enum aloft_err err = aloft_connection_read(m, HEAD_PORTION);
    if (outcome_of(err) == OUTCOME_GONE) {
        aloft_connection_close(m, index);
    }
    return err == ALOFT_ERR_OK;
}

/* In turn, so that none is forgotten for another's sake. */
static enum outcome find_work(struct aloft_module *m)
{
    uint8_t last = m->web->current;

    for (uint8_t i = 1; i <= ALOFT_WEB_CONNECTIONS; i++) {
        if (has_request(m, (uint8_t)((last + i) % ALOFT_WEB_CONNECTIONS))) {
            m->web->served_ms = m->now_ms;
            enter(m, PHASE_HEAD);
            return OUTCOME_MORE;
        }
    }
    /* Browsers open spare connections: the longest idle one may go, now that none is served and
     * none has bytes. */
    return aloft_connection_accept(m, true) ? OUTCOME_MORE : OUTCOME_WAIT;
}

/* HEAD and BODY */

static void begin_answer(struct aloft_module *m, enum aloft_answer answer)
{
    struct aloft_web_state *w = m->web;

    aloft_connection_drop_body(m);
    answer = aloft_portal_replace(m, answer);
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
    aloft_connection_drop(m, head->head_len);
    w->n_body = w->n_in < w->body_bytes ? w->n_in : (uint16_t)w->body_bytes;
    w->body_left = head->is_chunked ? UINT64_MAX : w->body_bytes - w->n_body;
}

/* Where a request goes on whose answer is not decided yet. */
static const enum phase phases_of[] = {
    [ALOFT_ROUTE_SCAN] = PHASE_SCAN,
    [ALOFT_ROUTE_FORM] = PHASE_BODY,
    [ALOFT_ROUTE_UPLOAD] = PHASE_UPLOAD,
};

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
        enter(m, phases_of[route->kind]);
    }
}

static enum outcome receive_head(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;
    const char *buf = (const char *)m->web->buf;
    struct aloft_http_head head;
    enum aloft_answer answer = ALOFT_ANSWER_NONE;
    enum aloft_err err = aloft_incoming_look(buf, w->n_in, &head, &answer);

    if (err == ALOFT_ERR_AGAIN) {
        return outcome_of(aloft_connection_read(m, HEAD_PORTION));
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
        return outcome_of(aloft_connection_read_body(m));
    }
    begin_answer(m, aloft_routes_at(w->route)->take(m, (const char *)m->web->buf, w->n_body));
    return OUTCOME_MORE;
}

/* The scan of a phone's hotspot is of the same user: one after the other. */
static enum outcome await_scan(struct aloft_module *m)
{
    struct aloft_scan_entry entry;
    enum aloft_err err = ALOFT_ERR_AGAIN;

    if (m->web->is_scanning) {
        err = m->port->wifi.scan_entry(m->port->ctx, 0, &entry);
    } else if (!aloft_hotspot_is_scanning(m)) {
        err = aloft_wifi_scan_begin(m, ALOFT_SCAN_WEB);
        m->web->is_scanning = err == ALOFT_ERR_OK;
        err = err == ALOFT_ERR_OK ? ALOFT_ERR_AGAIN : err;
    }
    if (err == ALOFT_ERR_AGAIN) {
        return OUTCOME_WAIT;
    }
    begin_answer(m, err == ALOFT_ERR_OK ? aloft_routes_at(m->web->route)->answer
                                        : ALOFT_ANSWER_FAILED);
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
    enum outcome outcome = outcome_of(aloft_connection_read_body(m));
    if (outcome == OUTCOME_GONE) {
        aloft_upload_fail(m, ALOFT_ERR_CLOSED);
        return OUTCOME_WAIT;
    }
    return outcome;
}

/* ANSWER */

static void end_scan(struct aloft_module *m)
{
    if (m->web->is_scanning) {
        aloft_wifi_scan_end(m, ALOFT_SCAN_WEB);
        m->web->is_scanning = false;
    }
}

/* The window holds the end of the answer. */
static bool is_last_window(const struct aloft_web_state *w)
{
    return w->answer_bytes > 0 && w->answer_off + w->window_len == w->answer_bytes;
}

/* False: the answer is not the one of the first window any more. */
static bool fill_window(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;
    struct aloft_out out = {
        .buf = m->web->buf + w->n_in,
        .cap = sizeof m->web->buf - w->n_in,
        .off = w->answer_off + w->window_len,
    };

    aloft_answer_write(m, (enum aloft_answer)w->answer, &out);
    if (w->answer_bytes > 0 && w->answer_bytes != out.len) {
        w->closes = true;
        return false;
    }
    uint32_t left = out.len - out.off;
    w->answer_bytes = out.len;
    w->answer_off = out.off;
    w->window_len = (uint16_t)(left < out.cap ? left : out.cap);
    w->n_sent = 0;
    if (is_last_window(w)) {
        end_scan(m);
    }
    return true;
}

static void end_answer(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;

    end_scan(m);
    if (w->route != ALOFT_ROUTES_NONE && aloft_routes_at(w->route)->after != NULL) {
        aloft_routes_at(w->route)->after(m, (enum aloft_answer)w->answer);
    }
}

static enum outcome send_answer(struct aloft_module *m)
{
    const struct aloft_web_state *w = m->web;

    if (w->n_sent == w->window_len && (is_last_window(w) || !fill_window(m))) {
        end_answer(m);
        enter(m, w->closes ? PHASE_DRAIN : PHASE_SKIP);
        return OUTCOME_MORE;
    }
    return outcome_of(aloft_connection_write(m));
}

/* SKIP and DRAIN */

static enum outcome skip_body(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;

    if (w->body_left > 0) {
        enum outcome outcome = outcome_of(aloft_connection_read_body(m));
        aloft_connection_drop_body(m);
        return outcome;
    }
    m->web->connections[w->current].idle_ms = (uint32_t)m->now_ms;
    if (w->n_in == 0) {
        enter(m, PHASE_IDLE);
    } else if (m->now_ms - w->served_ms < SERVED_MS) {
        enter(m, PHASE_HEAD);
    } else {
        /* The buffer has room for one connection: what it asked already is lost with it. */
        w->body_left = UINT64_MAX;
        enter(m, PHASE_DRAIN);
    }
    return OUTCOME_MORE;
}

static enum outcome drain_body(struct aloft_module *m)
{
    m->web->n_in = 0;
    m->web->n_body = 0;
    return m->web->body_left > 0 ? outcome_of(aloft_connection_read_body(m)) : OUTCOME_GONE;
}

/* The server */

static void end_connection(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;

    if (w->phase == PHASE_ANSWER) {
        end_answer(m);
    }
    end_scan(m);
    aloft_connection_close(m, w->current);
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

    return phases[w->phase].silence_ms > 0 && silence_ms < total_ms ? silence_ms : total_ms;
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

/* Nothing moves any more in this step; something did before. */
static uint32_t find_wait_ms(const struct aloft_module *m, bool has_moved)
{
    switch (m->web->phase) {
    case PHASE_IDLE:
        return UINT32_MAX;
    case PHASE_SCAN:
        return POLL_MS;
    case PHASE_UPLOAD:
        if (has_moved) {
            return 0; /* The engine has bytes. */
        }
        break;
    default:
        break;
    }
    return (uint32_t)(find_deadline(m) - m->now_ms);
}

static uint32_t step_connections(struct aloft_module *m)
{
    while (aloft_connection_accept(m, false)) {
    }
    for (uint8_t n = 0; n < TURNS_MAX; n++) {
        if (!turn(m)) {
            return find_wait_ms(m, n > 0);
        }
    }
    return 0;
}

uint32_t aloft_web_step(struct aloft_module *m)
{
    if (!aloft_web_is_running(m)) {
        return UINT32_MAX;
    }
    uint32_t portal_ms = aloft_portal_step(m);
    uint32_t connections_ms = step_connections(m);
    return portal_ms < connections_ms ? portal_ms : connections_ms;
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

static void close_listener(struct aloft_module *m)
{
    m->port->net.close(m->port->ctx, m->web->listener);
    m->web->listener = -1;
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
    err = aloft_portal_start(m);
    if (err != ALOFT_ERR_OK) {
        close_listener(m);
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
    end_scan(m);
    for (uint8_t i = 0; i < ALOFT_WEB_CONNECTIONS; i++) {
        aloft_connection_close(m, i);
    }
    aloft_portal_stop(m);
    close_listener(m);
}
