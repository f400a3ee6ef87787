/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_SERVE_H
#define ALOFT_SERVER_SERVE_H

#include "serve/settings.h"

/* The whole server: both planes over one data folder, from the start to a signal. */

/**
 * Serve until SIGTERM or SIGINT. Says on stdout what listens where; DATA/ports.json holds the same
 * for programs as long as all listeners are up.
 *
 * @param sources   Read again at SIGHUP.
 * @param settings  What they gave at the start.
 */
ALOFT_MUST_CHECK
enum aloft_err serve(const struct settings_sources *sources, const struct settings *settings,
                     struct error *e);

#endif
