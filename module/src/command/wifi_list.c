/* SPDX-License-Identifier: Apache-2.0 */
#include "command/wifi.h"

#include <string.h>

#include "at/engine.h"
#include "at/params.h"
#include "command/families.h"
#include "command/wifi_link.h"

/* Listings, which may be longer than the UART takes at once: AT+CWLAP of the access points in the
 * air, AT+CWLIF of the soft-AP's clients (facts/at-commands.md 4). And scans, which AT+CWLAP and
 * the web server take turns with. */

#define CHANNEL_MAX   14
#define SCAN_TIME_MAX 1500
#define POLL_MS       20
#define SCAN_LIMIT_MS 30000 /* Three times what the slowest scan of all channels takes. */
#define MAC_BYTES     6
#define IP_BYTES      4
#define LINE_BYTES    140 /* The longest line: 32 bytes of SSID, each escaped, and 70 more. */
#define BGN_ALL       7   /* 802.11b, g and n. */

/* Parameters of AT+CWLAP. */
enum {
    LAP_SSID,
    LAP_MAC,
    LAP_CHANNEL,
    LAP_TYPE, /* The first of three numbers that only change how a scan is done. */
    LAP_MAX = LAP_TYPE + 3,
};

/* Ciphers of the vendor's manual, by authentication. The port does not tell them; these are what
 * such an access point has as a rule. */
enum { CIPHER_NONE = 0, CIPHER_WEP104 = 2, CIPHER_TKIP = 3, CIPHER_CCMP = 4, CIPHER_BOTH = 5 };

static const struct {
    uint8_t pairwise;
    uint8_t group;
} ciphers[] = {
    [ALOFT_WIFI_OPEN] = {CIPHER_NONE, CIPHER_NONE},
    [ALOFT_WIFI_WEP] = {CIPHER_WEP104, CIPHER_WEP104},
    [ALOFT_WIFI_WPA] = {CIPHER_TKIP, CIPHER_TKIP},
    [ALOFT_WIFI_WPA2] = {CIPHER_CCMP, CIPHER_CCMP},
    [ALOFT_WIFI_WPA_WPA2] = {CIPHER_BOTH, CIPHER_TKIP},
    [ALOFT_WIFI_WPA2_ENT] = {CIPHER_CCMP, CIPHER_CCMP},
    [ALOFT_WIFI_WPA3] = {CIPHER_CCMP, CIPHER_CCMP},
    [ALOFT_WIFI_WPA2_WPA3] = {CIPHER_CCMP, CIPHER_CCMP},
};

enum aloft_err aloft_wifi_scan_begin(struct aloft_module *m, enum aloft_scan_user user)
{
    if (m->wifi.scan_user != ALOFT_SCAN_NOBODY && m->wifi.scan_user != user) {
        return ALOFT_ERR_AGAIN;
    }
    if (!aloft_wifi_has_station(m)) {
        return ALOFT_ERR_STATE;
    }
    enum aloft_err err = m->port->wifi.scan(m->port->ctx);
    m->wifi.scan_user = err == ALOFT_ERR_OK ? user : ALOFT_SCAN_NOBODY;
    return err;
}

void aloft_wifi_scan_end(struct aloft_module *m, enum aloft_scan_user user)
{
    if (m->wifi.scan_user == user) {
        m->wifi.scan_user = ALOFT_SCAN_NOBODY;
    }
}

static void print_fields(struct aloft_module *m, const int32_t *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        aloft_at_print(m, ",");
        aloft_at_print_int(m, fields[i]);
    }
}

