/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_AUDIT_H
#define ALOFT_SERVER_AUDIT_H

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

#endif
