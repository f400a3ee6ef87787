/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_UPGRADE_RESUME_H
#define ALOFT_UPGRADE_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/*
 * A broken transfer is taken up where it ended (facts/at-commands.md 6.1, row 12; RFC 9110 13.1.5,
 * 14): after pauses of 1, 2, 4 and 8 s the rest is asked for, at most five times without a new byte
 * in flash. The server's validator must show that the file is still the same; if it is not, the
 * server sends the new one whole, and that is stored from its beginning, at most five times.
 */

struct aloft_module;

/** The client has failed, and what it was doing can be taken up. */
bool aloft_resume_is_possible(const struct aloft_module *m);

void aloft_resume_begin_pause(struct aloft_module *m);

/** Milliseconds until the pause is over; 0 = it is. */
uint32_t aloft_resume_pause_ms(const struct aloft_module *m);

/** Ask for what is not in flash yet. Answers as aloft_http_begin(). */
ALOFT_MUST_CHECK
enum aloft_err aloft_resume_ask(struct aloft_module *m);

#endif
