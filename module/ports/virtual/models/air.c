/* SPDX-License-Identifier: Apache-2.0 */
#include "models/air.h"

#include <string.h>

#define MODE_MAX       3
#define MODE_STATION   1 /* bit of the mode number */
#define PASSWORD_MIN   8
#define LEASE_FIRST    2 /* .1 is the gateway */
#define LEASE_SPAN     250
#define RSSI_BEST      (-35)
#define RSSI_SPAN      40
#define HASH_OFFSET    2166136261u /* FNV-1a, 32 bit */
#define HASH_PRIME     16777619u
#define LOCAL_MAC_BITS 0x02 /* locally administered, so it is nobody's real BSSID */

static const uint8_t channels[] = {1, 6, 11};

static uint32_t hash_text(const char *text)
{
    uint32_t hash = HASH_OFFSET;

    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * HASH_PRIME;
    }
    return hash;
}

void air_init(struct air *air, const uint8_t *mac)
{
    memset(air, 0, sizeof *air);
    memcpy(air->mac, mac, sizeof air->mac);
}

enum aloft_err air_add_ap(struct air *air, const char *ssid, const char *password)
{
    size_t ssid_len = strlen(ssid);
    size_t password_len = strlen(password);

    if (air->n_aps == AIR_APS_MAX) {
        return ALOFT_ERR_TOO_BIG;
    }
    struct air_ap *ap = &air->aps[air->n_aps];
    if (ssid_len == 0 || ssid_len >= sizeof ap->ssid || password_len >= sizeof ap->password ||
        (password_len > 0 && password_len < PASSWORD_MIN)) {
        return ALOFT_ERR_RANGE;
    }
    memcpy(ap->ssid, ssid, ssid_len + 1);
    memcpy(ap->password, password, password_len + 1);
    air->n_aps++;
    return ALOFT_ERR_OK;
}

void air_reset(struct air *air)
{
    air->mode = 0;
    air->is_trying = false;
    air->has_left = false;
}

enum aloft_err air_set_mode(struct air *air, uint8_t mode)
{
    if (mode > MODE_MAX) {
        return ALOFT_ERR_RANGE;
    }
    if ((mode & MODE_STATION) == 0) {
        air_leave(air);
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
    air->is_trying = true;
    return ALOFT_ERR_OK;
}

void air_leave(struct air *air)
{
    air->has_left = air->has_left || air->is_trying;
    air->is_trying = false;
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

/* The access point a join is for; NULL with the reason if it must fail. */
static const struct air_ap *find_ap(const struct air *air, enum aloft_wifi_fail *ret_fail)
{
    const struct aloft_wifi_join *wanted = &air->wanted;

    *ret_fail = ALOFT_WIFI_FAIL_NO_AP;
    for (size_t i = 0; i < air->n_aps; i++) {
        const struct air_ap *ap = &air->aps[i];
        uint8_t bssid[6];
        air_bssid(ap->ssid, bssid);
        if (strcmp(ap->ssid, wanted->ssid) != 0 ||
            (wanted->has_bssid && memcmp(bssid, wanted->bssid, sizeof bssid) != 0)) {
            continue;
        }
        /* A real station joins an open access point whatever password it was given. */
        if (ap->password[0] == '\0' || strcmp(ap->password, wanted->password) == 0) {
            return ap;
        }
        *ret_fail = ALOFT_WIFI_FAIL_PASSWORD;
    }
    return NULL;
}

static void fill_association(const struct air_ap *ap, struct aloft_wifi_status *s)
{
    uint32_t hash = hash_text(ap->ssid);

    air_bssid(ap->ssid, s->bssid);
    s->channel = channels[hash % sizeof channels];
    s->rssi = (int8_t)(RSSI_BEST - (int)(hash % RSSI_SPAN));
}

static void fill_lease(const struct air *air, struct aloft_wifi_status *s)
{
    static const uint8_t gateway[] = {192, 168, 43, 1};
    static const uint8_t netmask[] = {255, 255, 255, 0};

    memcpy(s->gateway, gateway, sizeof gateway);
    memcpy(s->netmask, netmask, sizeof netmask);
    memcpy(s->ip, gateway, sizeof gateway);
    s->ip[3] = (uint8_t)(LEASE_FIRST + air->mac[5] % LEASE_SPAN);
}

void air_status(const struct air *air, uint64_t now_ms, struct aloft_wifi_status *ret_status)
{
    struct aloft_wifi_status *s = ret_status;
    enum aloft_wifi_fail fail;

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
    const struct air_ap *ap = find_ap(air, &fail);
    if (!ap) {
        s->state = ALOFT_WIFI_DISCONNECTED;
        s->fail = fail;
        return;
    }
    fill_association(ap, s);
    s->state = ALOFT_WIFI_CONNECTED;
    if (now_ms - air->since_ms >= AIR_LEASE_MS) {
        s->state = ALOFT_WIFI_GOT_IP;
        fill_lease(air, s);
    }
}

bool air_has_address(const struct air *air, uint64_t now_ms)
{
    struct aloft_wifi_status status;

    air_status(air, now_ms, &status);
    return status.state == ALOFT_WIFI_GOT_IP;
}

uint32_t air_wait_ms(const struct air *air, uint64_t now_ms)
{
    uint64_t age_ms = now_ms - air->since_ms;

    if (!air->is_trying || age_ms >= AIR_LEASE_MS) {
        return UINT32_MAX;
    }
    return (uint32_t)((age_ms < AIR_JOIN_MS ? AIR_JOIN_MS : AIR_LEASE_MS) - age_ms);
}
