/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_PORTAL_H
#define ALOFT_WEB_PORTAL_H

#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

#include "web/answer.h"

/* The captive portal, `config.has_portal` (facts/at-commands.md 3.6): every name leads to the
 * module, and every unknown path to its page. */

struct aloft_module;

/** Answer DNS queries from now on; nothing if there is to be no portal.
 * @retval ALOFT_ERR_UNSUPPORTED  The port has no UDP.
 * @retval ALOFT_ERR_CONNECT      UDP port 53 is taken. */
ALOFT_MUST_CHECK
enum aloft_err aloft_portal_start(struct aloft_module *m);

void aloft_portal_stop(struct aloft_module *m);

/** Returns milliseconds until the next call; UINT32_MAX when it waits for nobody. */
uint32_t aloft_portal_step(struct aloft_module *m);

/** What is sent in the place of an answer: some errors become a redirect. */
enum aloft_answer aloft_portal_replace(const struct aloft_module *m, enum aloft_answer answer);

/** Header line of the redirect. */
void aloft_portal_write_location(const struct aloft_module *m, struct aloft_out *out);

#endif
