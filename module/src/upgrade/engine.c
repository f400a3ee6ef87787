/* SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/engine.h"

#include <string.h>

#include "aloft/module.h"

#include "http/client.h"
#include "http/json.h"
#include "log.h"
#include "text.h"
#include "upgrade/policy.h"
#include "upgrade/proof.h"
#include "upgrade/resume.h"
#include "upgrade/source.h"
#include "upgrade/verify.h"
#include "upgrade/writer.h"

/*
 * In every state a work function looks what can be done and answers with an event; the table below
 * says what follows from it.
 */

#define LOG_BYTES 96

typedef enum aloft_upgrade_event work_fn(struct aloft_module *m);
typedef enum aloft_err act_fn(struct aloft_module *m);

static work_fn check_allowed, await_version, await_answer, check_first_bytes, store_bytes,
    reread_bytes, select_slot, await_end_of_pause, await_rest;
static act_fn begin_pause, ask_version, begin_fetch, open_slot, open_present, begin_reread,
    release_source, report_done, report_failure;

#define STATE(name) ALOFT_UPGRADE_STATE_##name
#define EVENT(name) ALOFT_UPGRADE_EVENT_##name

static work_fn *const works[ALOFT_UPGRADE_N_STATES] = {
    /* clang-format off */
    [STATE(IDLE)]   = NULL,
    [STATE(BEGIN)]  = check_allowed,
    [STATE(ASK)]    = await_version,
    [STATE(FETCH)]  = await_answer,
    [STATE(CHECK)]  = check_first_bytes,
    [STATE(STORE)]  = store_bytes,
    [STATE(PAUSE)]  = await_end_of_pause,
    [STATE(RESUME)] = await_rest,
    [STATE(REREAD)] = reread_bytes,
    [STATE(COMMIT)] = select_slot,
    /* clang-format on */
};

static const struct rule {
    enum aloft_upgrade_step from;
    enum aloft_upgrade_event on;
    act_fn *act;
    enum aloft_upgrade_step to;
} rules[] = {
    /* clang-format off */
    {STATE(IDLE),   EVENT(START),   NULL,           STATE(BEGIN)},
    {STATE(BEGIN),  EVENT(ALLOWED), ask_version,    STATE(ASK)},
    {STATE(BEGIN),  EVENT(NAMED),   begin_fetch,    STATE(FETCH)},
    {STATE(BEGIN),  EVENT(PRESENT), open_present,   STATE(REREAD)},
    {STATE(ASK),    EVENT(NAMED),   begin_fetch,    STATE(FETCH)},
    {STATE(FETCH),  EVENT(ANSWER),  open_slot,      STATE(CHECK)},
    {STATE(CHECK),  EVENT(GOOD),    NULL,           STATE(STORE)},
    {STATE(CHECK),  EVENT(BROKEN),  begin_pause,    STATE(PAUSE)},
    {STATE(STORE),  EVENT(BROKEN),  begin_pause,    STATE(PAUSE)},
    {STATE(PAUSE),  EVENT(OVER),    aloft_resume_ask, STATE(RESUME)},
    {STATE(RESUME), EVENT(BROKEN),  begin_pause,    STATE(PAUSE)},
    {STATE(RESUME), EVENT(REST),    NULL,           STATE(STORE)},
    {STATE(RESUME), EVENT(ANSWER),  open_slot,      STATE(CHECK)},
    {STATE(STORE),  EVENT(STORED),  begin_reread,   STATE(REREAD)},
    {STATE(REREAD), EVENT(WHOLE),   release_source, STATE(COMMIT)},
    {STATE(COMMIT), EVENT(DONE),    report_done,    STATE(IDLE)},

    {STATE(BEGIN),  EVENT(FAIL),    report_failure, STATE(IDLE)},
    {STATE(ASK),    EVENT(FAIL),    report_failure, STATE(IDLE)},
    {STATE(FETCH),  EVENT(FAIL),    report_failure, STATE(IDLE)},
    {STATE(CHECK),  EVENT(FAIL),    report_failure, STATE(IDLE)},
    {STATE(STORE),  EVENT(FAIL),    report_failure, STATE(IDLE)},
    {STATE(PAUSE),  EVENT(FAIL),    report_failure, STATE(IDLE)},
    {STATE(RESUME), EVENT(FAIL),    report_failure, STATE(IDLE)},
    {STATE(REREAD), EVENT(FAIL),    report_failure, STATE(IDLE)},
    {STATE(COMMIT), EVENT(FAIL),    report_failure, STATE(IDLE)},

    {STATE(BEGIN),  EVENT(CANCEL),  release_source, STATE(IDLE)},
    {STATE(ASK),    EVENT(CANCEL),  release_source, STATE(IDLE)},
    {STATE(FETCH),  EVENT(CANCEL),  release_source, STATE(IDLE)},
    {STATE(CHECK),  EVENT(CANCEL),  release_source, STATE(IDLE)},
    {STATE(STORE),  EVENT(CANCEL),  release_source, STATE(IDLE)},
    {STATE(PAUSE),  EVENT(CANCEL),  release_source, STATE(IDLE)},
    {STATE(RESUME), EVENT(CANCEL),  release_source, STATE(IDLE)},
    {STATE(REREAD), EVENT(CANCEL),  release_source, STATE(IDLE)},
    {STATE(COMMIT), EVENT(CANCEL),  release_source, STATE(IDLE)},
    /* clang-format on */
};

