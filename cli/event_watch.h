/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_EVENT_WATCH_H
#define ALOFT_CLI_EVENT_WATCH_H

#include "opt.h"

/**
 * Show events as they come, one per line, until the server or the user ends it. Takes the options
 * --product and --json.
 *
 * @param kinds  `attempt.*,rom.deployed`; NULL = all.
 */
int event_watch(const struct opt_values *v, const char *kinds);

#endif
