/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLOCK_H
#define ALOFT_CLOCK_H

#include <stdint.h>

struct aloft_module;

/* The time of day: 1970 at every boot, until AT+SYSTIMESTAMP or SNTP sets it. */

/** Milliseconds since 1970. */
void aloft_clock_set_ms(struct aloft_module *m, uint64_t unix_ms);
/** Seconds since 1970, up to 2106. */
uint32_t aloft_clock_get(const struct aloft_module *m);

#endif
