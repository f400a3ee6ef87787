/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/partition_content.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "aloft/ble_data.h"
#include "aloft/factory_param.h"
#include "aloft/pki.h"
#include "analyse/rows.h"

static bool check_pki(const uint8_t *buf, size_t len, char *why, size_t cap)
{
    struct aloft_pki_report r;

    if (aloft_pki_check(buf, len, &r) == ALOFT_PKI_OK) {
        return true;
    }
    (void)snprintf(why, cap,
                   "it %s (by its header %u items in %" PRIu64
                   " bytes; %zu of them are whole, up to byte %zu of %zu)",
                   aloft_pki_fault_text(r.fault), r.n_items, r.size_bytes, r.n_seen, r.off, len);
    return false;
}

static bool check_factory_param(const uint8_t *buf, size_t len, char *why, size_t cap)
{
    struct aloft_factory_param p;

    switch (aloft_factory_param_parse(buf, len, &p)) {
    case ALOFT_ERR_OK:
        return true;
    case ALOFT_ERR_VERSION:
        (void)snprintf(why, cap, "of version %u, and modules know 1, 2 and 3", p.version);
        break;
    case ALOFT_ERR_TRUNCATED:
        (void)snprintf(why, cap, "it is cut short: it has %zu bytes of %" PRIu32, len,
                       p.size_bytes);
        break;
    default:
        (void)snprintf(why, cap,
                       "behind its %" PRIu32 " bytes of fields something else than ff follows",
                       p.size_bytes);
    }
    return false;
}

/* The members of a characteristic or descriptor (facts/esp-formats.md 6.4). Numbers may stand as
 * text: that depends on the tool's settings. */
static const char *const row_members[] = {"index",       "uuid_len",    "uuid", "perm",
                                          "val_max_len", "val_cur_len", "value"};

static bool check_service_row(const json_t *row, size_t i, char *why, size_t cap)
{
    for (size_t k = 0; k < sizeof row_members / sizeof row_members[0]; k++) {
        if (!json_object_get(row, row_members[k])) {
            (void)snprintf(why, cap, "row %zu of its 'Service' has no '%s'", i, row_members[k]);
            return false;
        }
    }
    const json_t *bits = json_object_get(row, "uuid_len");
    json_int_t n = json_integer_value(bits);
    if (json_is_integer(bits) && n != 16 && n != 32 && n != 128) {
        (void)snprintf(why, cap,
                       "in row %zu of its 'Service' 'uuid_len' is %" JSON_INTEGER_FORMAT
                       ", where 16, 32 and 128 are possible",
                       i, n);
        return false;
    }
    const json_t *max = json_object_get(row, "val_max_len");
    const json_t *now = json_object_get(row, "val_cur_len");
    if (json_is_integer(max) && json_integer_value(now) > json_integer_value(max)) {
        (void)snprintf(
            why, cap, "in row %zu of its 'Service' 'val_cur_len' is greater than 'val_max_len'", i);
        return false;
    }
    return true;
}

static bool check_service(const json_t *root, char *why, size_t cap)
{
    const json_t *service = json_object_get(root, "Service");
    const json_t *row;
    size_t i;

    if (!json_is_array(service)) {
        (void)snprintf(why, cap, "its text is no object with a list 'Service'");
        return false;
    }
    json_array_foreach(service, i, row)
    {
        if (!check_service_row(row, i, why, cap)) {
            return false;
        }
    }
    return true;
}

static bool check_json(const char *text, size_t len, char *why, size_t cap)
{
    json_error_t error;
    char words[sizeof error.text];
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

    if (!root) {
        copy_printable(error.text, words, sizeof words); /* it may quote the text */
        (void)snprintf(why, cap, "its text is no JSON from byte %d of it on: %s", error.position,
                       words);
        return false;
    }
    bool is_good = check_service(root, why, cap);
    json_decref(root);
    return is_good;
}

static bool check_ble_data(const uint8_t *buf, size_t len, char *why, size_t cap)
{
    struct aloft_ble_data d;
    size_t head_len = ALOFT_BLE_DATA_HEADER_BYTES;

    switch (aloft_ble_data_parse(buf, len, &d)) {
    case ALOFT_ERR_OK:
        return check_json(d.json, d.json_len, why, cap);
    case ALOFT_ERR_TRAILING:
        (void)snprintf(why, cap, "behind its text of %zu bytes something else than ff follows",
                       d.json_len);
        break;
    default:
        (void)snprintf(why, cap, "it is cut short: it has %zu bytes of %zu", len,
                       head_len + d.json_len);
    }
    return false;
}

static const struct partition_content pki = {
    "a PKI container",
    "f1f1 at its start",
    "make it with AtPKI.py of ESP-AT up to v3.0",
    {0xF1, 0xF1},
    0,
    check_pki,
};
static const struct partition_content factory_param = {
    "a factory_param file",
    "fcfc at its start",
    "make it with factory_param_generate.py of ESP-AT up to v3.0",
    {0xFC, 0xFC},
    0,
    check_factory_param,
};
static const struct partition_content ble_data = {
    "a ble_data file",
    "2795 behind its first two bytes",
    "make it with BLEService.py of ESP-AT up to v3.0",
    {0x27, 0x95},
    2,
    check_ble_data,
};

/* facts/esp-formats.md 6.5, facts/at-commands.md 5.4. */
static const struct {
    const char *label;
    const struct partition_content *content;
} contents[] = {
    {"mqtt_ca", &pki},
    {"mqtt_cert", &pki},
    {"mqtt_key", &pki},
    {"client_ca", &pki},
    {"client_cert", &pki},
    {"client_key", &pki},
    {"server_ca", &pki},
    {"server_cert", &pki},
    {"server_key", &pki},
    {"wpa2_ca", &pki},
    {"wpa2_cert", &pki},
    {"wpa2_key", &pki},
    {"wpa_ent_ca", &pki},
    {"wpa_ent_cert", &pki},
    {"wpa_ent_key", &pki},
    {"ble_data", &ble_data},
    {"factory_param", &factory_param},
};

const struct partition_content *partition_content_find(const char *label)
{
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        if (strcmp(contents[i].label, label) == 0) {
            return contents[i].content;
        }
    }
    return NULL;
}

bool partition_content_has_magic(const struct partition_content *content, const uint8_t *buf,
                                 size_t len)
{
    return len >= content->magic_off + sizeof content->magic &&
           memcmp(buf + content->magic_off, content->magic, sizeof content->magic) == 0;
}
