/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_COMMAND_WIFI_H
#define ALOFT_COMMAND_WIFI_H

#include <stdbool.h>

struct aloft_module;

/** The station has an IPv4 address: connections can be opened. */
bool aloft_wifi_has_ip(const struct aloft_module *m);

#endif
