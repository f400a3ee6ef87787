/* SPDX-License-Identifier: Apache-2.0 */
#include "web/portal.h"

#include "aloft/limits.h"
#include "aloft/module.h"

#include "web/dns.h"

#define DNS_PORT    53
#define QUERY_BYTES 512 /* Of the largest query answered: RFC 1035 2.3.4. */

/* Queries of one step: browsers ask for a few names at once. */
#define QUERIES_MAX 8

enum aloft_err aloft_portal_start(struct aloft_module *m)
{
    const struct aloft_port_net *net = &m->port->net;

    if (!m->config.has_portal) {
        return ALOFT_ERR_OK;
    }
    if (net->udp_open == NULL || net->udp_send == NULL || net->udp_receive == NULL) {
        return ALOFT_ERR_UNSUPPORTED;
    }
    enum aloft_err err = net->udp_open(m->port->ctx, NULL, DNS_PORT, &m->web->dns);
    m->web->dns = err == ALOFT_ERR_OK ? m->web->dns : -1;
    return err;
}

void aloft_portal_stop(struct aloft_module *m)
{
    m->port->net.close(m->port->ctx, m->web->dns);
    m->web->dns = -1;
}

/* False: no query waits. */
static bool answer_one(struct aloft_module *m)
{
    const struct aloft_port_net *net = &m->port->net;
    struct aloft_ip_config soft_ap;
    struct aloft_addr from;
    uint16_t port = 0;
    size_t len = 0;
    uint8_t packet[QUERY_BYTES];

    if (net->udp_receive(m->port->ctx, m->web->dns, packet, sizeof packet, &len, &from, &port) !=
        ALOFT_ERR_OK) {
        return false;
    }
    m->port->wifi.ap_ip(m->port->ctx, &soft_ap);
    len = aloft_dns_answer(packet, len, soft_ap.ip);
    if (len > 0) {
        /* One that is lost is asked again. */
        (void)net->udp_send(m->port->ctx, m->web->dns, &from, port, packet, len);
    }
    return true;
}

uint32_t aloft_portal_step(struct aloft_module *m)
{
    uint8_t n = 0;

    while (m->web->dns >= 0 && n < QUERIES_MAX && answer_one(m)) {
        n++;
    }
    return n < QUERIES_MAX ? UINT32_MAX : 0;
}

enum aloft_answer aloft_portal_replace(const struct aloft_module *m, enum aloft_answer answer)
{
    bool is_lost = answer == ALOFT_ANSWER_NOT_FOUND || answer == ALOFT_ANSWER_METHOD ||
                   answer == ALOFT_ANSWER_TARGET_LONG;

    return m->config.has_portal && is_lost ? ALOFT_ANSWER_PORTAL : answer;
}

void aloft_portal_write_location(const struct aloft_module *m, struct aloft_out *out)
{
    struct aloft_ip_config soft_ap;

    m->port->wifi.ap_ip(m->port->ctx, &soft_ap);
    aloft_out_add(out, "Location: http://");
    aloft_out_add_ipv4(out, soft_ap.ip);
    if (m->web->port != ALOFT_PORT_HTTP) {
        aloft_out_add(out, ":");
        aloft_out_add_uint(out, m->web->port);
    }
    aloft_out_add(out, "/\r\n");
}
