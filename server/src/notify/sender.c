/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/sender.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "host/auto.h"
#include "host/clock.h"
#include "host/log.h"
#include "notify/fan_out.h"
#include "notify/signature.h"
#include "notify/target.h"
#include "store/deliveries.h"

#define MS_PER_S       1000
#define FIELD_BYTES    160
#define SLEEP_MAX_MS   60000
#define AFTER_ERROR_MS 5000 /* the database failed: not at once again */
#define STATUS_GONE    410

/* One delivery under way. */
struct sending {
    struct sender *sender;
    struct delivery delivery; /* id 0 = free */
    CURL *handle;
    struct curl_slist *fields;
    char *body;
    size_t answer_bytes;
    bool is_refused; /* the address is not allowed */
    char error[CURL_ERROR_SIZE];
};

struct sender {
    struct db *db;
    struct bus *bus;
    pthread_t thread;
    CURLM *multi;
    atomic_bool is_ending;
    atomic_bool allows_private;
    struct sending sendings[SENDER_AT_ONCE];
};

/* -- one request ------------------------------------------------------------------------------- */

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct sending *s = ctx;

    (void)purpose;
    if (!target_allows(&a->addr, atomic_load(&s->sender->allows_private))) {
        s->is_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t drop_answer(char *data, size_t size, size_t n, void *ctx)
{
    struct sending *s = ctx;

    (void)data;
    s->answer_bytes += size * n;
    return s->answer_bytes <= SENDER_ANSWER_MAX ? size * n : 0;
}

static void add_field(struct sending *s, const char *name, const char *value)
{
    char field[FIELD_BYTES];

    (void)snprintf(field, sizeof field, "%s: %s", name, value);
    struct curl_slist *more = curl_slist_append(s->fields, field);
    s->fields = more ? more : s->fields;
}

static void add_fields(struct sending *s, const char *secret)
{
    char signature[SIGNATURE_BYTES];
    char id[24];

    signature_make(secret, clock_wall_ms() / MS_PER_S, s->body, signature);
    (void)snprintf(id, sizeof id, "%" PRId64, s->delivery.id);
    add_field(s, "Content-Type", "application/json");
    add_field(s, "Aloft-Event", s->delivery.kind);
    add_field(s, "Aloft-Delivery", id);
    add_field(s, "Aloft-Signature", signature);
}

/* The return codes are those of options this library knows. */
static void set_options(struct sending *s, const char *url)
{
    CURL *h = s->handle;

    (void)curl_easy_setopt(h, CURLOPT_URL, url);
    (void)curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(h, CURLOPT_PROXY, ""); /* whatever the environment says */
    (void)curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, SENDER_CONNECT_S);
    (void)curl_easy_setopt(h, CURLOPT_TIMEOUT, SENDER_TIMEOUT_S);
    (void)curl_easy_setopt(h, CURLOPT_USERAGENT, "aloft/" ALOFT_PROGRAM_VERSION);
    (void)curl_easy_setopt(h, CURLOPT_POSTFIELDS, s->body);
    (void)curl_easy_setopt(h, CURLOPT_HTTPHEADER, s->fields);
    (void)curl_easy_setopt(h, CURLOPT_ERRORBUFFER, s->error);
    (void)curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    (void)curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, s);
    (void)curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, drop_answer);
    (void)curl_easy_setopt(h, CURLOPT_WRITEDATA, s);
    (void)curl_easy_setopt(h, CURLOPT_PRIVATE, s);
    /* A connection kept would pass by open_socket() when the setting changes. */
    (void)curl_easy_setopt(h, CURLOPT_FORBID_REUSE, 1L);
}

static void free_sending(struct sending *s)
{
    if (s->handle) {
        (void)curl_multi_remove_handle(s->sender->multi, s->handle);
        curl_easy_cleanup(s->handle);
    }
    curl_slist_free_all(s->fields);
    free(s->body);
    *s = (struct sending){.sender = s->sender};
}

/* -- what became of it ------------------------------------------------------------------------- */

