/* SPDX-License-Identifier: Apache-2.0 */

/* Listeners and their clients, UDP and ping of the fake sockets. */

#include "fake_net_private.h"

#include <stdlib.h>
#include <string.h>

static enum aloft_err net_listen(void *ctx, uint16_t port, int *ret_socket, uint16_t *ret_port)
{
    struct fake_net *net = fake_net_of(ctx);
    struct fake_listener *unused = NULL;

    *ret_socket = -1;
    for (size_t i = 0; i < FAKE_NET_LISTENERS; i++) {
        struct fake_listener *l = &net->listeners[i];
        if (l->is_open && l->port == port) {
            return ALOFT_ERR_CONNECT;
        }
        unused = !l->is_open && unused == NULL ? l : unused;
    }
    if (unused == NULL || net->listen_err != ALOFT_ERR_OK) {
        return unused == NULL ? ALOFT_ERR_CONNECT : net->listen_err;
    }
    size_t index = (size_t)(unused - net->listeners);
    *unused = (struct fake_listener){true, port};
    if (port == 0) {
        unused->port = (uint16_t)(FAKE_NET_FREE_PORT + index);
    }
    net->n_open++;
    *ret_socket = FAKE_FIRST_LISTENER + (int)index;
    *ret_port = unused->port;
    return ALOFT_ERR_OK;
}

static struct fake_listener *listener_of(struct fake_net *net, int socket)
{
    int index = socket - FAKE_FIRST_LISTENER;

    if (index < 0 || index >= FAKE_NET_LISTENERS || !net->listeners[index].is_open) {
        abort();
    }
    return &net->listeners[index];
}

static enum aloft_err net_accept(void *ctx, int listener, int *ret_socket)
{
    struct fake_net *net = fake_net_of(ctx);
    const struct fake_listener *l = listener_of(net, listener);

    *ret_socket = -1;
    for (size_t i = 0; i < net->n_clients && !net->is_full; i++) {
        struct fake_client *client = &net->clients[i];
        if (client->port == l->port && !client->is_accepted) {
            client->is_accepted = true;
            net->n_open++;
            *ret_socket = FAKE_FIRST_CLIENT + (int)i;
            return ALOFT_ERR_OK;
        }
    }
    return ALOFT_ERR_AGAIN;
}

struct fake_client *fake_client_of(struct fake_net *net, int socket)
{
    int index = socket - FAKE_FIRST_CLIENT;

    if (index < 0 || (size_t)index >= net->n_clients || !net->clients[index].is_accepted ||
        net->clients[index].is_closed) {
        abort();
    }
    return &net->clients[index];
}

static struct fake_udp *udp_of(struct fake_net *net, int socket)
{
    int index = socket - FAKE_FIRST_UDP;

    if (index < 0 || index >= FAKE_NET_UDP || !net->udp[index].is_open) {
        abort();
    }
    return &net->udp[index];
}

static enum aloft_err net_udp_open(void *ctx, const struct aloft_addr *local, uint16_t port,
                                   int *ret_socket)
{
    struct fake_net *net = fake_net_of(ctx);

    *ret_socket = -1;
    if (net->udp_open_err != ALOFT_ERR_OK) {
        return net->udp_open_err;
    }
    for (size_t i = 0; i < FAKE_NET_UDP; i++) {
        struct fake_udp *udp = &net->udp[i];
        if (udp->is_open) {
            continue;
        }
        *udp = (struct fake_udp){.is_open = true, .port = port};
        udp->port = port != 0 ? port : (uint16_t)(FAKE_NET_FREE_PORT + i);
        if (local != NULL) {
            udp->local = *local;
        }
        net->n_open++;
        *ret_socket = FAKE_FIRST_UDP + (int)i;
        return ALOFT_ERR_OK;
    }
    return ALOFT_ERR_CONNECT;
}

static void fill_datagram(struct fake_datagram *d, const struct aloft_addr *addr, uint16_t port,
                          const void *bytes, size_t len)
{
    if (len > FAKE_NET_DATAGRAM_BYTES) {
        abort();
    }
    *d = (struct fake_datagram){.addr = *addr, .port = port, .len = len};
    memcpy(d->bytes, bytes, len);
}

