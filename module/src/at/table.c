/* SPDX-License-Identifier: Apache-2.0 */
#include "at/table.h"

#include <string.h>

#include "command/families.h"

static char to_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool aloft_table_is_same(const struct aloft_module *m, const char *text, const char *wanted,
                         size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = m->config.accepts_lower_case ? to_upper(text[i]) : text[i];
        if (c != wanted[i]) {
            return false;
        }
    }
    return true;
}

const struct aloft_command *aloft_table_at(const struct aloft_module *m, size_t n)
{
    if (n < m->config.n_commands) {
        return &m->config.commands[n];
    }
    n -= m->config.n_commands;
    for (size_t i = 0; i < aloft_n_families; i++) {
        if (n < aloft_families[i]->n_commands) {
            return &aloft_families[i]->commands[n];
        }
        n -= aloft_families[i]->n_commands;
    }
    return NULL;
}

const struct aloft_command *aloft_table_find(const struct aloft_module *m, const char *name,
                                             size_t len)
{
    const struct aloft_command *command;

    for (size_t n = 0; (command = aloft_table_at(m, n)) != NULL; n++) {
        if (strlen(command->name) == len && aloft_table_is_same(m, name, command->name, len)) {
            return command;
        }
    }
    return NULL;
}
