/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_WIFI_H
#define ALOFT_STATE_WIFI_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/port.h"

/* Private state of module/src/command/wifi*, complete only so that struct aloft_module can be
 * allocated statically. */

/** Why the station is being joined. */
enum aloft_wifi_task {
    ALOFT_WIFI_REST,
    ALOFT_WIFI_COMMAND, /**< AT+CWJAP runs and waits for the outcome. */
    ALOFT_WIFI_AUTO,    /**< At boot, after a lost link, after a change of the mode, or for
                           provisioning. */
    ALOFT_WIFI_PAUSE,   /**< Between two automatic tries. */
};

/** Numbers of AT+CWJAP beside the access point, in the order of its query. */
struct aloft_wifi_options {
    uint8_t pci;        /**< 1: no WEP and no open access points. */
    uint16_t reconnect; /**< Seconds between two automatic tries; 0 = none after a lost link. */
    uint8_t listen;     /**< Listen interval in beacons. */
    uint8_t scan;       /**< 0 fast, 1 all channels. */
    uint16_t timeout_s; /**< Of AT+CWJAP itself; not in the query. */
    uint8_t pmf;        /**< Bit 0 capable, bit 1 required. */
};

/** Whose entries the port's last scan holds. */
enum aloft_scan_user {
    ALOFT_SCAN_NOBODY, /**< Anybody may scan. */
    ALOFT_SCAN_COMMAND,
    ALOFT_SCAN_WEB,
};

#define ALOFT_WIFI_CLIENTS 10 /* AT+CWSAP's largest number of stations. */

/** What AT+CWLAP lists. */
struct aloft_wifi_filter {
    char ssid[33];
    bool has_ssid;
    uint8_t bssid[6];
    bool has_bssid;
    uint8_t channel; /**< 0 = all. */
};

/** The listing that runs; one at most, because a command waits for it. */
enum aloft_wifi_listing {
    ALOFT_WIFI_LIST_NONE,
    ALOFT_WIFI_LIST_WAIT,    /**< AT+CWLAP, for another user's scan. */
    ALOFT_WIFI_LIST_APS,     /**< AT+CWLAP. */
    ALOFT_WIFI_LIST_CLIENTS, /**< AT+CWLIF. */
};

struct aloft_wifi_state_data {
    uint8_t mode; /**< 0 off, 1 station, 2 soft-AP, 3 both. */
    enum aloft_wifi_task task;
    uint64_t deadline_ms;          /**< End of the try or of the pause. */
    enum aloft_wifi_state printed; /**< What the last unsolicited line said. */
    bool has_join;                 /**< `join` and `options` hold a configuration. */
    struct aloft_wifi_join join;
    struct aloft_wifi_options options;
    bool is_provisioning; /**< AUTO and PAUSE: without end, and stored in the end. */
    bool is_auto;         /**< AT+CWAUTOCONN: join after a boot. */
    uint16_t max_tries;   /**< AT+CWRECONNCFG: automatic tries in a row; 0 = no limit. */
    uint16_t n_tries;     /**< Automatic tries since the last link. */
    char host_name[33];   /**< AT+CWHOSTNAME. */
    bool has_station_ip;  /**< DHCP is off. */
    struct aloft_ip_config station_ip;
    struct aloft_soft_ap soft_ap;
    struct aloft_soft_ap_client clients[ALOFT_WIFI_CLIENTS]; /**< As the host was told. */
    uint8_t n_clients;
    enum aloft_scan_user scan_user;
    enum aloft_wifi_listing listing;
    uint16_t n_listed;         /**< Entries looked at. */
    uint64_t list_deadline_ms; /**< A scan that does not end ends here. */
    struct aloft_wifi_filter filter;
};

#endif
