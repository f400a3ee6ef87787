/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_NOTIFY_FAN_OUT_H
#define ALOFT_NOTIFY_FAN_OUT_H

#include <stdbool.h>

#include "store/events.h"
#include "store/webhooks.h"

/* From events to deliveries. */

/**
 * Make the deliveries of the next events, some hundreds at most, in one transaction.
 *
 * @param ret_has_more  There are further events.
 */
ALOFT_MUST_CHECK
enum aloft_err fan_out(struct db *db, int64_t now_ms, bool *ret_has_more, struct error *e);

/**
 * What a webhook is sent: a JSON object with id, kind, time_ms, product (a name, or null) and body.
 *
 * @return free() it; NULL when memory is out.
 */
char *fan_out_text(const struct event *event, const char *product);

#endif
