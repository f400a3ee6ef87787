/* SPDX-License-Identifier: Apache-2.0 */
#include "attempt/tracker.h"

#include <stdlib.h>
#include <string.h>

#include "attempt/track_step.h"
#include "host/log.h"

#define MS_PER_MIN  60000
#define SWEEP_BATCH 200  /* rows in one transaction: nobody waits long for it */
#define LATE_MS     2000 /* the module plane looks after the last acknowledgement so late at most */

/* What becomes of a contact, by its outcome; the rest leaves no trace. */
enum way { WAY_NONE, WAY_VERSION, WAY_FILE };

static enum way way_of(const struct contact *c)
{
    static const enum way ways[] = {
        [CONTACT_VERSION_TOLD] = WAY_VERSION, [CONTACT_PROVEN] = WAY_VERSION,
        [CONTACT_FILE_DELIVERED] = WAY_FILE,  [CONTACT_FILE_PART] = WAY_FILE,
        [CONTACT_FILE_CLOSED] = WAY_FILE,     [CONTACT_FILE_STALLED] = WAY_FILE,
        [CONTACT_FILE_STOPPED] = WAY_FILE,    [CONTACT_NO_TOKEN] = WAY_VERSION,
        [CONTACT_BAD_TOKEN] = WAY_VERSION,    [CONTACT_UNKNOWN_TOKEN] = WAY_VERSION,
        [CONTACT_NO_CURRENT] = WAY_VERSION,   [CONTACT_NO_ROM] = WAY_FILE,
        [CONTACT_NO_FILE] = WAY_FILE,         [CONTACT_FILE_ERASES] = WAY_FILE,
        [CONTACT_FILE_UNREADABLE] = WAY_FILE, [CONTACT_BAD_RANGE] = WAY_FILE,
        [CONTACT_LIMITED] = WAY_VERSION,      [CONTACT_FULL] = WAY_VERSION,
        [CONTACT_LINK_UNKNOWN] = WAY_VERSION, [CONTACT_LINK_EXPIRED] = WAY_VERSION,
        [CONTACT_TLS_FAILED] = WAY_VERSION,
    };

    return (size_t)c->outcome < sizeof ways / sizeof ways[0] ? ways[c->outcome] : WAY_NONE;
}

/* The newest attempt of this key, if the contact began soon enough after it. */
static struct track *find_current(const struct step *s)
{
    struct track *found = NULL;

    for (struct track *t = track_next(s->t->table, s->module, NULL); t;
         t = track_next(s->t->table, s->module, t)) {
        if (t->key == s->key && (!found || t->order > found->order)) {
            found = t;
        }
    }
    return found && s->began_ms - found->last_ms <= CAUSE_GAP_MS ? found : NULL;
}

/* The newest delivery of an app to this module. */
static struct track *find_delivered(const struct step *s)
{
    struct track *found = NULL;

    for (struct track *t = track_next(s->t->table, s->module, NULL); t;
         t = track_next(s->t->table, s->module, t)) {
        if (t->state == ATTEMPT_DELIVERED && t->is_app && (!found || t->order > found->order)) {
            found = t;
        }
    }
    return found;
}

static enum aloft_err judge_by(struct step *s, struct track *track, enum cause_situation situation,
                               int64_t began_ms, struct error *e)
{
    struct cause_facts facts = {.situation = situation,
                                .contact = s->c,
                                .since_ms = began_ms - track->last_ms,
                                .is_ours = track->is_ours,
                                .is_same_sure = track->is_sure};

    return track_judge(s->t, s->tx, track, &facts, s->c->time_ms, e);
}

/* The same version sent once more: the old one speaks like the new one, until it says that it was
 * started by an upgrade. */
static bool proves(const struct step *s, const struct track *delivered)
{
    bool is_again = delivered->running == delivered->version;

    return s->running == delivered->version &&
           (!is_again || s->boot == 0 || strcmp(s->c->headers.boot, "upgrade") == 0);
}

/* Back with what it ran, without a restart. */
static bool is_back_old(const struct step *s, const struct track *delivered)
{
    int64_t after_ms = s->began_ms - delivered->last_ms;

    return delivered->is_sure && s->running == delivered->running && s->boot == delivered->boot &&
           after_ms >= -LATE_MS && after_ms <= CAUSE_GAP_MS;
}

/* The table had no room for its delivery any more, but its device is known to be proven by this
 * very contact. */
