/* SPDX-License-Identifier: Apache-2.0 */

/* Listeners and what they accept; UDP sockets. */

#include "process/net_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/auto.h"
#include "host/log.h"

#define BACKLOG          8
#define DROPS_MAX        16   /* datagrams too long that one call skips */
#define SUGGESTED_OFFSET 8000 /* 80 becomes 8080, as people expect; others: any free one */
#define PRIVILEGED_PORTS 1024

/* Where a port of the module's is on this machine. */
static struct endpoint own_endpoint(const struct net *net, uint16_t port)
{
    const struct endpoint *mapped = net_map_own(net, port);
    struct endpoint own = net->bind;

    if (mapped) {
        return *mapped;
    }
    endpoint_set_port(&own, port);
    return own;
}

/* The port cannot be had; says what to do about it. */
static enum aloft_err refuse(const struct endpoint *at, uint16_t asked, const char *protocol)
{
    const char *why = strerror(errno);
    unsigned suggested = asked < PRIVILEGED_PORTS ? asked + SUGGESTED_OFFSET : 0;
    char text[ENDPOINT_TEXT_BYTES];

    endpoint_format(at, text);
    log_warn("net.refused",
             "asked=%u protocol=%s at=%s error=\"%s\" remedy=\"lead the port elsewhere: --net-map "
             "own:%u=127.0.0.1:%u\"",
             asked, protocol, text, why, asked, suggested);
    return ALOFT_ERR_CONNECT;
}

static uint16_t announce(const char *event, int fd, uint16_t asked)
{
    struct endpoint real = {.len = 0};
    char text[ENDPOINT_TEXT_BYTES];

    if (!endpoint_of_socket(fd, &real)) {
        return asked;
    }
    endpoint_format(&real, text);
    log_info(event, "asked=%u at=%s", asked, text);
    return asked != 0 ? asked : endpoint_port(&real);
}

enum aloft_err net_listen(struct net *net, uint16_t port, int *ret_socket, uint16_t *ret_port)
{
    struct net_socket *s = net_unused(net);
    const struct endpoint at = own_endpoint(net, port);
    int one = 1;

    *ret_socket = -1;
    if (!s) {
        return ALOFT_ERR_CONNECT;
    }
    AUTO_FD int fd = socket(at.u.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, &at.u.any, at.len) != 0 || listen(fd, BACKLOG) != 0) {
        return refuse(&at, port, "tcp");
    }
    *ret_port = announce("net.listening", fd, port);
    *s = (struct net_socket){.state = SOCKET_LISTENING, .fd = STEAL_FD(fd)};
    *ret_socket = net_number_of(net, s);
    return ALOFT_ERR_OK;
}

/* Out of descriptors: asking at once again would only spin. */
static enum aloft_err starve(struct net_socket *listener)
{
    listener->is_starved = true;
    return ALOFT_ERR_AGAIN;
}

enum aloft_err net_accept(struct net *net, int listener, int *ret_socket)
{
    struct net_socket *l = net_socket_of(net, listener);
    struct net_socket *s = net_unused(net);
    struct endpoint peer = {.len = sizeof peer.u};
    int one = 1;

