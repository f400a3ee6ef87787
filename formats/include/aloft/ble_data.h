/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_BLE_DATA_H
#define ALOFT_BLE_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/* The ble_data partition of AT up to v3.0: a GATT service as JSON text behind a small header
 * (facts/esp-formats.md 6.4). */

#define ALOFT_BLE_DATA_HEADER_BYTES 4u

struct aloft_ble_data {
    const char *json; /**< Borrowed from the buffer; not NUL-terminated, not looked into. */
    size_t json_len;
};

/**
 * Read a whole file. Behind the text only FF may stand.
 *
 * @retval ALOFT_ERR_MAGIC      There is no 27 95 behind the first two bytes.
 * @retval ALOFT_ERR_TRUNCATED  The text is longer than the file: `json_len` is what the header
 * says.
 * @retval ALOFT_ERR_TRAILING   Bytes other than FF behind the text: all is set.
 * What is not set is 0 or NULL.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_ble_data_parse(const uint8_t *buf, size_t len,
                                    struct aloft_ble_data *ret_data);

#endif
