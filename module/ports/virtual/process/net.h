/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_NET_H
#define ALOFT_VIRTUAL_NET_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/port.h"
#include "host/address.h"
#include "host/error.h"

/*
 * Real, non-blocking sockets for the module: the functions are those of struct aloft_port_net.
 *
 * A map leads `FROM` as the module asks for it to a real `TO`. A mapped name gets a stand-in
 * address (198.18.0.0/15, reserved for tests by RFC 2544), by which open() and udp_send() know it
 * again; so a mapped name is reached through its mapped ports only. A datagram that comes from TO
 * is shown as one from FROM, except where FROM is the broadcast address.
 *
 * The host `own` in FROM stands for the module itself: TO is where its listener or UDP socket of
 * that port really is. Without a map that is the bind address and the port itself.
 */

#define NET_SOCKETS_MAX 16
#define NET_POLL_MAX    (NET_SOCKETS_MAX + 2) /**< Sockets, the look-up and the ping. */
#define NET_MAPS_MAX    16
#define NET_OWN         "own"

struct net_map {
    struct address from;
    struct address to;
};

struct net_options {
    struct aloft_addr bind;     /**< Where the module's own servers are; `len` 0 = 127.0.0.1. */
    const struct net_map *maps; /**< Copied. */
    size_t n_maps;              /**< At most NET_MAPS_MAX. */
};

struct net;

/** Read `HOST:PORT=HOST:PORT`. @retval ALOFT_ERR_SYNTAX It is not of this form. */
ALOFT_MUST_CHECK
enum aloft_err net_map_parse(const char *text, struct net_map *ret_map, struct error *e);

/**
 * Set up; looks up each `TO` once, which may take a moment.
 *
 * @param ret_net  Free with net_free().
 * @retval ALOFT_ERR_RESOLVE A `TO` has no address.
 */
ALOFT_MUST_CHECK
enum aloft_err net_new(const struct net_options *options, struct net **ret_net, struct error *e);

void net_free(struct net *net);

/** As a reset does: close all sockets, forget look-ups and ping. */
void net_reset(struct net *net);

/** Fill up to NET_POLL_MAX entries for poll(); returns how many. A socket is watched only for what
 * the module was last told to wait for. */
size_t net_poll_set(const struct net *net, struct pollfd *out);

/** After poll() with these entries: what came is watched again only when the module asks again. */
void net_poll_done(struct net *net, const struct pollfd *fds, size_t n_fds);

/** Milliseconds until something ends by itself (a ping nobody answers); UINT32_MAX = nothing. */
uint32_t net_wait_ms(const struct net *net);

/** It is a connection the module opened: without a station link it is dead. Listeners, what they
 * accepted and UDP sockets live on, for the soft-AP. */
bool net_needs_link(const struct net *net, int socket);

enum aloft_err net_resolve(struct net *net, const char *host, struct aloft_addrs *ret_addrs);
/** @param ca_pem The setting ALOFT_SETTING_TLS_CA as text, NULL = not set; used if `tls` trusts a
 * CA. Not kept. */
enum aloft_err net_open(struct net *net, const struct aloft_addr *addr, uint16_t port,
                        const struct aloft_tls *tls, const char *ca_pem, int *ret_socket);
enum aloft_err net_ready(struct net *net, int socket);
enum aloft_err net_read(struct net *net, int socket, uint8_t *buf, size_t cap, size_t *ret_n);
enum aloft_err net_write(struct net *net, int socket, const uint8_t *buf, size_t len,
                         size_t *ret_n);
void net_close(struct net *net, int socket);

/** `*ret_port` is the port asked for, also where a map leads it elsewhere; for 0 the real one. Each
 * listener and UDP socket is logged with the address it really has. */
enum aloft_err net_listen(struct net *net, uint16_t port, int *ret_socket, uint16_t *ret_port);
enum aloft_err net_accept(struct net *net, int listener, int *ret_socket);

/**
 * Bound to, in this order: where `own:port` is mapped to; `local`, if this machine has that address
 * (the simulated station's is usually not one of them); for port 0 all interfaces of both families;
 * else the bind address.
 */
enum aloft_err net_udp_open(struct net *net, const struct aloft_addr *local, uint16_t port,
                            int *ret_socket);
enum aloft_err net_udp_send(struct net *net, int socket, const struct aloft_addr *to, uint16_t port,
                            const uint8_t *buf, size_t len);
enum aloft_err net_udp_receive(struct net *net, int socket, uint8_t *buf, size_t cap, size_t *ret_n,
                               struct aloft_addr *ret_from, uint16_t *ret_port);

/** As set_dns() of struct aloft_port_net; port 53 of a server may be mapped. */
enum aloft_err net_set_dns(struct net *net, const struct aloft_addr *servers, uint8_t n);

/** A mapped host is asked where it really is. Gives up after PING_TIMEOUT_MS. */
enum aloft_err net_ping(struct net *net, const struct aloft_addr *to, uint32_t *ret_ms);

#endif