static enum aloft_err net_udp_send(void *ctx, int socket, const struct aloft_addr *to,
                                   uint16_t port, const uint8_t *buf, size_t len)
{
    struct fake_net *net = fake_net_of(ctx);
    const struct fake_udp *udp = udp_of(net, socket);

    if (net->udp_send_err != ALOFT_ERR_OK) {
        return net->udp_send_err;
    }
    if (net->n_sent == FAKE_NET_DATAGRAMS) {
        abort();
    }
    struct fake_datagram *d = &net->sent[net->n_sent++];
    fill_datagram(d, to, port, buf, len);
    d->own_port = udp->port;
    return ALOFT_ERR_OK;
}

static enum aloft_err net_udp_receive(void *ctx, int socket, uint8_t *buf, size_t cap,
                                      size_t *ret_n, struct aloft_addr *ret_from,
                                      uint16_t *ret_port)
{
    struct fake_net *net = fake_net_of(ctx);
    const struct fake_udp *udp = udp_of(net, socket);

    for (size_t i = 0; i < net->n_arriving; i++) {
        struct fake_datagram d = net->arriving[i];
        if (d.own_port != udp->port) {
            continue;
        }
        net->n_arriving--;
        memmove(&net->arriving[i], &net->arriving[i + 1],
                (net->n_arriving - i) * sizeof net->arriving[0]);
        if (d.len > cap) {
            i--; /* Dropped; the next one has moved here. */
            continue;
        }
        memcpy(buf, d.bytes, d.len);
        *ret_n = d.len;
        if (ret_from != NULL) {
            *ret_from = d.addr;
        }
        if (ret_port != NULL) {
            *ret_port = d.port;
        }
        return ALOFT_ERR_OK;
    }
    return ALOFT_ERR_AGAIN;
}

static enum aloft_err net_ping(void *ctx, const struct aloft_addr *to, uint32_t *ret_ms)
{
    struct fake_ping *ping = &fake_net_of(ctx)->ping;

    ping->to = *to;
    if (!fake_is_due(&ping->n_waits)) {
        return ALOFT_ERR_AGAIN;
    }
    ping->n_pings++;
    if (ping->err == ALOFT_ERR_OK) {
        *ret_ms = ping->ms;
    }
    return ping->err;
}

static enum aloft_err net_set_dns(void *ctx, const struct aloft_addr *servers, uint8_t n)
{
    struct fake_net *net = fake_net_of(ctx);

    if (n > sizeof net->dns / sizeof net->dns[0]) {
        abort();
    }
    if (net->dns_err == ALOFT_ERR_OK) {
        memcpy(net->dns, servers, n * sizeof servers[0]);
        net->n_dns = n;
    }
    return net->dns_err;
}

void fake_close_other(struct fake_net *net, int socket)
{
    if (socket >= FAKE_FIRST_UDP) {
        udp_of(net, socket)->is_open = false;
    } else if (socket >= FAKE_FIRST_CLIENT) {
        fake_client_of(net, socket)->is_closed = true;
    } else {
        listener_of(net, socket)->is_open = false;
    }
}

void fake_net_fill_other(struct aloft_port_net *net)
{
    net->listen = net_listen;
    net->accept = net_accept;
    net->udp_open = net_udp_open;
    net->udp_send = net_udp_send;
    net->udp_receive = net_udp_receive;
    net->ping = net_ping;
    net->set_dns = net_set_dns;
}

struct fake_client *fake_net_connect(struct fake_net *net, uint16_t port, const void *bytes,
                                     size_t len, size_t portion)
{
    if (net->n_clients == FAKE_NET_CLIENTS) {
        abort();
    }
    struct fake_client *client = &net->clients[net->n_clients++];
    client->port = port;
    client->script = (struct fake_answer){
        .bytes = bytes, .len = len, .portion = portion, .end = FAKE_END_SILENCE};
    return client;
}

struct fake_client *fake_net_connect_text(struct fake_net *net, uint16_t port, const char *text)
{
    return fake_net_connect(net, port, text, strlen(text), 0);
}

void fake_client_say(struct fake_client *client, const void *bytes, size_t len)
{
    if (client->progress.n_sent != client->script.len) {
        abort();
    }
    client->script.bytes = bytes;
    client->script.len = len;
    client->progress = (struct fake_progress){0};
}

void fake_client_forget_response(struct fake_client *client)
{
    memset(client->response, 0, client->response_len);
    client->response_len = 0;
}

void fake_net_datagram(struct fake_net *net, uint16_t own_port, const struct aloft_addr *from,
                       uint16_t port, const void *bytes, size_t len)
{
    if (net->n_arriving == FAKE_NET_DATAGRAMS) {
        abort();
    }
    struct fake_datagram *d = &net->arriving[net->n_arriving++];
    fill_datagram(d, from, port, bytes, len);
    d->own_port = own_port;
}
