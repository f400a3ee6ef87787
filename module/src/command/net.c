/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

#include <string.h>

#include "aloft/module.h"

#include "at/engine.h"
#include "at/params.h"
#include "command/basic.h"
#include "log.h"
#include "text.h"

/* Names and addresses (facts/at-commands.md 4). The library has no connections of the host MCU's
 * (no AT+CIPSTART), so AT+CIPMUX is only remembered and never finds one in its way. */

#define HOST_MAX   ALOFT_CONFIG_LINE_BYTES
#define RESOLVE_MS 20000 /* The port gives up earlier; this ends one that does not. */
#define POLL_MS    50    /* The port need not wake the module for an echo. */
#define IPV4_BYTES 4
#define IPV6_CHARS 40

enum phase {
    IDLE,
    RESOLVE,
    PING,
};

/* AT+CIPDOMAIN's second parameter, by the vendor's manual. */
enum {
    PREFER_IPV4 = 1,
    IPV4_ONLY = 2,
    IPV6_ONLY = 3,
};

static const char key_dns[] = "net.dns";

/* The vendor's manual names them for AT+CIPDNS=1 without servers. */
static const uint8_t default_dns[][IPV4_BYTES] = {{208, 67, 222, 222}, {8, 8, 8, 8}};

static const struct aloft_int_range zero_or_one = {0, 1};

static enum aloft_reply query_cipmux(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    aloft_at_print(m, m->net.is_mux ? "+CIPMUX:1\r\n" : "+CIPMUX:0\r\n");
    return ALOFT_REPLY_OK;
}

static enum aloft_reply set_cipmux(struct aloft_module *m, const struct aloft_params *params)
{
    int32_t is_mux;

    if (!aloft_params_check_count(m, params, 1, 1) ||
        !aloft_params_get_int(m, params, 0, &zero_or_one, &is_mux)) {
        return ALOFT_REPLY_ERROR;
    }
    m->net.is_mux = is_mux == 1;
    return ALOFT_REPLY_OK;
}

static enum aloft_err use_dns(struct aloft_module *m, uint8_t (*dns)[IPV4_BYTES], uint8_t n)
{
    struct aloft_addr servers[ALOFT_DNS_SERVERS];

    for (uint8_t i = 0; i < n; i++) {
        servers[i].len = IPV4_BYTES;
        memcpy(servers[i].bytes, dns[i], IPV4_BYTES);
    }
    return m->port->net.set_dns(m->port->ctx, servers, n);
}

static void save_dns(struct aloft_module *m)
{
    const struct aloft_port_settings *settings = &m->port->settings;
    const struct aloft_net_state *s = &m->net;
    enum aloft_err err =
        s->n_dns > 0 ? settings->set(m->port->ctx, key_dns, s->dns, (size_t)s->n_dns * IPV4_BYTES)
                     : settings->remove(m->port->ctx, key_dns);

    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "settings.store_failed", err);
    }
}

