/* SPDX-License-Identifier: Apache-2.0 */
#include "attempt/track_step.h"

#include <stdio.h>
#include <string.h>

#define APP_FILE "ota.bin"
#define MS_PER_S 1000

/* A file was, or was to be, sent. */
static bool is_transfer(const struct contact *c)
{
    return c->status == 200 || c->status == 206;
}

/* Keys. */

struct key_parts {
    int64_t product_id;
    int64_t token_device_id;
    char reported_device[ALOFT_OUR_HEADER_MAX + 1];
    char token_prefix[CONTACT_TOKEN_PREFIX + 1];
    char address[DEVICE_ADDRESS_MAX + 1];
};

static void put(char *out, size_t cap, const char *text)
{
    size_t len = strnlen(text, cap - 1);

    memcpy(out, text, len); /* the rest is zero: all of it is hashed */
}

static uint64_t key_of(const struct track_table *table, const struct key_parts *parts)
{
    return track_hash_all(table, parts, sizeof *parts);
}

/* A module with a token or a name of its own is the same wherever it comes from. */
static uint64_t module_of(const struct track_table *table, const struct key_parts *all)
{
    struct key_parts parts;

    memset(&parts, 0, sizeof parts); /* padding, too */
    parts.product_id = all->product_id;
    if (all->token_device_id != 0) {
        parts.token_device_id = all->token_device_id;
    } else if (all->reported_device[0]) {
        memcpy(parts.reported_device, all->reported_device, sizeof parts.reported_device);
    } else {
        memcpy(parts.token_prefix, all->token_prefix, sizeof parts.token_prefix);
        memcpy(parts.address, all->address, sizeof parts.address);
    }
    return key_of(table, &parts);
}

void track_step_begin(struct tracker *t, struct db **tx, const struct contact *c, struct step *ret)
{
    struct key_parts parts;

    memset(&parts, 0, sizeof parts);
    parts.product_id = c->product_id;
    parts.token_device_id = c->device_id;
    put(parts.reported_device, sizeof parts.reported_device, c->headers.device);
    put(parts.token_prefix, sizeof parts.token_prefix, c->token_prefix);
    contact_address_text(&c->peer, parts.address, sizeof parts.address);
    *ret = (struct step){
        .t = t,
        .tx = tx,
        .c = c,
        .began_ms = c->time_ms - c->duration_ms,
        .key = key_of(t->table, &parts),
        .module = module_of(t->table, &parts),
        .version = track_hash(t->table, c->version),
        .running = track_hash(t->table, c->headers.version),
        .boot = track_hash(t->table, c->headers.boot),
        .file = c->kind == CONTACT_FILE ? track_hash(t->table, c->file_name) : 0,
        .is_ours = c->headers.device[0] || c->headers.version[0],
        .is_sure = c->device_id != 0 || c->headers.device[0],
        .is_app = strcmp(c->file_name, APP_FILE) == 0,
    };
}

static void file_away(struct tracker *t, struct track *track)
{
    bool is_open = track->state == ATTEMPT_RUNNING || track->is_query_end;
    bool awaits = track->state == ATTEMPT_DELIVERED && track->is_app && !track->cause[0];

    track_move(t->table, track, is_open ? TRACK_OPEN : awaits ? TRACK_AWAITS : TRACK_CLOSED);
}

/* What was there at the end of an earlier run. */
static enum aloft_err load_one(void *ctx, const struct attempt *a, struct error *e)
{
    struct tracker *t = ctx;
    struct key_parts parts;

