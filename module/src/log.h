/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_LOG_H
#define ALOFT_LOG_H

#include "aloft/module.h"

/** One line for the developer's log; nothing if the port has none. Never a secret. */
void aloft_log(const struct aloft_module *m, const char *line);

/** `<event> err=<NAME>`. */
void aloft_log_err(const struct aloft_module *m, const char *event, enum aloft_err err);

#endif
