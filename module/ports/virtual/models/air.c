/* SPDX-License-Identifier: Apache-2.0 */
#include "models/air.h"

#include <string.h>

#define MODE_MAX       3
#define MODE_STATION   1 /* bits of the mode number */
#define MODE_SOFT_AP   2
#define CHANNEL_MAX    14
#define PASSWORD_MIN   8
#define LEASE_FIRST    2 /* .1 is the gateway */
#define LEASE_SPAN     250
#define RSSI_BEST      (-35)
#define RSSI_SPAN      40
#define HASH_OFFSET    2166136261u /* FNV-1a, 32 bit */
#define HASH_PRIME     16777619u
#define LOCAL_MAC_BITS 0x02 /* locally administered, so it is nobody's real BSSID */

static const uint8_t channels[] = {1, 6, 11};
static const struct aloft_ip_config factory_ap_ip = {
    {192, 168, 4, 1}, {192, 168, 4, 1}, {255, 255, 255, 0}};

static uint32_t hash_text(const char *text)
{
    uint32_t hash = HASH_OFFSET;

    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * HASH_PRIME;
    }
    return hash;
}

void air_bssid(const char *ssid, uint8_t *ret_bssid)
{
    uint32_t hash = hash_text(ssid);

    ret_bssid[0] = LOCAL_MAC_BITS;
    ret_bssid[1] = 0;
    for (size_t i = 0; i < sizeof hash; i++) {
        ret_bssid[2 + i] = (uint8_t)(hash >> (8 * i));
    }
}

void air_init(struct air *air, const uint8_t *mac, uint64_t now_ms)
{
    memset(air, 0, sizeof *air);
    memcpy(air->mac, mac, sizeof air->mac);
    air->start_ms = now_ms;
    air_reset(air);
}

void air_ap_init(struct air_ap *ap, const char *ssid, const char *password)
{
    uint32_t hash = hash_text(ssid);
    size_t ssid_len = strlen(ssid);
    size_t password_len = strlen(password);

    *ap = (struct air_ap){
        .channel = channels[hash % sizeof channels],
        .rssi = (int8_t)(RSSI_BEST - (int)(hash % RSSI_SPAN)),
        .auth = password_len > 0 ? ALOFT_WIFI_WPA2 : ALOFT_WIFI_OPEN,
        .lease = {.gateway = {192, 168, 43, 1}, .netmask = {255, 255, 255, 0}},
    };
    air_bssid(ssid, ap->bssid);
    if (ssid_len < sizeof ap->ssid && password_len < sizeof ap->password) {
        memcpy(ap->ssid, ssid, ssid_len + 1);
        memcpy(ap->password, password, password_len + 1);
    }
}

static bool password_fits(const struct air_ap *ap)
{
    size_t len = strlen(ap->password);

    if (ap->auth == ALOFT_WIFI_OPEN) {
        return len == 0;
    }
    if (ap->auth == ALOFT_WIFI_WEP) {
        return len == 5 || len == 10 || len == 13 || len == 26; /* 40 or 104 bits: text or hex */
    }
    return len >= PASSWORD_MIN;
}

static bool window_fits(const struct air_window *window)
{
    return window->until_ms == 0 || window->from_ms < window->until_ms;
}

enum aloft_err air_add_ap(struct air *air, const struct air_ap *ap)
{
    if (air->n_aps == AIR_APS_MAX) {
        return ALOFT_ERR_TOO_BIG;
    }
    if (ap->ssid[0] == '\0' || !password_fits(ap) || ap->auth > ALOFT_WIFI_WPA2_WPA3 ||
        ap->channel == 0 || ap->channel > CHANNEL_MAX || !window_fits(&ap->window)) {
        return ALOFT_ERR_RANGE;
    }
    air->aps[air->n_aps++] = *ap;
    return ALOFT_ERR_OK;
}

enum aloft_err air_add_client(struct air *air, const struct air_client *client)
{
    if (air->n_clients == AIR_CLIENTS_MAX) {
        return ALOFT_ERR_TOO_BIG;
    }
    if (!window_fits(&client->window)) {
        return ALOFT_ERR_RANGE;
    }
    air->clients[air->n_clients++] = *client;
    return ALOFT_ERR_OK;
}