static void print_ap(struct aloft_module *m, const struct aloft_scan_entry *entry)
{
    size_t auth = entry->auth < sizeof ciphers / sizeof ciphers[0] ? entry->auth : ALOFT_WIFI_WPA2;
    const int32_t tail[] = {entry->channel,
                            /* frequency offset and calibration: reserved */ -1,
                            -1,
                            ciphers[auth].pairwise,
                            ciphers[auth].group,
                            BGN_ALL,
                            /* wps */ 0};

    aloft_at_print(m, "+CWLAP:(");
    aloft_at_print_int(m, entry->auth);
    aloft_at_print(m, ",");
    aloft_at_print_quoted(m, entry->ssid);
    print_fields(m, (const int32_t[]){entry->rssi}, 1);
    aloft_at_print(m, ",\"");
    aloft_at_print_mac(m, entry->bssid);
    aloft_at_print(m, "\"");
    print_fields(m, tail, sizeof tail / sizeof tail[0]);
    aloft_at_print(m, ")\r\n");
}

static bool is_asked_for(const struct aloft_wifi_filter *filter,
                         const struct aloft_scan_entry *entry)
{
    return (!filter->has_ssid || strcmp(filter->ssid, entry->ssid) == 0) &&
           (!filter->has_bssid || memcmp(filter->bssid, entry->bssid, MAC_BYTES) == 0) &&
           (filter->channel == 0 || filter->channel == entry->channel);
}

/* One entry of a listing: OK, it was dealt with; AGAIN; anything else, there are no more. */
static enum aloft_err list_ap(struct aloft_module *m)
{
    struct aloft_scan_entry entry;
    enum aloft_err err = m->port->wifi.scan_entry(m->port->ctx, m->wifi.n_listed, &entry);

    if (err == ALOFT_ERR_OK && is_asked_for(&m->wifi.filter, &entry)) {
        print_ap(m, &entry);
    }
    return err;
}

/* A client without an address has not come through DHCP: AT+CWLIF does not show it. */
static enum aloft_err list_client(struct aloft_module *m)
{
    static const uint8_t no_ip[IP_BYTES] = {0};
    struct aloft_soft_ap_client client;
    enum aloft_err err =
        m->port->wifi.soft_ap_client(m->port->ctx, (uint8_t)m->wifi.n_listed, &client);

    if (err == ALOFT_ERR_OK && memcmp(client.ip, no_ip, IP_BYTES) != 0) {
        aloft_at_print(m, "+CWLIF:");
        aloft_at_print_ipv4(m, client.ip);
        aloft_at_print(m, ",");
        aloft_at_print_mac(m, client.mac);
        aloft_at_print(m, "\r\n");
    }
    return err;
}

static void end_listing(struct aloft_module *m, enum aloft_reply reply)
{
    m->wifi.listing = ALOFT_WIFI_LIST_NONE;
    aloft_wifi_scan_end(m, ALOFT_SCAN_COMMAND);
    aloft_at_finish(m, reply);
}

/* As many lines as there is room for; the rest when the UART has taken these. */
static void step_entries(struct aloft_module *m)
{
    enum aloft_err err = ALOFT_ERR_OK;

    while (err == ALOFT_ERR_OK && aloft_at_print_room(m) >= LINE_BYTES) {
        err = m->wifi.listing == ALOFT_WIFI_LIST_APS ? list_ap(m) : list_client(m);
        if (err == ALOFT_ERR_OK) {
            m->wifi.n_listed++;
        }
    }
    if (err == ALOFT_ERR_AGAIN && m->now_ms >= m->wifi.list_deadline_ms) {
        end_listing(m, ALOFT_REPLY_ERROR);
    } else if (err != ALOFT_ERR_OK && err != ALOFT_ERR_AGAIN) {
        end_listing(m, err == ALOFT_ERR_NOT_FOUND ? ALOFT_REPLY_OK : ALOFT_REPLY_ERROR);
    }
}

/* LATER: the scan runs, or waits for that of another user. */
static enum aloft_reply begin_scan(struct aloft_module *m)
{
    enum aloft_err err = aloft_wifi_scan_begin(m, ALOFT_SCAN_COMMAND);

