/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "aloft/ble_data.h"

/* Parsers: formats/src/ble_data.c */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aloft_ble_data d;
    enum aloft_err err = aloft_ble_data_parse(data, size, &d);

    if (err == ALOFT_ERR_OK || err == ALOFT_ERR_TRAILING) {
        MUST(d.json == (const char *)data + ALOFT_BLE_DATA_HEADER_BYTES);
        MUST(d.json_len <= size - ALOFT_BLE_DATA_HEADER_BYTES);
    } else {
        MUST(d.json == NULL);
    }
    return 0;
}
