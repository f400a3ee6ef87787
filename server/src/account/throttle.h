/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ACCOUNT_THROTTLE_H
#define ALOFT_ACCOUNT_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Pauses for those who guess. What failed is counted per key (an account, an address) in a table of
 * fixed size; after THROTTLE_FREE failures each further one doubles the pause. An attempt counts as
 * failed when it begins, so that many at once win nothing. A key without a failure for
 * THROTTLE_FORGET_MS starts anew. In a full table the key that failed least gives way. Safe to use
 * from several threads.
 */

#define THROTTLE_FREE          5
#define THROTTLE_FORGET_MS     (15 * 60 * 1000)
#define THROTTLE_ACCOUNT_MAX_S 60 /**< Short: anybody can bring it upon somebody else. */
#define THROTTLE_ADDRESS_MAX_S 900
#define THROTTLE_ADDRESS_BYTES 48

struct throttle_key {
    const char *kind; /**< Keys of different kinds do not meet. */
    const char *text;
    unsigned pause_max_s;
};

struct throttle;

/** @return NULL when memory is out. */
struct throttle *throttle_new(void);
void throttle_free(struct throttle *throttle);

/**
 * Begin an attempt, which counts as failed with each of the keys.
 *
 * @return 0, or the seconds to wait: the attempt must not go on, and was not counted.
 */
unsigned throttle_begin(struct throttle *throttle, const struct throttle_key *keys, size_t n_keys,
                        uint64_t now_ms);

/** It did not fail: take back what it counted for this key. */
void throttle_undo(struct throttle *throttle, const struct throttle_key *key);

/** It was the right one: forget all failures of this key. */
void throttle_forget(struct throttle *throttle, const struct throttle_key *key);

/** Was there no call with this key within `interval_ms`? Keys of a kind of their own. */
bool throttle_is_first(struct throttle *throttle, const struct throttle_key *key,
                       uint64_t interval_ms, uint64_t now_ms);

/** What counts as one address: an IPv6 network of 64 bits belongs to one customer, who may use all
 * of it. `out` holds THROTTLE_ADDRESS_BYTES. */
void throttle_address(const char *address, char *out);

#endif
