/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_AIR_H
#define ALOFT_VIRTUAL_AIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"
#include "aloft/port.h"

/*
 * Simulated Wi-Fi: some access points, one station, one soft-AP and its clients. Pure: time comes
 * in as an argument and what is seen follows from what was asked and when, so the same calls give
 * the same answers.
 */

#define AIR_APS_MAX     48 /* more than the 40 of facts/at-commands.md 3.5 */
#define AIR_CLIENTS_MAX 10 /* AT+CWSAP's largest number of stations */

/* A join takes this long; an address comes a little later. Short, but long enough that a host MCU
 * sees the states in between. */
#define AIR_JOIN_MS  30
#define AIR_LEASE_MS 50

#define AIR_SCAN_MS 40 /* a scan of all channels */

/* From joining the soft-AP to the address its DHCP server gives. */
#define AIR_CLIENT_LEASE_MS 20

/** When something is in the air: milliseconds since a moment its owner names. */
struct air_window {
    uint32_t from_ms;
    uint32_t until_ms; /**< The first moment it is gone; 0 = it stays. */
};

struct air_ap {
    char ssid[33];
    char password[65]; /**< Empty = open. */
    uint8_t bssid[6];
    uint8_t channel;
    int8_t rssi;
    uint8_t auth;                 /**< enum aloft_wifi_auth. */
    bool is_hidden;               /**< A scan shows no SSID; a join by SSID works. */
    struct aloft_ip_config lease; /**< Of its DHCP server; `ip` 0.0.0.0: derived from the MAC. */
    struct air_window window;     /**< Since air_init(). */
};

/** A station that joins the soft-AP. */
struct air_client {
    uint8_t mac[6];
    struct air_window window; /**< Since the soft-AP came up. */
};

/** Complete for static allocation; its members are private. */
struct air {
    struct air_ap aps[AIR_APS_MAX];
    size_t n_aps;
    struct air_client clients[AIR_CLIENTS_MAX];
    size_t n_clients;
    uint8_t mac[6];
    uint64_t start_ms;
    /* --- What a reset makes anew. --- */
    uint8_t mode;
    bool has_left; /**< Left an access point since the last join. */
    bool is_trying;
    uint64_t since_ms; /**< Of the join. */
    uint64_t lease_ms; /**< When the DHCP server of the access point answers. */
    struct aloft_wifi_join wanted;
    bool has_station_ip; /**< No DHCP: the address is `station_ip`. */
    struct aloft_ip_config station_ip;
    bool has_scanned;
    uint64_t scan_ms; /**< Begin of the last scan. */
    struct aloft_soft_ap soft_ap;
    struct aloft_ip_config ap_ip;
    uint64_t up_ms; /**< When the soft-AP came up. */
};

/** No access points and clients yet, station and soft-AP off. @param mac 6 bytes of the station. */
void air_init(struct air *air, const uint8_t *mac, uint64_t now_ms);

/**
 * An access point as most are: WPA2 or open, seen always, with BSSID, channel and RSSI that follow
 * from the SSID. Texts that are too long are left empty, which air_add_ap() refuses.
 */
void air_ap_init(struct air_ap *ap, const char *ssid, const char *password);

/**
 * Add an access point; copied.
 *
 * @retval ALOFT_ERR_RANGE    The SSID is not 1 to 32 bytes; the password does not fit the
 *                            authentication (none for open, 5, 10, 13 or 26 bytes for WEP, else 8
 *                            to 64); the channel is not 1 to 14; or it is gone before it comes.
 * @retval ALOFT_ERR_TOO_BIG  AIR_APS_MAX are there already.
 */
ALOFT_MUST_CHECK
enum aloft_err air_add_ap(struct air *air, const struct air_ap *ap);

/** Add a client of the soft-AP; copied. @retval ALOFT_ERR_RANGE It is gone before it comes.
 * @retval ALOFT_ERR_TOO_BIG AIR_CLIENTS_MAX are there already. */
ALOFT_MUST_CHECK
enum aloft_err air_add_client(struct air *air, const struct air_client *client);

/** As after a power cut: joined to nothing, never tried, soft-AP off and as it came from the
 * factory; access points and clients stay. */
void air_reset(struct air *air);

/** 0 off, 1 station, 2 soft-AP, 3 both; leaves the access point when the station goes off.
 * @retval ALOFT_ERR_RANGE Another number. */
ALOFT_MUST_CHECK
enum aloft_err air_set_mode(struct air *air, uint8_t mode, uint64_t now_ms);

/** Begin to join; `join` is copied. @retval ALOFT_ERR_STATE The station is off. */
ALOFT_MUST_CHECK
enum aloft_err air_join(struct air *air, const struct aloft_wifi_join *join, uint64_t now_ms);

void air_leave(struct air *air);

/** How things stand at `now_ms`. */
void air_status(const struct air *air, uint64_t now_ms, struct aloft_wifi_status *ret_status);

bool air_has_address(const struct air *air, uint64_t now_ms);

/** NULL = by DHCP, which takes its time where a link stands. */
void air_set_station_ip(struct air *air, const struct aloft_ip_config *config, uint64_t now_ms);

/** Look at all channels; a scan that runs goes on. @retval ALOFT_ERR_STATE The station is off. */
ALOFT_MUST_CHECK
enum aloft_err air_scan(struct air *air, uint64_t now_ms);

/** The `index`-th access point of the last scan, strongest first, equal ones as they were added.
 * @retval ALOFT_ERR_AGAIN The scan runs. @retval ALOFT_ERR_NOT_FOUND There are fewer. */
ALOFT_MUST_CHECK
enum aloft_err air_scan_entry(const struct air *air, uint64_t now_ms, uint16_t index,
                              struct aloft_scan_entry *ret_entry);

/** A soft-AP that is up comes up anew: its clients join again. */
void air_set_soft_ap(struct air *air, const struct aloft_soft_ap *soft_ap, uint64_t now_ms);

void air_set_ap_ip(struct air *air, const struct aloft_ip_config *config);
void air_ap_ip(const struct air *air, struct aloft_ip_config *ret_config);

/** The `index`-th client in order of joining; those beyond the soft-AP's number of stations are
 * turned away. @retval ALOFT_ERR_NOT_FOUND There are fewer, or there is no soft-AP. */
ALOFT_MUST_CHECK
enum aloft_err air_soft_ap_client(const struct air *air, uint64_t now_ms, uint8_t index,
                                  struct aloft_soft_ap_client *ret_client);

/** Milliseconds from `now_ms` until something changes by itself; UINT32_MAX = nothing does. */
uint32_t air_wait_ms(const struct air *air, uint64_t now_ms);

/** The BSSID of the access point with this SSID: derived from the SSID, the same in every run. */
void air_bssid(const char *ssid, uint8_t *ret_bssid);

#endif
