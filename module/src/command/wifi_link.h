/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_COMMAND_WIFI_LINK_H
#define ALOFT_COMMAND_WIFI_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/module.h"

/* Shared by the files wifi*.c only. */

/** Associated, with or without an address. */
bool aloft_wifi_is_linked(enum aloft_wifi_state state);

/**
 * Join the access point of `m->wifi.join`; the outcome ends the running command. Prints
 * `WIFI DISCONNECT` if another one is left for it.
 * @return LATER, or ERROR with its `+CWJAP` line printed.
 */
enum aloft_reply aloft_wifi_begin_command(struct aloft_module *m);

/** Join automatically at the next step, and again after pauses until it works. */
void aloft_wifi_begin_auto(struct aloft_module *m);

/** Leave and stop all attempts; prints `WIFI DISCONNECT` if there was a link. */
void aloft_wifi_leave(struct aloft_module *m);

/** All but the time between two tries, which AT+CWRECONNCFG sets too. */
void aloft_wifi_set_default_options(struct aloft_wifi_options *ret_options);

/* Stored settings. What cannot be read is as if never set. A failure to store is logged, the
 * setting holds until the restart. Only auto connect is stored whatever AT+SYSSTORE says. */
void aloft_wifi_load_link(struct aloft_module *m);
void aloft_wifi_load_soft_ap(struct aloft_module *m);
void aloft_wifi_load_ip(struct aloft_module *m);
void aloft_wifi_save_mode(struct aloft_module *m);
void aloft_wifi_save_join(struct aloft_module *m);
void aloft_wifi_save_reconnect(struct aloft_module *m);
void aloft_wifi_save_auto(struct aloft_module *m);
void aloft_wifi_save_soft_ap(struct aloft_module *m);
void aloft_wifi_save_station_ip(struct aloft_module *m);
void aloft_wifi_save_ap_ip(struct aloft_module *m);

#endif