void air_reset(struct air *air)
{
    air->mode = 0;
    air->is_trying = false;
    air->has_left = false;
    air->has_station_ip = false;
    air->has_scanned = false;
    air->soft_ap = (struct aloft_soft_ap){.channel = 1, .max_stations = AIR_CLIENTS_MAX};
    air->ap_ip = factory_ap_ip;
}

enum aloft_err air_set_mode(struct air *air, uint8_t mode, uint64_t now_ms)
{
    if (mode > MODE_MAX) {
        return ALOFT_ERR_RANGE;
    }
    if ((mode & MODE_STATION) == 0) {
        air_leave(air);
        air->has_scanned = false;
    }
    if ((mode & ~air->mode & MODE_SOFT_AP) != 0) {
        air->up_ms = now_ms;
    }
    air->mode = mode;
    return ALOFT_ERR_OK;
}

enum aloft_err air_join(struct air *air, const struct aloft_wifi_join *join, uint64_t now_ms)
{
    if ((air->mode & MODE_STATION) == 0) {
        return ALOFT_ERR_STATE;
    }
    air->wanted = *join;
    air->since_ms = now_ms;
    air->lease_ms = now_ms + AIR_LEASE_MS;
    air->is_trying = true;
    return ALOFT_ERR_OK;
}

void air_leave(struct air *air)
{
    air->has_left = air->has_left || air->is_trying;
    air->is_trying = false;
}

/* @param start_ms  What the window counts from. */
static bool is_there(const struct air_window *window, uint64_t start_ms, uint64_t now_ms)
{
    return now_ms >= start_ms + window->from_ms &&
           (window->until_ms == 0 || now_ms < start_ms + window->until_ms);
}

static bool is_wanted(const struct air *air, const struct air_ap *ap)
{
    const struct aloft_wifi_join *wanted = &air->wanted;

    return is_there(&ap->window, air->start_ms, air->since_ms + AIR_JOIN_MS) &&
           strcmp(ap->ssid, wanted->ssid) == 0 && ap->auth >= wanted->min_auth &&
           (!wanted->has_bssid || memcmp(ap->bssid, wanted->bssid, sizeof ap->bssid) == 0);
}

/* How an access point takes the station that wants it. */
static enum aloft_wifi_fail answer_of(const struct air *air, const struct air_ap *ap)
{
    if (ap->auth == ALOFT_WIFI_WPA2_ENT) {
        return ALOFT_WIFI_FAIL_OTHER; /* It wants a name, not only a password. */
    }
    /* A real station joins an open access point whatever password it was given. */
    return ap->auth == ALOFT_WIFI_OPEN || strcmp(ap->password, air->wanted.password) == 0
               ? ALOFT_WIFI_FAIL_NONE
               : ALOFT_WIFI_FAIL_PASSWORD;
}

/* The access point a join is for, the strongest that lets the station in; NULL with the reason if
 * it must fail. */
static const struct air_ap *find_ap(const struct air *air, enum aloft_wifi_fail *ret_fail)
{
    const struct air_ap *best = NULL;

    *ret_fail = ALOFT_WIFI_FAIL_NO_AP;
    for (size_t i = 0; i < air->n_aps; i++) {
        const struct air_ap *ap = &air->aps[i];
        if (!is_wanted(air, ap)) {
            continue;
        }
        enum aloft_wifi_fail fail = answer_of(air, ap);
        if (fail != ALOFT_WIFI_FAIL_NONE) {
            *ret_fail = fail;
        } else if (!best || ap->rssi > best->rssi) {
            best = ap;
        }
    }
    return best;
}

static bool is_no_ip(const uint8_t *ip)
{
    return (ip[0] | ip[1] | ip[2] | ip[3]) == 0;
}

static void fill_address(const struct air *air, const struct air_ap *ap,
                         struct aloft_wifi_status *s)
{
    struct aloft_ip_config config = air->has_station_ip ? air->station_ip : ap->lease;

    if (is_no_ip(config.ip)) {
        memcpy(config.ip, config.gateway, sizeof config.ip);
        config.ip[3] = (uint8_t)(LEASE_FIRST + air->mac[5] % LEASE_SPAN);
    }
    memcpy(s->ip, config.ip, sizeof s->ip);
    memcpy(s->gateway, config.gateway, sizeof s->gateway);
    memcpy(s->netmask, config.netmask, sizeof s->netmask);
}

/* Set by hand, or given by the DHCP server by now. */
static bool has_address(const struct air *air, uint64_t now_ms)
{
    return air->has_station_ip ? !is_no_ip(air->station_ip.ip) : now_ms >= air->lease_ms;
}

