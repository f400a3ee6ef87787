/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_AT_TABLE_H
#define ALOFT_AT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "aloft/module.h"

/** Equal texts; if lower case is accepted, upper and lower case count as the same. */
bool aloft_table_is_same(const struct aloft_module *m, const char *text, const char *wanted,
                         size_t len);

/** The n-th command: the integrator's own first, then family by family. NULL behind the last. */
const struct aloft_command *aloft_table_at(const struct aloft_module *m, size_t n);

/** The first command of this name; NULL if there is none. `name` need not end in NUL. */
const struct aloft_command *aloft_table_find(const struct aloft_module *m, const char *name,
                                             size_t len);

#endif
