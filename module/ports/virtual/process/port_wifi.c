/* SPDX-License-Identifier: Apache-2.0 */

/* struct aloft_port_wifi for Linux: thin functions from the module library to the simulated air. */

#include "process/machine.h"

#include <string.h>

static enum aloft_err wifi_set_mode(void *ctx, uint8_t mode)
{
    struct machine *m = ctx;

    return air_set_mode(&m->air, mode, m->now_ms);
}

static enum aloft_err wifi_join(void *ctx, const struct aloft_wifi_join *join)
{
    struct machine *m = ctx;

    return air_join(&m->air, join, m->now_ms);
}

static void wifi_leave(void *ctx)
{
    struct machine *m = ctx;

    air_leave(&m->air);
}

static void wifi_status(void *ctx, struct aloft_wifi_status *ret_status)
{
    const struct machine *m = ctx;

    air_status(&m->air, m->now_ms, ret_status);
}

static void station_mac(void *ctx, uint8_t *ret_mac)
{
    const struct machine *m = ctx;

    memcpy(ret_mac, m->identity.mac, sizeof m->identity.mac);
}

/* As on the chip: the soft-AP has the next address. */
static void ap_mac(void *ctx, uint8_t *ret_mac)
{
    station_mac(ctx, ret_mac);
    ret_mac[5]++;
}

static void ap_ip(void *ctx, struct aloft_ip_config *ret_config)
{
    const struct machine *m = ctx;

    air_ap_ip(&m->air, ret_config);
}

static enum aloft_err set_ap_ip(void *ctx, const struct aloft_ip_config *config)
{
    struct machine *m = ctx;

    air_set_ap_ip(&m->air, config);
    return ALOFT_ERR_OK;
}

static enum aloft_err set_station_ip(void *ctx, const struct aloft_ip_config *config)
{
    struct machine *m = ctx;

    air_set_station_ip(&m->air, config, m->now_ms);
    return ALOFT_ERR_OK;
}

static enum aloft_err set_soft_ap(void *ctx, const struct aloft_soft_ap *soft_ap)
{
    struct machine *m = ctx;

    air_set_soft_ap(&m->air, soft_ap, m->now_ms);
    return ALOFT_ERR_OK;
}

static enum aloft_err soft_ap_client(void *ctx, uint8_t index,
                                     struct aloft_soft_ap_client *ret_client)
{
    const struct machine *m = ctx;

    return air_soft_ap_client(&m->air, m->now_ms, index, ret_client);
}

static enum aloft_err scan(void *ctx)
{
    struct machine *m = ctx;

    return air_scan(&m->air, m->now_ms);
}

static enum aloft_err scan_entry(void *ctx, uint16_t index, struct aloft_scan_entry *ret_entry)
{
    const struct machine *m = ctx;

    return air_scan_entry(&m->air, m->now_ms, index, ret_entry);
}

void port_fill_wifi(struct aloft_port_wifi *wifi)
{
    *wifi = (struct aloft_port_wifi){
        .set_mode = wifi_set_mode,
        .join = wifi_join,
        .leave = wifi_leave,
        .status = wifi_status,
        .station_mac = station_mac,
        .ap_mac = ap_mac,
        .ap_ip = ap_ip,
        .set_ap_ip = set_ap_ip,
        .set_station_ip = set_station_ip,
        .set_soft_ap = set_soft_ap,
        .soft_ap_client = soft_ap_client,
        .scan = scan,
        .scan_entry = scan_entry,
    };
}
