/* SPDX-License-Identifier: Apache-2.0 */
#include "command/wifi.h"

#include <string.h>

#include "at/engine.h"
#include "at/params.h"
#include "command/basic.h"
#include "command/families.h"
#include "command/wifi_link.h"

/* Addresses of the two interfaces (facts/at-commands.md 4). The DHCP server of the soft-AP runs
 * always; the DHCP client of the station gives way to a static address. */

#define IP_BYTES        4
#define MULTICAST_FIRST 224 /* First byte: no host's address from here on. */
#define DHCP_STATION    1   /* Bits of AT+CWDHCP. */
#define DHCP_SOFT_AP    2

static void print_address(struct aloft_module *m, const char *name, const char *part,
                          const uint8_t *ip)
{
    aloft_at_print(m, name);
    aloft_at_print(m, part);
    aloft_at_print(m, "\"");
    aloft_at_print_ipv4(m, ip);
    aloft_at_print(m, "\"\r\n");
}

static void print_config(struct aloft_module *m, const char *name, const uint8_t *ip,
                         const uint8_t *gateway, const uint8_t *netmask)
{
    print_address(m, name, "ip:", ip);
    print_address(m, name, "gateway:", gateway);
    print_address(m, name, "netmask:", netmask);
}

static enum aloft_reply query_cipsta(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_wifi_status status;

    (void)params;
    m->port->wifi.status(m->port->ctx, &status);
    print_config(m, "+CIPSTA:", status.ip, status.gateway, status.netmask);
    return ALOFT_REPLY_OK;
}

static enum aloft_reply query_cipap(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_ip_config ap;

    (void)params;
    m->port->wifi.ap_ip(m->port->ctx, &ap);
    print_config(m, "+CIPAP:", ap.ip, ap.gateway, ap.netmask);
    return ALOFT_REPLY_OK;
}

/* Ones, then zeros; neither no net nor a net of one address. */
static bool is_netmask(const uint8_t *mask)
{
    uint32_t bits =
        (uint32_t)mask[0] << 24 | (uint32_t)mask[1] << 16 | (uint32_t)mask[2] << 8 | mask[3];
    uint32_t hosts = ~bits;

    return bits != 0 && hosts != 0 && (hosts & (hosts + 1)) == 0;
}

static bool is_host(const uint8_t *ip)
{
    return ip[0] != 0 && ip[0] < MULTICAST_FIRST;
}

