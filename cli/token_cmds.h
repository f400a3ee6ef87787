/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_TOKEN_CMDS_H
#define ALOFT_CLI_TOKEN_CMDS_H

#include "client.h"

/* What products and devices have in common. */

/** Print one: as JSON if asked for, else for people. */
int print_one(const struct opt_values *v, const json_t *object);

/** Put an option into `body` under the member's name if it was given; a dash of the option is an
 * underscore there. */
int take_options(const struct opt_values *v, const char *const *names, json_t *body);

/* The options of a rotation. */
#define ROTATION_OPTS                                                                              \
    {OPT_VALUE, "mode", "MODE", "plain, tls or both; default both.", false, false},                \
        {OPT_VALUE, "overlap-hours",                                                               \
         "N",       "So long the old token is taken too; 0 = it is not.",                          \
         false,     false},                                                                        \
        {OPT_VALUE, "token", "HEX", "The new token; default one is made.", false, false},          \
        {OPT_VALUE, "token-tls", "HEX", "The same for TLS.", false, false},                        \
    {                                                                                              \
        OPT_FLAG, "end", NULL, "Change nothing, but end the overlap now.", false, false            \
    }

/** Rotate the token of what `names` lead to (ends with NULL), or end the overlap. */
int rotate_token(const struct opt_values *v, const char *const *names);

/** Show what `names` lead to, with its old tokens. */
int show_with_tokens(const struct opt_values *v, const char *const *names);

/** Change it, or delete it. */
int change_one(const struct opt_values *v, const char *const *names, const json_t *body);
int remove_one(const struct opt_values *v, const char *const *names);

#endif