    (void)e;
    memset(&parts, 0, sizeof parts);
    parts.product_id = a->product_id;
    parts.token_device_id = a->token_device_id;
    put(parts.reported_device, sizeof parts.reported_device, a->reported_device);
    put(parts.token_prefix, sizeof parts.token_prefix, a->token_prefix);
    put(parts.address, sizeof parts.address, a->address);
    struct track *track =
        track_add(t->table, key_of(t->table, &parts), module_of(t->table, &parts));
    track->id = a->id;
    track->version = track_hash(t->table, a->version);
    track->file = track_hash(t->table, a->file);
    track->running = track_hash(t->table, a->running_version);
    track->boot = track_hash(t->table, a->boot);
    track->started_ms = a->started_ms;
    track->last_ms = a->ended_ms;
    track->n_contacts = (uint32_t)a->n_contacts;
    track->state = attempt_state_of(a->state);
    track->cause = cause_word_of(a->cause);
    track->is_query_end = track->state == ATTEMPT_FAILED && !a->file[0];
    track->is_app = strcmp(a->file, APP_FILE) == 0;
    track->is_ours = a->reported_device[0] || a->running_version[0];
    track->is_sure = a->token_device_id != 0 || a->reported_device[0];
    track->is_final = track->state == ATTEMPT_FAILED && cause_is_of_later(track->cause);
    file_away(t, track);
    return ALOFT_ERR_OK;
}

enum aloft_err track_load(struct tracker *t, int64_t now_ms, struct error *e)
{
    if (t->is_loaded) {
        return ALOFT_ERR_OK;
    }
    track_table_clear(t->table);
    enum aloft_err err = attempts_open_each(t->options.db, now_ms - CAUSE_GAP_MS,
                                            t->options.n_attempts, load_one, t, e);
    t->is_loaded = err == ALOFT_ERR_OK;
    return err;
}

/* Rows. */

enum aloft_err track_transaction(struct tracker *t, struct db **tx, struct error *e)
{
    return *tx ? ALOFT_ERR_OK : db_begin(t->options.db, tx, e);
}

static void count(struct tracker *t, const struct cause *cause)
{
    const char *state = attempt_state_text(cause->state);
    size_t i = 0;

    while (i < t->n_counts &&
           (t->counts[i].state != state || strcmp(t->counts[i].cause, cause->word) != 0)) {
        i++;
    }
    if (i == t->n_counts && i < TRACKER_COUNTS) {
        t->counts[t->n_counts++] = (struct attempt_count){state, cause->word, 0};
    }
    if (i < TRACKER_COUNTS) {
        t->counts[i].n++;
    }
}

/* The attempt has come into another state. */
static enum aloft_err tell(struct tracker *t, struct db *tx, const struct attempt *row,
                           const struct cause *cause, int64_t time_ms, struct error *e)
{
    count(t, cause);
    return track_row_tell(tx, row, row->state, time_ms, e);
}

enum aloft_err track_judge(struct tracker *t, struct db **tx, struct track *track,
                           struct cause_facts *facts, int64_t now_ms, struct error *e)
{
    struct attempt row;
    struct cause cause;
    enum aloft_err err = track_transaction(t, tx, e);

    if (err == ALOFT_ERR_OK) {
        err = attempts_get(*tx, track->id, &row, e);
    }
    if (err == ALOFT_ERR_NOT_FOUND) { /* so old that it was removed */
        track_move(t->table, track, TRACK_CLOSED);
        return ALOFT_ERR_OK;
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    facts->version = row.version;
    facts->total_bytes = (uint64_t)row.bytes_total;
    cause_find(facts, &cause);
    (void)snprintf(row.state, sizeof row.state, "%s", attempt_state_text(cause.state));
    (void)snprintf(row.cause, sizeof row.cause, "%s", cause.word);
    (void)snprintf(row.sentence, sizeof row.sentence, "%s", cause.sentence);
    row.n_contacts = track->n_contacts;
    row.ended_ms = track->last_ms;
    track->state = cause.state;
    track->cause = cause.word;
    track->is_query_end = false;
    track->has_news = false;
    track->is_final = cause.state == ATTEMPT_FAILED;
    track_move(t->table, track, TRACK_CLOSED);
    err = attempts_set(*tx, &row, e);
    return err == ALOFT_ERR_OK ? tell(t, *tx, &row, &cause, now_ms, e) : err;
}

enum aloft_err track_flush(struct db *db, struct track *track, struct error *e)
{
    struct attempt row;
    enum aloft_err err = attempts_get(db, track->id, &row, e);

