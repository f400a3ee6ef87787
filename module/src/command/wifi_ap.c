/* SPDX-License-Identifier: Apache-2.0 */
#include "command/wifi.h"

#include <string.h>

#include "at/engine.h"
#include "at/message.h"
#include "at/params.h"
#include "command/basic.h"
#include "command/families.h"
#include "command/wifi_link.h"
#include "log.h"
#include "text.h"

/* The module's own access point: AT+CWSAP, and what the host is told about its clients
 * (facts/at-commands.md 1.8, 4). */

#define CHANNEL_MAX          14
#define PASSWORD_MIN         8
#define DEFAULT_CHANNEL      1
#define DEFAULT_MAX_STATIONS 4 /* Seen on stock modules. */
#define POLL_MS              250
#define MAC_BYTES            6
#define IP_BYTES             4

/* Parameters of AT+CWSAP. */
enum {
    SAP_SSID,
    SAP_PASSWORD,
    SAP_NUMBERS, /* The first of four numbers. */
    SAP_MIN = SAP_NUMBERS + 2,
    SAP_N_NUMBERS = 4,
    SAP_MAX = SAP_NUMBERS + SAP_N_NUMBERS,
    SAP_AUTH = SAP_NUMBERS + 1,
};

static const struct aloft_int_range sap_ranges[SAP_N_NUMBERS] = {
    {1, CHANNEL_MAX},                       /* channel */
    {ALOFT_WIFI_OPEN, ALOFT_WIFI_WPA_WPA2}, /* authentication; no WEP */
    {1, ALOFT_WIFI_CLIENTS},                /* most stations */
    {0, 1},                                 /* hidden */
};

static enum aloft_reply query_cwsap(struct aloft_module *m, const struct aloft_params *params)
{
    const struct aloft_soft_ap *soft_ap = &m->wifi.soft_ap;
    const int32_t numbers[SAP_N_NUMBERS] = {soft_ap->channel, soft_ap->auth, soft_ap->max_stations,
                                            soft_ap->is_hidden ? 1 : 0};

    (void)params;
    if (!aloft_wifi_has_soft_ap(m)) {
        return ALOFT_REPLY_ERROR;
    }
    aloft_at_print(m, "+CWSAP:");
    aloft_at_print_quoted(m, soft_ap->ssid);
    aloft_at_print(m, ",");
    aloft_at_print_quoted(m, soft_ap->password);
    for (size_t i = 0; i < SAP_N_NUMBERS; i++) {
        aloft_at_print(m, ",");
        aloft_at_print_int(m, numbers[i]);
    }
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static bool parse_numbers(struct aloft_module *m, const struct aloft_params *params,
                          struct aloft_soft_ap *ret_soft_ap)
{
    int32_t numbers[SAP_N_NUMBERS] = {0, 0, DEFAULT_MAX_STATIONS, 0};

    for (uint8_t i = 0; i < SAP_N_NUMBERS; i++) {
        uint8_t index = (uint8_t)(SAP_NUMBERS + i);
        bool is_left_out = index >= SAP_MIN && !aloft_params_has(params, index);
        if (!is_left_out && !aloft_params_get_int(m, params, index, &sap_ranges[i], &numbers[i])) {
            return false;
        }
    }
    ret_soft_ap->channel = (uint8_t)numbers[0];
    ret_soft_ap->auth = (uint8_t)numbers[1];
    ret_soft_ap->max_stations = (uint8_t)numbers[2];
    ret_soft_ap->is_hidden = numbers[3] == 1;
    return true;
}

static bool parse_soft_ap(struct aloft_module *m, const struct aloft_params *params,
                          struct aloft_soft_ap *ret_soft_ap)
{
    const char *ssid;
    const char *password;

    memset(ret_soft_ap, 0, sizeof *ret_soft_ap);
    if (!aloft_params_check_count(m, params, SAP_MIN, SAP_MAX) ||
        !aloft_params_get_text(m, params, SAP_SSID, sizeof ret_soft_ap->ssid - 1, &ssid) ||
        !aloft_params_get_text(m, params, SAP_PASSWORD, sizeof ret_soft_ap->password - 1,
                               &password) ||
        !parse_numbers(m, params, ret_soft_ap)) {
        return false;
    }
    if (ret_soft_ap->auth == ALOFT_WIFI_WEP) {
        (void)aloft_at_fail(m, ALOFT_AT_FAIL_INVALID, SAP_AUTH);
        return false;
    }
    bool is_open = ret_soft_ap->auth == ALOFT_WIFI_OPEN;
    if (ssid[0] == '\0' || (!is_open && strlen(password) < PASSWORD_MIN)) {
        (void)aloft_at_fail(m, ALOFT_AT_FAIL_LENGTH, ssid[0] == '\0' ? SAP_SSID : SAP_PASSWORD);
        return false;
    }
    memcpy(ret_soft_ap->ssid, ssid, strlen(ssid));
    memcpy(ret_soft_ap->password, password, strlen(password));
    return true;
}

static enum aloft_reply set_cwsap(struct aloft_module *m, const struct aloft_params *params)
{
    struct aloft_soft_ap soft_ap;

