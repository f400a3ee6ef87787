/* SPDX-License-Identifier: Apache-2.0 */
#include "process/lookup.h"

#include <netdb.h>
#include <pthread.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/address.h"
#include "host/clock.h"
#include "process/endpoint.h"

/* One question. Shared by two: the thread that asks and the module that waits; whoever lets go of
 * it last frees it. */
struct job {
    pthread_mutex_t lock;
    int n_owners;
    bool is_done;
    enum aloft_err err;
    struct aloft_addrs addrs;
    uint64_t done_ms;
    int event_fd; /**< The job's own duplicate: the look-up may be gone first. */
    char host[ADDRESS_HOST_BYTES];
    struct sockaddr_in servers[LOOKUP_SERVERS_MAX];
    size_t n_servers; /**< 0 = the system's. */
};

struct question {
    struct job *job; /**< NULL = free. */
    uint64_t asked_ms;
};

struct lookup {
    int event_fd;
    struct sockaddr_in servers[LOOKUP_SERVERS_MAX];
    size_t n_servers;
    struct question questions[LOOKUP_JOBS_MAX];
};

static void let_go(struct job *job)
{
    (void)pthread_mutex_lock(&job->lock);
    bool is_last = --job->n_owners == 0;
    (void)pthread_mutex_unlock(&job->lock);
    if (is_last) {
        (void)close(job->event_fd);
        (void)pthread_mutex_destroy(&job->lock);
        free(job);
    }
}

static enum aloft_err ask_system(const char *host, struct aloft_addrs *ret_addrs)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;

    if (getaddrinfo(host, NULL, &hints, &list) != 0) {
        return ALOFT_ERR_RESOLVE;
    }
    ret_addrs->n = 0;
    for (const struct addrinfo *ai = list; ai && ret_addrs->n < ALOFT_ADDRS_MAX; ai = ai->ai_next) {
        struct endpoint found = {.len = ai->ai_addrlen};
        uint16_t no_port;
        if (ai->ai_family == AF_INET || ai->ai_family == AF_INET6) {
            memcpy(&found.u, ai->ai_addr, ai->ai_addrlen);
            endpoint_get(&found, &ret_addrs->items[ret_addrs->n++], &no_port);
        }
    }
    freeaddrinfo(list);
    return ret_addrs->n > 0 ? ALOFT_ERR_OK : ALOFT_ERR_RESOLVE;
}

/* The resolver's state is the thread's own (resolver(3)), and the thread asks one question. */
static bool use_servers(const struct job *job)
{
    if (job->n_servers == 0) {
        return true;
    }
    if (res_init() != 0) {
        return false;
    }
    memcpy(_res.nsaddr_list, job->servers, job->n_servers * sizeof job->servers[0]);
    _res.nscount = (int)job->n_servers;
    return true;
}

static void *run(void *arg)
{
    struct job *job = arg;
    struct aloft_addrs addrs = {.n = 0};
    enum aloft_err err = use_servers(job) ? ask_system(job->host, &addrs) : ALOFT_ERR_RESOLVE;

    (void)pthread_mutex_lock(&job->lock);
    job->err = err;
    job->addrs = addrs;
    job->done_ms = clock_monotonic_ms();
    job->is_done = true;
    (void)pthread_mutex_unlock(&job->lock);
    (void)eventfd_write(job->event_fd, 1); /* cannot block: the counter is far from full */
    let_go(job);
    return NULL;
}

static struct job *start(const struct lookup *l, const char *host)
{
    pthread_attr_t attr;
    pthread_t thread;
    struct job *job = calloc(1, sizeof *job);

    if (!job) {
        return NULL;
    }
    (void)snprintf(job->host, sizeof job->host, "%s", host);
    (void)pthread_mutex_init(&job->lock, NULL);
    job->n_owners = 2;
    job->event_fd = dup(l->event_fd);
    memcpy(job->servers, l->servers, sizeof job->servers);
    job->n_servers = l->n_servers;
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    bool is_running = job->event_fd >= 0 && pthread_create(&thread, &attr, run, job) == 0;
    (void)pthread_attr_destroy(&attr);
    if (!is_running) {
        job->n_owners = 1;
        let_go(job);
        return NULL;
    }
    return job;
}

