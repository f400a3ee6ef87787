/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ATTEMPT_TRACK_ROWS_H
#define ALOFT_ATTEMPT_TRACK_ROWS_H

#include "attempt/causes.h"
#include "store/attempts.h"

/* Rows of attempts and their events, all within the caller's transaction. */

/**
 * What a contact tells of an attempt, into its row.
 * @param cause  Copied into the row.
 */
void track_row_take(struct attempt *row, const struct contact *contact, const struct cause *cause);

/** The device a contact is of; zeros with the name it would have if there is no row of it. */
ALOFT_MUST_CHECK
enum aloft_err track_row_device(struct db *tx, const struct contact *contact,
                                struct attempt_device *ret_device, struct error *e);

/**
 * Make the row of an attempt that begins with this contact.
 * @param ret_row  As it is in the database, with its id.
 */
ALOFT_MUST_CHECK
enum aloft_err track_row_add(struct db *tx, const struct contact *contact, int64_t started_ms,
                             const struct cause *cause, struct attempt *ret_row, struct error *e);

/** `attempt.<word>`: began, or the row's state. */
ALOFT_MUST_CHECK
enum aloft_err track_row_tell(struct db *tx, const struct attempt *row, const char *word,
                              int64_t time_ms, struct error *e);

#endif
