/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_FAMILIES_H
#define ALOFT_FAMILIES_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/command.h"

/** One family of commands: a file of module/src/command that shares one piece of state. */
struct aloft_family {
    const struct aloft_command *commands; /**< NULL = none. */
    size_t n_commands;
    void (*init)(struct aloft_module *m); /**< Called once, before anything else; NULL = none. */
    /** Called once, in the first step, just before `ready` is printed; NULL = none. */
    void (*boot)(struct aloft_module *m);
    /**
     * Called in every step after `ready`, never once a restart has begun.
     * @return Milliseconds until it wants to be called next; UINT32_MAX = no wish. NULL = none.
     */
    uint32_t (*step)(struct aloft_module *m);
    void (*stop)(struct aloft_module *m); /**< Give back what is held: a restart follows. NULL =
                                             nothing is. */
};

extern const struct aloft_family aloft_basic_family;
extern const struct aloft_family aloft_uart_family;
extern const struct aloft_family aloft_system_family;
extern const struct aloft_family aloft_userram_family;
extern const struct aloft_family aloft_clock_family;
extern const struct aloft_family aloft_net_family;
extern const struct aloft_family aloft_filter_family;
extern const struct aloft_family aloft_http_preset_family;
extern const struct aloft_family aloft_http_family;
extern const struct aloft_family aloft_wifi_ap_family;
extern const struct aloft_family aloft_wifi_ip_family;
extern const struct aloft_family aloft_wifi_family;
extern const struct aloft_family aloft_wifi_station_family;
extern const struct aloft_family aloft_wifi_list_family;
extern const struct aloft_family aloft_ciupdate_family;
extern const struct aloft_family aloft_userota_family;
extern const struct aloft_family aloft_cipfwver_family;
extern const struct aloft_family aloft_ciupdatecfg_family;
extern const struct aloft_family aloft_updatetls_family;
extern const struct aloft_family aloft_sysrollback_family;
extern const struct aloft_family aloft_webserver_family;

/** All families, in the order in which they are looked up, initialised and stepped. */
extern const struct aloft_family *const aloft_families[];
extern const size_t aloft_n_families;

#endif
