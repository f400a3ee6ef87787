/* SPDX-License-Identifier: Apache-2.0 */
#include "process/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/auto.h"
#include "host/log.h"
#include "process/lookup.h"
#include "process/tls.h"

#define MAP_TEXT_BYTES  (2 * ADDRESS_HOST_BYTES)
#define IPV4_BYTES      4
#define STAND_IN_PREFIX 198, 18, 0 /* RFC 2544 */

enum socket_state { SOCKET_FREE, SOCKET_CONNECTING, SOCKET_SHAKING, SOCKET_OPEN, SOCKET_FAILED };

struct net_socket {
    enum socket_state state;
    int fd;
    short events;       /**< What the module was told to wait for; 0 = nothing. */
    enum aloft_err err; /**< Of a failed one. */
    struct tls_session *tls;
    char peer[INET_ADDRSTRLEN + sizeof ":65535"];
};

struct mapping {
    struct net_map text;
    struct aloft_addr asked; /**< The address resolve() gives for `from`. */
    struct sockaddr_in to;
};

struct net {
    struct lookup *lookup;
    struct tls_client *tls;
    struct mapping maps[NET_MAPS_MAX];
    size_t n_maps;
    struct net_socket sockets[NET_SOCKETS_MAX];
};

enum aloft_err net_map_parse(const char *text, struct net_map *ret_map, struct error *e)
{
    char from[MAP_TEXT_BYTES];
    const char *equals = strchr(text, '=');

    if (!equals || (size_t)(equals - text) >= sizeof from) {
        return fail(e, ALOFT_ERR_SYNTAX, "--net-map '%s' is not HOST:PORT=HOST:PORT", text);
    }
    memcpy(from, text, (size_t)(equals - text));
    from[equals - text] = '\0';
    enum aloft_err err = address_parse(from, -1, &ret_map->from, e);
    return err != ALOFT_ERR_OK ? err : address_parse(equals + 1, -1, &ret_map->to, e);
}

static enum aloft_err look_up_target(struct mapping *m, struct error *e)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(m->text.to.host, NULL, &hints, &list);

    if (rc != 0) {
        return fail(e, ALOFT_ERR_RESOLVE, "--net-map: '%s' has no IPv4 address (%s)",
                    m->text.to.host, gai_strerror(rc));
    }
    memcpy(&m->to, list->ai_addr, sizeof m->to);
    m->to.sin_port = htons(m->text.to.port);
    freeaddrinfo(list);
    return ALOFT_ERR_OK;
}

static const struct mapping *find_map(const struct net *net, const char *host)
{
    for (size_t i = 0; i < net->n_maps; i++) {
        if (strcasecmp(net->maps[i].text.from.host, host) == 0) {
            return &net->maps[i];
        }
    }
    return NULL;
}

static enum aloft_err add_map(struct net *net, const struct net_map *map, struct error *e)
{
    struct mapping *m = &net->maps[net->n_maps];
    const struct mapping *same_host = find_map(net, map->from.host);

    m->text = *map;
    if (same_host) {
        m->asked = same_host->asked;
    } else if (inet_pton(AF_INET, map->from.host, m->asked.bytes) == 1) {
        m->asked.len = IPV4_BYTES;
    } else {
        m->asked = (struct aloft_addr){IPV4_BYTES, {STAND_IN_PREFIX, (uint8_t)(net->n_maps + 1)}};
    }
    enum aloft_err err = look_up_target(m, e);
    if (err == ALOFT_ERR_OK) {
        net->n_maps++;
    }
    return err;
}

enum aloft_err net_new(const struct net_map *maps, size_t n_maps, struct net **ret_net,
                       struct error *e)
{
    struct net *net = calloc(1, sizeof *net);

    if (!net) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    enum aloft_err err = lookup_new(&net->lookup, e);
    if (err == ALOFT_ERR_OK) {
        err = tls_client_new(&net->tls, e);
    }
    if (err == ALOFT_ERR_OK && n_maps > NET_MAPS_MAX) {
        err = fail(e, ALOFT_ERR_TOO_BIG, "--net-map may be given %d times", NET_MAPS_MAX);
    }
    for (size_t i = 0; err == ALOFT_ERR_OK && i < n_maps; i++) {
        err = add_map(net, &maps[i], e);
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
    lookup_abandon(net->lookup);
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
        for (size_t i = 0; fds[k].revents != 0 && i < NET_SOCKETS_MAX; i++) {
            struct net_socket *s = &net->sockets[i];
            if (s->state != SOCKET_FREE && s->fd == fds[k].fd) {
                s->events = 0;
            }
        }
    }
}

enum aloft_err net_resolve(struct net *net, const char *host, struct aloft_addrs *ret_addrs)
{
    const struct mapping *m = find_map(net, host);

    if (m) {
        *ret_addrs = (struct aloft_addrs){.n = 1, .items = {m->asked}};
        return ALOFT_ERR_OK;
    }
    return lookup_ask(net->lookup, host, ret_addrs);
}

/* The real address for what the module asks. */
static void translate(const struct net *net, const struct aloft_addr *addr, uint16_t port,
                      struct sockaddr_in *ret_to)
{
    for (size_t i = 0; i < net->n_maps; i++) {
        const struct mapping *m = &net->maps[i];
        if (memcmp(&m->asked, addr, sizeof *addr) == 0 && m->text.from.port == port) {
            *ret_to = m->to;
            return;
        }
    }
    *ret_to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&ret_to->sin_addr, addr->bytes, sizeof ret_to->sin_addr);
}

