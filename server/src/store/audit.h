/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_AUDIT_H
#define ALOFT_SERVER_AUDIT_H

#include <stdbool.h>

#include "host/hashes.h"
#include "store/db.h"

/*
 * The audit log: who changed what. Rows are only added. Each row's hash is the SHA-256 of the hash
 * of the row before it and of its own columns, each with its length in front, so that no row can be
 * changed, removed or put in without a later one telling. The first row follows 64 zeros.
 */

#define AUDIT_ACTOR_SERVER "(server)"
#define AUDIT_ACTOR_NOBODY "(nobody)" /**< Somebody who was refused. */
#define AUDIT_ACTOR_LOCAL  "(local)"  /**< Somebody on the machine itself, by the control socket. */

struct audit_entry {
    int64_t time_ms;
    const char *actor;   /**< Name of an account, or one of the above. */
    const char *address; /**< Empty: the machine itself. */
    const char *action;  /**< `product.added` */
    const char *product; /**< Name; empty: none. */
    const char *object;  /**< What was changed: name of a device, a version, ... */
    const char *detail;  /**< A JSON object without secrets. */
};

/** Call it within the transaction of the change. */
ALOFT_MUST_CHECK
enum aloft_err audit_add(struct db *db, const struct audit_entry *entry, struct error *e);

/** Which rows are wanted; a text that is empty, or a number 0, does not matter. */
struct audit_filter {
    const char *actor;
    const char *action;
    const char *product;
    int64_t since_ms; /**< From then on. */
    int64_t until_ms; /**< Before then. */
    int64_t before;   /**< Rows older than the one of this id. */
    size_t limit;     /**< Not 0. */
};

/** The entry's texts are borrowed for the call. An error ends the walk. */
typedef enum aloft_err audit_visitor(void *ctx, int64_t id, const struct audit_entry *entry,
                                     const char *hash, struct error *e);

/** The newest first. */
ALOFT_MUST_CHECK
enum aloft_err audit_each(struct db *db, const struct audit_filter *filter, audit_visitor *visit,
                          void *ctx, struct error *e);

/** What a walk along the chain has found. */
struct audit_verdict {
    int64_t n_rows;            /**< That fit. */
    int64_t bad_id;            /**< The first that does not; 0: all fit. */
    const char *reason;        /**< Why it does not, a sentence; empty if all fit. Constant. */
    char head[HASH_HEX_BYTES]; /**< Hash of the last row that fits; 64 zeros without rows. */
    bool has_kept_head;        /**< A row that fits has the hash asked for. */
};

/**
 * Walk along the chain from the first row to the first that does not fit. That the newest rows were
 * cut off shows only against a hash kept elsewhere: it is no row's any more.
 *
 * @param kept_head  Such a hash; NULL = none.
 */
ALOFT_MUST_CHECK
enum aloft_err audit_verify(struct db *db, const char *kept_head, struct audit_verdict *ret_verdict,
                            struct error *e);

#endif
