/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_TRACKER_WORLD_H
#define ALOFT_TESTS_TRACKER_WORLD_H

#include "store_world.h"

#include <stdio.h>
#include <string.h>

#include "attempt/tracker.h"
#include "store/attempts.h"

/* A tracker over a database with one product, and contacts of one stock module at 192.0.2.7. */

#define START_MS 1000000
#define S        1000
#define MIN      60000
#define ROWS_MAX 64
#define BYTES    262144

struct fixture {
    char dir[256];
    struct db *db;
    struct tracker *tracker;
    size_t n;
    struct attempt rows[ROWS_MAX]; /* the oldest first */
    char kinds[1024];
};

#define PUT(field, text) (void)snprintf(field, sizeof(field), "%s", text)

void open_tracker(struct fixture *f, size_t n_attempts);
int tracker_world_open(void **state, const struct store_engine *engine);
int tear_down(void **state);
struct contact query(int64_t s);
struct contact file(int64_t s, enum contact_outcome outcome);
struct contact ours(struct contact c, const char *runs, const char *boot);
void take(struct fixture *f, struct contact c);
void sweep(struct fixture *f, int64_t s);
size_t read_some(struct fixture *f, const struct attempt_filter *filter);
size_t read_rows(struct fixture *f);
const char *read_events(struct fixture *f);
void expect_row(struct fixture *f, size_t i, const char *state, const char *cause,
                int64_t n_contacts);
void expect_last(struct fixture *f, const char *state, const char *cause, size_t n_rows);
void note_device(struct fixture *f, const struct device_news *news);

static inline int set_up(void **state)
{
    return tracker_world_open(state, store_engine);
}

#endif
