/* SPDX-License-Identifier: Apache-2.0 */
#include "command/wifi_link.h"

#include <string.h>

#include "aloft/bytes.h"

#include "log.h"

/* One value per setting that must change as a whole: after a power cut there is never a new SSID
 * with an old password. All layouts: stored, never renumber. Texts are padded with NUL. */

static const char key_mode[] = "wifi.mode";
static const char key_join[] = "wifi.join";
static const char key_reconnect[] = "wifi.reconnect";
static const char key_auto[] = "wifi.auto";
static const char key_soft_ap[] = "wifi.soft_ap";
static const char key_station_ip[] = "wifi.sta_ip";
static const char key_ap_ip[] = "wifi.ap_ip";

enum {
    SSID_LEN = 32,
    PASSWORD_LEN = 64,
    BSSID_LEN = 6,
    IP_LEN = 4,
};

/* Layout of key_join. */
enum {
    JOIN_LAYOUT = 2,
    JOIN_LAYOUT_OFF = 0,
    JOIN_SSID_OFF = 1,
    JOIN_PASSWORD_OFF = JOIN_SSID_OFF + SSID_LEN,
    JOIN_HAS_BSSID_OFF = JOIN_PASSWORD_OFF + PASSWORD_LEN,
    JOIN_BSSID_OFF = JOIN_HAS_BSSID_OFF + 1,
    JOIN_MIN_AUTH_OFF = JOIN_BSSID_OFF + BSSID_LEN,
    JOIN_PCI_OFF,
    JOIN_LISTEN_OFF,
    JOIN_SCAN_OFF,
    JOIN_PMF_OFF,
    JOIN_BYTES,
};

/* Layout of key_soft_ap. */
enum {
    SOFT_AP_LAYOUT = 1,
    SOFT_AP_LAYOUT_OFF = 0,
    SOFT_AP_SSID_OFF = 1,
    SOFT_AP_PASSWORD_OFF = SOFT_AP_SSID_OFF + SSID_LEN,
    SOFT_AP_CHANNEL_OFF = SOFT_AP_PASSWORD_OFF + PASSWORD_LEN,
    SOFT_AP_AUTH_OFF,
    SOFT_AP_MAX_OFF,
    SOFT_AP_HIDDEN_OFF,
    SOFT_AP_BYTES,
};

/* Layout of key_reconnect: two numbers, little-endian. */
enum {
    RECONNECT_SECONDS_OFF = 0,
    RECONNECT_TRIES_OFF = 2,
    RECONNECT_BYTES = 4,
};

/* Layout of key_station_ip and key_ap_ip. An empty value of the former: DHCP. */
enum {
    IP_ADDRESS_OFF = 0,
    IP_GATEWAY_OFF = IP_LEN,
    IP_NETMASK_OFF = 2 * IP_LEN,
    IP_BYTES = 3 * IP_LEN,
};

#define MODE_MAX 3

/* A value of exactly `len` bytes. */
static bool load(const struct aloft_module *m, const char *key, uint8_t *buf, size_t len)
{
    size_t got = len;

    return m->port->settings.get(m->port->ctx, key, buf, &got) == ALOFT_ERR_OK && got == len;
}

static void check_stored(struct aloft_module *m, enum aloft_err err)
{
    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "settings.store_failed", err);
    }
}

static void save(struct aloft_module *m, const char *key, const void *buf, size_t len)
{
    check_stored(m, m->port->settings.set(m->port->ctx, key, buf, len));
}

static void load_join(struct aloft_module *m)
{
    struct aloft_wifi_join *join = &m->wifi.join;
    struct aloft_wifi_options *options = &m->wifi.options;
    uint8_t stored[JOIN_BYTES];

    if (!load(m, key_join, stored, sizeof stored) || stored[JOIN_LAYOUT_OFF] != JOIN_LAYOUT) {
        return;
    }
    aloft_get_text(stored + JOIN_SSID_OFF, SSID_LEN, join->ssid, sizeof join->ssid);
    aloft_get_text(stored + JOIN_PASSWORD_OFF, PASSWORD_LEN, join->password, sizeof join->password);
    join->has_bssid = stored[JOIN_HAS_BSSID_OFF] == 1;
    memcpy(join->bssid, stored + JOIN_BSSID_OFF, BSSID_LEN);
    join->min_auth = stored[JOIN_MIN_AUTH_OFF];
    options->pci = stored[JOIN_PCI_OFF];
    options->listen = stored[JOIN_LISTEN_OFF];
    options->scan = stored[JOIN_SCAN_OFF];
    options->pmf = stored[JOIN_PMF_OFF];
    m->wifi.has_join = join->ssid[0] != '\0';
}

void aloft_wifi_load_link(struct aloft_module *m)
{
    uint8_t reconnect[RECONNECT_BYTES];
    uint8_t value;

    m->wifi.mode = load(m, key_mode, &value, sizeof value) && value <= MODE_MAX ? value : 0;
    m->wifi.is_auto = !load(m, key_auto, &value, sizeof value) || value == 1;
    if (load(m, key_reconnect, reconnect, sizeof reconnect)) {
        m->wifi.options.reconnect = aloft_get_le16(reconnect + RECONNECT_SECONDS_OFF);
        m->wifi.max_tries = aloft_get_le16(reconnect + RECONNECT_TRIES_OFF);
    }
    load_join(m);
}

void aloft_wifi_save_mode(struct aloft_module *m)
{
    save(m, key_mode, &m->wifi.mode, sizeof m->wifi.mode);
}

void aloft_wifi_save_auto(struct aloft_module *m)
{
    const uint8_t value = m->wifi.is_auto ? 1 : 0;

    save(m, key_auto, &value, sizeof value);
}

