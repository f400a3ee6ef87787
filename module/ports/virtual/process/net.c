/* SPDX-License-Identifier: Apache-2.0 */
#include "process/net.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/auto.h"
#include "host/log.h"
#include "process/net_private.h"

#define DNS_PORT 53

static const struct aloft_addr loopback = {4, {127, 0, 0, 1}};

enum aloft_err net_new(const struct net_options *options, struct net **ret_net, struct error *e)
{
    struct net *net = calloc(1, sizeof *net);

    if (!net) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    ping_init(&net->ping);
    endpoint_set(&net->bind, options->bind.len > 0 ? &options->bind : &loopback, 0);
    enum aloft_err err = lookup_new(&net->lookup, e);
    if (err == ALOFT_ERR_OK) {
        err = tls_client_new(&net->tls, e);
    }
    if (err == ALOFT_ERR_OK && options->n_maps > NET_MAPS_MAX) {
        err = fail(e, ALOFT_ERR_TOO_BIG, "--net-map may be given %d times", NET_MAPS_MAX);
    }
    for (size_t i = 0; err == ALOFT_ERR_OK && i < options->n_maps; i++) {
        err = net_map_add(net, &options->maps[i], e);
    }
    if (err != ALOFT_ERR_OK) {
        net_free(net);
        return err;
    }
    *ret_net = net;
    return ALOFT_ERR_OK;
}

void net_reset(struct net *net)
{
    for (int i = 0; i < NET_SOCKETS_MAX; i++) {
        net_close(net, i);
    }
    lookup_set_servers(net->lookup, NULL, 0);
    ping_stop(&net->ping);
}

enum aloft_err net_set_dns(struct net *net, const struct aloft_addr *servers, uint8_t n)
{
    struct sockaddr_in real[LOOKUP_SERVERS_MAX];

    if (n > LOOKUP_SERVERS_MAX) {
        return ALOFT_ERR_UNSUPPORTED;
    }
    for (uint8_t i = 0; i < n; i++) {
        struct endpoint to;
        if (!net_map_out(net, &servers[i], DNS_PORT, &to) || to.u.any.sa_family != AF_INET) {
            return ALOFT_ERR_UNSUPPORTED;
        }
        real[i] = to.u.v4;
    }
    lookup_set_servers(net->lookup, real, n);
    return ALOFT_ERR_OK;
}

void net_free(struct net *net)
{
    if (!net) {
        return;
    }
    if (net->lookup) {
        net_reset(net);
    }
    lookup_free(net->lookup);
    tls_client_free(net->tls);
    free(net);
}

size_t net_poll_set(const struct net *net, struct pollfd *out)
{
    size_t n = 0;

    out[n++] = (struct pollfd){.fd = lookup_fd(net->lookup), .events = POLLIN};
    if (ping_fd(&net->ping) >= 0) {
        out[n++] = (struct pollfd){.fd = ping_fd(&net->ping), .events = POLLIN};
    }
    for (size_t i = 0; i < NET_SOCKETS_MAX; i++) {
        const struct net_socket *s = &net->sockets[i];
        if (s->state != SOCKET_FREE && s->events != 0) {
            out[n++] = (struct pollfd){.fd = s->fd, .events = s->events};
        }
    }
    return n;
}

void net_poll_done(struct net *net, const struct pollfd *fds, size_t n_fds)
{
    for (size_t k = 0; k < n_fds; k++) {
        if (fds[k].revents != 0 && fds[k].fd == lookup_fd(net->lookup)) {
            lookup_drain(net->lookup);
        }
        if (fds[k].revents != 0 && fds[k].fd == ping_fd(&net->ping)) {
            ping_wake(&net->ping);
        }
        for (size_t i = 0; fds[k].revents != 0 && i < NET_SOCKETS_MAX; i++) {
            struct net_socket *s = &net->sockets[i];
            if (s->state != SOCKET_FREE && s->fd == fds[k].fd) {
                s->events = 0;
            }
        }
    }
}

