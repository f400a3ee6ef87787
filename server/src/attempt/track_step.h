/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ATTEMPT_TRACK_STEP_H
#define ALOFT_ATTEMPT_TRACK_STEP_H

#include <pthread.h>

#include "attempt/track_rows.h"
#include "attempt/track_table.h"
#include "attempt/tracker.h"

/* Private to the tracker: one contact on its way in, and what can be done with it. The rules, what
 * is to be done, are in tracker.c. Functions that write begin the transaction when it is needed. */

/** How many may begin in each second. */
struct budget {
    int64_t second;
    unsigned n;
};

struct tracker {
    struct tracker_options options;
    pthread_mutex_t lock; /**< Of the rest: contacts come in one thread, the clock in another. */
    struct track_table *table;
    bool is_loaded;
    struct budget rows;
    struct budget strangers;
    size_t n_counts;
    struct attempt_count counts[TRACKER_COUNTS];
};

/** A contact on its way in. */
struct step {
    struct tracker *t;
    struct db **tx; /**< NULL in it: not begun. */
    const struct contact *c;
    int64_t began_ms;
    uint64_t key;
    uint64_t module;
    uint64_t version;
    uint64_t running;
    uint64_t boot;
    uint64_t file;
    bool is_ours;
    bool is_sure;
    bool is_app;
};

void track_step_begin(struct tracker *t, struct db **tx, const struct contact *contact,
                      struct step *ret_step);

/** Fill the table from the database, if it is not. */
ALOFT_MUST_CHECK
enum aloft_err track_load(struct tracker *t, int64_t now_ms, struct error *e);

ALOFT_MUST_CHECK
enum aloft_err track_transaction(struct tracker *t, struct db **tx, struct error *e);

/** A new attempt begins with this contact; none if too many began. */
ALOFT_MUST_CHECK
enum aloft_err track_start(struct step *s, const struct cause *cause, bool is_shared,
                           struct error *e);

/** The contact is one more of an attempt and brings nothing new: its row is written later. */
void track_count(const struct step *s, struct track *track);

/** The contact is part of an attempt. */
ALOFT_MUST_CHECK
enum aloft_err track_go_on(struct step *s, struct track *track, const struct cause *cause,
                           struct error *e);

/**
 * What later contacts, or their absence, make of an attempt; the contact that ended it stays in its
 * row.
 * @param facts  Version and size are filled in from the row.
 */
ALOFT_MUST_CHECK
enum aloft_err track_judge(struct tracker *t, struct db **tx, struct track *track,
                           struct cause_facts *facts, int64_t now_ms, struct error *e);

/** Write down what was only counted. */
ALOFT_MUST_CHECK
enum aloft_err track_flush(struct db *db, struct track *track, struct error *e);

#endif
