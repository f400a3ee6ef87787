/* SPDX-License-Identifier: Apache-2.0 */
#include "host/clock.h"

#include <time.h>

#define MS_PER_S  1000
#define NS_PER_MS 1000000

uint64_t clock_monotonic_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
    return (uint64_t)t.tv_sec * MS_PER_S + (uint64_t)t.tv_nsec / NS_PER_MS;
}

int64_t clock_wall_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * MS_PER_S + t.tv_nsec / NS_PER_MS;
}
