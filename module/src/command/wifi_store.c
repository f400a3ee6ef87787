/* SPDX-License-Identifier: Apache-2.0 */
#include "command/wifi.h"

#include <string.h>

#include "aloft/bytes.h"

#include "log.h"

/* One value per setting that must change as a whole: after a power cut there is never a new SSID
 * with an old password. */

static const char key_mode[] = "wifi.mode";
static const char key_join[] = "wifi.join";

/* Layout of key_join: stored, never renumber. Texts are padded with NUL. */
enum {
    JOIN_LAYOUT = 1,
    JOIN_LAYOUT_OFF = 0,
    JOIN_SSID_OFF = 1,
    JOIN_SSID_LEN = 32,
    JOIN_PASSWORD_OFF = JOIN_SSID_OFF + JOIN_SSID_LEN,
    JOIN_PASSWORD_LEN = 64,
    JOIN_HAS_BSSID_OFF = JOIN_PASSWORD_OFF + JOIN_PASSWORD_LEN,
    JOIN_BSSID_OFF = JOIN_HAS_BSSID_OFF + 1,
    JOIN_BSSID_LEN = 6,
    JOIN_BYTES = JOIN_BSSID_OFF + JOIN_BSSID_LEN,
};

#define MODE_MAX 3

static void load_mode(struct aloft_module *m)
{
    uint8_t mode;
    size_t len = sizeof mode;
    enum aloft_err err = m->port->settings.get(m->port->ctx, key_mode, &mode, &len);

    m->wifi.mode = err == ALOFT_ERR_OK && len == sizeof mode && mode <= MODE_MAX ? mode : 0;
}

void aloft_wifi_load(struct aloft_module *m)
{
    struct aloft_wifi_join *join = &m->wifi.join;
    uint8_t stored[JOIN_BYTES];
    size_t len = sizeof stored;

    load_mode(m);
    enum aloft_err err = m->port->settings.get(m->port->ctx, key_join, stored, &len);
    if (err != ALOFT_ERR_OK || len != sizeof stored || stored[JOIN_LAYOUT_OFF] != JOIN_LAYOUT) {
        return;
    }
    aloft_get_text(stored + JOIN_SSID_OFF, JOIN_SSID_LEN, join->ssid, sizeof join->ssid);
    aloft_get_text(stored + JOIN_PASSWORD_OFF, JOIN_PASSWORD_LEN, join->password,
                   sizeof join->password);
    join->has_bssid = stored[JOIN_HAS_BSSID_OFF] == 1;
    memcpy(join->bssid, stored + JOIN_BSSID_OFF, JOIN_BSSID_LEN);
    m->wifi.has_join = join->ssid[0] != '\0';
}

static void save(struct aloft_module *m, const char *key, const void *buf, size_t len)
{
    enum aloft_err err = m->port->settings.set(m->port->ctx, key, buf, len);

    if (err != ALOFT_ERR_OK) {
        aloft_log_err(m, "settings.store_failed", err);
    }
}

void aloft_wifi_save_mode(struct aloft_module *m)
{
    save(m, key_mode, &m->wifi.mode, sizeof m->wifi.mode);
}

void aloft_wifi_save_join(struct aloft_module *m)
{
    const struct aloft_wifi_join *join = &m->wifi.join;
    uint8_t stored[JOIN_BYTES] = {0};

    stored[JOIN_LAYOUT_OFF] = JOIN_LAYOUT;
    memcpy(stored + JOIN_SSID_OFF, join->ssid, strlen(join->ssid));
    memcpy(stored + JOIN_PASSWORD_OFF, join->password, strlen(join->password));
    stored[JOIN_HAS_BSSID_OFF] = join->has_bssid ? 1 : 0;
    memcpy(stored + JOIN_BSSID_OFF, join->bssid, JOIN_BSSID_LEN);
    save(m, key_join, stored, sizeof stored);
}
