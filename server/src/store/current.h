/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_CURRENT_H
#define ALOFT_SERVER_CURRENT_H

#include "aloft/limits.h"
#include "store/db.h"

/* The current version of a product: every choice is kept, and each leads back to one before it. */

#define CHOSEN_BY_MAX 64 /**< Bytes of an account's name. */

struct current_choice {
    int64_t id; /**< Grows with each choice; 0 = nothing was ever chosen. */
    char version[ALOFT_VERSION_MAX + 1]; /**< Empty = no current version from here on. */
    char chosen_by[CHOSEN_BY_MAX + 1];
    int64_t chosen_ms;
    int64_t before_id; /**< Where going back leads; 0 = nowhere. */
};

/** The choice in force; `id` 0 if there never was one. */
ALOFT_MUST_CHECK
enum aloft_err current_get(struct db *db, int64_t product_id, struct current_choice *ret_choice,
                           struct error *e);

/**
 * Choose; within a transaction. The version that is current already: nothing happens.
 *
 * @param choice  `version` (empty = none), `chosen_by`, `chosen_ms`; the rest is ignored.
 * @retval ALOFT_ERR_NOT_FOUND  The product has no such ROM.
 * @retval ALOFT_ERR_BUSY       It is withdrawn.
 */
ALOFT_MUST_CHECK
enum aloft_err current_choose(struct db *db, int64_t product_id,
                              const struct current_choice *choice, struct error *e);

/**
 * Where going back would lead now: the ROM that was current before this one, and is there and not
 * withdrawn.
 *
 * @retval ALOFT_ERR_NOT_FOUND  Nowhere.
 */
ALOFT_MUST_CHECK
enum aloft_err current_find_back(struct db *db, int64_t product_id,
                                 struct current_choice *ret_choice, struct error *e);

/**
 * Go there; within a transaction. Doing it again goes further back.
 *
 * @param choice  `chosen_by` and `chosen_ms`; filled with the choice made.
 * @retval ALOFT_ERR_NOT_FOUND  Nowhere to go.
 */
ALOFT_MUST_CHECK
enum aloft_err current_back(struct db *db, int64_t product_id, struct current_choice *choice,
                            struct error *e);

/** Called once per choice, which is borrowed. An error ends the walk. */
typedef enum aloft_err current_visitor(void *ctx, const struct current_choice *choice,
                                       struct error *e);

/** Choices, the newest first. @param below_id  Only those before it; 0 = all. */
ALOFT_MUST_CHECK
enum aloft_err current_each(struct db *db, int64_t product_id, int64_t below_id, size_t limit,
                            current_visitor *visit, void *ctx, struct error *e);

#endif
