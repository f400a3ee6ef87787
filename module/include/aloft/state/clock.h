/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_CLOCK_H
#define ALOFT_STATE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/port.h"

/* Private state of module/src/clock and module/src/command/clock.c, complete only so that struct
 * aloft_module can be allocated statically. */

struct aloft_sntp_state {
    uint64_t due_ms; /**< Of the next round, or the end of waiting for a server. */
    uint32_t interval_s;
    int socket; /**< -1 = none. */
    uint8_t phase;
    uint8_t server;  /**< Asked now: 0 to 2. */
    uint8_t n_fails; /**< Rounds without an answer since the last good one. */
    uint8_t refused; /**< Bit n: server n wants no more requests. */
    uint8_t cookie[8];
    struct aloft_addr addr;
};

struct aloft_clock_state {
    uint64_t unix_ms_at_zero; /**< Unix time at `now_ms` 0, modulo 2^64. */
    int16_t zone;             /**< As it was set: hours, or hours and minutes. */
    struct aloft_sntp_state sntp;
};

#endif
