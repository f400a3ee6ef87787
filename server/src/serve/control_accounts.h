/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_CONTROL_ACCOUNTS_H
#define ALOFT_SERVER_CONTROL_ACCOUNTS_H

#include "account/passwords.h"
#include "serve/control.h"
#include "store/db.h"

/*
 * Accounts by the control socket: for whoever has the machine, but lost the password.
 *
 *   account.ls            -> accounts: name, role, is_active, grants (empty), signed_in_ms
 *   account.add           name, role, password
 *   account.set-password  name, password; ends the account's sessions
 */

struct control_accounts {
    struct db *db; /**< These are borrowed. */
    struct passwords *passwords;
    const char *setup_code_path; /**< Removed when the first account is there. */
};

/** Before control_start(); `accounts` is kept. */
void control_accounts_add(struct control *control, struct control_accounts *accounts);

#endif
