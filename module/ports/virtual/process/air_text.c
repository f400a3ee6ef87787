/* SPDX-License-Identifier: Apache-2.0 */
#include "process/air_text.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "process/identity.h"

#define WORD_BYTES 64
#define WINDOW_MAX 86400000 /* ms: one day */

/* One value of a `KEY=VALUE` list: false, it is not of the form the key wants. */
typedef bool take_fn(const char *value, void *field);

struct key {
    const char *name;
    take_fn *take;
    size_t offset; /* of the field in the record */
    const char *form;
};

static bool take_number(const char *value, long min, long max, long *ret_number)
{
    char *end;

    *ret_number = strtol(value, &end, 10); /* Too long a number is LONG_MAX, over any `max`. */
    return end != value && *end == '\0' && *ret_number >= min && *ret_number <= max;
}

static bool take_auth(const char *value, void *field)
{
    static const char *const names[] = {
        [ALOFT_WIFI_OPEN] = "open",         [ALOFT_WIFI_WEP] = "wep",
        [ALOFT_WIFI_WPA] = "wpa",           [ALOFT_WIFI_WPA2] = "wpa2",
        [ALOFT_WIFI_WPA_WPA2] = "wpa/wpa2", [ALOFT_WIFI_WPA2_ENT] = "wpa2-ent",
        [ALOFT_WIFI_WPA3] = "wpa3",         [ALOFT_WIFI_WPA2_WPA3] = "wpa2/wpa3",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(value, names[i]) == 0) {
            *(uint8_t *)field = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static bool take_channel(const char *value, void *field)
{
    long number;

    if (!take_number(value, 1, 14, &number)) {
        return false;
    }
    *(uint8_t *)field = (uint8_t)number;
    return true;
}

static bool take_rssi(const char *value, void *field)
{
    long number;

    if (!take_number(value, INT8_MIN, 0, &number)) {
        return false;
    }
    *(int8_t *)field = (int8_t)number;
    return true;
}

static bool take_yes_or_no(const char *value, void *field)
{
    *(bool *)field = strcmp(value, "yes") == 0;
    return strcmp(value, "yes") == 0 || strcmp(value, "no") == 0;
}

static bool take_mac(const char *value, void *field)
{
    struct error e = {0};

    return mac_parse(value, field, &e) == ALOFT_ERR_OK;
}

static bool take_ipv4(const char *value, void *field)
{
    return inet_pton(AF_INET, value, field) == 1;
}

static bool take_ms(const char *value, void *field)
{
    long number;

    if (!take_number(value, 0, WINDOW_MAX, &number)) {
        return false;
    }
    *(uint32_t *)field = (uint32_t)number;
    return true;
}

/* The list ends with an entry without a name. @param text  Of an option called `option`. */
static enum aloft_err take_keys(const char *text, const struct key *keys, void *record,
                                const char *option, struct error *e)
{
    for (const char *at = text; at != NULL;) {
        const char *comma = strchr(at, ',');
        size_t len = comma ? (size_t)(comma - at) : strlen(at);
        const char *equals = memchr(at, '=', len);
        char value[WORD_BYTES] = "";
        const struct key *key = keys;
        while (key->name && (!equals || strlen(key->name) != (size_t)(equals - at) ||
                             strncmp(key->name, at, strlen(key->name)) != 0)) {
            key++;
        }
        if (!key->name) {
            return fail(e, ALOFT_ERR_SYNTAX, "%s: '%.*s' is none of its KEY=VALUE words", option,
                        (int)len, at);
        }
        size_t value_len = len - (size_t)(equals + 1 - at);
        if (value_len < sizeof value) {
            memcpy(value, equals + 1, value_len);
        }
        if (!key->take(value, (char *)record + key->offset)) {
            return fail(e, ALOFT_ERR_SYNTAX, "%s: '%.*s' is not %s=%s", option, (int)len, at,
                        key->name, key->form);
        }
        at = comma ? comma + 1 : NULL;
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err check_window(const struct air_window *window, const char *option,
                                   struct error *e)
{
    return window->until_ms == 0 || window->from_ms < window->until_ms
               ? ALOFT_ERR_OK
               : fail(e, ALOFT_ERR_SYNTAX, "%s: until=%u does not come after from=%u", option,
                      (unsigned)window->until_ms, (unsigned)window->from_ms);
}

enum aloft_err air_text_ap(const char *text, struct air_ap *ret_ap, struct error *e)
{
    char ssid[sizeof ret_ap->ssid] = "";
    const char *colon = strchr(text, ':');

    if (!colon || (size_t)(colon - text) >= sizeof ssid ||
        strlen(colon + 1) >= sizeof ret_ap->password) {
        return fail(e, ALOFT_ERR_SYNTAX, "--ap '%s' is not SSID:PASSWORD (up to 32 and 64 bytes)",
                    text);
    }
    memcpy(ssid, text, (size_t)(colon - text));
    air_ap_init(ret_ap, ssid, colon + 1);
    return ALOFT_ERR_OK;
}

enum aloft_err air_text_ap_with(const char *text, struct air_ap *ap, struct error *e)
{
    static const struct key keys[] = {
        {"auth", take_auth, offsetof(struct air_ap, auth),
         "open, wep, wpa, wpa2, wpa/wpa2, wpa2-ent, wpa3 or wpa2/wpa3"},
        {"channel", take_channel, offsetof(struct air_ap, channel), "1..14"},
        {"rssi", take_rssi, offsetof(struct air_ap, rssi), "-128..0"},
        {"hidden", take_yes_or_no, offsetof(struct air_ap, is_hidden), "yes or no"},
        {"bssid", take_mac, offsetof(struct air_ap, bssid), "AA:BB:CC:DD:EE:FF"},
        {"gateway", take_ipv4, offsetof(struct air_ap, lease.gateway), "A.B.C.D"},
        {"station", take_ipv4, offsetof(struct air_ap, lease.ip), "A.B.C.D"},
        {"from", take_ms, offsetof(struct air_ap, window.from_ms), "milliseconds"},
        {"until", take_ms, offsetof(struct air_ap, window.until_ms), "milliseconds"},
        {NULL, NULL, 0, NULL},
    };
    enum aloft_err err = take_keys(text, keys, ap, "--ap-with", e);

    return err == ALOFT_ERR_OK ? check_window(&ap->window, "--ap-with", e) : err;
}

enum aloft_err air_text_client(const char *text, struct air_client *ret_client, struct error *e)
{
    static const struct key keys[] = {
        {"from", take_ms, offsetof(struct air_client, window.from_ms), "milliseconds"},
        {"until", take_ms, offsetof(struct air_client, window.until_ms), "milliseconds"},
        {NULL, NULL, 0, NULL},
    };
    static const char option[] = "--soft-ap-client";
    char mac[WORD_BYTES] = "";
    size_t mac_len = strcspn(text, ",");

    memset(ret_client, 0, sizeof *ret_client);
    if (mac_len < sizeof mac) {
        memcpy(mac, text, mac_len);
    }
    if (!take_mac(mac, ret_client->mac)) {
        return fail(e, ALOFT_ERR_SYNTAX, "%s '%s' does not begin with AA:BB:CC:DD:EE:FF", option,
                    text);
    }
    if (text[mac_len] == '\0') {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = take_keys(text + mac_len + 1, keys, ret_client, option, e);
    return err == ALOFT_ERR_OK ? check_window(&ret_client->window, option, e) : err;
}