    if (!parse_soft_ap(m, params, &soft_ap) || !aloft_wifi_has_soft_ap(m) ||
        m->port->wifi.set_soft_ap(m->port->ctx, &soft_ap) != ALOFT_ERR_OK) {
        return ALOFT_REPLY_ERROR;
    }
    m->wifi.soft_ap = soft_ap;
    if (aloft_basic_has_store(m)) {
        aloft_wifi_save_soft_ap(m);
    }
    return ALOFT_REPLY_OK;
}

/* `ip` NULL = none. */
static void print_client(struct aloft_module *m, const char *name, const uint8_t *mac,
                         const uint8_t *ip)
{
    aloft_at_begin_message(m);
    aloft_at_print(m, name);
    aloft_at_print(m, "\"");
    aloft_at_print_mac(m, mac);
    if (ip != NULL) {
        aloft_at_print(m, "\",\"");
        aloft_at_print_ipv4(m, ip);
    }
    aloft_at_print(m, "\"\r\n");
    aloft_at_end_message(m);
}

static const struct aloft_soft_ap_client *find_client(const struct aloft_soft_ap_client *clients,
                                                      uint8_t n_clients, const uint8_t *mac)
{
    for (uint8_t i = 0; i < n_clients; i++) {
        if (memcmp(clients[i].mac, mac, MAC_BYTES) == 0) {
            return &clients[i];
        }
    }
    return NULL;
}

static void print_arrival(struct aloft_module *m, const struct aloft_soft_ap_client *client)
{
    static const uint8_t no_ip[IP_BYTES] = {0};
    const struct aloft_soft_ap_client *known =
        find_client(m->wifi.clients, m->wifi.n_clients, client->mac);
    const uint8_t *known_ip = known != NULL ? known->ip : no_ip;

    if (known == NULL) {
        print_client(m, "+STA_CONNECTED:", client->mac, NULL);
    }
    if (memcmp(client->ip, known_ip, IP_BYTES) != 0 && memcmp(client->ip, no_ip, IP_BYTES) != 0) {
        print_client(m, "+DIST_STA_IP:", client->mac, client->ip);
    }
}

/* Compare the clients with what the host was told about them. */
static uint32_t step_ap(struct aloft_module *m)
{
    struct aloft_soft_ap_client clients[ALOFT_WIFI_CLIENTS];
    uint8_t n_clients = 0;

    while (n_clients < ALOFT_WIFI_CLIENTS &&
           m->port->wifi.soft_ap_client(m->port->ctx, n_clients, &clients[n_clients]) ==
               ALOFT_ERR_OK) {
        n_clients++;
    }
    for (uint8_t i = 0; i < m->wifi.n_clients; i++) {
        if (find_client(clients, n_clients, m->wifi.clients[i].mac) == NULL) {
            print_client(m, "+STA_DISCONNECTED:", m->wifi.clients[i].mac, NULL);
        }
    }
    for (uint8_t i = 0; i < n_clients; i++) {
        print_arrival(m, &clients[i]);
    }
    memcpy(m->wifi.clients, clients, n_clients * sizeof clients[0]);
    m->wifi.n_clients = n_clients;
    return aloft_wifi_has_soft_ap(m) ? POLL_MS : UINT32_MAX;
}

/* As it comes from the factory: open, named after the last bytes of its MAC. */
static void set_default(struct aloft_module *m)
{
    struct aloft_soft_ap *soft_ap = &m->wifi.soft_ap;
    uint8_t mac[MAC_BYTES];
    struct aloft_text name;

    m->port->wifi.ap_mac(m->port->ctx, mac);
    *soft_ap = (struct aloft_soft_ap){
        .channel = DEFAULT_CHANNEL,
        .auth = ALOFT_WIFI_OPEN,
        .max_stations = DEFAULT_MAX_STATIONS,
    };
    aloft_text_init(&name, soft_ap->ssid, sizeof soft_ap->ssid);
    aloft_text_add(&name, "ESP_");
    for (size_t i = MAC_BYTES / 2; i < MAC_BYTES; i++) {
        static const char digits[] = "0123456789ABCDEF";
        aloft_text_add_char(&name, digits[mac[i] >> 4]);
        aloft_text_add_char(&name, digits[mac[i] & 0x0f]);
    }
}

static void init_ap(struct aloft_module *m)
{
    set_default(m);
    aloft_wifi_load_soft_ap(m);
    enum aloft_err err = m->port->wifi.set_soft_ap(m->port->ctx, &m->wifi.soft_ap);
    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "wifi.soft_ap_refused", err);
    }
}

static const struct aloft_command commands[] = {
    {"+CWSAP", NULL, query_cwsap, set_cwsap, NULL},
};

const struct aloft_family aloft_wifi_ap_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .init = init_ap,
    .step = step_ap,
};
