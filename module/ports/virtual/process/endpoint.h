/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_ENDPOINT_H
#define ALOFT_VIRTUAL_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "aloft/attr.h"
#include "aloft/port.h"
#include "host/error.h"

/* An address and a port as the system takes them, and their way to and from struct aloft_addr. */

#define ENDPOINT_TEXT_BYTES (INET6_ADDRSTRLEN + sizeof "[]:65535") /**< Of endpoint_format(). */

struct endpoint {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } u;
    socklen_t len;
};

void endpoint_set(struct endpoint *endpoint, const struct aloft_addr *addr, uint16_t port);

/** An IPv4 address carried by an IPv6 socket (RFC 4291 2.5.5.2) counts as the IPv4 address. */
void endpoint_get(const struct endpoint *endpoint, struct aloft_addr *ret_addr, uint16_t *ret_port);

uint16_t endpoint_port(const struct endpoint *endpoint);
void endpoint_set_port(struct endpoint *endpoint, uint16_t port);

/** As an IPv6 socket for both families wants it. */
void endpoint_to_v6(struct endpoint *endpoint);

/** `1.2.3.4:80` or `[::1]:80`; `out` has ENDPOINT_TEXT_BYTES. */
void endpoint_format(const struct endpoint *endpoint, char *out);

/** The end of a socket on this side. @return False: the system does not tell. */
bool endpoint_of_socket(int fd, struct endpoint *ret_endpoint);

/** IPv4 or IPv6 without brackets. @return False: it is none. */
bool endpoint_parse_literal(const char *text, struct aloft_addr *ret_addr);

/**
 * Look a host up, which may take a moment; of several addresses the first IPv4 one, else the first.
 *
 * @retval ALOFT_ERR_RESOLVE It has none; the sentence names it.
 */
ALOFT_MUST_CHECK
enum aloft_err endpoint_look_up(const char *host, uint16_t port, struct endpoint *ret_endpoint,
                                struct error *e);

bool endpoint_is_same_addr(const struct aloft_addr *a, const struct aloft_addr *b);

#endif
