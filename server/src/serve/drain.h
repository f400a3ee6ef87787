/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_DRAIN_H
#define ALOFT_SERVER_DRAIN_H

#include <signal.h>

#include "wire/wire.h"

/**
 * Take no new modules, let downloads under way finish for at most `grace_ms`, and return when the
 * module plane's threads have ended. One of `signals` (blocked in every thread) cuts them at once.
 */
void drain(struct wire *wire, unsigned grace_ms, const sigset_t *signals);

#endif
