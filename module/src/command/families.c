/* SPDX-License-Identifier: Apache-2.0 */
#include "command/families.h"

const struct aloft_family *const aloft_families[] = {
    /* clang-format off */
    &aloft_basic_family,
    &aloft_uart_family,
    &aloft_system_family,
    &aloft_filter_family,
    &aloft_userram_family,
    &aloft_clock_family,
    &aloft_net_family,
    &aloft_wifi_station_family,
    &aloft_wifi_ap_family, /* soft-AP and addresses stand before the mode brings them up */
    &aloft_wifi_ip_family,
    &aloft_wifi_family,
    &aloft_wifi_list_family,
    &aloft_ciupdate_family, /* steps the engine: before those who look at its outcome */
    &aloft_userota_family,
    &aloft_cipfwver_family,
    &aloft_ciupdatecfg_family,
    &aloft_updatetls_family,
    &aloft_sysrollback_family,
    &aloft_webserver_family,
    &aloft_http_preset_family,
    &aloft_http_family,
    /* clang-format on */
};

const size_t aloft_n_families = sizeof aloft_families / sizeof aloft_families[0];