static bool has_dns(uint8_t (*dns)[IPV4_BYTES], uint8_t n, const uint8_t *server)
{
    for (uint8_t i = 0; i < n; i++) {
        if (memcmp(dns[i], server, IPV4_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

/* The servers behind the switch, each another one; `*ret_n` 0 if none stands there. */
static bool get_dns(struct aloft_module *m, const struct aloft_params *params,
                    uint8_t (*ret_dns)[IPV4_BYTES], uint8_t *ret_n)
{
    uint8_t server[IPV4_BYTES];

    *ret_n = 0;
    for (uint8_t i = 1; i < params->count; i++) {
        if (!aloft_params_has(params, i)) {
            continue;
        }
        if (!aloft_params_get_ipv4(m, params, i, server)) {
            return false;
        }
        if (has_dns(ret_dns, *ret_n, server)) {
            (void)aloft_at_fail(m, ALOFT_AT_FAIL_INVALID, i);
            return false;
        }
        memcpy(ret_dns[(*ret_n)++], server, IPV4_BYTES);
    }
    return true;
}

static enum aloft_reply set_cipdns(struct aloft_module *m, const struct aloft_params *params)
{
    uint8_t dns[ALOFT_DNS_SERVERS][IPV4_BYTES];
    uint8_t n = 0;
    int32_t is_manual;

    if (m->port->net.set_dns == NULL ||
        !aloft_params_check_count(m, params, 1, 1 + ALOFT_DNS_SERVERS) ||
        !aloft_params_get_int(m, params, 0, &zero_or_one, &is_manual) ||
        !get_dns(m, params, dns, &n)) {
        return ALOFT_REPLY_ERROR;
    }
    if (is_manual == 0) {
        n = 0; /* The vendor's manual: servers count only with 1. */
    } else if (n == 0) {
        memcpy(dns, default_dns, sizeof default_dns);
        n = sizeof default_dns / sizeof default_dns[0];
    }
    if (use_dns(m, dns, n) != ALOFT_ERR_OK) {
        return ALOFT_REPLY_ERROR;
    }
    memcpy(m->net.dns, dns, (size_t)n * IPV4_BYTES);
    m->net.n_dns = n;
    if (aloft_basic_has_store(m)) {
        save_dns(m);
    }
    return ALOFT_REPLY_OK;
}

/* Facts leave open which servers are printed with 0: none, because only the port knows them. */
static enum aloft_reply query_cipdns(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    aloft_at_print(m, m->net.n_dns > 0 ? "+CIPDNS:1" : "+CIPDNS:0");
    for (uint8_t i = 0; i < m->net.n_dns; i++) {
        aloft_at_print(m, ",\"");
        aloft_at_print_ipv4(m, m->net.dns[i]);
        aloft_at_print(m, "\"");
    }
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static enum aloft_reply begin(struct aloft_module *m, const struct aloft_params *params,
                              bool is_pinging)
{
    const char *host;

    if (!aloft_params_get_text(m, params, 0, HOST_MAX, &host)) {
        return ALOFT_REPLY_ERROR;
    }
    if (host[0] == '\0') {
        return aloft_at_fail(m, ALOFT_AT_FAIL_LENGTH, 0);
    }
    m->net.host = host;
    m->net.is_pinging = is_pinging;
    m->net.phase = RESOLVE;
    m->net.deadline_ms = m->now_ms + RESOLVE_MS;
    return ALOFT_REPLY_LATER;
}

static enum aloft_reply set_cipdomain(struct aloft_module *m, const struct aloft_params *params)
{
    static const struct aloft_int_range networks = {PREFER_IPV4, IPV6_ONLY};
    int32_t network = PREFER_IPV4;

    if (!aloft_params_check_count(m, params, 1, 2) ||
        (aloft_params_has(params, 1) && !aloft_params_get_int(m, params, 1, &networks, &network))) {
        return ALOFT_REPLY_ERROR;
    }
    m->net.network = (uint8_t)network;
    return begin(m, params, false);
}

static enum aloft_reply set_ping(struct aloft_module *m, const struct aloft_params *params)
{
    if (m->port->net.ping == NULL || !aloft_params_check_count(m, params, 1, 1)) {
        return ALOFT_REPLY_ERROR;
    }
    m->net.network = PREFER_IPV4;
    return begin(m, params, true);
}

static uint32_t finish(struct aloft_module *m, enum aloft_reply reply)
{
    m->net.phase = IDLE;
    aloft_at_finish(m, reply);
    return 0;
}

/* A name nobody knows times out too, says the vendor's manual. */
static uint32_t fail_ping(struct aloft_module *m)
{
    aloft_at_print(m, "+PING:TIMEOUT\r\n");
    return finish(m, ALOFT_REPLY_ERROR);
}

static const struct aloft_addr *find_family(const struct aloft_addrs *addrs, bool is_ipv4)
{
    for (uint8_t i = 0; i < addrs->n; i++) {
        if ((addrs->items[i].len == IPV4_BYTES) == is_ipv4) {
            return &addrs->items[i];
        }
    }
    return NULL;
}

static const struct aloft_addr *choose(const struct aloft_addrs *addrs, uint8_t network)
{
    const struct aloft_addr *found =
        network != IPV6_ONLY ? find_family(addrs, true) : find_family(addrs, false);

    return found == NULL && network == PREFER_IPV4 ? find_family(addrs, false) : found;
}

static uint32_t end_look_up(struct aloft_module *m, const struct aloft_addr *addr)
{
    char buf[IPV6_CHARS];
    struct aloft_text t;

    if (addr != NULL && m->net.is_pinging) {
        m->net.addr = *addr;
        m->net.phase = PING;
        return 0;
    }
    if (addr == NULL) {
        return m->net.is_pinging ? fail_ping(m) : finish(m, ALOFT_REPLY_ERROR);
    }
    aloft_text_init(&t, buf, sizeof buf);
    if (addr->len == IPV4_BYTES) {
        aloft_text_add_ipv4(&t, addr->bytes);
    } else {
        aloft_text_add_ipv6(&t, addr->bytes);
    }
    aloft_at_print(m, "+CIPDOMAIN:\"");
    aloft_at_print(m, buf);
    aloft_at_print(m, "\"\r\n");
    return finish(m, ALOFT_REPLY_OK);
}

static uint32_t step_resolve(struct aloft_module *m)
{
    struct aloft_addrs addrs;
    enum aloft_err err = m->port->net.resolve(m->port->ctx, m->net.host, &addrs);

    if (err == ALOFT_ERR_AGAIN && m->now_ms < m->net.deadline_ms) {
        return POLL_MS;
    }
    return end_look_up(m, err == ALOFT_ERR_OK ? choose(&addrs, m->net.network) : NULL);
}

static uint32_t step_ping(struct aloft_module *m)
{
    uint32_t ms;
    enum aloft_err err = m->port->net.ping(m->port->ctx, &m->net.addr, &ms);

    if (err == ALOFT_ERR_AGAIN) {
        return POLL_MS;
    }
    if (err != ALOFT_ERR_OK) {
        return fail_ping(m);
    }
    aloft_at_print(m, "+PING:");
    aloft_at_print_uint(m, ms);
    aloft_at_print(m, "\r\n");
    return finish(m, ALOFT_REPLY_OK);
}

static uint32_t step(struct aloft_module *m)
{
    uint32_t wait_ms = UINT32_MAX;

    if (m->net.phase == RESOLVE) {
        wait_ms = step_resolve(m);
    }
    if (m->net.phase == PING) {
        wait_ms = step_ping(m);
    }
    return wait_ms;
}

/* What lies there in another shape counts as nothing. */
static void init(struct aloft_module *m)
{
    uint8_t dns[ALOFT_DNS_SERVERS][IPV4_BYTES];
    size_t len = sizeof dns;
    enum aloft_err err = m->port->settings.get(m->port->ctx, key_dns, dns, &len);
    uint8_t n = (uint8_t)(len / IPV4_BYTES);

    if (err == ALOFT_ERR_OK && n > 0 && len % IPV4_BYTES == 0 && m->port->net.set_dns != NULL &&
        use_dns(m, dns, n) == ALOFT_ERR_OK) {
        memcpy(m->net.dns, dns, len);
        m->net.n_dns = n;
    }
}

/* clang-format off */
static const struct aloft_command commands[] = {
    {"+CIPMUX",    NULL, query_cipmux, set_cipmux,    NULL},
    {"+CIPDNS",    NULL, query_cipdns, set_cipdns,    NULL},
    {"+CIPDOMAIN", NULL, NULL,         set_cipdomain, NULL},
    {"+PING",      NULL, NULL,         set_ping,      NULL},
};
/* clang-format on */

const struct aloft_family aloft_net_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .init = init,
    .step = step,
};
