/* SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/engine.h"

#include <string.h>

#include "aloft/bytes.h"
#include "aloft/module.h"

#include "http/client.h"
#include "http/json.h"
#include "log.h"
#include "text.h"
#include "upgrade/proof.h"
#include "upgrade/trailer.h"
#include "upgrade/writer.h"

/*
 * In every state a work function looks what can be done and answers with an event; the table below
 * says what follows from it. The port has one running hash: while the file comes it makes the
 * digest the server announced (Aloft-Sha256), or else the one appended to the image; when the slot
 * is read back it always makes the latter.
 */

#define LOG_BYTES 96

typedef enum aloft_upgrade_event work_fn(struct aloft_module *m);
typedef enum aloft_err act_fn(struct aloft_module *m);

static work_fn check_allowed, await_version, await_answer, check_first_bytes, store_bytes,
    reread_bytes, select_slot;
static act_fn ask_version, ask_file, open_slot, begin_reread, release_client, report_done,
    report_failure;

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
    {STATE(BEGIN),  EVENT(NAMED),   ask_file,       STATE(FETCH)},
    {STATE(ASK),    EVENT(NAMED),   ask_file,       STATE(FETCH)},
    {STATE(FETCH),  EVENT(ANSWER),  open_slot,      STATE(CHECK)},
    {STATE(CHECK),  EVENT(GOOD),    NULL,           STATE(STORE)},
    {STATE(STORE),  EVENT(STORED),  begin_reread,   STATE(REREAD)},
    {STATE(REREAD), EVENT(WHOLE),   release_client, STATE(COMMIT)},
    {STATE(COMMIT), EVENT(DONE),    report_done,    STATE(IDLE)},

    {STATE(BEGIN),  EVENT(FAIL),    report_failure, STATE(IDLE)},
    {STATE(ASK),    EVENT(FAIL),    report_failure, STATE(IDLE)},
    {STATE(FETCH),  EVENT(FAIL),    report_failure, STATE(IDLE)},
    {STATE(CHECK),  EVENT(FAIL),    report_failure, STATE(IDLE)},
    {STATE(STORE),  EVENT(FAIL),    report_failure, STATE(IDLE)},
    {STATE(REREAD), EVENT(FAIL),    report_failure, STATE(IDLE)},
    {STATE(COMMIT), EVENT(FAIL),    report_failure, STATE(IDLE)},

    {STATE(BEGIN),  EVENT(CANCEL),  release_client, STATE(IDLE)},
    {STATE(ASK),    EVENT(CANCEL),  release_client, STATE(IDLE)},
    {STATE(FETCH),  EVENT(CANCEL),  release_client, STATE(IDLE)},
    {STATE(CHECK),  EVENT(CANCEL),  release_client, STATE(IDLE)},
    {STATE(STORE),  EVENT(CANCEL),  release_client, STATE(IDLE)},
    {STATE(REREAD), EVENT(CANCEL),  release_client, STATE(IDLE)},
    {STATE(COMMIT), EVENT(CANCEL),  release_client, STATE(IDLE)},
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
    if (boot->is_unconfirmed(m->port->ctx)) {
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
    bool is_named = m->upgrade.version[0] != '\0';

    return event_or_fail(m, find_refusal(m), is_named ? EVENT(NAMED) : EVENT(ALLOWED));
}

static enum aloft_err begin_request(struct aloft_module *m, enum aloft_http_ask ask)
{
    const struct aloft_http_request request = {
        .ask = ask,
        .mode = m->upgrade.mode,
        .version = m->upgrade.version,
        .deadline_ms = m->upgrade.deadline_ms,
    };

    aloft_proof_yield(m);
    return aloft_http_begin(m, &request);
}

static enum aloft_err ask_version(struct aloft_module *m)
{
    enum aloft_err err = begin_request(m, ALOFT_HTTP_ASK_VERSION);

    aloft_json_init(&m->http.json, ALOFT_JSON_RECOMMENDED);
    return err;
}