static enum aloft_err prove_forgotten(struct step *s, struct error *e)
{
    struct attempt_device device;
    int64_t id;
    enum aloft_err err = track_transaction(s->t, s->tx, e);

    if (err == ALOFT_ERR_OK) {
        err = track_row_device(*s->tx, s->c, &device, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = attempts_last_delivered(*s->tx, s->c->product_id, device.device,
                                      s->c->headers.version, &id, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
    }
    struct track *track = track_add(s->t->table, s->key, s->module);
    track->id = id;
    track->last_ms = s->began_ms;
    track->n_contacts = 1;
    return judge_by(s, track, CAUSE_PROVEN, s->began_ms, e);
}

/* A module that says what it runs tells how its last delivery ended. */
static enum aloft_err hear_version(struct step *s, bool *ret_is_report, struct error *e)
{
    struct track *delivered = find_delivered(s);

    *ret_is_report = false;
    if (s->c->kind != CONTACT_VERSION || s->running == 0) {
        return ALOFT_ERR_OK;
    }
    if (!delivered) {
        *ret_is_report = s->c->outcome == CONTACT_PROVEN;
        return *ret_is_report ? prove_forgotten(s, e) : ALOFT_ERR_OK;
    }
    if (proves(s, delivered)) {
        delivered->n_contacts++;
        *ret_is_report = true;
        return judge_by(s, delivered, CAUSE_PROVEN, s->began_ms, e);
    }
    if (s->running != delivered->version && strcmp(s->c->headers.boot, "rollback") == 0) {
        delivered->n_contacts++;
        *ret_is_report = true;
        return judge_by(s, delivered, CAUSE_ROLLED, s->began_ms, e);
    }
    return is_back_old(s, delivered) ? judge_by(s, delivered, CAUSE_BACK_OLD, s->began_ms, e)
                                     : ALOFT_ERR_OK;
}

static enum aloft_err take_version(struct step *s, struct error *e)
{
    struct cause cause;
    const struct cause_facts facts = {.contact = s->c, .version = s->c->version};
    bool is_report = false;
    enum aloft_err err = hear_version(s, &is_report, e);

    if (err != ALOFT_ERR_OK || is_report) {
        return err;
    }
    struct track *current = find_current(s);
    cause_find(&facts, &cause);
    if (current &&
        (current->is_query_end || (current->state == ATTEMPT_RUNNING && current->file == 0))) {
        return track_go_on(s, current, &cause, e);
    }
    if (cause.state == ATTEMPT_RUNNING && s->running != 0 && s->running == s->version) {
        return ALOFT_ERR_OK; /* it only looks whether there is anything new */
    }
    return track_start(s, &cause, current && current->is_shared, e);
}

static bool is_same_file(const struct step *s, const struct track *track)
{
    return track->file == s->file && track->version == s->version;
}

/* It asks for what it was sent before: did it refuse that? Not if another download of the same kind
 * ran beside it: then there are several modules. */
static enum aloft_err look_back(struct step *s, struct track *current, struct error *e)
{
    struct track *d = find_delivered(s);

    if (!d || !is_same_file(s, d)) {
        return ALOFT_ERR_OK;
    }
    bool is_told_after = current && current != d && current->order > d->order;
    int64_t began_ms = is_told_after ? current->started_ms : s->began_ms;
    int64_t after_ms = began_ms - d->last_ms;
    if (after_ms < -LATE_MS) {
        d->is_shared = true;
        return ALOFT_ERR_OK;
    }
    if (after_ms > CAUSE_GAP_MS || d->is_shared) {
        return ALOFT_ERR_OK;
    }
    if (d->is_ours) {
        return is_back_old(s, d) ? judge_by(s, d, CAUSE_BACK_OLD, s->began_ms, e) : ALOFT_ERR_OK;
    }
    return judge_by(s, d, CAUSE_BACK_AGAIN, began_ms, e);
}

/* A quick module may have restarted and spoken before its delivery was known to end; who keeps
 * devices has heard it. */
static enum aloft_err hear_device(struct step *s, struct cause *cause, struct error *e)
{
    struct attempt_device device;
    const struct cause_facts facts = {
        .situation = CAUSE_PROVEN, .contact = s->c, .version = s->c->version};

    if (cause->state != ATTEMPT_DELIVERED || !s->is_app || !s->is_ours) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = track_transaction(s->t, s->tx, e);
    if (err == ALOFT_ERR_OK) {
        err = track_row_device(*s->tx, s->c, &device, e);
    }
    if (err == ALOFT_ERR_OK && device.id != 0 && device.proven_ms >= s->began_ms &&
        strcmp(device.proven_version, s->c->version) == 0) {
        cause_find(&facts, cause);
    }
    return err;
}

static enum aloft_err find_file_cause(struct step *s, const struct track *current,
                                      struct cause *ret_cause, struct error *e)
{
    struct cause_file file = {0};
    const struct cause_facts facts = {
        .contact = s->c,
        .file = &file,
        .version = s->c->version,
        .since_ms = s->c->time_ms - (current ? current->started_ms : s->began_ms),
        .is_ours = s->is_ours,
    };
    enum aloft_err err = ALOFT_ERR_OK;

    if (s->c->outcome == CONTACT_FILE_CLOSED && s->t->options.look_up) {
        err = track_transaction(s->t, s->tx, e);
        if (err == ALOFT_ERR_OK) {
            err = s->t->options.look_up(s->t->options.ctx, *s->tx, s->c, &file, e);
        }
    }
    if (err == ALOFT_ERR_OK) {
        cause_find(&facts, ret_cause);
        err = hear_device(s, ret_cause, e);
    }
    return err;
}

static bool goes_on(const struct step *s, const struct track *current)
{
    bool is_told = current->state == ATTEMPT_RUNNING || current->state == ATTEMPT_ABANDONED;
    bool is_waited_for = current->is_query_end || (is_told && current->file == 0);
    bool is_next_part = is_same_file(s, current) && current->state != ATTEMPT_DELIVERED &&
                        current->state != ATTEMPT_PROVEN;

    return !current->is_final && (is_waited_for || is_next_part);
}

/* Delivered the same as another one just now, with the same token from the same address: no module
 * comes again that fast, it erases its flash first (wire 3.1). So there are several that cannot be
 * told apart, and a row for each would say nothing more. */
static bool is_of_a_crowd(const struct step *s, const struct track *current)
{
    return current && !s->is_sure && s->c->outcome == CONTACT_FILE_DELIVERED &&
           current->state == ATTEMPT_DELIVERED && is_same_file(s, current) &&
           s->c->time_ms - current->row_ms < TRACKER_CROWD_MS;
}

static enum aloft_err take_file(struct step *s, struct error *e)
{
    struct cause cause;
    struct track *current = find_current(s);

    if (is_of_a_crowd(s, current)) {
        current->is_shared = true;
        track_count(s, current);
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = look_back(s, current, e);
    bool is_part = current && goes_on(s, current);

    if (err == ALOFT_ERR_OK) {
        err = find_file_cause(s, is_part ? current : NULL, &cause, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    return is_part ? track_go_on(s, current, &cause, e)
                   : track_start(s, &cause, current && current->is_shared, e);
}

static enum aloft_err take(struct tracker *t, struct db **tx, const struct contact *c,
                           struct error *e)
{
    struct step s;
    enum way way = way_of(c);

    if (way == WAY_NONE) {
        return ALOFT_ERR_OK;
    }
    track_step_begin(t, tx, c, &s);
    return way == WAY_FILE ? take_file(&s, e) : take_version(&s, e);
}

/* Commit, or forget what memory says beyond the rows. */
static enum aloft_err finish(struct tracker *t, struct db **tx, enum aloft_err err, struct error *e)
{
    if (err == ALOFT_ERR_OK && *tx) {
        err = db_commit(tx, e);
        if (err == ALOFT_ERR_OK) {
            bus_wake(t->options.bus);
        }
    }
    if (err != ALOFT_ERR_OK) {
        t->is_loaded = false;
    }
    return err;
}

enum aloft_err tracker_write(struct tracker *t, const struct contact *contacts, size_t n_contacts,
                             struct error *e)
{
    AUTO_TRANSACTION tx = NULL;

    (void)pthread_mutex_lock(&t->lock);
    enum aloft_err err = n_contacts ? track_load(t, contacts[0].time_ms, e) : ALOFT_ERR_OK;
    for (size_t i = 0; err == ALOFT_ERR_OK && i < n_contacts; i++) {
        err = take(t, &tx, &contacts[i], e);
    }
    err = finish(t, &tx, err, e);
    (void)pthread_mutex_unlock(&t->lock);
    return err;
}

static enum aloft_err end_one(struct tracker *t, struct db **tx, int64_t now_ms, bool *ret_is_done,
                              struct error *e)
{
    struct track *open = track_first(t->table, TRACK_OPEN);
    struct track *awaits = track_first(t->table, TRACK_AWAITS);
    struct cause_facts facts = {.situation = CAUSE_NO_FILE};

    if (open && now_ms - open->last_ms > CAUSE_GAP_MS) {
        if (open->state == ATTEMPT_RUNNING) {
            facts.situation = open->file ? CAUSE_NO_REST : CAUSE_NO_FILE;
            return track_judge(t, tx, open, &facts, now_ms, e);
        }
        enum aloft_err err = track_transaction(t, tx, e);
        track_move(t->table, open, TRACK_CLOSED);
        return err == ALOFT_ERR_OK && open->has_news ? track_flush(*tx, open, e) : err;
    }
    if (awaits && now_ms - awaits->last_ms > (int64_t)t->options.proven_minutes * MS_PER_MIN) {
        facts = (struct cause_facts){.situation = CAUSE_SILENCE,
                                     .since_ms = now_ms - awaits->last_ms,
                                     .is_ours = awaits->is_ours};
        return track_judge(t, tx, awaits, &facts, now_ms, e);
    }
    *ret_is_done = true;
    return ALOFT_ERR_OK;
}

static enum aloft_err sweep_batch(struct tracker *t, int64_t now_ms, bool *ret_is_done,
                                  struct error *e)
{
    AUTO_TRANSACTION tx = NULL;

    (void)pthread_mutex_lock(&t->lock);
    enum aloft_err err = track_load(t, now_ms, e);
    for (int i = 0; err == ALOFT_ERR_OK && !*ret_is_done && i < SWEEP_BATCH; i++) {
        err = end_one(t, &tx, now_ms, ret_is_done, e);
    }
    err = finish(t, &tx, err, e);
    (void)pthread_mutex_unlock(&t->lock);
    return err;
}

enum aloft_err tracker_sweep(struct tracker *t, int64_t now_ms, struct error *e)
{
    bool is_done = false;
    enum aloft_err err = ALOFT_ERR_OK;

    while (err == ALOFT_ERR_OK && !is_done) {
        err = sweep_batch(t, now_ms, &is_done, e);
    }
    return err;
}

void tracker_set_proven_minutes(struct tracker *t, unsigned minutes)
{
    (void)pthread_mutex_lock(&t->lock);
    t->options.proven_minutes = minutes;
    (void)pthread_mutex_unlock(&t->lock);
}

struct tracker *tracker_new(const struct tracker_options *options)
{
    struct tracker *t = calloc(1, sizeof *t);

    if (!t) {
        return NULL;
    }
    t->options = *options;
    (void)pthread_mutex_init(&t->lock, NULL); /* cannot fail on Linux */
    t->table = track_table_new(options->n_attempts);
    if (!t->table) {
        tracker_free(t);
        return NULL;
    }
    return t;
}

static enum aloft_err flush_list(struct tracker *t, enum track_list list, struct db **tx)
{
    enum aloft_err err = ALOFT_ERR_OK;

    for (struct track *track = track_first(t->table, list); track && err == ALOFT_ERR_OK;
         track = track_following(t->table, track)) {
        if (track->has_news) {
            err = track_transaction(t, tx, NULL);
            err = err == ALOFT_ERR_OK ? track_flush(*tx, track, NULL) : err;
        }
    }
    return err;
}

static void flush_all(struct tracker *t)
{
    AUTO_TRANSACTION tx = NULL;
    enum aloft_err err = flush_list(t, TRACK_OPEN, &tx);

    if (err == ALOFT_ERR_OK) {
        err = flush_list(t, TRACK_AWAITS, &tx);
    }
    if (err == ALOFT_ERR_OK && tx) {
        err = db_commit(&tx, NULL);
    }
    if (err != ALOFT_ERR_OK) {
        log_warn("attempts.not_counted", "what=\"the last contacts of attempts that go on\"");
    }
}

void tracker_free(struct tracker *t)
{
    if (!t) {
        return;
    }
    if (t->table) {
        flush_all(t);
    }
    track_table_free(t->table);
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}

size_t tracker_counts(struct tracker *t, struct attempt_count counts[TRACKER_COUNTS])
{
    (void)pthread_mutex_lock(&t->lock);
    size_t n = t->n_counts;
    memcpy(counts, t->counts, n * sizeof counts[0]);
    (void)pthread_mutex_unlock(&t->lock);
    return n;
}
