/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_API_TOKENS_H
#define ALOFT_SERVER_API_TOKENS_H

#include <stdbool.h>

#include "store/db.h"

/* API tokens are 256 random bits, so their plain SHA-256 is enough to keep: there is nothing to
 * guess. */

#define API_TOKEN_CHARS 64 /**< Lower-case hex digits. */

/** 64 lower-case hex digits. */
bool is_api_token(const char *text);

/** Keep the hash of a new one. @retval ALOFT_ERR_IO  Also when the name is taken. */
ALOFT_MUST_CHECK
enum aloft_err api_tokens_add(struct db *db, const char *name, const char *token, int64_t now_ms,
                              struct error *e);

ALOFT_MUST_CHECK
enum aloft_err api_tokens_count(struct db *db, int64_t *ret_count, struct error *e);

/** Is it one of ours? Compared in constant time. */
ALOFT_MUST_CHECK
enum aloft_err api_tokens_check(struct db *db, const char *token, bool *ret_is_valid,
                                struct error *e);

#endif