static enum aloft_err ask_file(struct aloft_module *m)
{
    aloft_http_end(m);
    return begin_request(m, ALOFT_HTTP_ASK_FILE);
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
    if (m->http.reached >= ALOFT_HTTP_CONNECT) {
        tell_up_to(m, ALOFT_UPGRADE_FOUND);
    }
    /* A head that is refused is the better reason, even if the body failed meanwhile. */
    if (m->http.reached == ALOFT_HTTP_BODY) {
        return EVENT(ANSWER);
    }
    return m->http.phase == ALOFT_HTTP_FAILED ? fail(m, m->http.err) : EVENT(NONE);
}

static void begin_image(struct aloft_module *m, const struct aloft_hash *sha256)
{
    const struct aloft_app_rules image_rules = {
        .chip = m->chip,
        .chip_revision = m->config.chip_revision,
        .slot_bytes = m->upgrade.writer.slot.size_bytes,
        .requires_app_desc = true,
    };

    aloft_app_image_init(&m->upgrade.image, &image_rules, sha256);
}

static enum aloft_err open_slot(struct aloft_module *m)
{
    const struct aloft_hash *sha256 = &m->port->sha256;
    struct aloft_slot slot;
    uint64_t total = 0;
    enum aloft_err err = m->port->boot.spare(m->port->ctx, &slot);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (aloft_http_body_bytes(m, &total) && total < ALOFT_APP_PREFIX_BYTES) {
        return ALOFT_ERR_TRUNCATED;
    }
    if (total > slot.size_bytes) {
        return ALOFT_ERR_TOO_BIG;
    }
    aloft_writer_init(&m->upgrade.writer, &slot, (uint32_t)total);
    m->upgrade.n_judged = 0;
    if (m->http.has_sha256) {
        sha256->ops->start(sha256->state);
        sha256 = NULL;
    }
    begin_image(m, sha256);
    return ALOFT_ERR_OK;
}

/* CHECK and STORE */

static enum aloft_err judge_trailer(struct aloft_module *m, const uint8_t *buf, size_t len)
{
    struct aloft_upgrade_state *u = &m->upgrade;

    if (u->trailer.off == 0) {
        aloft_trailer_init(&u->trailer, u->image.image_bytes);
    }
    return aloft_trailer_feed(&u->trailer, buf, len);
}

/* Show the waiting bytes to the verifier; each is seen once, before it is written. */
static enum aloft_err judge_waiting(struct aloft_module *m)
{
    struct aloft_upgrade_state *u = &m->upgrade;
    const struct aloft_hash *sha256 = &m->port->sha256;
    size_t len = 0;
    size_t used = 0;
    const uint8_t *body = aloft_http_body(m, &len);

    body += u->n_judged;
    len -= u->n_judged;
    u->n_judged = (uint16_t)(u->n_judged + len);
    if (m->http.has_sha256) {
        sha256->ops->update(sha256->state, body, len);
    }
    if (!aloft_app_image_is_complete(&u->image)) {
        enum aloft_err err = aloft_app_image_feed(&u->image, body, len, &used);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return used < len ? judge_trailer(m, body + used, len - used) : ALOFT_ERR_OK;
}

static enum aloft_upgrade_event check_first_bytes(struct aloft_module *m)
{
    size_t len = 0;

    (void)aloft_http_body(m, &len);
    if (len >= ALOFT_APP_PREFIX_BYTES) {
        return event_or_fail(m, judge_waiting(m), EVENT(GOOD));
    }
    if (m->http.phase == ALOFT_HTTP_FAILED) {
        return fail(m, m->http.err);
    }
    return m->http.phase == ALOFT_HTTP_DONE ? fail(m, ALOFT_ERR_TRUNCATED) : EVENT(NONE);
}

/* All bytes are in flash: was it a whole image, and the one announced? */
static enum aloft_err judge_stream(struct aloft_module *m)
{
    const struct aloft_upgrade_state *u = &m->upgrade;
    enum aloft_err err = aloft_app_image_finish(&u->image);
    uint8_t digest[ALOFT_SHA256_BYTES];

