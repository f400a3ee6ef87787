/* SPDX-License-Identifier: Apache-2.0 */

/* The network functions of struct aloft_port: what needs the station's link, and what does not. */

#include "process/machine.h"

static bool is_online(const struct machine *m)
{
    return air_has_address(&m->air, m->now_ms);
}

static enum aloft_err resolve(void *ctx, const char *host, struct aloft_addrs *ret_addrs)
{
    const struct machine *m = ctx;

    return is_online(m) ? net_resolve(m->net, host, ret_addrs) : ALOFT_ERR_RESOLVE;
}

static enum aloft_err open_socket(void *ctx, const struct aloft_addr *addr, uint16_t port,
                                  const struct aloft_tls *tls, int *ret_socket)
{
    const struct machine *m = ctx;
    char pem[SETTINGS_VALUE_BYTES + 1];
    size_t len = sizeof pem - 1;

    *ret_socket = -1;
    if (!is_online(m)) {
        return ALOFT_ERR_CONNECT;
    }
    bool has_ca = tls && tls->trust == ALOFT_TLS_TRUST_CA &&
                  port_get_setting(m, ALOFT_SETTING_TLS_CA, pem, &len) == ALOFT_ERR_OK;
    pem[has_ca ? len : 0] = '\0';
    return net_open(m->net, addr, port, tls, has_ca ? pem : NULL, ret_socket);
}

/* What the module opened ends with the station's link; listeners, what they accepted and UDP serve
 * the soft-AP too. */
static bool is_alive(const struct machine *m, int socket)
{
    return is_online(m) || !net_needs_link(m->net, socket);
}

static enum aloft_err socket_ready(void *ctx, int socket)
{
    const struct machine *m = ctx;

    return is_alive(m, socket) ? net_ready(m->net, socket) : ALOFT_ERR_CONNECT;
}

static enum aloft_err read_socket(void *ctx, int socket, uint8_t *buf, size_t cap, size_t *ret_n)
{
    const struct machine *m = ctx;

    return is_alive(m, socket) ? net_read(m->net, socket, buf, cap, ret_n) : ALOFT_ERR_IO;
}

static enum aloft_err write_socket(void *ctx, int socket, const uint8_t *buf, size_t len,
                                   size_t *ret_n)
{
    const struct machine *m = ctx;

    return is_alive(m, socket) ? net_write(m->net, socket, buf, len, ret_n) : ALOFT_ERR_IO;
}

static void close_socket(void *ctx, int socket)
{
    const struct machine *m = ctx;

    net_close(m->net, socket);
}

static enum aloft_err listen_at(void *ctx, uint16_t port, int *ret_socket, uint16_t *ret_port)
{
    const struct machine *m = ctx;

    return net_listen(m->net, port, ret_socket, ret_port);
}

static enum aloft_err accept_from(void *ctx, int listener, int *ret_socket)
{
    const struct machine *m = ctx;

    return net_accept(m->net, listener, ret_socket);
}

static enum aloft_err udp_open(void *ctx, const struct aloft_addr *local, uint16_t port,
                               int *ret_socket)
{
    const struct machine *m = ctx;

    return net_udp_open(m->net, local, port, ret_socket);
}

static enum aloft_err udp_send(void *ctx, int socket, const struct aloft_addr *to, uint16_t port,
                               const uint8_t *buf, size_t len)
{
    const struct machine *m = ctx;

    return net_udp_send(m->net, socket, to, port, buf, len);
}

static enum aloft_err udp_receive(void *ctx, int socket, uint8_t *buf, size_t cap, size_t *ret_n,
                                  struct aloft_addr *ret_from, uint16_t *ret_port)
{
    const struct machine *m = ctx;

    return net_udp_receive(m->net, socket, buf, cap, ret_n, ret_from, ret_port);
}

static enum aloft_err ping(void *ctx, const struct aloft_addr *to, uint32_t *ret_ms)
{
    const struct machine *m = ctx;

    return is_online(m) ? net_ping(m->net, to, ret_ms) : ALOFT_ERR_IO;
}

static enum aloft_err set_dns(void *ctx, const struct aloft_addr *servers, uint8_t n)
{
    const struct machine *m = ctx;

    return net_set_dns(m->net, servers, n);
}

void port_fill_net(struct aloft_port_net *net)
{
    *net = (struct aloft_port_net){
        .resolve = resolve,
        .open = open_socket,
        .ready = socket_ready,
        .read = read_socket,
        .write = write_socket,
        .close = close_socket,
        .listen = listen_at,
        .accept = accept_from,
        .udp_open = udp_open,
        .udp_send = udp_send,
        .udp_receive = udp_receive,
        .ping = ping,
        .set_dns = set_dns,
    };
}
