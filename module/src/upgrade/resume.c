/* SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/resume.h"

#include "aloft/module.h"

#include "http/client.h"
#include "upgrade/engine.h"

#define TRIES_MAX    5
#define PAUSE_MS     1000u
#define STATUS_FAULT 500
#define SHIFT_MAX    3 /* The longest pause is eight times the first. */

/* The network's doing, or a server that restarts; what a server says on purpose ends the upgrade.
 */
static bool is_break(const struct aloft_http_state *h)
{
    switch (h->err) {
    case ALOFT_ERR_RESOLVE:
    case ALOFT_ERR_CONNECT:
    case ALOFT_ERR_TLS:
    case ALOFT_ERR_CLOSED:
    case ALOFT_ERR_TRUNCATED:
    case ALOFT_ERR_STALLED:
    case ALOFT_ERR_IO:
        return true;
    case ALOFT_ERR_HTTP_STATUS:
        return h->status >= STATUS_FAULT;
    default:
        return false;
    }
}

bool aloft_resume_is_possible(const struct aloft_module *m)
{
    const struct aloft_upgrade_state *u = &m->upgrade;
    bool has_progress = u->writer.written > u->resumed_from;
    bool may_restart = u->n_wholes <= TRIES_MAX; /* Else the first sectors would be worn. */

    return u->kind != ALOFT_UPGRADE_SOURCE && u->etag[0] != '\0' && u->writer.total_bytes > 0 &&
           is_break(&m->http) && may_restart && (has_progress || u->n_resumes < TRIES_MAX);
}

void aloft_resume_begin_pause(struct aloft_module *m)
{
    struct aloft_upgrade_state *u = &m->upgrade;

    if (u->writer.written > u->resumed_from) {
        u->n_resumes = 0;
    }
    u->resumed_from = u->writer.written;
    uint32_t shift = u->n_resumes < SHIFT_MAX ? u->n_resumes : SHIFT_MAX;
    u->pause_end_ms = m->now_ms + (PAUSE_MS << shift);
    u->n_resumes++;
}

uint32_t aloft_resume_pause_ms(const struct aloft_module *m)
{
    uint64_t end_ms = m->upgrade.pause_end_ms;

    return end_ms > m->now_ms ? (uint32_t)(end_ms - m->now_ms) : 0;
}

enum aloft_err aloft_resume_ask(struct aloft_module *m)
{
    struct aloft_upgrade_state *u = &m->upgrade;
    const struct aloft_http_request request = {
        .ask = u->url != NULL ? ALOFT_HTTP_ASK_IMAGE : ALOFT_HTTP_ASK_FILE,
        .mode = u->mode,
        .version = u->version,
        .url = u->url,
        .url_len = u->url_len,
        .etag = u->etag,
        .range_from = u->writer.written,
        .range_total = u->writer.total_bytes,
        .deadline_ms = u->deadline_ms,
    };

    aloft_http_end(m); /* The pause kept it from others. */
    return aloft_http_begin(m, &request);
}
