/* SPDX-License-Identifier: Apache-2.0 */
#include "host/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/auto.h"

#define PORT_MAX 65535

static enum aloft_err parse_port(const char *text, const char *whole, uint16_t *ret_port,
                                 struct error *e)
{
    char *end;
    long port = strtol(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || port > PORT_MAX) {
        return fail(e, ALOFT_ERR_SYNTAX, "'%s': the port must be a number from 0 to 65535", whole);
    }
    *ret_port = (uint16_t)port;
    return ALOFT_ERR_OK;
}

enum aloft_err address_parse(const char *text, int default_port, struct address *ret_address,
                             struct error *e)
{
    const char *host = text;
    const char *colon = strrchr(text, ':');
    size_t host_len = colon ? (size_t)(colon - text) : strlen(text);

    if (*text == '[') {
        const char *bracket = strchr(text, ']');
        if (!bracket || (bracket[1] != ':' && bracket[1] != '\0')) {
            return fail(e, ALOFT_ERR_SYNTAX, "'%s' is not [ADDRESS]:PORT", text);
        }
        host = text + 1;
        host_len = (size_t)(bracket - host);
        colon = bracket[1] == ':' ? bracket + 1 : NULL;
    }
    if (host_len >= sizeof ret_address->host) {
        return fail(e, ALOFT_ERR_SYNTAX, "'%s': the host name is too long", text);
    }
    if (!colon && default_port < 0) {
        return fail(e, ALOFT_ERR_SYNTAX, "'%s' is not HOST:PORT", text);
    }
    uint16_t port = (uint16_t)(default_port > 0 ? default_port : 0);
    if (colon) {
        enum aloft_err err = parse_port(colon + 1, text, &port, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    memcpy(ret_address->host, host, host_len);
    ret_address->host[host_len] = '\0';
    ret_address->port = port;
    return ALOFT_ERR_OK;
}

static int listen_on(const struct addrinfo *ai, bool reuse_port)
{
    int one = 1;
    AUTO_FD int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0) {
        return -1;
    }
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
        return -1;
    }
    return STEAL_FD(fd);
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;

    if (getsockname(fd, (struct sockaddr *)&a, &len) != 0) {
        return 0;
    }
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                         : ((struct sockaddr_in *)&a)->sin_port);
}

enum aloft_err address_listen(const struct address *address, bool reuse_port, int *ret_fd,
                              uint16_t *ret_port, struct error *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char service[8];

    (void)snprintf(service, sizeof service, "%u", address->port);
    int rc = getaddrinfo(address->host[0] ? address->host : NULL, service, &hints, &list);
    if (rc != 0) {
        return fail(e, ALOFT_ERR_RESOLVE, "cannot listen on %s:%u: %s", address->host,
                    address->port, gai_strerror(rc));
    }
    int fd = listen_on(list, reuse_port);
    freeaddrinfo(list);
    if (fd < 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot listen on %s:%u%s", address->host, address->port,
                          errno == EADDRINUSE
                              ? ", where another program listens: end it, or choose another port"
                              : "");
    }
    *ret_fd = fd;
    *ret_port = bound_port(fd);
    return ALOFT_ERR_OK;
}

void address_format(const uint8_t *bytes, bool is_v6, uint16_t port, char *out, size_t cap)
{
    char host[INET6_ADDRSTRLEN] = "?";

    (void)inet_ntop(is_v6 ? AF_INET6 : AF_INET, bytes, host, sizeof host); /* It fits. */
    (void)snprintf(out, cap, is_v6 ? "[%s]:%u" : "%s:%u", host, port);
}