static enum aloft_upgrade_event fail(struct aloft_module *m, enum aloft_err err)
{
    m->upgrade.err = err;
    return EVENT(FAIL);
}

static enum aloft_upgrade_event event_or_fail(struct aloft_module *m, enum aloft_err err,
                                              enum aloft_upgrade_event event)
{
    return err == ALOFT_ERR_OK ? event : fail(m, err);
}

/* News come in order and once. */
static void tell_up_to(struct aloft_module *m, enum aloft_upgrade_news news)
{
    while (m->upgrade.told < news) {
        m->upgrade.told++;
        m->upgrade.tell(m, (enum aloft_upgrade_news)m->upgrade.told);
    }
}

/* BEGIN */

static enum aloft_err find_refusal(struct aloft_module *m)
{
    const struct aloft_port_boot *boot = &m->port->boot;
    struct aloft_slot slot;

    if (!m->upgrade.is_ota) {
        return ALOFT_ERR_NOT_FOUND;
    }
    /* The way back is open to an image that is not confirmed. */
    if (m->upgrade.kind != ALOFT_UPGRADE_PRESENT && boot->is_unconfirmed(m->port->ctx)) {
        return ALOFT_ERR_NOT_CONFIRMED;
    }
    /* What is selected to boot next must not be overwritten. */
    if (boot->is_pending(m->port->ctx)) {
        return ALOFT_ERR_STATE;
    }
    return boot->spare(m->port->ctx, &slot);
}

static enum aloft_upgrade_event check_allowed(struct aloft_module *m)
{
    const struct aloft_upgrade_state *u = &m->upgrade;
    bool is_named = u->kind != ALOFT_UPGRADE_CIUPDATE || u->version[0] != '\0';
    enum aloft_upgrade_event event = is_named ? EVENT(NAMED) : EVENT(ALLOWED);

    if (u->kind == ALOFT_UPGRADE_PRESENT) {
        event = EVENT(PRESENT);
    }
    return event_or_fail(m, find_refusal(m), event);
}

/* The client is the engine's to end once its own request runs; before that it may be a proof's. */
static enum aloft_err begin_request(struct aloft_module *m, enum aloft_http_ask ask)
{
    const struct aloft_http_request request = {
        .ask = ask,
        .mode = m->upgrade.mode,
        .version = m->upgrade.version,
        .url = m->upgrade.url,
        .url_len = m->upgrade.url_len,
        .etag = m->upgrade.etag,
        .deadline_ms = m->upgrade.deadline_ms,
    };

    aloft_proof_yield(m);
    enum aloft_err err = aloft_http_begin(m, &request);
    if (err == ALOFT_ERR_OK) {
        m->upgrade.source = &aloft_http_source;
    }
    return err;
}

static enum aloft_err ask_version(struct aloft_module *m)
{
    return begin_request(m, ALOFT_HTTP_ASK_VERSION);
}

static enum aloft_err begin_fetch(struct aloft_module *m)
{
    if (m->upgrade.kind == ALOFT_UPGRADE_SOURCE) {
        return ALOFT_ERR_OK;
    }
    aloft_http_end(m);
    return begin_request(m, m->upgrade.url != NULL ? ALOFT_HTTP_ASK_IMAGE : ALOFT_HTTP_ASK_FILE);
}

/* ASK */

/* Look through what has come of the version document. CLOSED: it is complete. */
static enum aloft_err read_version(struct aloft_module *m)
{
    struct aloft_upgrade_state *u = &m->upgrade;
    enum aloft_err err = ALOFT_ERR_OK;

