/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_COMMAND_WIFI_H
#define ALOFT_COMMAND_WIFI_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/module.h"

/** The station has an IPv4 address: connections can be opened. */
bool aloft_wifi_has_ip(const struct aloft_module *m);

/* Below: shared by the files wifi*.c only. */

/** The mode has a station (1, 3). */
bool aloft_wifi_has_station(const struct aloft_module *m);

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

void aloft_wifi_set_default_options(struct aloft_wifi_options *ret_options);

/* Stored settings; a failure to store is logged, the setting holds until the restart. */
void aloft_wifi_load(struct aloft_module *m);
void aloft_wifi_save_mode(struct aloft_module *m);
void aloft_wifi_save_join(struct aloft_module *m);

/** The commands, for the family's record. */
#define ALOFT_WIFI_COMMANDS 6
extern const struct aloft_command aloft_wifi_commands[ALOFT_WIFI_COMMANDS];

#endif