struct net_socket *net_unused(struct net *net)
{
    for (int i = 0; i < NET_SOCKETS_MAX; i++) {
        if (net->sockets[i].state == SOCKET_FREE) {
            return &net->sockets[i];
        }
    }
    return NULL;
}

struct net_socket *net_socket_of(struct net *net, int socket)
{
    bool is_ours =
        socket >= 0 && socket < NET_SOCKETS_MAX && net->sockets[socket].state != SOCKET_FREE;

    return is_ours ? &net->sockets[socket] : NULL;
}

int net_number_of(const struct net *net, const struct net_socket *s)
{
    return (int)(s - net->sockets);
}

enum aloft_err net_wait_for(struct net_socket *s, short events)
{
    s->events |= events;
    return ALOFT_ERR_AGAIN;
}

bool net_needs_link(const struct net *net, int socket)
{
    if (socket < 0 || socket >= NET_SOCKETS_MAX) {
        return false;
    }
    const struct net_socket *s = &net->sockets[socket];
    return s->state != SOCKET_LISTENING && s->state != SOCKET_UDP && !s->is_incoming;
}

enum aloft_err net_resolve(struct net *net, const char *host, struct aloft_addrs *ret_addrs)
{
    const struct mapping *m = net_map_of_name(net, host);

    if (m) {
        *ret_addrs = (struct aloft_addrs){.n = 1, .items = {m->asked}};
        return ALOFT_ERR_OK;
    }
    return lookup_ask(net->lookup, host, ret_addrs);
}

static enum aloft_err fail_socket(struct net_socket *s, enum aloft_err err, const char *why)
{
    log_info("net.failed", "peer=%s error=\"%s\"", s->peer, why);
    s->state = SOCKET_FAILED;
    s->err = err;
    return err;
}

