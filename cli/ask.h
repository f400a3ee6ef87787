/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_ASK_H
#define ALOFT_CLI_ASK_H

#include <stdbool.h>
#include <stddef.h>

/* Questions to the person at the terminal. What fails is said on stderr; results are exit codes. */

/** One line from the terminal, `is_secret` without echo, without its line end. Without a terminal
 * the option that gives it is named. */
int ask_terminal(const char *question, const char *option, bool is_secret, char *buf, size_t cap);

/** The first line of a file. */
int ask_file(const char *path, char *buf, size_t cap);

#endif
