/* SPDX-License-Identifier: Apache-2.0 */
#include "store/role.h"

#include <stddef.h>
#include <string.h>

static const char *const texts[] = {
    [ROLE_NONE] = "none",         [ROLE_VIEWER] = "viewer", [ROLE_DEVELOPER] = "developer",
    [ROLE_OPERATOR] = "operator", [ROLE_ADMIN] = "admin",
};
#define N_ROLES (sizeof texts / sizeof texts[0])

const char *role_text(enum role role)
{
    return texts[role];
}

bool role_parse(const char *text, enum role *ret_role)
{
    for (size_t i = 0; i < N_ROLES; i++) {
        if (strcmp(texts[i], text) == 0) {
            *ret_role = (enum role)i;
            return true;
        }
    }
    return false;
}

enum role role_lesser(enum role a, enum role b)
{
    return a < b ? a : b;
}

enum role role_greater(enum role a, enum role b)
{
    return a > b ? a : b;
}