static void fill_link(const struct air *air, const struct air_ap *ap, uint64_t now_ms,
                      struct aloft_wifi_status *s)
{
    if (!is_there(&ap->window, air->start_ms, now_ms)) {
        s->state = ALOFT_WIFI_DISCONNECTED; /* Lost: the access point is gone. */
        return;
    }
    s->state = ALOFT_WIFI_CONNECTED;
    memcpy(s->bssid, ap->bssid, sizeof s->bssid);
    s->channel = ap->channel;
    s->rssi = ap->rssi;
    if (has_address(air, now_ms)) {
        s->state = ALOFT_WIFI_GOT_IP;
        fill_address(air, ap, s);
    }
}

void air_status(const struct air *air, uint64_t now_ms, struct aloft_wifi_status *ret_status)
{
    struct aloft_wifi_status *s = ret_status;

    memset(s, 0, sizeof *s);
    if (!air->is_trying) {
        s->state = air->has_left ? ALOFT_WIFI_DISCONNECTED : ALOFT_WIFI_IDLE;
        return;
    }
    memcpy(s->ssid, air->wanted.ssid, sizeof s->ssid);
    if (now_ms - air->since_ms < AIR_JOIN_MS) {
        s->state = ALOFT_WIFI_JOINING;
        return;
    }
    const struct air_ap *ap = find_ap(air, &s->fail);
    if (ap) {
        s->fail = ALOFT_WIFI_FAIL_NONE;
        fill_link(air, ap, now_ms, s);
    } else {
        s->state = ALOFT_WIFI_DISCONNECTED;
    }
}

bool air_has_address(const struct air *air, uint64_t now_ms)
{
    struct aloft_wifi_status status;

    air_status(air, now_ms, &status);
    return status.state == ALOFT_WIFI_GOT_IP;
}

void air_set_station_ip(struct air *air, const struct aloft_ip_config *config, uint64_t now_ms)
{
    if (config) {
        air->station_ip = *config;
    } else if (air->has_station_ip && now_ms >= air->since_ms + AIR_JOIN_MS) {
        air->lease_ms = now_ms + AIR_LEASE_MS - AIR_JOIN_MS;
    }
    air->has_station_ip = config != NULL;
}

enum aloft_err air_scan(struct air *air, uint64_t now_ms)
{
    if ((air->mode & MODE_STATION) == 0) {
        return ALOFT_ERR_STATE;
    }
    if (!air->has_scanned || now_ms - air->scan_ms >= AIR_SCAN_MS) {
        air->has_scanned = true;
        air->scan_ms = now_ms;
    }
    return ALOFT_ERR_OK;
}

static bool was_seen(const struct air *air, const struct air_ap *ap)
{
    return is_there(&ap->window, air->start_ms, air->scan_ms + AIR_SCAN_MS);
}

/* How many access points of the last scan come before the `i`-th of the list. */
static size_t rank_of_ap(const struct air *air, size_t i)
{
    size_t rank = 0;

    for (size_t k = 0; k < air->n_aps; k++) {
        const struct air_ap *ap = &air->aps[k];
        bool is_before = ap->rssi > air->aps[i].rssi || (ap->rssi == air->aps[i].rssi && k < i);
        rank += is_before && was_seen(air, ap) ? 1 : 0;
    }
    return rank;
}

static void fill_entry(const struct air_ap *ap, struct aloft_scan_entry *ret_entry)
{
    *ret_entry = (struct aloft_scan_entry){
        .channel = ap->channel,
        .rssi = ap->rssi,
        .auth = ap->auth,
    };
    memcpy(ret_entry->bssid, ap->bssid, sizeof ret_entry->bssid);
    if (!ap->is_hidden) {
        memcpy(ret_entry->ssid, ap->ssid, sizeof ret_entry->ssid);
    }
}

enum aloft_err air_scan_entry(const struct air *air, uint64_t now_ms, uint16_t index,
                              struct aloft_scan_entry *ret_entry)
{
    if (!air->has_scanned) {
        return ALOFT_ERR_NOT_FOUND;
    }
    if (now_ms - air->scan_ms < AIR_SCAN_MS) {
        return ALOFT_ERR_AGAIN;
    }
    for (size_t i = 0; i < air->n_aps; i++) {
        if (was_seen(air, &air->aps[i]) && rank_of_ap(air, i) == index) {
            fill_entry(&air->aps[i], ret_entry);
            return ALOFT_ERR_OK;
        }
    }
    return ALOFT_ERR_NOT_FOUND;
}

