/* SPDX-License-Identifier: Apache-2.0 */
#include "clock/clock.h"

#include "aloft/module.h"

void aloft_clock_set_ms(struct aloft_module *m, uint64_t unix_ms)
{
    m->clock.unix_ms_at_zero = unix_ms - m->now_ms;
}

uint32_t aloft_clock_get(const struct aloft_module *m)
{
    return (uint32_t)((m->clock.unix_ms_at_zero + m->now_ms) / 1000);
}
