/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ROLE_H
#define ALOFT_SERVER_ROLE_H

#include <stdbool.h>

/** What somebody may do; each one may do what the ones before it may. */
enum role {
    ROLE_NONE,
    ROLE_VIEWER,    /**< Look at everything but secrets. */
    ROLE_DEVELOPER, /**< Upload ROMs. */
    ROLE_OPERATOR,  /**< Choose the current version; devices, tokens, links. */
    ROLE_ADMIN,     /**< Products, accounts, webhooks. */
};

#define ROLE_TEXT_BYTES 16

/** `none`, `viewer`, `developer`, `operator`, `admin`. */
const char *role_text(enum role role);

/** False: it is none of these words. */
bool role_parse(const char *text, enum role *ret_role);

enum role role_lesser(enum role a, enum role b);
enum role role_greater(enum role a, enum role b);

#endif
