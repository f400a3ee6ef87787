/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_NET_H
#define ALOFT_STATE_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/port.h"

/* Private state of module/src/command/net.c, complete only so that struct aloft_module can be
 * allocated statically. */

#define ALOFT_DNS_SERVERS 3

struct aloft_net_state {
    bool is_mux;     /**< AT+CIPMUX. */
    bool is_pinging; /**< The running command is AT+PING, not AT+CIPDOMAIN. */
    uint8_t phase;
    uint8_t network;        /**< AT+CIPDOMAIN's second parameter. */
    const char *host;       /**< Of the running command: lent by its line. */
    uint64_t deadline_ms;   /**< End of the look-up. */
    struct aloft_addr addr; /**< Pinged. */
    uint8_t n_dns;          /**< 0 = the network says which. */
    uint8_t dns[ALOFT_DNS_SERVERS][4];
};

#endif