    while (err == ALOFT_ERR_OK) {
        size_t len = 0;
        size_t used = 0;
        const uint8_t *body = aloft_http_body(m, &len);
        err = aloft_json_feed(&m->http.json, body, len, &used);
        aloft_http_consume(m, used);
        if (err == ALOFT_ERR_OK && u->version[0] == '\0') {
            if (!aloft_request_is_version(m->http.json.text)) {
                return ALOFT_ERR_SYNTAX;
            }
            memcpy(u->version, m->http.json.text, strlen(m->http.json.text) + 1);
        }
    }
    return err;
}

static enum aloft_upgrade_event await_version(struct aloft_module *m)
{
    if (m->http.reached >= ALOFT_HTTP_CONNECT) {
        tell_up_to(m, ALOFT_UPGRADE_FOUND);
    }
    if (m->http.reached >= ALOFT_HTTP_SEND) {
        tell_up_to(m, ALOFT_UPGRADE_CONNECTED);
    }
    if (m->http.phase == ALOFT_HTTP_FAILED) {
        return fail(m, m->http.err);
    }
    if (m->http.phase < ALOFT_HTTP_BODY) {
        return EVENT(NONE);
    }
    enum aloft_err err = read_version(m);
    if (err == ALOFT_ERR_AGAIN) {
        return m->http.phase == ALOFT_HTTP_DONE ? fail(m, ALOFT_ERR_TRUNCATED) : EVENT(NONE);
    }
    if (err != ALOFT_ERR_CLOSED) {
        return fail(m, err);
    }
    if (m->upgrade.version[0] == '\0') {
        return fail(m, ALOFT_ERR_NO_VERSION);
    }
    tell_up_to(m, ALOFT_UPGRADE_VERSION);
    return EVENT(NAMED);
}

/* FETCH */

static enum aloft_upgrade_event await_answer(struct aloft_module *m)
{
    const struct aloft_source *source = m->upgrade.source;
    enum aloft_source_state state = source->state(m);
    uint64_t total = 0;

    if (source == &aloft_http_source && m->http.reached >= ALOFT_HTTP_CONNECT) {
        tell_up_to(m, ALOFT_UPGRADE_FOUND);
    }
    if (source == &aloft_http_source && m->http.reached >= ALOFT_HTTP_SEND &&
        m->config.prints_all_news) {
        tell_up_to(m, ALOFT_UPGRADE_VERSION);
    }
    /* A length that is refused is the better reason, even if the body failed meanwhile. */
    if (state == ALOFT_SOURCE_OPEN || state == ALOFT_SOURCE_DONE || source->body_bytes(m, &total)) {
        return EVENT(ANSWER);
    }
    return state == ALOFT_SOURCE_FAILED ? fail(m, source->err(m)) : EVENT(NONE);
}

static enum aloft_err open_slot(struct aloft_module *m)
{
    struct aloft_slot slot;
    uint64_t total = 0;
    bool is_known = m->upgrade.source->body_bytes(m, &total);
    enum aloft_err err = m->port->boot.spare(m->port->ctx, &slot);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (is_known && total < ALOFT_APP_PREFIX_BYTES) {
        return ALOFT_ERR_TRUNCATED;
    }
    if (is_known && total > slot.size_bytes) {
        return ALOFT_ERR_TOO_BIG;
    }
    aloft_writer_init(&m->upgrade.writer, &slot, is_known ? (uint32_t)total : 0);
    m->upgrade.resumed_from = 0;
    m->upgrade.n_wholes++;
    aloft_verify_begin(m);
    return ALOFT_ERR_OK;
}

/* CHECK */

static enum aloft_upgrade_event break_or_fail(struct aloft_module *m)
{
    return aloft_resume_is_possible(m) ? EVENT(BROKEN) : fail(m, m->upgrade.source->err(m));
}

static enum aloft_upgrade_event check_first_bytes(struct aloft_module *m)
{
    const struct aloft_source *source = m->upgrade.source;
    size_t len = 0;

    (void)source->body(m, &len);
    if (len >= ALOFT_APP_PREFIX_BYTES) {
        enum aloft_err err = aloft_verify_waiting(m);
        if (err == ALOFT_ERR_OK) {
            err = aloft_policy_judge(&m->config.upgrade_policy, &m->upgrade.image.desc);
        }
        return event_or_fail(m, err, EVENT(GOOD));
    }
    switch (source->state(m)) {
    case ALOFT_SOURCE_FAILED:
        return break_or_fail(m);
    case ALOFT_SOURCE_DONE:
        return fail(m, ALOFT_ERR_TRUNCATED);
    default:
        return EVENT(NONE);
    }
}

/* STORE */

static enum aloft_upgrade_event store_bytes(struct aloft_module *m)
{
    struct aloft_upgrade_state *u = &m->upgrade;
    enum aloft_source_state state = u->source->state(m);
    bool is_last = state == ALOFT_SOURCE_DONE;
    size_t len = 0;
    size_t used = 0;

