/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_GUARD_H
#define ALOFT_WEB_GUARD_H

#include <stdbool.h>

#include "web/answer.h"
#include "web/routes.h"

struct aloft_module;

/** May this request come in at all (facts/at-commands.md 6.3, row 34)? NONE, or the refusal. */
enum aloft_answer aloft_guard_check(const struct aloft_module *m,
                                    const struct aloft_web_request *request);

/** No browser says that another site's page sends it (Fetch Metadata; RFC 6454 7). Programs that
 * are no browsers say nothing. */
bool aloft_guard_is_same_origin(const struct aloft_web_request *request);

#endif
