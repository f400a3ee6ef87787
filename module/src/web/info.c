/* SPDX-License-Identifier: Apache-2.0 */
#include "web/info.h"

#include "aloft/module.h"

#include "web/page/page.h"
#include "web/partitions.h"

#define APS_MAX 10 /* Of one list (facts/at-commands.md 3.2). */

void aloft_info_write_page(const struct aloft_module *m, struct aloft_out *out)
{
    if (m->config.page != NULL) {
        aloft_out_add_bytes(out, m->config.page, m->config.page_len);
    } else {
        aloft_out_add_bytes(out, aloft_page, aloft_page_len);
    }
}

/* `5.1.0.0` of `5.1.0.0-dev`. */
static void cut_suffix(char *version)
{
    while ((*version >= '0' && *version <= '9') || *version == '.') {
        version++;
    }
    *version = '\0';
}

static void write_partitions(const struct aloft_module *m, bool has_slot, struct aloft_out *out)
{
    struct aloft_partition partition;

    aloft_out_add(out, has_slot ? "[\"ota\"" : "[");
    for (uint16_t i = 0; aloft_partitions_at(m, i, &partition) == ALOFT_ERR_OK; i++) {
        if (has_slot || i > 0) {
            aloft_out_add(out, ",");
        }
        aloft_out_add_json(out, partition.label);
    }
    aloft_out_add(out, "]");
}

void aloft_info_write_ota(const struct aloft_module *m, struct aloft_out *out)
{
    struct aloft_firmware_info info;
    struct aloft_slot slot;
    bool has_slot = m->port->boot.spare(m->port->ctx, &slot) == ALOFT_ERR_OK;

    m->port->firmware_info(m->port->ctx, &info);
    cut_suffix(info.at_version);
    aloft_out_add(out, "{\"state\":0,\"fw_version\":");
    aloft_out_add_json(out, info.app_version);
    aloft_out_add(out, ",\"at_core_version\":");
    aloft_out_add_json(out, info.at_version);
    aloft_out_add(out, ",\"partitions\":");
    write_partitions(m, has_slot, out);
    /* Ours, behind what stock firmware says: for the checks and the button of our page. */
    aloft_out_add(out, ",\"chip\":");
    aloft_out_add_json(out, m->config.chip_name);
    aloft_out_add(out, ",\"ota_size\":");
    aloft_out_add_uint(out, has_slot ? slot.size_bytes : 0);
    aloft_out_add(out, ",\"restart\":true}");
}

static void write_ap(const struct aloft_scan_entry *entry, struct aloft_out *out)
{
    aloft_out_add(out, "{\"ssid\":");
    aloft_out_add_json(out, entry->ssid);
    aloft_out_add(out, ",\"auth_mode\":");
    aloft_out_add_uint(out, entry->auth);
    aloft_out_add(out, "}");
}

void aloft_info_write_aps(const struct aloft_module *m, struct aloft_out *out)
{
    struct aloft_scan_entry entry;
    unsigned n = 0;

    aloft_out_add(out, "{\"state\":0,\"message\":\"scan done\",\"aplist\":[");
    for (uint16_t i = 0;
         n < APS_MAX && m->port->wifi.scan_entry(m->port->ctx, i, &entry) == ALOFT_ERR_OK; i++) {
        if (entry.ssid[0] != '\0') {
            aloft_out_add(out, n > 0 ? "," : "");
            write_ap(&entry, out);
            n++;
        }
    }
    aloft_out_add(out, "]}");
}
