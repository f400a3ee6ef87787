/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_NET_H
#define ALOFT_VIRTUAL_NET_H

#include <poll.h>
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
 * address (198.18.0.0/15, reserved for tests by RFC 2544), by which open() knows it again; so a
 * mapped name is reached through its mapped ports only.
 */

#define NET_SOCKETS_MAX 8
#define NET_POLL_MAX    (NET_SOCKETS_MAX + 1) /**< Sockets and the look-up. */
#define NET_MAPS_MAX    16

struct net_map {
    struct address from;
    struct address to;
};

struct net;

/** Read `HOST:PORT=HOST:PORT`. @retval ALOFT_ERR_SYNTAX It is not of this form. */
ALOFT_MUST_CHECK
enum aloft_err net_map_parse(const char *text, struct net_map *ret_map, struct error *e);

/**
 * Set up; looks up each `TO` once, which may take a moment.
 *
 * @param maps     Copied.
 * @param n_maps   At most NET_MAPS_MAX.
 * @param ret_net  Free with net_free().
 * @retval ALOFT_ERR_RESOLVE A `TO` has no address.
 */
ALOFT_MUST_CHECK
enum aloft_err net_new(const struct net_map *maps, size_t n_maps, struct net **ret_net,
                       struct error *e);

void net_free(struct net *net);

/** As a reset does: close all sockets, forget the look-up. */
void net_reset(struct net *net);

/** Fill up to NET_POLL_MAX entries for poll(); returns how many. A socket is watched only for what
 * the module was last told to wait for. */
size_t net_poll_set(const struct net *net, struct pollfd *out);

/** After poll() with these entries: what came is watched again only when the module asks again. */
void net_poll_done(struct net *net, const struct pollfd *fds, size_t n_fds);

enum aloft_err net_resolve(struct net *net, const char *host, struct aloft_addrs *ret_addrs);
enum aloft_err net_open(struct net *net, const struct aloft_addr *addr, uint16_t port,
                        const struct aloft_tls *tls, int *ret_socket);
enum aloft_err net_ready(struct net *net, int socket);
enum aloft_err net_read(struct net *net, int socket, uint8_t *buf, size_t cap, size_t *ret_n);
enum aloft_err net_write(struct net *net, int socket, const uint8_t *buf, size_t len,
                         size_t *ret_n);
void net_close(struct net *net, int socket);

#endif
