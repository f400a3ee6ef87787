/* SPDX-License-Identifier: Apache-2.0 */
#include "web/upload.h"

#include <string.h>

#include "aloft/module.h"

#include "upgrade/engine.h"
#include "upgrade/source.h"
#include "web/event.h"

/* What upload_end says. */
#define RUNS   0
#define STORED 1
#define FAILED (-1)

/* The source the engine pulls from: the server reads the body into the buffer, in front of which
 * nothing else stands meanwhile. */

static enum aloft_source_state source_state(const struct aloft_module *m)
{
    if (m->web->upload_err != ALOFT_ERR_OK) {
        return ALOFT_SOURCE_FAILED;
    }
    return m->web->body_left > 0 ? ALOFT_SOURCE_OPEN : ALOFT_SOURCE_DONE;
}

static enum aloft_err source_err(const struct aloft_module *m)
{
    return m->web->upload_err;
}

static const uint8_t *source_body(const struct aloft_module *m, size_t *ret_len)
{
    *ret_len = m->web->n_body;
    return m->web->buf;
}

static void source_consume(struct aloft_module *m, size_t len)
{
    struct aloft_web_state *w = m->web;

    w->n_body = (uint16_t)(w->n_body - len);
    w->n_in = (uint16_t)(w->n_in - len);
    memmove(m->web->buf, m->web->buf + len, w->n_in);
}

static bool source_body_bytes(const struct aloft_module *m, uint64_t *ret_bytes)
{
    *ret_bytes = m->web->body_bytes;
    return true;
}

static const uint8_t *source_sha256(const struct aloft_module *m)
{
    (void)m;
    return NULL;
}

static uint8_t *source_scratch(struct aloft_module *m, size_t *ret_cap)
{
    *ret_cap = sizeof m->web->buf - m->web->n_in;
    return m->web->buf + m->web->n_in;
}

static void source_end(struct aloft_module *m)
{
    (void)m; /* The buffer is the server's again; it looks at the engine itself. */
}

static const struct aloft_source source = {
    .state = source_state,
    .err = source_err,
    .body = source_body,
    .consume = source_consume,
    .body_bytes = source_body_bytes,
    .sha256 = source_sha256,
    .scratch = source_scratch,
    .end = source_end,
};

static void take_news(struct aloft_module *m, enum aloft_upgrade_news news)
{
    if (news == ALOFT_UPGRADE_DONE) {
        m->web->upload_end = STORED;
    } else if (news == ALOFT_UPGRADE_FAILED) {
        m->web->upload_end = FAILED;
    }
}

enum aloft_answer aloft_upload_check(struct aloft_module *m,
                                     const struct aloft_web_request *request)
{
    const struct aloft_upgrade_job job = {
        .kind = ALOFT_UPGRADE_SOURCE,
        .source = &source,
        .name = "ota",
        .tell = take_news,
    };
    const char *object = NULL;
    size_t len = 0;

    if (!aloft_http_head_find(request->head, request->buf, "Object", &object, &len)) {
        return ALOFT_ANSWER_BAD;
    }
    aloft_event_print(m, ALOFT_EVENT_UPLOAD);
    /* Stock firmware compares a prefix: facts/at-commands.md 6.3, row 38. User partitions are not
     * replaced: it would erase them before it knows whether the file is whole (row 35). */
    if (len != strlen(job.name) || memcmp(object, job.name, len) != 0) {
        return ALOFT_ANSWER_FAILED;
    }
    m->web->upload_end = RUNS;
    m->web->upload_err = ALOFT_ERR_OK;
    m->web->is_uploading = aloft_upgrade_start(m, &job) == ALOFT_ERR_OK;
    return m->web->is_uploading ? ALOFT_ANSWER_NONE : ALOFT_ANSWER_FAILED;
}

enum aloft_answer aloft_upload_answer(struct aloft_module *m)
{
    if (m->web->upload_end == RUNS && aloft_upgrade_is_running(m)) {
        return ALOFT_ANSWER_NONE;
    }
    m->web->is_uploading = false;
    return m->web->upload_end == STORED ? ALOFT_ANSWER_DONE : ALOFT_ANSWER_FAILED;
}

void aloft_upload_fail(struct aloft_module *m, enum aloft_err err)
{
    m->web->upload_err = err;
}

void aloft_upload_after(struct aloft_module *m, enum aloft_answer answer)
{
    if (answer == ALOFT_ANSWER_DONE) {
        aloft_event_print(m, ALOFT_EVENT_UPLOADED);
    } else if (answer == ALOFT_ANSWER_FAILED) {
        aloft_event_print(m, ALOFT_EVENT_UPLOAD_FAILED);
    }
}

void aloft_upload_cancel(struct aloft_module *m)
{
    if (m->web->is_uploading) {
        aloft_upgrade_cancel(m);
        aloft_upload_after(m, aloft_upload_answer(m));
    }
}
