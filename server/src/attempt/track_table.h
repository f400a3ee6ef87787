/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ATTEMPT_TRACK_TABLE_H
#define ALOFT_ATTEMPT_TRACK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attempt/causes.h"

/*
 * The attempts that may go on, in a table of fixed size. Texts are kept as keyed hashes: all that
 * is ever asked is whether they are the same.
 */

enum track_list {
    TRACK_OPEN,   /**< The next contact may be part of it. */
    TRACK_AWAITS, /**< Delivered; proof may come. */
    TRACK_CLOSED, /**< Over; looked at only to tell a new try from a retry. */
    TRACK_LISTS
};

struct track {
    int64_t id;       /**< Of its row. */
    uint64_t order;   /**< Grows: the newest one has the greatest. */
    uint64_t key;     /**< All that tells attempts apart: product, token, address, Aloft-Device. */
    uint64_t module;  /**< What tells modules apart, wherever they come from. */
    uint64_t version; /**< Told, asked for or sent. */
    uint64_t file;    /**< 0 = it has not come for one. */
    uint64_t running; /**< What the module said it runs; 0 = it did not say. */
    uint64_t boot;    /**< Its Aloft-Boot; 0 = it did not say. */
    int64_t started_ms;
    int64_t last_ms; /**< Its last contact. */
    int64_t row_ms;  /**< The contact its row was last written for. */
    uint32_t n_contacts;
    const char *cause; /**< Constant. */
    enum attempt_state state;
    enum track_list list;
    bool is_query_end; /**< Ended at a version query: the next one goes on with it. */
    bool is_app;       /**< Its file is ota.bin. */
    bool is_ours;      /**< It speaks our headers. */
    bool is_sure;      /**< It has its own name or token. */
    bool is_shared;    /**< Several modules are known to come with this key. */
    bool has_news;     /**< Contacts were counted that its row does not show. */
    bool is_final;     /**< What the module did later ended it: no contact goes on with it. */

    int32_t next_in_bucket; /**< These are the table's. */
    int32_t next;
    int32_t previous;
};

struct track_table;

/** @param n  How many it holds, a power of two. @return NULL when memory is out. */
struct track_table *track_table_new(size_t n);
void track_table_free(struct track_table *table);
void track_table_clear(struct track_table *table);

/** Hash of a text; an empty one is 0. */
uint64_t track_hash(const struct track_table *table, const char *text);

/** Hash of several parts into one, never 0. */
uint64_t track_hash_all(const struct track_table *table, const void *bytes, size_t len);

/**
 * A new one with this key and module, in TRACK_OPEN. When the table is full one gives way: a closed
 * one first, the one that waits for proof the longest next, the one silent for the longest last.
 */
struct track *track_add(struct track_table *table, uint64_t key, uint64_t module);

/** The next track of this module behind `after` (NULL: the first), in no order; NULL = none. */
struct track *track_next(const struct track_table *table, uint64_t module,
                         const struct track *after);

/** Put it last in a list, which may be the one it is in. */
void track_move(struct track_table *table, struct track *track, enum track_list list);

/** The first one of a list, the one that was moved there the longest ago; NULL = it is empty. */
struct track *track_first(const struct track_table *table, enum track_list list);

/** The one behind it in its list. */
struct track *track_following(const struct track_table *table, const struct track *track);

#endif
