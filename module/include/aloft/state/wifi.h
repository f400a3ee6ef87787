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
    ALOFT_WIFI_AUTO,    /**< At boot, after a lost link, after a change of the mode. */
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

struct aloft_wifi_state_data {
    uint8_t mode; /**< 0 off, 1 station, 2 soft-AP, 3 both. */
    enum aloft_wifi_task task;
    uint64_t deadline_ms;          /**< End of the try or of the pause. */
    enum aloft_wifi_state printed; /**< What the last unsolicited line said. */
    bool has_join;                 /**< `join` and `options` hold a configuration. */
    struct aloft_wifi_join join;
    struct aloft_wifi_options options;
};

#endif
