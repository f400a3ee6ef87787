/* SPDX-License-Identifier: Apache-2.0 */
#include "api/streams.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/authorize.h"
#include "host/auto.h"
#include "host/clock.h"
#include "notify/fan_out.h"
#include "store/events.h"
#include "store/webhooks.h"

#define TYPE_EVENTS "text/event-stream"
#define PAGE        50 /* events read at once */
#define TICK_S      1
#define FIRST_BYTES                                                                                \
    ": events of Aloft\n\n"         /* so that the client knows at once that it is heard           \
                                     */
#define HEARTBEAT ": heartbeat\n\n" /* the CLI gives up what comes slower than a byte a second */

struct event_stream {
    struct streams *all;
    struct event_stream *next;
    struct event_stream *previous;
    struct request *request; /* who asks; lives until after the last read */
    struct MHD_Connection *connection;
    struct stream_wanted wanted;

    /* Under the lock of all. */
    bool is_suspended;
    bool has_news;
    bool is_beat_due;
    int64_t spoke_ms; /* monotonic */

    /* The reader's own. */
    char *text; /* not sent yet; NULL = nothing */
    size_t len;
    size_t sent;
};

struct streams {
    struct bus *bus;
    pthread_mutex_t lock; /* taken by whoever commits: never held while the database is asked */
    pthread_cond_t ending;
    pthread_t ticker;
    bool is_ending;
    size_t n;
    struct event_stream *first;
};

/* With the lock held. */
static void resume(struct event_stream *s)
{
    if (s->is_suspended) {
        s->is_suspended = false;
        MHD_resume_connection(s->connection);
    }
}

static void wake_all(void *ctx)
{
    struct streams *all = ctx;

    (void)pthread_mutex_lock(&all->lock);
    for (struct event_stream *s = all->first; s; s = s->next) {
        s->has_news = true;
        resume(s);
    }
    (void)pthread_mutex_unlock(&all->lock);
}

static void beat(struct streams *all, int64_t now_ms)
{
    for (struct event_stream *s = all->first; s; s = s->next) {
        if (now_ms - s->spoke_ms >= STREAM_HEARTBEAT_MS) {
            s->is_beat_due = true;
            resume(s);
        }
    }
}

/* Heartbeats: a suspended connection is looked at by nobody else. */
static void *run_ticker(void *arg)
{
    struct streams *all = arg;

    (void)pthread_setname_np(pthread_self(), "streams"); /* for top and perf */
    (void)pthread_mutex_lock(&all->lock);
    while (!all->is_ending) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += TICK_S;
        (void)pthread_cond_timedwait(&all->ending, &all->lock, &until); /* either is fine */
        beat(all, (int64_t)clock_monotonic_ms());
    }
    (void)pthread_mutex_unlock(&all->lock);
    return NULL;
}

static bool start_ticker(struct streams *all)
{
    sigset_t every;
    sigset_t old;

    (void)sigfillset(&every); /* signals are for the main thread */
    (void)pthread_sigmask(SIG_SETMASK, &every, &old);
    int rc = pthread_create(&all->ticker, NULL, run_ticker, all);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc == 0;
}

struct streams *streams_new(struct bus *bus)
{
    struct streams *all = calloc(1, sizeof *all);
    pthread_condattr_t attributes;

    if (!all) {
        return NULL;
    }
    all->bus = bus;
    (void)pthread_mutex_init(&all->lock, NULL); /* these cannot fail on Linux */
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&all->ending, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (!start_ticker(all)) {
        streams_free(all);
        return NULL;
    }
    bus_listen(bus, wake_all, all);
    return all;
}

void streams_end(struct streams *all)
{
    if (!all) {
        return;
    }
    bus_unlisten(all->bus, wake_all, all);
    (void)pthread_mutex_lock(&all->lock);
    all->is_ending = true;
    (void)pthread_cond_signal(&all->ending);
    for (struct event_stream *s = all->first; s; s = s->next) {
        resume(s);
    }
    (void)pthread_mutex_unlock(&all->lock);
    (void)pthread_join(all->ticker, NULL);
}

void streams_free(struct streams *all)
{
    if (all) {
        (void)pthread_cond_destroy(&all->ending);
        (void)pthread_mutex_destroy(&all->lock);
        free(all);
    }
}

/* One stream. */

static void free_stream(void *ctx)
{
    struct event_stream *s = ctx;

    (void)pthread_mutex_lock(&s->all->lock);
    *(s->previous ? &s->previous->next : &s->all->first) = s->next;
    if (s->next) {
        s->next->previous = s->previous;
    }
    s->all->n--;
    (void)pthread_mutex_unlock(&s->all->lock);
    free(s->text);
    free(s);
}

static bool enter(struct event_stream *s)
{
    struct streams *all = s->all;

    (void)pthread_mutex_lock(&all->lock);
    bool has_room = !all->is_ending && all->n < STREAMS_MAX;
    if (has_room) {
        s->next = all->first;
        if (s->next) {
            s->next->previous = s;
        }
        all->first = s;
        all->n++;
    }
    (void)pthread_mutex_unlock(&all->lock);
    return has_room;
}

