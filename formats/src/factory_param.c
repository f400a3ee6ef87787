/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/factory_param.h"

#include <string.h>

#include "aloft/bytes.h"

/* facts/esp-formats.md 6.3. */
#define MAGIC         0xFCFC
#define VERSION_OFF   2u
#define VERSION_MAX   3
#define MODULE_ID_OFF 3u
#define POWER_OFF     4u
#define PORT_OFF      5u
#define CHANNEL_OFF   6u
#define CHANNELS_OFF  7u
#define COUNTRY_OFF   8u
#define COUNTRY_BYTES 4u
#define BAUDRATE_OFF  12u
#define PINS_OFF      16u
#define CONTROL_OFF   20u
#define PLATFORM_OFF  24u
#define NAME_OFF      56u
#define TEXT_BYTES    32u

static void get_fields(const uint8_t *buf, struct aloft_factory_param *p)
{
    p->max_tx_power = buf[POWER_OFF];
    p->uart_port = buf[PORT_OFF];
    p->start_channel = buf[CHANNEL_OFF];
    p->n_channels = buf[CHANNELS_OFF];
    aloft_get_text(buf + COUNTRY_OFF, COUNTRY_BYTES, p->country_code, sizeof p->country_code);
    p->uart_baudrate = aloft_get_le32(buf + BAUDRATE_OFF);
    memcpy(p->uart_pins, buf + PINS_OFF, sizeof p->uart_pins);
    memcpy(p->control_pins, buf + CONTROL_OFF, sizeof p->control_pins);
    if (p->version == VERSION_MAX) {
        aloft_get_text(buf + PLATFORM_OFF, TEXT_BYTES, p->platform, sizeof p->platform);
        aloft_get_text(buf + NAME_OFF, TEXT_BYTES, p->module_name, sizeof p->module_name);
    } else {
        p->module_id = buf[MODULE_ID_OFF];
    }
}

enum aloft_err aloft_factory_param_parse(const uint8_t *buf, size_t len,
                                         struct aloft_factory_param *ret_param)
{
    struct aloft_factory_param *p = ret_param;

    memset(p, 0, sizeof *p);
    if (len < 2 || aloft_get_le16(buf) != MAGIC) {
        return ALOFT_ERR_MAGIC;
    }
    if (len <= VERSION_OFF) {
        p->size_bytes = ALOFT_FACTORY_PARAM_V2_BYTES; /* at least */
        return ALOFT_ERR_TRUNCATED;
    }
    p->version = buf[VERSION_OFF];
    if (p->version == 0 || p->version > VERSION_MAX) {
        return ALOFT_ERR_VERSION;
    }
    p->size_bytes =
        p->version == VERSION_MAX ? ALOFT_FACTORY_PARAM_V3_BYTES : ALOFT_FACTORY_PARAM_V2_BYTES;
    if (len < p->size_bytes) {
        return ALOFT_ERR_TRUNCATED;
    }
    get_fields(buf, p);
    return aloft_bytes_are(buf + p->size_bytes, len - p->size_bytes, 0xFF) ? ALOFT_ERR_OK
                                                                           : ALOFT_ERR_TRAILING;
}
