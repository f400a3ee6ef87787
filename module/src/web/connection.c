/* SPDX-License-Identifier: Apache-2.0 */
#include "web/connection.h"

#include <string.h>

#include "aloft/module.h"

static int current_socket(const struct aloft_module *m)
{
    return m->web->connections[m->web->current].socket;
}

void aloft_connection_close(struct aloft_module *m, uint8_t index)
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

bool aloft_connection_accept(struct aloft_module *m, bool may_replace)
{
    uint8_t place = find_place(m);
    int socket = -1;

    if ((m->web->connections[place].socket >= 0 && !may_replace) ||
        m->port->net.accept(m->port->ctx, m->web->listener, &socket) != ALOFT_ERR_OK) {
        return false;
    }
    aloft_connection_close(m, place);
    m->web->connections[place] = (struct aloft_web_connection){socket, (uint32_t)m->now_ms};
    return true;
}

enum aloft_err aloft_connection_read(struct aloft_module *m, size_t limit)
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

enum aloft_err aloft_connection_read_body(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;
    uint16_t before = w->n_in;
    size_t limit = w->body_left < SIZE_MAX ? (size_t)w->body_left : SIZE_MAX;
    enum aloft_err err = aloft_connection_read(m, limit);

    w->n_body = (uint16_t)(w->n_body + w->n_in - before);
    w->body_left -= (uint64_t)w->n_in - before;
    return err;
}

void aloft_connection_drop(struct aloft_module *m, size_t len)
{
    m->web->n_in = (uint16_t)(m->web->n_in - len);
    memmove(m->web->buf, m->web->buf + len, m->web->n_in);
}

void aloft_connection_drop_body(struct aloft_module *m)
{
    aloft_connection_drop(m, m->web->n_body);
    m->web->n_body = 0;
}

enum aloft_err aloft_connection_write(struct aloft_module *m)
{
    struct aloft_web_state *w = m->web;
    size_t n = 0;
    enum aloft_err err =
        m->port->net.write(m->port->ctx, current_socket(m), w->buf + w->n_in + w->n_sent,
                           (size_t)w->window_len - w->n_sent, &n);

    if (err == ALOFT_ERR_OK) {
        w->n_sent = (uint16_t)(w->n_sent + n);
    }
    return err;
}
