/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_AIR_TEXT_H
#define ALOFT_VIRTUAL_AIR_TEXT_H

#include "aloft/attr.h"
#include "host/error.h"
#include "models/air.h"

/* What is in the air, as the command line says it. All answer ALOFT_ERR_SYNTAX with a sentence that
 * names the word and the form wanted; the record may be changed in part then. */

/** `SSID:PASSWORD`, the SSID up to the first colon; an empty password makes it open. */
ALOFT_MUST_CHECK
enum aloft_err air_text_ap(const char *text, struct air_ap *ret_ap, struct error *e);

/**
 * More about an access point: `KEY=VALUE[,KEY=VALUE...]` of auth, channel, rssi, hidden (yes or
 * no), bssid, gateway, station (address its DHCP server gives), from and until (ms since the
 * start).
 */
ALOFT_MUST_CHECK
enum aloft_err air_text_ap_with(const char *text, struct air_ap *ap, struct error *e);

/** `MAC[,from=MS][,until=MS]`, ms since the soft-AP came up. */
ALOFT_MUST_CHECK
enum aloft_err air_text_client(const char *text, struct air_client *ret_client, struct error *e);

#endif
