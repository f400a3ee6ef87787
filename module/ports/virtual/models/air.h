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
 * Simulated Wi-Fi: some access points and one station. Pure: time comes in as an argument and the
 * outcome of a join follows from what was asked and when, so the same calls give the same answers.
 */

#define AIR_APS_MAX 16

/* A join takes this long; an address comes a little later. Short, but long enough that a host MCU
 * sees the states in between. */
#define AIR_JOIN_MS  30
#define AIR_LEASE_MS 50

struct air_ap {
    char ssid[33];
    char password[65]; /**< Empty = open. */
};

/** Complete for static allocation; its members are private. */
struct air {
    struct air_ap aps[AIR_APS_MAX];
    size_t n_aps;
    uint8_t mac[6];
    uint8_t mode;
    bool has_left; /**< Left an access point since the last join. */
    bool is_trying;
    uint64_t since_ms; /**< Of the join. */
    struct aloft_wifi_join wanted;
};

/** No access points yet, station off. @param mac 6 bytes of the station. */
void air_init(struct air *air, const uint8_t *mac);

/**
 * Add an access point.
 *
 * @retval ALOFT_ERR_RANGE    The SSID is not 1 to 32 bytes, or the password neither empty nor 8 to
 *                            64.
 * @retval ALOFT_ERR_TOO_BIG  AIR_APS_MAX are there already.
 */
ALOFT_MUST_CHECK
enum aloft_err air_add_ap(struct air *air, const char *ssid, const char *password);

/** As after a power cut: joined to nothing, never tried; the access points stay. */
void air_reset(struct air *air);

/** 0 off, 1 station, 2 soft-AP, 3 both; leaves the access point when the station goes off.
 * @retval ALOFT_ERR_RANGE Another number. */
ALOFT_MUST_CHECK
enum aloft_err air_set_mode(struct air *air, uint8_t mode);

/** Begin to join; `join` is copied. @retval ALOFT_ERR_STATE The station is off. */
ALOFT_MUST_CHECK
enum aloft_err air_join(struct air *air, const struct aloft_wifi_join *join, uint64_t now_ms);

void air_leave(struct air *air);

/** How things stand at `now_ms`. */
void air_status(const struct air *air, uint64_t now_ms, struct aloft_wifi_status *ret_status);

bool air_has_address(const struct air *air, uint64_t now_ms);

/** Milliseconds from `now_ms` until the status changes by itself; UINT32_MAX = it does not. */
uint32_t air_wait_ms(const struct air *air, uint64_t now_ms);

/** The BSSID of the access point with this SSID: derived from the SSID, the same in every run. */
void air_bssid(const char *ssid, uint8_t *ret_bssid);

#endif