    if (err == ALOFT_ERR_OK) {
        err = aloft_trailer_finish(&u->trailer);
    }
    if (err != ALOFT_ERR_OK || !m->http.has_sha256) {
        return err;
    }
    m->port->sha256.ops->finish(m->port->sha256.state, digest);
    return memcmp(digest, m->http.sha256, sizeof digest) == 0 ? ALOFT_ERR_OK : ALOFT_ERR_HASH;
}

static enum aloft_upgrade_event store_bytes(struct aloft_module *m)
{
    bool is_last = m->http.phase == ALOFT_HTTP_DONE;
    size_t len = 0;
    size_t used = 0;

    if (m->http.phase == ALOFT_HTTP_FAILED) {
        return fail(m, m->http.err);
    }
    enum aloft_err err = judge_waiting(m);
    if (err != ALOFT_ERR_OK) {
        return fail(m, err);
    }
    const uint8_t *body = aloft_http_body(m, &len);
    if (len == 0 && is_last) {
        return event_or_fail(m, judge_stream(m), EVENT(STORED));
    }
    uint32_t erased = m->upgrade.writer.erased;
    err = aloft_writer_put(&m->upgrade.writer, m->port, body, len, is_last, &used);
    if (err != ALOFT_ERR_OK) {
        return fail(m, err);
    }
    aloft_http_consume(m, used);
    m->upgrade.n_judged = (uint16_t)(m->upgrade.n_judged - used);
    return used > 0 || m->upgrade.writer.erased > erased ? EVENT(MORE) : EVENT(NONE);
}

/* REREAD */

static enum aloft_err begin_reread(struct aloft_module *m)
{
    m->upgrade.reread = 0;
    m->upgrade.reread_crc = 0;
    begin_image(m, &m->port->sha256);
    return ALOFT_ERR_OK;
}

static enum aloft_err reread_portion(struct aloft_module *m)
{
    struct aloft_upgrade_state *u = &m->upgrade;
    size_t len = 0;
    size_t used = 0;
    uint8_t *buf = aloft_http_scratch(m, &len);

    len = len < u->writer.written - u->reread ? len : u->writer.written - u->reread;
    enum aloft_err err =
        m->port->flash.read(m->port->ctx, u->writer.slot.addr + u->reread, buf, len);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    u->reread_crc = aloft_crc32(u->reread_crc, buf, len);
    u->reread += (uint32_t)len;
    return aloft_app_image_is_complete(&u->image)
               ? ALOFT_ERR_OK
               : aloft_app_image_feed(&u->image, buf, len, &used);
}

static enum aloft_upgrade_event reread_bytes(struct aloft_module *m)
{
    struct aloft_upgrade_state *u = &m->upgrade;

    if (u->reread < u->writer.written) {
        return event_or_fail(m, reread_portion(m), EVENT(MORE));
    }
    if (u->reread_crc != u->writer.crc) {
        return fail(m, ALOFT_ERR_FLASH);
    }
    return event_or_fail(m, aloft_app_image_finish(&u->image), EVENT(WHOLE));
}

static enum aloft_err release_client(struct aloft_module *m)
{
    aloft_http_end(m);
    return ALOFT_ERR_OK;
}

/* COMMIT */

static enum aloft_upgrade_event select_slot(struct aloft_module *m)
{
    enum aloft_err err = aloft_proof_arm(m, m->upgrade.mode);

    if (err == ALOFT_ERR_OK) {
        err = m->port->boot.select(m->port->ctx, &m->upgrade.writer.slot);
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
    aloft_text_add_uint(&t, m->http.status);
    aloft_log(m, line);
}

static enum aloft_err report_failure(struct aloft_module *m)
{
    log_failure(m);
    aloft_http_end(m);
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
        return UINT32_MAX;
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
    u->mode = job->mode;
    u->tell = job->tell;
    u->told = 0;
    u->is_ota = strcmp(job->name, "ota") == 0;
    u->deadline_ms = m->now_ms + ALOFT_CONFIG_TOTAL_MS;
    u->trailer = (struct aloft_trailer){0};
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
