/* SPDX-License-Identifier: Apache-2.0 */
#include "web/restart.h"

#include "aloft/module.h"

#include "at/engine.h"
#include "upgrade/confirm.h"
#include "upgrade/engine.h"
#include "web/guard.h"

/* Longer than a lost segment takes to be sent again. */
#define DELIVERY_MS 500

enum aloft_answer aloft_restart_check(struct aloft_module *m,
                                      const struct aloft_web_request *request)
{
    if (!aloft_guard_is_same_origin(request)) {
        return ALOFT_ANSWER_FORBIDDEN;
    }
    bool is_harmful = aloft_upgrade_is_running(m) || aloft_confirm_is_due(m);
    return is_harmful ? ALOFT_ANSWER_FAILED : ALOFT_ANSWER_NONE;
}

void aloft_restart_after(struct aloft_module *m, enum aloft_answer answer)
{
    if (answer == ALOFT_ANSWER_DONE) {
        m->web->restart_ms = m->now_ms + DELIVERY_MS;
    }
}

uint32_t aloft_restart_step(struct aloft_module *m)
{
    if (m->web->restart_ms == 0) {
        return UINT32_MAX;
    }
    if (m->now_ms >= m->web->restart_ms) {
        aloft_at_restart(m);
        return 0;
    }
    return (uint32_t)(m->web->restart_ms - m->now_ms);
}