void air_set_soft_ap(struct air *air, const struct aloft_soft_ap *soft_ap, uint64_t now_ms)
{
    air->soft_ap = *soft_ap;
    air->up_ms = now_ms;
}

void air_set_ap_ip(struct air *air, const struct aloft_ip_config *config)
{
    air->ap_ip = *config;
}

void air_ap_ip(const struct air *air, struct aloft_ip_config *ret_config)
{
    *ret_config = air->ap_ip;
}

/* How many clients that are there joined before the `i`-th of the list. */
static size_t rank_of_client(const struct air *air, size_t i, uint64_t now_ms)
{
    size_t rank = 0;

    for (size_t k = 0; k < air->n_clients; k++) {
        uint32_t from_ms = air->clients[k].window.from_ms;
        uint32_t own_ms = air->clients[i].window.from_ms;
        bool is_before = from_ms < own_ms || (from_ms == own_ms && k < i);
        rank += is_before && is_there(&air->clients[k].window, air->up_ms, now_ms) ? 1 : 0;
    }
    return rank;
}

/* The addresses behind the soft-AP's own, one per client, whoever comes first. */
static void fill_client(const struct air *air, size_t i, uint64_t now_ms,
                        struct aloft_soft_ap_client *ret_client)
{
    const struct air_client *client = &air->clients[i];

    *ret_client = (struct aloft_soft_ap_client){{0}, {0}};
    memcpy(ret_client->mac, client->mac, sizeof ret_client->mac);
    if (now_ms >= air->up_ms + client->window.from_ms + AIR_CLIENT_LEASE_MS) {
        memcpy(ret_client->ip, air->ap_ip.ip, sizeof ret_client->ip);
        ret_client->ip[3] = (uint8_t)(ret_client->ip[3] + 1 + i);
    }
}

enum aloft_err air_soft_ap_client(const struct air *air, uint64_t now_ms, uint8_t index,
                                  struct aloft_soft_ap_client *ret_client)
{
    if ((air->mode & MODE_SOFT_AP) == 0 || index >= air->soft_ap.max_stations) {
        return ALOFT_ERR_NOT_FOUND;
    }
    for (size_t i = 0; i < air->n_clients; i++) {
        if (is_there(&air->clients[i].window, air->up_ms, now_ms) &&
            rank_of_client(air, i, now_ms) == index) {
            fill_client(air, i, now_ms, ret_client);
            return ALOFT_ERR_OK;
        }
    }
    return ALOFT_ERR_NOT_FOUND;
}

/* Shorten `*wait_ms` if the moment is still to come and nearer. */
static void await(uint32_t *wait_ms, uint64_t moment_ms, uint64_t now_ms)
{
    if (moment_ms > now_ms && moment_ms - now_ms < *wait_ms) {
        *wait_ms = (uint32_t)(moment_ms - now_ms);
    }
}

static void await_window(uint32_t *wait_ms, const struct air_window *window, uint64_t start_ms,
                         uint64_t now_ms)
{
    await(wait_ms, start_ms + window->from_ms, now_ms);
    if (window->until_ms > 0) {
        await(wait_ms, start_ms + window->until_ms, now_ms);
    }
}

uint32_t air_wait_ms(const struct air *air, uint64_t now_ms)
{
    uint32_t wait_ms = UINT32_MAX;

    if (air->is_trying) {
        await(&wait_ms, air->since_ms + AIR_JOIN_MS, now_ms);
        await(&wait_ms, air->lease_ms, now_ms);
    }
    if (air->has_scanned) {
        await(&wait_ms, air->scan_ms + AIR_SCAN_MS, now_ms);
    }
    for (size_t i = 0; i < air->n_aps; i++) {
        await_window(&wait_ms, &air->aps[i].window, air->start_ms, now_ms);
    }
    for (size_t i = 0; (air->mode & MODE_SOFT_AP) != 0 && i < air->n_clients; i++) {
        const struct air_window *window = &air->clients[i].window;
        await_window(&wait_ms, window, air->up_ms, now_ms);
        await(&wait_ms, air->up_ms + window->from_ms + AIR_CLIENT_LEASE_MS, now_ms);
    }
    return wait_ms;
}
