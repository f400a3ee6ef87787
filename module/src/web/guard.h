/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_GUARD_H
#define ALOFT_WEB_GUARD_H

#include "web/answer.h"
#include "web/routes.h"

struct aloft_module;

/** May this request come in at all (facts/at-commands.md 6.3, row 34)? NONE, or the refusal. */
enum aloft_answer aloft_guard_check(const struct aloft_module *m,
                                    const struct aloft_web_request *request);

#endif