/* What is of no product is for admins, but for the attempts of strangers. */
static enum aloft_err may_see(const struct event_stream *s, const struct event *event,
                              bool *ret_may, struct error *e)
{
    const struct principal *p = &s->request->principal;
    bool is_attempt = strncmp(event->kind, "attempt.", strlen("attempt.")) == 0;
    enum role role = ROLE_NONE;

    if (event->product_id == 0) {
        *ret_may = !p->only_product && p->role >= (is_attempt ? ROLE_VIEWER : ROLE_ADMIN);
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = principal_role(s->request->api->db, p, event->product_id, &role, e);
    *ret_may = role >= ROLE_VIEWER;
    return err;
}

struct reading {
    struct event_stream *stream;
    FILE *out;
    size_t n;
};

static enum aloft_err write_event(void *ctx, const struct event *event, struct error *e)
{
    struct reading *r = ctx;
    struct stream_wanted *w = &r->stream->wanted;
    bool may = false;

    r->n++;
    w->after = event->id;
    if ((w->product_id && w->product_id != event->product_id) ||
        !webhook_wants(w->kinds, event->kind)) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = may_see(r->stream, event, &may, e);
    if (err != ALOFT_ERR_OK || !may) {
        return err;
    }
    char product[PRODUCT_NAME_MAX + 1] = "";
    err = products_name(r->stream->request->api->db, event->product_id, product, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    AUTO_FREE char *text = fan_out_text(event, product);
    if (!text) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    (void)fprintf(r->out, "id: %" PRId64 "\nevent: %s\ndata: %s\n\n", event->id, event->kind, text);
    return ALOFT_ERR_OK;
}

/* The next events, or a heartbeat. False = the stream ends. */
static bool read_events(struct event_stream *s, bool is_beat_due, bool *ret_has_more)
{
    struct error e = {0};
    struct reading reading = {.stream = s};

    free(s->text);
    s->text = NULL;
    s->sent = s->len = 0;
    if (!is_still_known(s->request)) { /* and with what role: it may have changed since */
        return false;
    }
    reading.out = open_memstream(&s->text, &s->len);
    if (!reading.out) {
        return false;
    }
    enum aloft_err err =
        events_each(s->request->api->db, s->wanted.after, PAGE, write_event, &reading, &e);
    if (err == ALOFT_ERR_OK && is_beat_due) {
        (void)fputs(HEARTBEAT, reading.out);
    }
    *ret_has_more = reading.n == PAGE;
    return fclose(reading.out) == 0 && err == ALOFT_ERR_OK;
}

/* Nothing to say: sleep until somebody wakes us. False = there is something after all. */
static bool fall_asleep(struct event_stream *s)
{
    (void)pthread_mutex_lock(&s->all->lock);
    bool is_idle = !s->has_news && !s->is_beat_due && !s->all->is_ending;
    if (is_idle) {
        s->is_suspended = true;
        MHD_suspend_connection(s->connection);
    }
    (void)pthread_mutex_unlock(&s->all->lock);
    return is_idle;
}

static bool take_wishes(struct event_stream *s, bool *ret_is_beat_due)
{
    (void)pthread_mutex_lock(&s->all->lock);
    bool is_ending = s->all->is_ending;
    *ret_is_beat_due = s->is_beat_due;
    s->has_news = false;
    s->is_beat_due = false;
    s->spoke_ms = (int64_t)clock_monotonic_ms();
    (void)pthread_mutex_unlock(&s->all->lock);
    return !is_ending;
}

static void note_more(struct event_stream *s)
{
    (void)pthread_mutex_lock(&s->all->lock);
    s->has_news = true;
    (void)pthread_mutex_unlock(&s->all->lock);
}

static long read_stream(void *ctx, char *buf, size_t cap)
{
    struct event_stream *s = ctx;

    while (s->sent == s->len) {
        bool is_beat_due;
        bool has_more = false;
        if (fall_asleep(s)) {
            return API_READ_LATER;
        }
        if (!take_wishes(s, &is_beat_due) || !read_events(s, is_beat_due, &has_more)) {
            return 0;
        }
        if (has_more) {
            note_more(s);
        }
    }
    size_t n = s->len - s->sent < cap ? s->len - s->sent : cap;
    memcpy(buf, s->text + s->sent, n);
    s->sent += n;
    return (long)n;
}

void streams_answer(struct streams *all, struct request *request,
                    const struct stream_wanted *wanted)
{
    struct event_stream *s = calloc(1, sizeof *s);

    if (!s || !(s->text = strdup(FIRST_BYTES))) {
        free(s);
        answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", "out of memory");
        return;
    }
    s->all = all;
    s->request = request;
    s->connection = request->connection;
    s->wanted = *wanted;
    s->has_news = true; /* since `after` */
    s->len = strlen(FIRST_BYTES);
    s->spoke_ms = (int64_t)clock_monotonic_ms();
    if (!enter(s)) {
        free(s->text);
        free(s);
        answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "too_many_streams",
                     "there are %d event streams already: close one, or ask again later",
                     STREAMS_MAX);
        return;
    }
    answer_stream(request, TYPE_EVENTS, read_stream, s, free_stream);
}