void aloft_wifi_save_reconnect(struct aloft_module *m)
{
    uint8_t stored[RECONNECT_BYTES];

    aloft_put_le16(stored + RECONNECT_SECONDS_OFF, m->wifi.options.reconnect);
    aloft_put_le16(stored + RECONNECT_TRIES_OFF, m->wifi.max_tries);
    save(m, key_reconnect, stored, sizeof stored);
}

void aloft_wifi_save_join(struct aloft_module *m)
{
    const struct aloft_wifi_join *join = &m->wifi.join;
    const struct aloft_wifi_options *options = &m->wifi.options;
    uint8_t stored[JOIN_BYTES] = {0};

    stored[JOIN_LAYOUT_OFF] = JOIN_LAYOUT;
    memcpy(stored + JOIN_SSID_OFF, join->ssid, strlen(join->ssid));
    memcpy(stored + JOIN_PASSWORD_OFF, join->password, strlen(join->password));
    stored[JOIN_HAS_BSSID_OFF] = join->has_bssid ? 1 : 0;
    memcpy(stored + JOIN_BSSID_OFF, join->bssid, BSSID_LEN);
    stored[JOIN_MIN_AUTH_OFF] = join->min_auth;
    stored[JOIN_PCI_OFF] = options->pci;
    stored[JOIN_LISTEN_OFF] = options->listen;
    stored[JOIN_SCAN_OFF] = options->scan;
    stored[JOIN_PMF_OFF] = options->pmf;
    save(m, key_join, stored, sizeof stored);
}

void aloft_wifi_load_soft_ap(struct aloft_module *m)
{
    struct aloft_soft_ap *soft_ap = &m->wifi.soft_ap;
    uint8_t stored[SOFT_AP_BYTES];

    if (!load(m, key_soft_ap, stored, sizeof stored) ||
        stored[SOFT_AP_LAYOUT_OFF] != SOFT_AP_LAYOUT || stored[SOFT_AP_SSID_OFF] == '\0') {
        return;
    }
    aloft_get_text(stored + SOFT_AP_SSID_OFF, SSID_LEN, soft_ap->ssid, sizeof soft_ap->ssid);
    aloft_get_text(stored + SOFT_AP_PASSWORD_OFF, PASSWORD_LEN, soft_ap->password,
                   sizeof soft_ap->password);
    soft_ap->channel = stored[SOFT_AP_CHANNEL_OFF];
    soft_ap->auth = stored[SOFT_AP_AUTH_OFF];
    soft_ap->max_stations = stored[SOFT_AP_MAX_OFF];
    soft_ap->is_hidden = stored[SOFT_AP_HIDDEN_OFF] == 1;
}

void aloft_wifi_save_soft_ap(struct aloft_module *m)
{
    const struct aloft_soft_ap *soft_ap = &m->wifi.soft_ap;
    uint8_t stored[SOFT_AP_BYTES] = {0};

    stored[SOFT_AP_LAYOUT_OFF] = SOFT_AP_LAYOUT;
    memcpy(stored + SOFT_AP_SSID_OFF, soft_ap->ssid, strlen(soft_ap->ssid));
    memcpy(stored + SOFT_AP_PASSWORD_OFF, soft_ap->password, strlen(soft_ap->password));
    stored[SOFT_AP_CHANNEL_OFF] = soft_ap->channel;
    stored[SOFT_AP_AUTH_OFF] = soft_ap->auth;
    stored[SOFT_AP_MAX_OFF] = soft_ap->max_stations;
    stored[SOFT_AP_HIDDEN_OFF] = soft_ap->is_hidden ? 1 : 0;
    save(m, key_soft_ap, stored, sizeof stored);
}

static bool load_ip(const struct aloft_module *m, const char *key, struct aloft_ip_config *ret_ip)
{
    uint8_t stored[IP_BYTES];

    if (!load(m, key, stored, sizeof stored)) {
        return false;
    }
    memcpy(ret_ip->ip, stored + IP_ADDRESS_OFF, IP_LEN);
    memcpy(ret_ip->gateway, stored + IP_GATEWAY_OFF, IP_LEN);
    memcpy(ret_ip->netmask, stored + IP_NETMASK_OFF, IP_LEN);
    return true;
}

static void save_ip(struct aloft_module *m, const char *key, const struct aloft_ip_config *ip)
{
    uint8_t stored[IP_BYTES];

    memcpy(stored + IP_ADDRESS_OFF, ip->ip, IP_LEN);
    memcpy(stored + IP_GATEWAY_OFF, ip->gateway, IP_LEN);
    memcpy(stored + IP_NETMASK_OFF, ip->netmask, IP_LEN);
    save(m, key, stored, sizeof stored);
}

void aloft_wifi_load_ip(struct aloft_module *m)
{
    struct aloft_ip_config ap_ip;

    m->wifi.has_station_ip = load_ip(m, key_station_ip, &m->wifi.station_ip);
    if (m->wifi.has_station_ip) {
        check_stored(m, m->port->wifi.set_station_ip(m->port->ctx, &m->wifi.station_ip));
    }
    if (load_ip(m, key_ap_ip, &ap_ip)) {
        check_stored(m, m->port->wifi.set_ap_ip(m->port->ctx, &ap_ip));
    }
}

void aloft_wifi_save_station_ip(struct aloft_module *m)
{
    if (m->wifi.has_station_ip) {
        save_ip(m, key_station_ip, &m->wifi.station_ip);
    } else {
        check_stored(m, m->port->settings.remove(m->port->ctx, key_station_ip));
    }
}

void aloft_wifi_save_ap_ip(struct aloft_module *m)
{
    struct aloft_ip_config ip;

    m->port->wifi.ap_ip(m->port->ctx, &ip);
    save_ip(m, key_ap_ip, &ip);
}
