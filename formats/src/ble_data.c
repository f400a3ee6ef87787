/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/ble_data.h"

#include <string.h>

#include "aloft/bytes.h"

/* facts/esp-formats.md 6.4; the magic stands behind the length. */
#define MAGIC_OFF 2u
#define MAGIC     0x9527

enum aloft_err aloft_ble_data_parse(const uint8_t *buf, size_t len, struct aloft_ble_data *ret_data)
{
    memset(ret_data, 0, sizeof *ret_data);
    if (len < ALOFT_BLE_DATA_HEADER_BYTES || aloft_get_le16(buf + MAGIC_OFF) != MAGIC) {
        return ALOFT_ERR_MAGIC;
    }
    size_t rest = len - ALOFT_BLE_DATA_HEADER_BYTES;
    ret_data->json_len = aloft_get_le16(buf);
    if (ret_data->json_len > rest) {
        return ALOFT_ERR_TRUNCATED;
    }
    ret_data->json = (const char *)buf + ALOFT_BLE_DATA_HEADER_BYTES;
    const uint8_t *end = buf + ALOFT_BLE_DATA_HEADER_BYTES + ret_data->json_len;
    return aloft_bytes_are(end, rest - ret_data->json_len, 0xFF) ? ALOFT_ERR_OK
                                                                 : ALOFT_ERR_TRAILING;
}
