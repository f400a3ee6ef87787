/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/module.h"

#include <string.h>

#include "command/families.h"

enum aloft_err aloft_module_init(struct aloft_module *m, const struct aloft_port *port,
                                 const struct aloft_module_config *config, uint64_t now_ms)
{
    memset(m, 0, sizeof *m);
    m->port = port;
    m->config = *config;
    m->now_ms = now_ms;
    for (size_t i = 0; i < ALOFT_FAMILIES; i++) {
        if (aloft_families[i]->init != NULL) {
            aloft_families[i]->init(m);
        }
    }
    return ALOFT_ERR_OK;
}

void aloft_module_feed(struct aloft_module *m, const uint8_t *buf, size_t len)
{
    (void)m;
    (void)buf;
    (void)len;
}

static uint32_t step_families(struct aloft_module *m)
{
    uint32_t wait_ms = UINT32_MAX;

    for (size_t i = 0; i < ALOFT_FAMILIES; i++) {
        if (aloft_families[i]->step != NULL) {
            uint32_t wish_ms = aloft_families[i]->step(m);
            wait_ms = wish_ms < wait_ms ? wish_ms : wait_ms;
        }
    }
    return wait_ms;
}

uint32_t aloft_module_step(struct aloft_module *m, uint64_t now_ms)
{
    m->now_ms = now_ms;
    return step_families(m);
}
