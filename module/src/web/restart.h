/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_RESTART_H
#define ALOFT_WEB_RESTART_H

#include <stdint.h>

#include "web/answer.h"
#include "web/routes.h"

/* POST /restart: ours, for the button of our page (facts/at-commands.md 6.3, row 44). */

struct aloft_module;

/** FAILED while an upgrade runs, and while the running image is on trial: a restart would bring the
 * old one back. FORBIDDEN for another site's page: stock pages do not know this request, so nothing
 * is lost by refusing it. */
enum aloft_answer aloft_restart_check(struct aloft_module *m,
                                      const struct aloft_web_request *request);

/** The answer has left: restart once the network had time to deliver it. */
void aloft_restart_after(struct aloft_module *m, enum aloft_answer answer);

/** Restart when it is time. Returns milliseconds until then; UINT32_MAX = nobody asked. */
uint32_t aloft_restart_step(struct aloft_module *m);

#endif
