/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_SERVER_H
#define ALOFT_WEB_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/*
 * The module's web server: up to ALOFT_WEB_CONNECTIONS connections are held, one of them is served
 * at a time over the one buffer in `config.web` (facts/at-commands.md 3.1). The phases of the
 * served connection:
 *
 *   IDLE --bytes--> HEAD ---------------------> ANSWER --> SKIP --> IDLE, or HEAD if bytes wait
 *    ^               |----> BODY -----------------^  |
 *    |               `----> SCAN, UPLOAD ---------'  `---> DRAIN
 *    `------------------------ closed <--------------------'
 *
 * and closed from each of them when the peer goes or is silent for too long. Who asks on and on
 * without a pause goes from SKIP to DRAIN, so that others are served too.
 */

struct aloft_module;

/** Before anything else. */
void aloft_web_init(struct aloft_module *m);

/**
 * @param port  0 = any free one; the log says which.
 * @retval ALOFT_ERR_UNSUPPORTED  There is no memory for it, or the port cannot listen.
 * @retval ALOFT_ERR_CONNECT      The port is taken.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_web_start(struct aloft_module *m, uint16_t port);

bool aloft_web_is_running(const struct aloft_module *m);

/** Close all connections; an upload that runs ends. Nothing if it does not run. */
void aloft_web_stop(struct aloft_module *m);

/** Go on. Returns milliseconds until the next call; UINT32_MAX when it waits for nobody. */
uint32_t aloft_web_step(struct aloft_module *m);

#endif
