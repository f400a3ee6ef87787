/* SPDX-License-Identifier: Apache-2.0 */
#include "process/lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/address.h"
#include "host/auto.h"

/* One question. Shared by two: the thread that asks and the module that waits; whoever lets go of
 * it last frees it. */
struct job {
    pthread_mutex_t lock;
    int n_owners;
    bool is_done;
    enum aloft_err err;
    struct aloft_addrs addrs;
    int event_fd; /**< The job's own duplicate: the look-up may be gone first. */
    char host[ADDRESS_HOST_BYTES];
};

struct lookup {
    int event_fd;
    struct job *job; /**< NULL = nothing asked. */
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
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    struct sockaddr_in found;

    if (getaddrinfo(host, NULL, &hints, &list) != 0) {
        return ALOFT_ERR_RESOLVE;
    }
    memcpy(&found, list->ai_addr, sizeof found);
    *ret_addrs = (struct aloft_addrs){.n = 1, .items = {{.len = 4}}};
    memcpy(ret_addrs->items[0].bytes, &found.sin_addr, sizeof found.sin_addr);
    freeaddrinfo(list);
    return ALOFT_ERR_OK;
}

static void *run(void *arg)
{
    struct job *job = arg;
    struct aloft_addrs addrs = {.n = 0};
    enum aloft_err err = ask_system(job->host, &addrs);

    (void)pthread_mutex_lock(&job->lock);
    job->err = err;
    job->addrs = addrs;
    job->is_done = true;
    (void)pthread_mutex_unlock(&job->lock);
    (void)eventfd_write(job->event_fd, 1); /* cannot block: the counter is far from full */
    let_go(job);
    return NULL;
}

static struct job *start(int event_fd, const char *host)
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
    job->event_fd = dup(event_fd);
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

void lookup_abandon(struct lookup *l)
{
    if (l->job) {
        let_go(l->job);
        l->job = NULL;
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

enum aloft_err lookup_ask(struct lookup *l, const char *host, struct aloft_addrs *ret_addrs)
{
    if (inet_pton(AF_INET, host, ret_addrs->items[0].bytes) == 1) {
        ret_addrs->n = 1;
        ret_addrs->items[0].len = 4;
        return ALOFT_ERR_OK;
    }
    if (l->job && strcmp(l->job->host, host) != 0) {
        lookup_abandon(l);
    }
    if (!l->job) {
        l->job = strlen(host) < sizeof l->job->host ? start(l->event_fd, host) : NULL;
        return l->job ? ALOFT_ERR_AGAIN : ALOFT_ERR_RESOLVE;
    }
    (void)pthread_mutex_lock(&l->job->lock);
    bool is_done = l->job->is_done;
    enum aloft_err err = l->job->err;
    struct aloft_addrs addrs = l->job->addrs;
    (void)pthread_mutex_unlock(&l->job->lock);
    if (!is_done) {
        return ALOFT_ERR_AGAIN;
    }
    lookup_abandon(l);
    if (err == ALOFT_ERR_OK) {
        *ret_addrs = addrs;
    }
    return err;
}
