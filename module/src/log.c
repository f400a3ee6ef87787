/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include "text.h"

#define LINE_BYTES 96

void aloft_log(const struct aloft_module *m, const char *line)
{
    if (m->port->log != NULL) {
        m->port->log(m->port->ctx, line);
    }
}

void aloft_log_err(const struct aloft_module *m, const char *event, enum aloft_err err)
{
    char line[LINE_BYTES];
    struct aloft_text t;

    aloft_text_init(&t, line, sizeof line);
    aloft_text_add(&t, event);
    aloft_text_add(&t, " err=");
    aloft_text_add(&t, aloft_err_name(err));
    aloft_log(m, line);
}
