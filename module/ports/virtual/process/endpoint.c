/* SPDX-License-Identifier: Apache-2.0 */
#include "process/endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include "host/address.h"

#define IPV4_BYTES 4
#define IPV6_BYTES 16

/* ::ffff:0:0/96, RFC 4291 2.5.5.2 */
static const uint8_t mapped_prefix[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

void endpoint_set(struct endpoint *p, const struct aloft_addr *addr, uint16_t port)
{
    memset(p, 0, sizeof *p);
    if (addr->len == IPV4_BYTES) {
        p->u.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&p->u.v4.sin_addr, addr->bytes, IPV4_BYTES);
        p->len = sizeof p->u.v4;
    } else {
        p->u.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
        memcpy(&p->u.v6.sin6_addr, addr->bytes, IPV6_BYTES);
        p->len = sizeof p->u.v6;
    }
}

void endpoint_get(const struct endpoint *p, struct aloft_addr *ret_addr, uint16_t *ret_port)
{
    const uint8_t *v6 = p->u.v6.sin6_addr.s6_addr;

    *ret_addr = (struct aloft_addr){.len = IPV4_BYTES};
    if (p->u.any.sa_family == AF_INET) {
        memcpy(ret_addr->bytes, &p->u.v4.sin_addr, IPV4_BYTES);
    } else if (memcmp(v6, mapped_prefix, sizeof mapped_prefix) == 0) {
        memcpy(ret_addr->bytes, v6 + sizeof mapped_prefix, IPV4_BYTES);
    } else {
        ret_addr->len = IPV6_BYTES;
        memcpy(ret_addr->bytes, v6, IPV6_BYTES);
    }
    *ret_port = endpoint_port(p);
}

uint16_t endpoint_port(const struct endpoint *p)
{
    return ntohs(p->u.any.sa_family == AF_INET ? p->u.v4.sin_port : p->u.v6.sin6_port);
}

void endpoint_set_port(struct endpoint *p, uint16_t port)
{
    if (p->u.any.sa_family == AF_INET) {
        p->u.v4.sin_port = htons(port);
    } else {
        p->u.v6.sin6_port = htons(port);
    }
}

void endpoint_to_v6(struct endpoint *p)
{
    struct aloft_addr mapped = {.len = IPV6_BYTES};

    if (p->u.any.sa_family == AF_INET) {
        memcpy(mapped.bytes, mapped_prefix, sizeof mapped_prefix);
        memcpy(mapped.bytes + sizeof mapped_prefix, &p->u.v4.sin_addr, IPV4_BYTES);
        endpoint_set(p, &mapped, endpoint_port(p));
    }
}

void endpoint_format(const struct endpoint *p, char *out)
{
    bool is_v6 = p->u.any.sa_family == AF_INET6;
    const void *bytes = is_v6 ? (const void *)&p->u.v6.sin6_addr : &p->u.v4.sin_addr;

    address_format(bytes, is_v6, endpoint_port(p), out, ENDPOINT_TEXT_BYTES);
}

bool endpoint_of_socket(int fd, struct endpoint *ret_endpoint)
{
    ret_endpoint->len = sizeof ret_endpoint->u;
    return getsockname(fd, &ret_endpoint->u.any, &ret_endpoint->len) == 0;
}

bool endpoint_parse_literal(const char *text, struct aloft_addr *ret_addr)
{
    struct aloft_addr addr = {.len = IPV4_BYTES};

    if (inet_pton(AF_INET, text, addr.bytes) != 1) {
        addr.len = IPV6_BYTES;
        if (inet_pton(AF_INET6, text, addr.bytes) != 1) {
            return false;
        }
    }
    *ret_addr = addr;
    return true;
}

enum aloft_err endpoint_look_up(const char *host, uint16_t port, struct endpoint *ret_endpoint,
                                struct error *e)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(host, NULL, &hints, &list);

    if (rc != 0) {
        return fail(e, ALOFT_ERR_RESOLVE, "'%s' has no address (%s)", host, gai_strerror(rc));
    }
    const struct addrinfo *best = list;
    while (best && best->ai_family != AF_INET) {
        best = best->ai_next;
    }
    best = best ? best : list;
    memset(ret_endpoint, 0, sizeof *ret_endpoint);
    memcpy(&ret_endpoint->u, best->ai_addr, best->ai_addrlen);
    ret_endpoint->len = best->ai_addrlen;
    endpoint_set_port(ret_endpoint, port);
    freeaddrinfo(list);
    return ALOFT_ERR_OK;
}

bool endpoint_is_same_addr(const struct aloft_addr *a, const struct aloft_addr *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}
