/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_COMMAND_WIFI_H
#define ALOFT_COMMAND_WIFI_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/module.h"

/* What other families may ask of Wi-Fi; what the files wifi*.c share is in wifi_link.h. */

/** The station has an IPv4 address: connections can be opened. */
bool aloft_wifi_has_ip(const struct aloft_module *m);

/** The mode has a station (1, 3). */
bool aloft_wifi_has_station(const struct aloft_module *m);

/** The mode has a soft-AP (2, 3). */
bool aloft_wifi_has_soft_ap(const struct aloft_module *m);

/**
 * Join an access point for provisioning (facts/at-commands.md 3.4): like AT+CWJAP, but no command
 * waits, and what fails is tried again until it works or aloft_wifi_provision_stop(). The lines of
 * facts/at-commands.md 1.8 are printed. It worked once aloft_wifi_has_ip(); the access point then
 * is stored if AT+SYSSTORE=1. A running provisioning is replaced.
 *
 * @param join  Copied.
 * @retval ALOFT_ERR_STATE  There is no station, or AT+CWJAP runs; nothing changed.
 * @retval others           The port refuses to join; the station is joined to nothing.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_wifi_provision_begin(struct aloft_module *m,
                                          const struct aloft_wifi_join *join);

/** Try no more; a link without an address is given up, one with an address stays. */
void aloft_wifi_provision_stop(struct aloft_module *m);

/**
 * Scan on behalf of `user`, who then reads the port's scan_entry() until it answers other than OK
 * and AGAIN, and calls aloft_wifi_scan_end(). Nobody else's scan disturbs the entries meanwhile.
 *
 * @param user  Not ALOFT_SCAN_NOBODY.
 * @retval ALOFT_ERR_OK     It runs.
 * @retval ALOFT_ERR_AGAIN  Another user's scan is not read yet: ask again.
 * @retval ALOFT_ERR_STATE  There is no station.
 * @retval others           The port's.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_wifi_scan_begin(struct aloft_module *m, enum aloft_scan_user user);

/** The entries may change from now on; nothing if the scan is another user's. */
void aloft_wifi_scan_end(struct aloft_module *m, enum aloft_scan_user user);

#endif