    enum aloft_err err = aloft_verify_waiting(m);
    if (err != ALOFT_ERR_OK) {
        return fail(m, err);
    }
    const uint8_t *body = u->source->body(m, &len);
    if (len == 0 && is_last) {
        return event_or_fail(m, aloft_verify_end(m), EVENT(STORED));
    }
    uint32_t erased = u->writer.erased;
    err = aloft_writer_put(&u->writer, m->port, body, len, is_last, &used);
    if (err != ALOFT_ERR_OK) {
        return fail(m, err);
    }
    aloft_verify_consume(m, used);
    if (used > 0 || u->writer.erased > erased) {
        return EVENT(MORE);
    }
    /* What came before a break is in flash now: that is progress. */
    return state == ALOFT_SOURCE_FAILED ? break_or_fail(m) : EVENT(NONE);
}

/* PAUSE and RESUME */

static enum aloft_err begin_pause(struct aloft_module *m)
{
    aloft_resume_begin_pause(m);
    return ALOFT_ERR_OK;
}

static enum aloft_upgrade_event await_end_of_pause(struct aloft_module *m)
{
    if (m->now_ms >= m->upgrade.deadline_ms) {
        return fail(m, ALOFT_ERR_TIMEOUT);
    }
    return aloft_resume_pause_ms(m) == 0 ? EVENT(OVER) : EVENT(NONE);
}

/* Bytes that came before the next break count too: CHECK and STORE look at them first. */
static enum aloft_upgrade_event await_rest(struct aloft_module *m)
{
    if (m->http.reached == ALOFT_HTTP_BODY) {
        return aloft_http_is_partial(m) ? EVENT(REST) : EVENT(ANSWER);
    }
    return m->http.phase == ALOFT_HTTP_FAILED ? break_or_fail(m) : EVENT(NONE);
}

/* REREAD */

static enum aloft_err begin_reread(struct aloft_module *m)
{
    aloft_verify_begin_reread(m);
    return ALOFT_ERR_OK;
}

/* How long the image is shows when it is read: at most as long as the slot. */
static enum aloft_err open_present(struct aloft_module *m)
{
    struct aloft_slot slot;
    enum aloft_err err = m->port->boot.spare(m->port->ctx, &slot);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    aloft_proof_yield(m); /* The client's buffer is the one to read into. */
    m->upgrade.source = &aloft_http_source;
    aloft_writer_init(&m->upgrade.writer, &slot, 0);
    m->upgrade.writer.written = slot.size_bytes;
    return begin_reread(m);
}

static enum aloft_upgrade_event reread_bytes(struct aloft_module *m)
{
    bool is_over = false;
    enum aloft_err err = aloft_verify_reread(m, &is_over);

    return event_or_fail(m, err, is_over ? EVENT(WHOLE) : EVENT(MORE));
}

static enum aloft_err release_source(struct aloft_module *m)
{
    const struct aloft_source *source = m->upgrade.source;

    m->upgrade.source = NULL;
    if (source != NULL) {
        source->end(m);
    }
    return ALOFT_ERR_OK;
}

/* COMMIT */

/* An image on trial gives itself up: the one before is kept as it is, proven. Selected, it would be
 * on trial itself, and a power cut would end with both of them given up and the lower slot booting.
 * No server waits for a proof of it. */
static enum aloft_err go_back(struct aloft_module *m)
{
    const struct aloft_port_boot *boot = &m->port->boot;

    if (boot->is_unconfirmed(m->port->ctx)) {
        enum aloft_err err = boot->reject(m->port->ctx);
        if (err != ALOFT_ERR_STATE) {
            return err;
        }
    }
    return boot->select(m->port->ctx, &m->upgrade.writer.slot);
}

static enum aloft_upgrade_event select_slot(struct aloft_module *m)
{
    const struct aloft_slot *slot = &m->upgrade.writer.slot;

    if (m->upgrade.kind == ALOFT_UPGRADE_PRESENT) {
        return event_or_fail(m, go_back(m), EVENT(DONE));
    }
    enum aloft_err err = aloft_proof_arm(m, m->upgrade.mode);

    if (err == ALOFT_ERR_OK) {
        err = m->port->boot.select(m->port->ctx, slot);
    }
    if (err != ALOFT_ERR_OK) {
        aloft_proof_disarm(m);
    }
    return event_or_fail(m, err, EVENT(DONE));
}

/* The end */

static const char *state_name(uint8_t state)
{
    static const char *const names[] = {
#define STATE_NAME(name) #name,
        ALOFT_UPGRADE_STATES(STATE_NAME)
#undef STATE_NAME
    };

    return names[state];
}

