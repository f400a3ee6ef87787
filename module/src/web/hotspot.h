/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_HOTSPOT_H
#define ALOFT_WEB_HOTSPOT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A phone that is a client of the module's soft-AP gives the password of its own hotspot, not the
 * name: the hotspot is found by the phone's MAC, and the phone is told of the result by UDP
 * (facts/at-commands.md 3.5). Requests are answered meanwhile.
 */

struct aloft_module;

/** Begin to search, with the password of `provision`. */
void aloft_hotspot_begin(struct aloft_module *m);

/** Go on with the search, or with telling the phone. */
uint32_t aloft_hotspot_step(struct aloft_module *m);

/** Stop either. */
void aloft_hotspot_stop(struct aloft_module *m);

/** Its scan is not read yet. */
bool aloft_hotspot_is_scanning(const struct aloft_module *m);

#endif