static enum aloft_err begin(struct net *net, struct net_socket *s, const struct endpoint *to,
                            const struct aloft_tls *tls, const char *ca_pem)
{
    AUTO_FD int fd = socket(to->u.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;

    if (fd < 0) {
        log_info("net.failed", "peer=%s error=\"%s\"", s->peer, strerror(errno));
        return ALOFT_ERR_CONNECT;
    }
    /* Only a matter of speed: TLS sends its messages one by one. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, &to->u.any, to->len) != 0 && errno != EINPROGRESS) {
        log_info("net.failed", "peer=%s error=\"%s\"", s->peer, strerror(errno));
        return ALOFT_ERR_CONNECT;
    }
    s->tls = NULL;
    if (tls) {
        s->tls = tls_session_new(net->tls, fd, tls, ca_pem);
        if (!s->tls) {
            return ALOFT_ERR_CONNECT;
        }
    }
    s->fd = STEAL_FD(fd);
    s->events = POLLOUT;
    s->state = SOCKET_CONNECTING;
    return ALOFT_ERR_OK;
}

enum aloft_err net_open(struct net *net, const struct aloft_addr *addr, uint16_t port,
                        const struct aloft_tls *tls, const char *ca_pem, int *ret_socket)
{
    struct net_socket *s = net_unused(net);
    struct endpoint to;

    *ret_socket = -1;
    bool is_there = net_map_out(net, addr, port, &to);
    if (!s) {
        return ALOFT_ERR_CONNECT;
    }
    endpoint_format(&to, s->peer);
    if (!is_there) {
        log_info("net.failed", "peer=%s error=\"the name is mapped, but not this port\"", s->peer);
        return ALOFT_ERR_CONNECT;
    }
    enum aloft_err err = begin(net, s, &to, tls, ca_pem);
    if (err == ALOFT_ERR_OK) {
        *ret_socket = net_number_of(net, s);
    }
    return err;
}

static enum aloft_err finish_connect(struct net_socket *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    int error = 0;
    socklen_t len = sizeof error;

    if (poll(&p, 1, 0) != 1) {
        return net_wait_for(s, POLLOUT);
    }
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
        error = errno;
    }
    if (error != 0) {
        return fail_socket(s, ALOFT_ERR_CONNECT, strerror(error));
    }
    s->state = s->tls ? SOCKET_SHAKING : SOCKET_OPEN;
    return ALOFT_ERR_OK;
}

static short events_of(enum tls_wait wait)
{
    return wait == TLS_WAIT_READ ? POLLIN : POLLOUT;
}

static enum aloft_err shake(struct net_socket *s)
{
    enum tls_wait wait;
    enum aloft_err err = tls_session_shake(s->tls, &wait);

    if (err == ALOFT_ERR_AGAIN) {
        return net_wait_for(s, events_of(wait));
    }
    if (err != ALOFT_ERR_OK) {
        return fail_socket(s, err, tls_session_failure(s->tls));
    }
    s->state = SOCKET_OPEN;
    return ALOFT_ERR_OK;
}

enum aloft_err net_ready(struct net *net, int socket)
{
    struct net_socket *s = net_socket_of(net, socket);

    if (!s) {
        return ALOFT_ERR_CONNECT;
    }
    s->events = 0;
    if (s->state == SOCKET_CONNECTING) {
        enum aloft_err err = finish_connect(s);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    if (s->state == SOCKET_SHAKING) {
        return shake(s);
    }
    return s->state == SOCKET_OPEN ? ALOFT_ERR_OK : s->err;
}

/* What recv() and send() said. */
static enum aloft_err judge(struct net_socket *s, ssize_t n, short events, size_t *ret_n)
{
    if (n > 0) {
        *ret_n = (size_t)n;
        return ALOFT_ERR_OK;
    }
    if (n == 0) {
        return ALOFT_ERR_CLOSED;
    }
    return errno == EAGAIN || errno == EINTR ? net_wait_for(s, events) : ALOFT_ERR_IO;
}

enum aloft_err net_read(struct net *net, int socket, uint8_t *buf, size_t cap, size_t *ret_n)
{
    struct net_socket *s = net_socket_of(net, socket);
    enum tls_wait wait;

    if (!s || s->state != SOCKET_OPEN) {
        return ALOFT_ERR_IO;
    }
    if (!s->tls) {
        s->events &= (short)~POLLIN;
        return judge(s, recv(s->fd, buf, cap, 0), POLLIN, ret_n);
    }
    s->events = 0; /* TLS may read to write and write to read */
    enum aloft_err err = tls_session_read(s->tls, buf, cap, ret_n, &wait);
    return err == ALOFT_ERR_AGAIN ? net_wait_for(s, events_of(wait)) : err;
}

enum aloft_err net_write(struct net *net, int socket, const uint8_t *buf, size_t len, size_t *ret_n)
{
    struct net_socket *s = net_socket_of(net, socket);
    enum tls_wait wait;

    if (!s || s->state != SOCKET_OPEN) {
        return ALOFT_ERR_IO;
    }
    if (!s->tls) {
        s->events &= (short)~POLLOUT;
        return judge(s, send(s->fd, buf, len, MSG_NOSIGNAL), POLLOUT, ret_n);
    }
    s->events = 0;
    enum aloft_err err = tls_session_write(s->tls, buf, len, ret_n, &wait);
    return err == ALOFT_ERR_AGAIN ? net_wait_for(s, events_of(wait)) : err;
}

uint32_t net_wait_ms(const struct net *net)
{
    return ping_wait_ms(&net->ping);
}

enum aloft_err net_ping(struct net *net, const struct aloft_addr *to, uint32_t *ret_ms)
{
    struct aloft_addr real;

    net_map_host(net, to, &real);
    return ping_ask(&net->ping, &real, ret_ms);
}

void net_close(struct net *net, int socket)
{
    struct net_socket *s = net_socket_of(net, socket);

    if (!s) {
        return;
    }
    tls_session_free(s->tls);
    (void)close(s->fd);
    *s = (struct net_socket){.fd = -1};
    for (int i = 0; i < NET_SOCKETS_MAX; i++) {
        struct net_socket *listener = &net->sockets[i];
        if (listener->is_starved) { /* there is room now for who waits */
            listener->is_starved = false;
            (void)net_wait_for(listener, POLLIN);
        }
    }
}
