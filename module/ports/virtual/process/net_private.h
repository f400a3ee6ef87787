/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_NET_PRIVATE_H
#define ALOFT_VIRTUAL_NET_PRIVATE_H

#include "process/endpoint.h"
#include "process/lookup.h"
#include "process/net.h"
#include "process/ping.h"
#include "process/tls.h"

/* Between the files of the sockets: net.c (life, poll, connections), net_listen.c (listeners and
 * UDP), net_map.c. */

enum socket_state {
    SOCKET_FREE,
    SOCKET_CONNECTING,
    SOCKET_SHAKING,
    SOCKET_OPEN,
    SOCKET_FAILED,
    SOCKET_LISTENING,
    SOCKET_UDP,
};

struct net_socket {
    enum socket_state state;
    bool is_incoming; /**< Accepted by a listener. */
    bool is_starved;  /**< A listener that found no socket free for a connection. */
    bool is_v6;       /**< UDP: an IPv6 socket. */
    int fd;
    short events;       /**< What the module was told to wait for; 0 = nothing. */
    enum aloft_err err; /**< Of a failed one. */
    struct tls_session *tls;
    char peer[ENDPOINT_TEXT_BYTES];
};

struct mapping {
    struct net_map text;
    bool is_own;
    struct aloft_addr asked; /**< The address resolve() gives for `from`. */
    struct endpoint to;
};

struct net {
    struct lookup *lookup;
    struct tls_client *tls;
    struct endpoint bind;
    struct mapping maps[NET_MAPS_MAX];
    size_t n_maps;
    struct ping ping;
    struct net_socket sockets[NET_SOCKETS_MAX];
};

/** A free socket, or NULL; it is taken when its state is set. */
struct net_socket *net_unused(struct net *net);

/** NULL: the module has no such socket. */
struct net_socket *net_socket_of(struct net *net, int socket);
int net_number_of(const struct net *net, const struct net_socket *s);

/** Watch for `events` too. @return ALOFT_ERR_AGAIN. */
enum aloft_err net_wait_for(struct net_socket *s, short events);

ALOFT_MUST_CHECK
enum aloft_err net_map_add(struct net *net, const struct net_map *map, struct error *e);

/** NULL: the name is not mapped. */
const struct mapping *net_map_of_name(const struct net *net, const char *host);

/** The real address for what the module asks. @return False: the name is mapped, this port is not.
 */
bool net_map_out(const struct net *net, const struct aloft_addr *addr, uint16_t port,
                 struct endpoint *ret_to);

/** The same for a host as a whole: of several mapped ports the first one's. */
void net_map_host(const struct net *net, const struct aloft_addr *addr, struct aloft_addr *ret_to);

/** What the module is to see of a sender. */
void net_map_in(const struct net *net, const struct endpoint *from, struct aloft_addr *ret_addr,
                uint16_t *ret_port);

/** Where the module's own port is; NULL: not mapped. */
const struct endpoint *net_map_own(const struct net *net, uint16_t port);

#endif