    m->wifi.listing = ALOFT_WIFI_LIST_NONE;
    if (err == ALOFT_ERR_OK) {
        m->wifi.listing = ALOFT_WIFI_LIST_APS;
    } else if (err == ALOFT_ERR_AGAIN && m->now_ms < m->wifi.list_deadline_ms) {
        m->wifi.listing = ALOFT_WIFI_LIST_WAIT;
    }
    return m->wifi.listing == ALOFT_WIFI_LIST_NONE ? ALOFT_REPLY_ERROR : ALOFT_REPLY_LATER;
}

static uint32_t step_list(struct aloft_module *m)
{
    if (m->wifi.listing == ALOFT_WIFI_LIST_WAIT) {
        enum aloft_reply reply = begin_scan(m);
        if (reply == ALOFT_REPLY_ERROR) {
            aloft_at_finish(m, reply);
        }
    } else if (m->wifi.listing != ALOFT_WIFI_LIST_NONE) {
        step_entries(m);
    }
    return m->wifi.listing == ALOFT_WIFI_LIST_NONE ? UINT32_MAX : POLL_MS;
}

static enum aloft_reply begin_cwlap(struct aloft_module *m, const struct aloft_wifi_filter *filter)
{
    m->wifi.filter = *filter;
    m->wifi.n_listed = 0;
    m->wifi.list_deadline_ms = m->now_ms + SCAN_LIMIT_MS;
    return begin_scan(m);
}

static enum aloft_reply execute_cwlap(struct aloft_module *m, const struct aloft_params *params)
{
    const struct aloft_wifi_filter all = {.channel = 0};

    (void)params;
    return begin_cwlap(m, &all);
}

/* Type and times of the scan, which the port chooses itself: only looked at. */
static bool check_scan_numbers(struct aloft_module *m, const struct aloft_params *params)
{
    static const struct aloft_int_range ranges[] = {{0, 1}, {0, SCAN_TIME_MAX}, {0, SCAN_TIME_MAX}};
    int32_t value;

    for (uint8_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        uint8_t index = (uint8_t)(LAP_TYPE + i);
        if (aloft_params_has(params, index) &&
            !aloft_params_get_int(m, params, index, &ranges[i], &value)) {
            return false;
        }
    }
    return true;
}

static enum aloft_reply set_cwlap(struct aloft_module *m, const struct aloft_params *params)
{
    static const struct aloft_int_range channels = {1, CHANNEL_MAX};
    struct aloft_wifi_filter filter = {
        .has_ssid = aloft_params_has(params, LAP_SSID),
        .has_bssid = aloft_params_has(params, LAP_MAC),
    };
    const char *ssid = "";
    int32_t channel = 0;

    if (!aloft_params_check_count(m, params, 1, LAP_MAX) ||
        (filter.has_ssid &&
         !aloft_params_get_text(m, params, LAP_SSID, sizeof filter.ssid - 1, &ssid)) ||
        (filter.has_bssid && !aloft_params_get_mac(m, params, LAP_MAC, filter.bssid)) ||
        (aloft_params_has(params, LAP_CHANNEL) &&
         !aloft_params_get_int(m, params, LAP_CHANNEL, &channels, &channel)) ||
        !check_scan_numbers(m, params)) {
        return ALOFT_REPLY_ERROR;
    }
    memcpy(filter.ssid, ssid, strlen(ssid) + 1);
    filter.channel = (uint8_t)channel;
    return begin_cwlap(m, &filter);
}

static enum aloft_reply execute_cwlif(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    if (!aloft_wifi_has_soft_ap(m)) {
        return ALOFT_REPLY_ERROR;
    }
    m->wifi.listing = ALOFT_WIFI_LIST_CLIENTS;
    m->wifi.n_listed = 0;
    return ALOFT_REPLY_LATER;
}

static const struct aloft_command commands[] = {
    {"+CWLAP", NULL, NULL, set_cwlap, execute_cwlap},
    {"+CWLIF", NULL, NULL, NULL, execute_cwlif},
};

const struct aloft_family aloft_wifi_list_family = {
    .commands = commands,
    .n_commands = sizeof commands / sizeof commands[0],
    .step = step_list,
};
