/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_SYSTEM_H
#define ALOFT_STATE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/port.h"

/* Private state of module/src/command/{system,uart,userram}.c, complete only so that struct
 * aloft_module can be allocated statically. */

struct aloft_system_state {
    uint8_t sleep_mode;   /**< Of AT+SLEEP. */
    uint8_t messages;     /**< Bits of AT+SYSMSG. */
    bool wakes_host;      /**< AT+USERWKMCUCFG is on. */
    uint8_t awake_checks; /**< How the host MCU shows that it is awake; bits of AT+USERWKMCUCFG. */
    bool is_host_asleep;
};

struct aloft_uart_state {
    struct aloft_uart_format factory; /**< Of the port, before a stored one was applied. */
    struct aloft_uart_format format;  /**< To switch to, once all is sent. */
    bool has_format_to_set;
    uint64_t deadline_ms; /**< Switch at the latest. */
};

/** AT+USERRAM; the memory itself is the caller's. */
struct aloft_userram_state {
    uint32_t size; /**< Bytes the host MCU has taken; 0 = none. */
    uint32_t at;   /**< Read: the next byte. */
    uint32_t left; /**< Read: bytes no line has yet. */
    bool is_reading;
};

#endif