    *ret_socket = -1;
    if (!l || l->state != SOCKET_LISTENING) {
        return ALOFT_ERR_AGAIN;
    }
    l->events = 0;
    l->is_starved = false;
    if (!s) {
        return starve(l);
    }
    int fd = accept4(l->fd, &peer.u.any, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        bool is_full = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        return is_full ? starve(l) : net_wait_for(l, POLLIN);
    }
    /* Only a matter of speed: an answer is written in pieces. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    *s = (struct net_socket){.state = SOCKET_OPEN, .is_incoming = true, .fd = fd};
    endpoint_format(&peer, s->peer);
    *ret_socket = net_number_of(net, s);
    return ALOFT_ERR_OK;
}

static int udp_socket(const struct endpoint *at)
{
    AUTO_FD int fd = socket(at->u.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    int off = 0;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) != 0) {
        return -1;
    }
    if (at->u.any.sa_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0) {
        return -1;
    }
    return bind(fd, &at->u.any, at->len) == 0 ? STEAL_FD(fd) : -1;
}

/* A client's socket: it asks, so it must reach everything, in both families if there are two. */
static int udp_client_socket(struct endpoint *ret_at)
{
    static const struct aloft_addr any_v6 = {16, {0}};
    static const struct aloft_addr any_v4 = {4, {0}};

    endpoint_set(ret_at, &any_v6, 0);
    int fd = udp_socket(ret_at);
    if (fd < 0) {
        endpoint_set(ret_at, &any_v4, 0);
        fd = udp_socket(ret_at);
    }
    return fd;
}

static int udp_bind(const struct net *net, const struct aloft_addr *local, uint16_t port,
                    struct endpoint *ret_at)
{
    if (local && !net_map_own(net, port)) {
        endpoint_set(ret_at, local, port);
        int fd = udp_socket(ret_at);
        if (fd >= 0 || errno != EADDRNOTAVAIL) {
            return fd;
        }
    } else if (port == 0 && !net_map_own(net, port)) {
        return udp_client_socket(ret_at);
    }
    *ret_at = own_endpoint(net, port);
    return udp_socket(ret_at);
}

enum aloft_err net_udp_open(struct net *net, const struct aloft_addr *local, uint16_t port,
                            int *ret_socket)
{
    struct net_socket *s = net_unused(net);
    struct endpoint at;

    *ret_socket = -1;
    if (!s) {
        return ALOFT_ERR_CONNECT;
    }
    int fd = udp_bind(net, local, port, &at);
    if (fd < 0) {
        return refuse(&at, port, "udp");
    }
    (void)announce("net.udp", fd, port);
    *s =
        (struct net_socket){.state = SOCKET_UDP, .fd = fd, .is_v6 = at.u.any.sa_family == AF_INET6};
    *ret_socket = net_number_of(net, s);
    return ALOFT_ERR_OK;
}

static enum aloft_err refuse_datagram(const struct endpoint *to, const char *why)
{
    char text[ENDPOINT_TEXT_BYTES];

    endpoint_format(to, text);
    log_info("net.unsent", "to=%s error=\"%s\"", text, why);
    return ALOFT_ERR_IO;
}

enum aloft_err net_udp_send(struct net *net, int socket, const struct aloft_addr *to, uint16_t port,
                            const uint8_t *buf, size_t len)
{
    struct net_socket *s = net_socket_of(net, socket);
    struct endpoint real;

    if (!s || s->state != SOCKET_UDP) {
        return ALOFT_ERR_IO;
    }
    s->events &= (short)~POLLOUT;
    if (!net_map_out(net, to, port, &real)) {
        return refuse_datagram(&real, "the name is mapped, but not this port");
    }
    if (s->is_v6) {
        endpoint_to_v6(&real);
    }
    if (sendto(s->fd, buf, len, MSG_NOSIGNAL, &real.u.any, real.len) >= 0) {
        return ALOFT_ERR_OK;
    }
    if (errno == EAGAIN || errno == EINTR) {
        return net_wait_for(s, POLLOUT);
    }
    return refuse_datagram(&real, strerror(errno));
}

enum aloft_err net_udp_receive(struct net *net, int socket, uint8_t *buf, size_t cap, size_t *ret_n,
                               struct aloft_addr *ret_from, uint16_t *ret_port)
{
    struct net_socket *s = net_socket_of(net, socket);
    struct aloft_addr from;
    uint16_t port;

    if (!s || s->state != SOCKET_UDP) {
        return ALOFT_ERR_AGAIN;
    }
    s->events &= (short)~POLLIN;
    for (int i = 0; i < DROPS_MAX; i++) {
        struct endpoint sender = {.len = sizeof sender.u};
        ssize_t n = recvfrom(s->fd, buf, cap, MSG_TRUNC, &sender.u.any, &sender.len);
        if (n < 0) {
            break;
        }
        if ((size_t)n > cap) {
            continue;
        }
        net_map_in(net, &sender, &from, &port);
        *ret_n = (size_t)n;
        *(ret_from ? ret_from : &from) = from;
        *(ret_port ? ret_port : &port) = port;
        return ALOFT_ERR_OK;
    }
    return net_wait_for(s, POLLIN);
}
