/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_LOGIN_FILE_H
#define ALOFT_CLI_LOGIN_FILE_H

#include <limits.h>
#include <stdint.h>

#include "host/error.h"
#include "store/api_tokens.h"

/* What `aloft login` keeps for the commands after it: $XDG_CONFIG_HOME/aloft/login.json, for its
 * owner only. */

#define LOGIN_SERVER_MAX 1024

struct login {
    char server[LOGIN_SERVER_MAX + 1]; /**< URL without a slash at its end. */
    char api_token[API_TOKEN_CHARS + 1];
    int64_t api_token_id;
};

/** Where it is. @retval ALOFT_ERR_NOT_FOUND  There is neither $XDG_CONFIG_HOME nor $HOME. */
ALOFT_MUST_CHECK
enum aloft_err login_file_path(char path[PATH_MAX], struct error *e);

/** @retval ALOFT_ERR_NOT_FOUND  Nobody has logged in. @retval ALOFT_ERR_SYNTAX  It is damaged. */
ALOFT_MUST_CHECK
enum aloft_err login_file_load(struct login *ret_login, struct error *e);

ALOFT_MUST_CHECK
enum aloft_err login_file_save(const struct login *login, struct error *e);

/** Not there is fine. */
ALOFT_MUST_CHECK
enum aloft_err login_file_remove(struct error *e);

#endif
