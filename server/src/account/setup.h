/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ACCOUNT_SETUP_H
#define ALOFT_ACCOUNT_SETUP_H

#include "store/db.h"
#include "store/invitations.h"

/* The set-up code: who has it makes the first account, an admin. There is one as long as there is
 * no account. The database holds its hash, the file the code itself, for its owner only. */

/**
 * At a start: see to it that there is a code if there is no account, and none otherwise.
 *
 * @param path      Of the file.
 * @param ret_code  The code; empty: there is an account.
 */
ALOFT_MUST_CHECK
enum aloft_err setup_prepare(struct db *db, const char *path, char ret_code[JOIN_CODE_CHARS + 1],
                             struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  It is not the set-up code. No sentence. */
ALOFT_MUST_CHECK
enum aloft_err setup_check(struct db *db, const char *code, struct error *e);

/** The first account is there: the code is void. Within the transaction that adds the account;
 * remove the file after it. */
ALOFT_MUST_CHECK
enum aloft_err setup_finish(struct db *db, struct error *e);

/** 32 lower-case hex digits: of the set-up code or an invitation. */
bool is_join_code(const char *text);

#endif