/* Why it counts as not received; empty = it was. */
static void judge(const struct sending *s, CURLcode result, long status,
                  char reason[DELIVERY_ERROR_MAX + 1])
{
    bool is_long = result == CURLE_WRITE_ERROR && s->answer_bytes > SENDER_ANSWER_MAX;

    reason[0] = '\0';
    if (s->is_refused && status == 0) {
        (void)snprintf(reason, DELIVERY_ERROR_MAX + 1,
                       "the host's address is one webhooks may not go to");
    } else if (result != CURLE_OK && !is_long) {
        (void)snprintf(reason, DELIVERY_ERROR_MAX + 1, "%s",
                       s->error[0] ? s->error : curl_easy_strerror(result));
    } else if (status == STATUS_GONE) {
        (void)snprintf(reason, DELIVERY_ERROR_MAX + 1,
                       "the receiver answered 410: the webhook was switched off");
    } else if (status < 200 || status > 299) {
        (void)snprintf(reason, DELIVERY_ERROR_MAX + 1, "the receiver answered %ld", status);
    }
}

static enum aloft_err switch_off(struct db *tx, int64_t id, struct error *e)
{
    struct webhook w;
    enum aloft_err err = webhooks_get(tx, id, &w, e);

    w.is_active = false;
    return err == ALOFT_ERR_OK ? webhooks_update(tx, &w, e) : err;
}

static enum aloft_err note(struct sender *sender, const struct delivery *d, long status,
                           const char *reason, struct error *e)
{
    AUTO_TRANSACTION tx = NULL;
    enum aloft_err err = db_begin(sender->db, &tx, e);

    if (err == ALOFT_ERR_OK) {
        err = deliveries_note(tx, d, status, reason, clock_wall_ms(), e);
    }
    if (err == ALOFT_ERR_OK && status == STATUS_GONE) {
        err = switch_off(tx, d->webhook_id, e);
        err = err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err; /* removed meanwhile */
    }
    return err == ALOFT_ERR_OK ? db_commit(&tx, e) : err;
}

static void finish(struct sending *s, CURLcode result)
{
    char reason[DELIVERY_ERROR_MAX + 1];
    long status = 0;
    struct error e = {0};

    (void)curl_easy_getinfo(s->handle, CURLINFO_RESPONSE_CODE, &status);
    judge(s, result, status, reason);
    if (reason[0]) {
        log_warn("webhook.not_delivered", "webhook=%" PRId64 " delivery=%" PRId64 " reason=\"%s\"",
                 s->delivery.webhook_id, s->delivery.id, reason);
    }
    if (note(s->sender, &s->delivery, status, reason, &e) != ALOFT_ERR_OK) {
        log_error("webhook.failed", "reason=\"%s\"", e.sentence); /* it is sent again */
    }
    free_sending(s);
}

/* -- the thread -------------------------------------------------------------------------------- */

/* A free place; NULL = none, or this webhook is being sent something already. */
static struct sending *find_place(struct sender *sender, int64_t webhook_id)
{
    struct sending *place = NULL;

    for (size_t i = 0; i < SENDER_AT_ONCE; i++) {
        struct sending *s = &sender->sendings[i];
        if (s->delivery.id != 0 && s->delivery.webhook_id == webhook_id) {
            return NULL;
        }
        place = s->delivery.id == 0 ? s : place;
    }
    return place;
}

static enum aloft_err send_one(void *ctx, const struct delivery *d, const char *body,
                               struct error *e)
{
    struct sender *sender = ctx;
    struct sending *s = find_place(sender, d->webhook_id);
    struct webhook w;

