/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CALENDAR_H
#define ALOFT_CALENDAR_H

#include <stdint.h>

#include "text.h"

/** Add `Tue Oct 19 17:47:56 2021`, asctime without its line end. */
void aloft_calendar_add(struct aloft_text *t, uint32_t unix_s, int32_t zone_s);

#endif