/* A stand-in address whose port is not mapped leads nowhere; on a real network it might. */
static bool is_stand_in(const struct sockaddr_in *to)
{
    static const uint8_t prefix[] = {STAND_IN_PREFIX};

    return memcmp(&to->sin_addr, prefix, sizeof prefix) == 0;
}

static enum aloft_err fail_socket(struct net_socket *s, enum aloft_err err, const char *why)
{
    log_info("net.failed", "peer=%s error=\"%s\"", s->peer, why);
    s->state = SOCKET_FAILED;
    s->err = err;
    return err;
}

static enum aloft_err begin(struct net *net, struct net_socket *s, const struct sockaddr_in *to,
                            const struct aloft_tls *tls)
{
    struct in_addr literal;
    AUTO_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;

    if (fd < 0 || is_stand_in(to)) {
        log_info("net.failed", "peer=%s error=\"%s\"", s->peer,
                 fd < 0 ? strerror(errno) : "the name is mapped, but not this port");
        return ALOFT_ERR_CONNECT;
    }
    /* Only a matter of speed: TLS sends its messages one by one. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (const struct sockaddr *)to, sizeof *to) != 0 && errno != EINPROGRESS) {
        log_info("net.failed", "peer=%s error=\"%s\"", s->peer, strerror(errno));
        return ALOFT_ERR_CONNECT;
    }
    s->tls = NULL;
    if (tls) {
        bool is_literal = inet_pton(AF_INET, tls->host, &literal) == 1;
        s->tls = tls_session_new(net->tls, fd, is_literal ? NULL : tls->host);
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
                        const struct aloft_tls *tls, int *ret_socket)
{
    struct sockaddr_in to;
    char ip[INET_ADDRSTRLEN];

    *ret_socket = -1;
    translate(net, addr, port, &to);
    for (int i = 0; i < NET_SOCKETS_MAX; i++) {
        struct net_socket *s = &net->sockets[i];
        if (s->state != SOCKET_FREE) {
            continue;
        }
        (void)snprintf(s->peer, sizeof s->peer, "%s:%u",
                       inet_ntop(AF_INET, &to.sin_addr, ip, sizeof ip), ntohs(to.sin_port));
        enum aloft_err err = begin(net, s, &to, tls);
        if (err == ALOFT_ERR_OK) {
            *ret_socket = i;
        }
        return err;
    }
    return ALOFT_ERR_CONNECT;
}

static struct net_socket *get(struct net *net, int socket)
{
    bool is_ours =
        socket >= 0 && socket < NET_SOCKETS_MAX && net->sockets[socket].state != SOCKET_FREE;

    return is_ours ? &net->sockets[socket] : NULL;
}

static enum aloft_err wait_for(struct net_socket *s, enum tls_wait wait)
{
    s->events = wait == TLS_WAIT_READ ? POLLIN : POLLOUT;
    return ALOFT_ERR_AGAIN;
}

static enum aloft_err finish_connect(struct net_socket *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    int error = 0;
    socklen_t len = sizeof error;

    if (poll(&p, 1, 0) != 1) {
        return wait_for(s, TLS_WAIT_WRITE);
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

static enum aloft_err shake(struct net_socket *s)
{
    enum tls_wait wait;
    enum aloft_err err = tls_session_shake(s->tls, &wait);

    if (err == ALOFT_ERR_AGAIN) {
        return wait_for(s, wait);
    }
    if (err != ALOFT_ERR_OK) {
        return fail_socket(s, err, tls_session_failure(s->tls));
    }
    s->state = SOCKET_OPEN;
    return ALOFT_ERR_OK;
}

enum aloft_err net_ready(struct net *net, int socket)
{
    struct net_socket *s = get(net, socket);

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
static enum aloft_err judge(struct net_socket *s, ssize_t n, enum tls_wait wait, size_t *ret_n)
{
    if (n > 0) {
        *ret_n = (size_t)n;
        return ALOFT_ERR_OK;
    }
    if (n == 0) {
        return ALOFT_ERR_CLOSED;
    }
    return errno == EAGAIN || errno == EINTR ? wait_for(s, wait) : ALOFT_ERR_IO;
}

enum aloft_err net_read(struct net *net, int socket, uint8_t *buf, size_t cap, size_t *ret_n)
{
    struct net_socket *s = get(net, socket);
    enum tls_wait wait;

    if (!s || s->state != SOCKET_OPEN) {
        return ALOFT_ERR_IO;
    }
    s->events = 0;
    if (!s->tls) {
        return judge(s, recv(s->fd, buf, cap, 0), TLS_WAIT_READ, ret_n);
    }
    enum aloft_err err = tls_session_read(s->tls, buf, cap, ret_n, &wait);
    return err == ALOFT_ERR_AGAIN ? wait_for(s, wait) : err;
}

enum aloft_err net_write(struct net *net, int socket, const uint8_t *buf, size_t len, size_t *ret_n)
{
    struct net_socket *s = get(net, socket);
    enum tls_wait wait;

    if (!s || s->state != SOCKET_OPEN) {
        return ALOFT_ERR_IO;
    }
    s->events = 0;
    if (!s->tls) {
        return judge(s, send(s->fd, buf, len, MSG_NOSIGNAL), TLS_WAIT_WRITE, ret_n);
    }
    enum aloft_err err = tls_session_write(s->tls, buf, len, ret_n, &wait);
    return err == ALOFT_ERR_AGAIN ? wait_for(s, wait) : err;
}

void net_close(struct net *net, int socket)
{
    struct net_socket *s = get(net, socket);

    if (s) {
        tls_session_free(s->tls);
        (void)close(s->fd);
        *s = (struct net_socket){.fd = -1};
    }
}
