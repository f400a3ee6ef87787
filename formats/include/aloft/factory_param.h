/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_FACTORY_PARAM_H
#define ALOFT_FACTORY_PARAM_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/* The factory_param partition of AT up to v3.0: what the factory set for one module
 * (facts/esp-formats.md 6.3). */

#define ALOFT_FACTORY_PARAM_V2_BYTES 24u /**< Fields of versions 1 and 2. */
#define ALOFT_FACTORY_PARAM_V3_BYTES 88u /**< Fields of version 3. */

struct aloft_factory_param {
    uint8_t version;       /**< 1, 2 or 3. */
    uint8_t module_id;     /**< Versions 1 and 2; 0 in 3. */
    uint8_t max_tx_power;  /**< Quarters of a dBm. */
    uint8_t uart_port;     /**< 0xFF = the default one. */
    uint8_t start_channel; /**< Wi-Fi. */
    uint8_t n_channels;
    char country_code[5];
    uint32_t uart_baudrate;
    uint8_t uart_pins[4];    /**< TX, RX, CTS, RTS. */
    uint8_t control_pins[2]; /**< TX, RX; 0xFF = none. */
    char platform[33];       /**< Version 3; "" before. */
    char module_name[33];    /**< Version 3; "" before. */
    uint32_t size_bytes;     /**< Of the fields; FF behind them. */
};

/**
 * Read a whole file. Behind the fields only FF may stand; how much of it is not asked.
 *
 * @retval ALOFT_ERR_MAGIC      It does not begin with FC FC.
 * @retval ALOFT_ERR_VERSION    A version other than 1, 2, 3: `ret_param->version` is set.
 * @retval ALOFT_ERR_TRUNCATED  It ends inside the fields: `size_bytes` is set too.
 * @retval ALOFT_ERR_TRAILING   Bytes other than FF behind the fields: all is set.
 * What is not set is 0 or "".
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_factory_param_parse(const uint8_t *buf, size_t len,
                                         struct aloft_factory_param *ret_param);

#endif