    track->has_news = false;
    if (err != ALOFT_ERR_OK) {
        return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
    }
    row.n_contacts = track->n_contacts;
    row.ended_ms = track->last_ms;
    return attempts_set(db, &row, e);
}

static void take_facts(struct track *track, const struct step *s, const struct cause *cause)
{
    track->last_ms = s->c->time_ms;
    track->row_ms = s->c->time_ms;
    track->state = cause->state;
    track->cause = cause->word;
    track->is_query_end = cause->state == ATTEMPT_FAILED && s->file == 0;
    track->version = s->version ? s->version : track->version;
    if (s->file) {
        track->file = s->file;
        track->is_app = s->is_app;
    }
    track->running = s->running;
    track->boot = s->boot;
    track->is_ours = s->is_ours;
    track->is_sure = s->is_sure;
    track->has_news = false;
    file_away(s->t, track);
}

static bool spend(struct budget *b, int64_t time_ms, unsigned max)
{
    if (b->second != time_ms / MS_PER_S) {
        *b = (struct budget){.second = time_ms / MS_PER_S};
    }
    return b->n++ < max;
}

static bool may_begin(const struct step *s)
{
    if (is_transfer(s->c) && s->file) {
        return true;
    }
    return s->c->product_id == 0 ? spend(&s->t->strangers, s->c->time_ms, TRACKER_STRANGERS_PER_S)
                                 : spend(&s->t->rows, s->c->time_ms, TRACKER_ROWS_PER_S);
}

enum aloft_err track_start(struct step *s, const struct cause *cause, bool is_shared,
                           struct error *e)
{
    struct attempt row;
    enum aloft_err err = may_begin(s) ? track_transaction(s->t, s->tx, e) : ALOFT_ERR_NOT_FOUND;

    if (err != ALOFT_ERR_OK) {
        return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
    }
    err = track_row_add(*s->tx, s->c, s->began_ms, cause, &row, e);
    if (err == ALOFT_ERR_OK && cause->state != ATTEMPT_RUNNING) {
        err = tell(s->t, *s->tx, &row, cause, s->c->time_ms, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    struct track *track = track_add(s->t->table, s->key, s->module);
    track->id = row.id;
    track->started_ms = s->began_ms;
    track->n_contacts = 1;
    track->is_shared = is_shared;
    take_facts(track, s, cause);
    return ALOFT_ERR_OK;
}

void track_count(const struct step *s, struct track *track)
{
    track->n_contacts++;
    track->last_ms = s->c->time_ms;
    track->has_news = true;
    track_move(s->t->table, track, track->list);
}

enum aloft_err track_go_on(struct step *s, struct track *track, const struct cause *cause,
                           struct error *e)
{
    struct attempt row;
    bool is_same = track->state == cause->state && strcmp(track->cause, cause->word) == 0;

    if (is_same && (!s->version || s->version == track->version) && s->file == 0) {
        track_count(s, track);
        return ALOFT_ERR_OK;
    }
    track->n_contacts++;
    enum aloft_err err = track_transaction(s->t, s->tx, e);
    if (err == ALOFT_ERR_OK) {
        err = attempts_get(*s->tx, track->id, &row, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    track_row_take(&row, s->c, cause);
    row.n_contacts = track->n_contacts;
    row.ended_ms = s->c->time_ms;
    take_facts(track, s, cause);
    err = attempts_set(*s->tx, &row, e);
    return err == ALOFT_ERR_OK && !is_same ? tell(s->t, *s->tx, &row, cause, s->c->time_ms, e)
                                           : err;
}