enum aloft_err lookup_new(struct lookup **ret_lookup, struct error *e)
{
    struct lookup *l = calloc(1, sizeof *l);

    if (!l) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    l->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (l->event_fd < 0) {
        free(l);
        return fail_errno(e, ALOFT_ERR_IO, "cannot make an eventfd");
    }
    *ret_lookup = l;
    return ALOFT_ERR_OK;
}

static void abandon(struct question *q)
{
    if (q->job) {
        let_go(q->job);
        q->job = NULL;
    }
}

void lookup_set_servers(struct lookup *l, const struct sockaddr_in *servers, size_t n)
{
    if (n > 0) {
        memcpy(l->servers, servers, n * sizeof servers[0]);
    }
    l->n_servers = n;
    lookup_abandon(l);
}

void lookup_abandon(struct lookup *l)
{
    for (size_t i = 0; i < LOOKUP_JOBS_MAX; i++) {
        abandon(&l->questions[i]);
    }
}

void lookup_free(struct lookup *l)
{
    if (l) {
        lookup_abandon(l);
        (void)close(l->event_fd);
        free(l);
    }
}

int lookup_fd(const struct lookup *l)
{
    return l->event_fd;
}

void lookup_drain(struct lookup *l)
{
    eventfd_t ignored;

    (void)eventfd_read(l->event_fd, &ignored); /* empty is fine */
}

/* The question for this name, or one to begin it with. */
static struct question *find_or_make_room(struct lookup *l, const char *host)
{
    struct question *oldest = &l->questions[0];

    for (size_t i = 0; i < LOOKUP_JOBS_MAX; i++) {
        struct question *q = &l->questions[i];
        if (q->job && strcmp(q->job->host, host) == 0) {
            return q;
        }
        if (oldest->job && (!q->job || q->asked_ms < oldest->asked_ms)) {
            oldest = q;
        }
    }
    abandon(oldest);
    return oldest;
}

/* AGAIN: the thread is still at it. */
static enum aloft_err read_answer(struct job *job, struct aloft_addrs *ret_addrs,
                                  uint64_t *ret_done_ms)
{
    (void)pthread_mutex_lock(&job->lock);
    enum aloft_err err = job->is_done ? job->err : ALOFT_ERR_AGAIN;
    *ret_addrs = job->addrs;
    *ret_done_ms = job->done_ms;
    (void)pthread_mutex_unlock(&job->lock);
    return err;
}

enum aloft_err lookup_ask(struct lookup *l, const char *host, struct aloft_addrs *ret_addrs)
{
    struct aloft_addrs addrs = {.n = 1};
    uint64_t done_ms = 0;
    uint64_t now_ms = clock_monotonic_ms();
    enum aloft_err err = ALOFT_ERR_AGAIN;

    if (endpoint_parse_literal(host, &addrs.items[0])) {
        *ret_addrs = addrs;
        return ALOFT_ERR_OK;
    }
    if (strlen(host) >= ADDRESS_HOST_BYTES) {
        return ALOFT_ERR_RESOLVE;
    }
    struct question *q = find_or_make_room(l, host);
    q->asked_ms = now_ms;
    if (q->job) {
        err = read_answer(q->job, &addrs, &done_ms);
    }
    if (err != ALOFT_ERR_AGAIN) {
        abandon(q);
        if (now_ms - done_ms < LOOKUP_KEPT_MS) {
            *ret_addrs = addrs;
            return err;
        }
    }
    if (!q->job) {
        q->job = start(l, host);
    }
    return q->job ? ALOFT_ERR_AGAIN : ALOFT_ERR_RESOLVE;
}
