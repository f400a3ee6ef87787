/* SPDX-License-Identifier: Apache-2.0 */

/* What the module asks for, and where it really is. */

#include "process/net_private.h"

#include <string.h>
#include <strings.h>

#define MAP_TEXT_BYTES  (2 * ADDRESS_HOST_BYTES)
#define IPV4_BYTES      4
#define STAND_IN_PREFIX 198, 18, 0 /* RFC 2544 */

static const struct aloft_addr broadcast = {IPV4_BYTES, {255, 255, 255, 255}};

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

const struct mapping *net_map_of_name(const struct net *net, const char *host)
{
    for (size_t i = 0; i < net->n_maps; i++) {
        const struct mapping *m = &net->maps[i];
        if (!m->is_own && strcasecmp(m->text.from.host, host) == 0) {
            return m;
        }
    }
    return NULL;
}

enum aloft_err net_map_add(struct net *net, const struct net_map *map, struct error *e)
{
    struct mapping *m = &net->maps[net->n_maps];
    const struct mapping *same_host = net_map_of_name(net, map->from.host);
    struct error why = {0};

    m->text = *map;
    m->is_own = strcasecmp(map->from.host, NET_OWN) == 0;
    if (same_host) {
        m->asked = same_host->asked;
    } else if (!endpoint_parse_literal(map->from.host, &m->asked)) {
        m->asked = (struct aloft_addr){IPV4_BYTES, {STAND_IN_PREFIX, (uint8_t)(net->n_maps + 1)}};
    }
    enum aloft_err err = endpoint_look_up(map->to.host, map->to.port, &m->to, &why);
    if (err != ALOFT_ERR_OK) {
        return fail(e, err, "--net-map: %s", why.sentence);
    }
    net->n_maps++;
    return ALOFT_ERR_OK;
}

/* A stand-in address whose port is not mapped leads nowhere; on a real network it might. */
static bool is_stand_in(const struct aloft_addr *addr)
{
    static const uint8_t prefix[] = {STAND_IN_PREFIX};

    return addr->len == IPV4_BYTES && memcmp(addr->bytes, prefix, sizeof prefix) == 0;
}

bool net_map_out(const struct net *net, const struct aloft_addr *addr, uint16_t port,
                 struct endpoint *ret_to)
{
    for (size_t i = 0; i < net->n_maps; i++) {
        const struct mapping *m = &net->maps[i];
        if (!m->is_own && m->text.from.port == port && endpoint_is_same_addr(&m->asked, addr)) {
            *ret_to = m->to;
            return true;
        }
    }
    endpoint_set(ret_to, addr, port);
    return !is_stand_in(addr);
}

void net_map_host(const struct net *net, const struct aloft_addr *addr, struct aloft_addr *ret_to)
{
    uint16_t ignored;

    *ret_to = *addr;
    for (size_t i = 0; i < net->n_maps; i++) {
        const struct mapping *m = &net->maps[i];
        if (!m->is_own && endpoint_is_same_addr(&m->asked, addr)) {
            endpoint_get(&m->to, ret_to, &ignored);
            return;
        }
    }
}

void net_map_in(const struct net *net, const struct endpoint *from, struct aloft_addr *ret_addr,
                uint16_t *ret_port)
{
    struct aloft_addr to;
    uint16_t to_port;

    endpoint_get(from, ret_addr, ret_port);
    for (size_t i = 0; i < net->n_maps; i++) {
        const struct mapping *m = &net->maps[i];
        endpoint_get(&m->to, &to, &to_port);
        if (!m->is_own && to_port == *ret_port && endpoint_is_same_addr(&to, ret_addr) &&
            !endpoint_is_same_addr(&m->asked, &broadcast)) {
            *ret_addr = m->asked;
            *ret_port = m->text.from.port;
            return;
        }
    }
}

const struct endpoint *net_map_own(const struct net *net, uint16_t port)
{
    for (size_t i = 0; i < net->n_maps; i++) {
        const struct mapping *m = &net->maps[i];
        if (m->is_own && m->text.from.port == port) {
            return &m->to;
        }
    }
    return NULL;
}
