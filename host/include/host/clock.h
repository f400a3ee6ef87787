/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HOST_CLOCK_H
#define ALOFT_HOST_CLOCK_H

#include <stdint.h>

/** Milliseconds that only go forward, for time-outs. */
uint64_t clock_monotonic_ms(void);

/** Milliseconds since 1970, for people and the database. */
int64_t clock_wall_ms(void);

#endif
