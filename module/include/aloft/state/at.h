/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_AT_H
#define ALOFT_STATE_AT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/command.h"
#include "aloft/config.h"
#include "aloft/port.h"

/* Private state of module/src/at and of the basic commands, complete only so that struct
 * aloft_module can be allocated statically. */

enum aloft_at_phase {
    ALOFT_AT_BOOTING,    /**< Before `ready`: input is dropped. */
    ALOFT_AT_IDLE,       /**< Waits for a line. */
    ALOFT_AT_RUNNING,    /**< A command runs: each line is answered `busy`. */
    ALOFT_AT_DATA,       /**< A command runs and collects raw bytes. */
    ALOFT_AT_RESTARTING, /**< The last bytes drain; input is dropped. */
    ALOFT_AT_HALTED,     /**< The port was told to restart. */
};

#define ALOFT_AT_BUSY_BYTES 8 /**< Of a line behind the longest command: `AT+RST` has 6. */

struct aloft_at_line {
    char text[ALOFT_CONFIG_LINE_BYTES + 1 + ALOFT_AT_BUSY_BYTES];
    uint16_t start; /**< The line begins here; the command that runs stands before it. */
    uint16_t len;
    bool is_too_long;
    bool has_cr;   /**< The last byte was a CR, not yet in `text`. */
    bool skips_lf; /**< An LF that comes next belongs to a dropped line. */
};

struct aloft_at_ring {
    uint8_t bytes[ALOFT_CONFIG_TX_BYTES];
    uint16_t start;
    uint16_t len;
};

/** Bytes that leave from the lender's memory, between two of the ring. */
struct aloft_at_lent {
    const uint8_t *bytes;
    size_t len;        /**< Not yet taken by the UART; 0 = nothing is lent. */
    uint16_t n_before; /**< Bytes of the ring that come first. */
};

/** AT+SYSMSGFILTER; the filters lie in `config.filter_buf`. */
struct aloft_at_filter {
    bool is_on;
    bool is_message;      /**< What is printed belongs to one. */
    bool is_listing;      /**< AT+SYSMSGFILTERCFG? runs. */
    uint16_t message_len; /**< Of it so far. */
    uint16_t len;         /**< Of all filters. */
    uint16_t list_at;     /**< The next one to list. */
    uint16_t n_listed;
};

struct aloft_at_data {
    uint8_t *buf;
    size_t len;
    size_t n_got;
    uint32_t idle_ms;
    uint64_t deadline_ms; /**< Of the silence; unused if `idle_ms` is 0. */
    aloft_data_fn *done;
};

struct aloft_at_state {
    enum aloft_at_phase phase;
    bool has_echo;
    bool has_syslog;              /**< AT+SYSLOG: error codes before ERROR and busy. */
    uint32_t fail_code;           /**< Error code word of the command that runs. */
    uint64_t restart_deadline_ms; /**< RESTARTING: restart at the latest. */
    struct aloft_at_line line;
    struct aloft_at_ring tx;
    struct aloft_at_lent lent;
    struct aloft_at_filter filter;
    struct aloft_at_data data;
};

struct aloft_basic_state {
    bool has_store; /**< AT+SYSSTORE: settings survive a restart. */
    bool is_listing;
    uint16_t n_listed; /**< Commands AT+CMD? has printed. */
};

#endif
