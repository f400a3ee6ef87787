/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_SESSIONS_H
#define ALOFT_SERVER_SESSIONS_H

#include "store/accounts.h"

/* Sessions of people: what a cookie stands for. As with API tokens, the plain hash of 256 random
 * bits is enough to keep. */

#define SESSION_SECRET_CHARS   64 /**< Lower-case hex digits of the cookie. */
#define SESSION_CSRF_CHARS     64
#define SESSION_ADDRESS_MAX    47
#define SESSION_USER_AGENT_MAX 128
#define SESSION_SLIDE_MS       60000 /**< Its end is moved at most this often. */

struct session {
    char csrf[SESSION_CSRF_CHARS + 1]; /**< What its changes must show. */
    char address[SESSION_ADDRESS_MAX + 1];
    char user_agent[SESSION_USER_AGENT_MAX + 1]; /**< Shown characters, cut. */
    int64_t created_ms;
    int64_t expires_ms;
    /* Of its account; only found, not added. */
    int64_t account_id;
    char account_name[ACCOUNT_NAME_MAX + 1];
    enum role account_role;
    bool is_active;
};

/** Keep the hash of a new one; forgets all that are over. */
ALOFT_MUST_CHECK
enum aloft_err sessions_add(struct db *db, const struct session *session, const char *secret,
                            struct error *e);

/**
 * @param secret  Any text.
 * @retval ALOFT_ERR_NOT_FOUND  There is none, or it is over. No sentence.
 */
ALOFT_MUST_CHECK
enum aloft_err sessions_find(struct db *db, const char *secret, int64_t now_ms,
                             struct session *ret_session, struct error *e);

/** Move the end of one that is used, at most every SESSION_SLIDE_MS. */
ALOFT_MUST_CHECK
enum aloft_err sessions_slide(struct db *db, const struct session *session, const char *secret,
                              int64_t expires_ms, struct error *e);

/** Not there is fine. */
ALOFT_MUST_CHECK
enum aloft_err sessions_remove(struct db *db, const char *secret, struct error *e);

/** All of an account. */
ALOFT_MUST_CHECK
enum aloft_err sessions_remove_all(struct db *db, int64_t account_id, struct error *e);

#endif
