/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_API_SESSION_H
#define ALOFT_SERVER_API_SESSION_H

#include "api/request.h"
#include "store/accounts.h"

/* What joining, signing in and the question "who am I?" share. */

/** `GET /api/v1/session` as JSON; NULL when memory is out. */
json_t *session_to_json(struct request *request);

/**
 * Begin a session of this account within the transaction: from now on the request is the
 * account's.
 *
 * @param ret_cookie  What the answer must set, once the transaction is committed; free() it.
 * @return False = answered.
 */
bool session_begin(struct request *request, struct db *transaction, const struct account *account,
                   char **ret_cookie);

/** The value of Set-Cookie; an empty secret ends the cookie. @return free() it. */
char *session_cookie(const struct request *request, const char *secret);

/** Count the attempt as failed; false = too many have, 429 is the answer. `name` may be NULL. */
bool attempt_begin(struct request *request, const char *name);

/** It did not fail. */
void attempt_undo(struct request *request, const char *name);

/** An audit row for an attempt that was refused, at most once a minute per name and address. */
void note_refused(struct request *request, const char *action, const char *name, bool is_known);

#endif
