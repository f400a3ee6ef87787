/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ATTEMPT_TRACKER_H
#define ALOFT_ATTEMPT_TRACKER_H

#include "attempt/causes.h"
#include "notify/bus.h"
#include "store/db.h"

/*
 * Contacts become attempts. An attempt is the contacts of one try: same product, token, address and
 * Aloft-Device, each begun at most CAUSE_GAP_MS after the one before. It has a row from its first
 * contact on; the row is written again when the attempt's state or cause changes.
 *
 * No row is made for what scanners send (paths that are not here, broken requests), for the list of
 * versions, and for a module that asks for the version and says that it runs it already.
 *
 * At most TRACKER_ROWS_PER_S attempts begin by version queries and refusals, and besides
 * TRACKER_STRANGERS_PER_S of those whose token is nobody's. A file that was sent has its row, but
 * of modules that cannot be told apart (one product token, one address) those delivered within
 * TRACKER_CROWD_MS of each other are counted as contacts of one. The bounds keep floods from
 * filling the disk and the table; what is beyond is in the log only.
 */

#define TRACKER_ATTEMPTS        65536 /**< That may go on, kept in memory. */
#define TRACKER_ROWS_PER_S      300
#define TRACKER_STRANGERS_PER_S 20
#define TRACKER_CROWD_MS        1000

#define TRACKER_COUNTS 64 /**< Pairs of state and cause; there are fewer. */

/** How many attempts have come into this state, by this cause, since the start. */
struct attempt_count {
    const char *state; /**< Constant. */
    const char *cause; /**< Constant; empty = none. */
    uint64_t n;
};

struct tracker;

/**
 * What is known of the file a contact asked for; called within a transaction.
 * @param ret_file  Zeros on entry; left so as far as nothing is known.
 */
typedef enum aloft_err tracker_look_up(void *ctx, struct db *tx, const struct contact *contact,
                                       struct cause_file *ret_file, struct error *e);

struct tracker_options {
    struct db *db;            /**< Borrowed. */
    struct bus *bus;          /**< Borrowed; NULL = none. */
    tracker_look_up *look_up; /**< NULL = nothing is known of files. */
    void *ctx;
    unsigned proven_minutes;
    size_t n_attempts; /**< TRACKER_ATTEMPTS; a power of two. */
};

/** Attempts of an earlier run that may go on are read when they are needed first.
 * @return NULL when memory is out. */
struct tracker *tracker_new(const struct tracker_options *options);

/** Writes down what was only counted; an attempt that runs stays so until the next start.
 * NULL is fine. */
void tracker_free(struct tracker *tracker);

void tracker_set_proven_minutes(struct tracker *tracker, unsigned minutes);

/**
 * Take a batch, in one transaction. Contacts come in the order they ended.
 * @retval ALOFT_ERR_IO  Nothing of the batch is written.
 */
ALOFT_MUST_CHECK
enum aloft_err tracker_write(struct tracker *tracker, const struct contact *contacts,
                             size_t n_contacts, struct error *e);

/** @return How many of `counts` are filled in. */
size_t tracker_counts(struct tracker *tracker, struct attempt_count counts[TRACKER_COUNTS]);

/** End what has waited long enough, in transactions of bounded size; call it every minute or so. */
ALOFT_MUST_CHECK
enum aloft_err tracker_sweep(struct tracker *tracker, int64_t now_ms, struct error *e);

#endif