static void log_failure(const struct aloft_module *m)
{
    char line[LOG_BYTES];
    struct aloft_text t;

    aloft_text_init(&t, line, sizeof line);
    aloft_text_add(&t, "upgrade.failed state=");
    aloft_text_add(&t, state_name(m->upgrade.state));
    aloft_text_add(&t, " err=");
    aloft_text_add(&t, aloft_err_name(m->upgrade.err));
    aloft_text_add(&t, " status=");
    aloft_text_add_uint(&t, m->upgrade.source == &aloft_http_source ? m->http.status : 0);
    aloft_log(m, line);
}

static enum aloft_err report_failure(struct aloft_module *m)
{
    log_failure(m);
    (void)release_source(m);
    m->upgrade.tell(m, ALOFT_UPGRADE_FAILED);
    return ALOFT_ERR_OK;
}

static enum aloft_err report_done(struct aloft_module *m)
{
    m->upgrade.tell(m, ALOFT_UPGRADE_DONE);
    return ALOFT_ERR_OK;
}

/* The engine */

static const struct rule *find_rule(enum aloft_upgrade_step from, enum aloft_upgrade_event on)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].from == from && rules[i].on == on) {
            return &rules[i];
        }
    }
    return NULL;
}

static void handle(struct aloft_module *m, enum aloft_upgrade_event event)
{
    struct aloft_upgrade_state *u = &m->upgrade;
    const struct rule *rule = find_rule((enum aloft_upgrade_step)u->state, event);

    if (rule == NULL) {
        u->n_unexpected++;
        return;
    }
    enum aloft_err err = rule->act != NULL ? rule->act(m) : ALOFT_ERR_OK;
    if (err == ALOFT_ERR_OK) {
        u->state = (uint8_t)rule->to;
        return;
    }
    /* Only acts that lead on can fail, and every state they start from has a rule for FAIL. */
    rule = find_rule((enum aloft_upgrade_step)u->state, fail(m, err));
    (void)rule->act(m);
    u->state = (uint8_t)rule->to;
}

uint32_t aloft_upgrade_step(struct aloft_module *m)
{
    struct aloft_upgrade_state *u = &m->upgrade;

    if (u->state == STATE(IDLE)) {
        return UINT32_MAX;
    }
    enum aloft_upgrade_event event = works[u->state](m);
    if (event == EVENT(NONE)) {
        return u->state == STATE(PAUSE) ? aloft_resume_pause_ms(m) : UINT32_MAX;
    }
    if (event != EVENT(MORE)) {
        handle(m, event);
    }
    return 0;
}

enum aloft_err aloft_upgrade_start(struct aloft_module *m, const struct aloft_upgrade_job *job)
{
    struct aloft_upgrade_state *u = &m->upgrade;

    if (u->state != STATE(IDLE)) {
        return ALOFT_ERR_BUSY;
    }
    u->kind = (uint8_t)job->kind;
    u->mode = job->mode;
    u->url = job->url;
    u->url_len = (uint16_t)job->url_len;
    u->source = job->kind == ALOFT_UPGRADE_SOURCE ? job->source : NULL;
    u->tell = job->tell;
    u->told = 0;
    u->is_ota = strcmp(job->name, "ota") == 0;
    u->deadline_ms = m->now_ms + ALOFT_CONFIG_TOTAL_MS;
    u->writer = (struct aloft_writer){.total_bytes = 0};
    u->n_resumes = 0;
    u->n_wholes = 0;
    u->etag[0] = '\0';
    u->version[0] = '\0';
    if (job->version != NULL) {
        memcpy(u->version, job->version, strlen(job->version) + 1);
    }
    handle(m, EVENT(START));
    return ALOFT_ERR_OK;
}

bool aloft_upgrade_is_running(const struct aloft_module *m)
{
    return m->upgrade.state != STATE(IDLE);
}

void aloft_upgrade_cancel(struct aloft_module *m)
{
    if (aloft_upgrade_is_running(m)) {
        handle(m, fail(m, ALOFT_ERR_CANCELLED));
    }
}

void aloft_upgrade_drop(struct aloft_module *m)
{
    if (aloft_upgrade_is_running(m)) {
        handle(m, EVENT(CANCEL));
    }
}

bool aloft_upgrade_rule(enum aloft_upgrade_step state, enum aloft_upgrade_event event,
                        enum aloft_upgrade_step *ret_to)
{
    const struct rule *rule = find_rule(state, event);

    if (rule == NULL) {
        return false;
    }
    *ret_to = rule->to;
    return true;
}