static bool is_same_net(const struct aloft_ip_config *config)
{
    for (size_t i = 0; i < IP_BYTES; i++) {
        if (((config->ip[i] ^ config->gateway[i]) & config->netmask[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* `"<ip>"[,"<gateway>","<netmask>"]`. Without the two: a net of 254 addresses whose gateway is the
 * first, or the interface itself if it is one. */
static bool parse_config(struct aloft_module *m, const struct aloft_params *params, bool is_gateway,
                         struct aloft_ip_config *ret_config)
{
    if (params->count == 2 || !aloft_params_check_count(m, params, 1, 3) ||
        !aloft_params_get_ipv4(m, params, 0, ret_config->ip)) {
        return false;
    }
    if (params->count == 1) {
        memcpy(ret_config->gateway, ret_config->ip, IP_BYTES);
        ret_config->gateway[3] = is_gateway ? ret_config->ip[3] : 1;
        memcpy(ret_config->netmask, (const uint8_t[]){255, 255, 255, 0}, IP_BYTES);
    } else if (!aloft_params_get_ipv4(m, params, 1, ret_config->gateway) ||
               !aloft_params_get_ipv4(m, params, 2, ret_config->netmask)) {
        return false;
    }
    if (!is_host(ret_config->ip) || !is_netmask(ret_config->netmask) || !is_same_net(ret_config)) {
        (void)aloft_at_fail(m, ALOFT_AT_FAIL_INVALID, 0);
        return false;
    }
    return true;
}

/* @param config  NULL: DHCP. */
static enum aloft_reply apply_station_ip(struct aloft_module *m,
                                         const struct aloft_ip_config *config)
{
    if (m->port->wifi.set_station_ip(m->port->ctx, config) != ALOFT_ERR_OK) {
        return ALOFT_REPLY_ERROR;
    }
    m->wifi.has_station_ip = config != NULL;
    if (config != NULL) {
        m->wifi.station_ip = *config;
    }
    if (aloft_basic_has_store(m)) {
        aloft_wifi_save_station_ip(m);
    }
    return ALOFT_REPLY_OK;
}

static enum aloft_reply set_cipsta(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_ip_config config;

    if (!parse_config(m, params, false, &config) || !aloft_wifi_has_station(m)) {
        return ALOFT_REPLY_ERROR;
    }
    return apply_station_ip(m, &config);
}

static enum aloft_reply set_cipap(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_ip_config config;

    if (!parse_config(m, params, true, &config) || !aloft_wifi_has_soft_ap(m) ||
        m->port->wifi.set_ap_ip(m->port->ctx, &config) != ALOFT_ERR_OK) {
        return ALOFT_REPLY_ERROR;
    }
    if (aloft_basic_has_store(m)) {
        aloft_wifi_save_ap_ip(m);
    }
    return ALOFT_REPLY_OK;
}

static enum aloft_reply query_cwdhcp(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    aloft_at_print(m, "+CWDHCP:");
    aloft_at_print_int(m, DHCP_SOFT_AP | (m->wifi.has_station_ip ? 0 : DHCP_STATION));
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

/* Without DHCP the station keeps the address it has; without one it gets none until AT+CIPSTA. */
static enum aloft_reply stop_station_dhcp(struct aloft_module *m)
{
    struct aloft_ip_config config = m->wifi.station_ip;
    struct aloft_wifi_status status;

    m->port->wifi.status(m->port->ctx, &status);
    if (status.state == ALOFT_WIFI_GOT_IP) {
        memcpy(config.ip, status.ip, IP_BYTES);
        memcpy(config.gateway, status.gateway, IP_BYTES);
        memcpy(config.netmask, status.netmask, IP_BYTES);
    }
    return apply_station_ip(m, &config);
}

static enum aloft_reply set_cwdhcp(struct aloft_module *m, const struct aloft_params *params)
{
    const struct aloft_int_range zero_or_one = {0, 1};
    const struct aloft_int_range interfaces = {1, DHCP_STATION | DHCP_SOFT_AP};
    int32_t is_on;
    int32_t which;

    if (!aloft_params_check_count(m, params, 2, 2) ||
        !aloft_params_get_int(m, params, 0, &zero_or_one, &is_on) ||
        !aloft_params_get_int(m, params, 1, &interfaces, &which) ||
        (is_on == 0 && (which & DHCP_SOFT_AP) != 0)) { /* The soft-AP's is not to be stopped. */
        return ALOFT_REPLY_ERROR;
    }
    if ((which & DHCP_STATION) == 0) {
        return ALOFT_REPLY_OK;
    }
    return is_on == 1 ? apply_station_ip(m, NULL) : stop_station_dhcp(m);
}

static void print_interface(struct aloft_module *m, const char *name, const uint8_t *ip,
                            const uint8_t *mac)
{
    aloft_at_print(m, "+CIFSR:");
    print_address(m, name, "IP,", ip);
    aloft_at_print(m, "+CIFSR:");
    aloft_at_print(m, name);
    aloft_at_print(m, "MAC,\"");
    aloft_at_print_mac(m, mac);
    aloft_at_print(m, "\"\r\n");
}

static enum aloft_reply execute_cifsr(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_wifi_status status;
    struct aloft_ip_config ap;
    uint8_t mac[6];

    (void)params;
    if (aloft_wifi_has_soft_ap(m)) {
        m->port->wifi.ap_ip(m->port->ctx, &ap);
        m->port->wifi.ap_mac(m->port->ctx, mac);
        print_interface(m, "AP", ap.ip, mac);
    }
    if (aloft_wifi_has_station(m)) {
        m->port->wifi.status(m->port->ctx, &status);
        m->port->wifi.station_mac(m->port->ctx, mac);
        print_interface(m, "STA", status.ip, mac);
    }
    return ALOFT_REPLY_OK;
}

/* clang-format off */
static const struct aloft_command commands[] = {
    /* name      test  query         set         execute */
    {"+CIPSTA",  NULL, query_cipsta, set_cipsta, NULL},
    {"+CIPAP",   NULL, query_cipap,  set_cipap,  NULL},
    {"+CWDHCP",  NULL, query_cwdhcp, set_cwdhcp, NULL},
    {"+CIFSR",   NULL, NULL,         NULL,       execute_cifsr},
};
/* clang-format on */

const struct aloft_family aloft_wifi_ip_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .init = aloft_wifi_load_ip,
};