    if (!s) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = webhooks_get(sender->db, d->webhook_id, &w, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    s->delivery = *d;
    s->body = strdup(body);
    s->handle = curl_easy_init();
    if (s->body && s->handle) {
        add_fields(s, w.secret);
        set_options(s, w.url);
    }
    if (!s->body || !s->handle || curl_multi_add_handle(sender->multi, s->handle) != CURLM_OK) {
        free_sending(s);
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    return ALOFT_ERR_OK;
}

/* Take up what there is to do; how long to sleep then, at most. */
static int take_work(struct sender *sender)
{
    struct error e = {0};
    bool has_more = true;
    int64_t next_ms = 0;
    int64_t now_ms = clock_wall_ms();
    enum aloft_err err = ALOFT_ERR_OK;

    while (err == ALOFT_ERR_OK && has_more && !atomic_load(&sender->is_ending)) {
        err = fan_out(sender->db, now_ms, &has_more, &e);
    }
    if (err == ALOFT_ERR_OK) {
        err = deliveries_due(sender->db, now_ms, 2 * SENDER_AT_ONCE, send_one, sender, &e);
    }
    if (err == ALOFT_ERR_OK) {
        err = deliveries_next(sender->db, &next_ms, &e);
    }
    if (err != ALOFT_ERR_OK) {
        log_error("webhook.failed", "reason=\"%s\"", e.sentence);
        return AFTER_ERROR_MS;
    }
    /* What is due but waits for a place is taken up when one ends. */
    if (next_ms <= now_ms || next_ms - now_ms > SLEEP_MAX_MS) {
        return SLEEP_MAX_MS;
    }
    return (int)(next_ms - now_ms);
}

/* True: at least one has ended. */
static bool finish_ended(struct sender *sender)
{
    bool has_ended = false;
    CURLMsg *message;
    int n_left;

    while ((message = curl_multi_info_read(sender->multi, &n_left))) {
        if (message->msg == CURLMSG_DONE) {
            struct sending *s = NULL;
            CURLcode result = message->data.result;
            (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&s);
            finish(s, result);
            has_ended = true;
        }
    }
    return has_ended;
}

static void *run(void *ctx)
{
    struct sender *sender = ctx;
    int n_running;

    (void)pthread_setname_np(pthread_self(), "webhooks");
    while (!atomic_load(&sender->is_ending)) {
        int sleep_ms = take_work(sender);
        (void)curl_multi_perform(sender->multi, &n_running);
        if (!finish_ended(sender)) { /* else there is a place for more */
            (void)curl_multi_poll(sender->multi, NULL, 0, sleep_ms, NULL);
        }
    }
    return NULL;
}

static void wake(void *ctx)
{
    struct sender *sender = ctx;

    (void)curl_multi_wakeup(sender->multi);
}

static enum aloft_err start_thread(struct sender *sender, struct error *e)
{
    sigset_t all;
    sigset_t old;

    (void)sigfillset(&all); /* signals are for the main thread */
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    errno = pthread_create(&sender->thread, NULL, run, sender);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return errno == 0 ? ALOFT_ERR_OK
                      : fail_errno(e, ALOFT_ERR_IO, "cannot start the thread of the webhooks");
}

enum aloft_err sender_start(struct db *db, struct bus *bus, bool allows_private,
                            struct sender **ret_sender, struct error *e)
{
    struct sender *sender = calloc(1, sizeof *sender);

    if (!sender || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(sender);
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    sender->db = db;
    sender->bus = bus;
    atomic_init(&sender->allows_private, allows_private);
    for (size_t i = 0; i < SENDER_AT_ONCE; i++) {
        sender->sendings[i].sender = sender;
    }
    sender->multi = curl_multi_init();
    if (!sender->multi) {
        free(sender);
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    bus_listen(bus, wake, sender);
    enum aloft_err err = start_thread(sender, e);
    if (err != ALOFT_ERR_OK) {
        bus_unlisten(bus, wake, sender);
        (void)curl_multi_cleanup(sender->multi);
        free(sender);
        return err;
    }
    *ret_sender = sender;
    return ALOFT_ERR_OK;
}

void sender_allow_private(struct sender *sender, bool allows_private)
{
    atomic_store(&sender->allows_private, allows_private);
}

void sender_stop(struct sender *sender)
{
    if (!sender) {
        return;
    }
    bus_unlisten(sender->bus, wake, sender);
    atomic_store(&sender->is_ending, true);
    (void)curl_multi_wakeup(sender->multi);
    (void)pthread_join(sender->thread, NULL);
    for (size_t i = 0; i < SENDER_AT_ONCE; i++) {
        free_sending(&sender->sendings[i]);
    }
    (void)curl_multi_cleanup(sender->multi);
    free(sender);
}
