/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_NOTIFY_SENDER_H
#define ALOFT_NOTIFY_SENDER_H

#include <stdbool.h>

#include "notify/bus.h"
#include "store/db.h"

/*
 * Sends events to webhooks, in a thread of its own. Every event is sent at least once; order is not
 * promised; what is under way when the server stops is sent again. Of one webhook one delivery is
 * under way at a time, so that a slow receiver does not hold up the others.
 *
 * A delivery is a POST of JSON with the fields Aloft-Event, Aloft-Delivery and Aloft-Signature
 * (signature.h). 2xx is taken for received; 410 switches the webhook off; all else is tried again.
 */

#define SENDER_AT_ONCE    4
#define SENDER_CONNECT_S  5L
#define SENDER_TIMEOUT_S  15L
#define SENDER_ANSWER_MAX 4096 /**< Bytes of an answer that are read; none of them counts. */

struct sender;

/**
 * @param bus             Wakes it. Both are borrowed until sender_stop().
 * @param allows_private  See target_allows().
 * @param ret_sender      sender_stop() it.
 */
ALOFT_MUST_CHECK
enum aloft_err sender_start(struct db *db, struct bus *bus, bool allows_private,
                            struct sender **ret_sender, struct error *e);

/** From any thread. */
void sender_allow_private(struct sender *sender, bool allows_private);

/** Cuts what is under way. NULL is fine. */
void sender_stop(struct sender *sender);

#endif
