/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_COMMAND_BASIC_H
#define ALOFT_COMMAND_BASIC_H

#include <stdbool.h>

struct aloft_module;

/** AT+SYSSTORE: settings of other families are to be stored. */
bool aloft_basic_has_store(const struct aloft_module *m);

#endif
