/* SPDX-License-Identifier: Apache-2.0 */
#include "api/front.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "aloft/http_head.h"
#include "host/auto.h"
#include "host/clock.h"
#include "host/log.h"

#define FD_SHARE       16
#define WAITING_MIN    32
#define EVENTS_MAX     64
#define ACCEPTS_MAX    64  /* in a row; then the others have their turn */
#define OUT_OF_FDS_MS  100 /* no accept for so long */
#define LEFT_OVER_READ 65536

/* A connection whose head is not whole yet. */
struct waiting {
    int fd;
    struct waiting *prev; /* in the order they came, which is that of their deadlines */
    struct waiting *next;
    uint64_t deadline_ms;
    socklen_t address_len;
    struct sockaddr_storage address;
    struct aloft_http_head head;
};

struct front {
    struct front_options options;
    pthread_t thread;
    int epoll_fd;
    int stop_fd;
    uint64_t accept_again_ms; /* 0: accepting */
    struct waiting *first;
    struct waiting *last;
    size_t n_waiting;
    size_t waiting_max;
    char buf[FRONT_HEAD_MAX];
};

static void take_out(struct front *f, struct waiting *w)
{
    *(w->prev ? &w->prev->next : &f->first) = w->next;
    *(w->next ? &w->next->prev : &f->last) = w->prev;
    f->n_waiting--;
}

static void cut(struct front *f, struct waiting *w)
{
    take_out(f, w);
    (void)close(w->fd);
    free(w);
}

/* The peer may still be sending; unread bytes would turn our FIN into RST and the answer might be
 * lost. One look is enough for an answer that is a courtesy. */
static void refuse(struct front *f, struct waiting *w, const char *status, const char *code,
                   const char *detail)
{
    char answer[512];
    char body[256];
    char rest[LEFT_OVER_READ];
    int body_len = snprintf(body, sizeof body,
                            "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%.3s,"
                            "\"code\":\"%s\",\"detail\":\"%s\"}",
                            status + 4, status, code, detail);
    int len =
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 %s\r\nContent-Type: application/problem+json\r\n"
                 "Content-Length: %d\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n%s",
                 status, body_len, body);

    (void)send(w->fd, answer, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(w->fd, SHUT_WR);
    (void)recv(w->fd, rest, sizeof rest, MSG_DONTWAIT);
    log_info("api.refused", "code=%s reason=\"%s\"", code, detail);
    cut(f, w);
}

static void hand_over(struct front *f, struct waiting *w)
{
    const struct front_options *o = &f->options;

    (void)epoll_ctl(f->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    if (o->hand_over(o->ctx, w->fd, (struct sockaddr *)&w->address, w->address_len)) {
        take_out(f, w);
        free(w);
    } else {
        refuse(f, w, "503 Service Unavailable", "busy",
               "too many requests are under way; try again in a moment");
    }
}

/* Modules may end lines so (they do, in old releases), people's programs may not. */
static bool has_bare_lf(const char *buf, size_t len)
{
    for (const char *lf = memchr(buf, '\n', len); lf;
         lf = memchr(lf + 1, '\n', len - (size_t)(lf + 1 - buf))) {
        if (lf == buf || lf[-1] != '\r') {
            return true;
        }
    }
    return false;
}

static void look(struct front *f, struct waiting *w)
{
    ssize_t n = recv(w->fd, f->buf, sizeof f->buf, MSG_PEEK);

    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) {
            cut(f, w);
        }
        return;
    }
    enum aloft_err err = aloft_http_head_parse(&w->head, f->buf, (size_t)n);
    size_t len = err == ALOFT_ERR_OK ? w->head.head_len : (size_t)n;
    if (has_bare_lf(f->buf, len)) {
        err = ALOFT_ERR_HTTP_FRAMING;
    }
    if (err == ALOFT_ERR_OK) {
        hand_over(f, w);
    } else if (err == ALOFT_ERR_TOO_BIG || (err == ALOFT_ERR_AGAIN && n == sizeof f->buf)) {
        refuse(f, w, "431 Request Header Fields Too Large", "too_large",
               "the head of the request is too long");
    } else if (err != ALOFT_ERR_AGAIN) {
        refuse(f, w, "400 Bad Request", "bad_framing",
               "the head of the request is broken or ambiguous; it takes one Host, one "
               "Content-Length or Transfer-Encoding: chunked, lines that end with CR LF, none of "
               "them folded, and no NUL");
    }
}

static void add(struct front *f, int fd, const struct sockaddr_storage *address, socklen_t len)
{
    struct waiting *w = calloc(1, sizeof *w);

    if (!w) {
        (void)close(fd);
        return;
    }
    *w = (struct waiting){.fd = fd,
                          .prev = f->last,
                          .deadline_ms = clock_monotonic_ms() + FRONT_HEAD_MS,
                          .address_len = len,
                          .address = *address};
    aloft_http_head_init(&w->head, ALOFT_HTTP_REQUEST);
    *(f->last ? &f->last->next : &f->first) = w;
    f->last = w;
    f->n_waiting++;
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = w};
    if (epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        cut(f, w);
    }
}

static void accept_some(struct front *f)
{
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        struct sockaddr_storage address;
        socklen_t len = sizeof address;
        int fd = accept4(f->options.listen_fd, (struct sockaddr *)&address, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE) {
                f->accept_again_ms = clock_monotonic_ms() + OUT_OF_FDS_MS;
            }
            return;
        }
        add(f, fd, &address, len);
    }
}

static int wait_ms(const struct front *f, uint64_t now_ms)
{
    uint64_t until = f->first ? f->first->deadline_ms : 0;

    if (f->accept_again_ms != 0 && (until == 0 || f->accept_again_ms < until)) {
        until = f->accept_again_ms;
    }
    if (until == 0) {
        return -1;
    }
    return until > now_ms ? (int)(until - now_ms) : 0;
}

static void watch_listener(struct front *f, bool is_wanted)
{
    struct epoll_event event = {.events = is_wanted ? EPOLLIN : 0, .data.ptr = f};

    (void)epoll_ctl(f->epoll_fd, EPOLL_CTL_MOD, f->options.listen_fd, &event);
}

static void *run(void *ctx)
{
    struct front *f = ctx;
    struct epoll_event events[EVENTS_MAX];

    for (;;) {
        int n = epoll_wait(f->epoll_fd, events, EVENTS_MAX, wait_ms(f, clock_monotonic_ms()));
        bool is_listener = false;
        for (int i = 0; i < n; i++) {
            if (!events[i].data.ptr) {
                return NULL; /* stop_fd */
            }
            if (events[i].data.ptr == f) {
                is_listener = true; /* last: a new one must not take the place of one just freed */
            } else {
                look(f, events[i].data.ptr);
            }
        }
        uint64_t now_ms = clock_monotonic_ms();
        if (f->accept_again_ms != 0 && now_ms >= f->accept_again_ms) {
            f->accept_again_ms = 0;
            watch_listener(f, true);
        }
        if (is_listener) {
            accept_some(f);
            if (f->accept_again_ms != 0) {
                watch_listener(f, false);
            }
        }
        while (f->first && (f->first->deadline_ms <= now_ms || f->n_waiting > f->waiting_max)) {
            cut(f, f->first);
        }
    }
}

static size_t waiting_max(void)
{
    struct rlimit limit = {0};
    size_t share = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur / FD_SHARE : 0;

    share = share < WAITING_MIN ? WAITING_MIN : share;
    return share < FRONT_WAITING_MAX ? share : FRONT_WAITING_MAX;
}

static enum aloft_err open_fds(struct front *f, struct error *e)
{
    struct epoll_event listener = {.events = EPOLLIN, .data.ptr = f};
    struct epoll_event stop = {.events = EPOLLIN, .data.ptr = NULL};

    f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    f->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (f->epoll_fd < 0 || f->stop_fd < 0 ||
        epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, f->options.listen_fd, &listener) != 0 ||
        epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, f->stop_fd, &stop) != 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot watch the console plane's listener");
    }
    return ALOFT_ERR_OK;
}

static void free_front(struct front *f)
{
    while (f->first) {
        cut(f, f->first);
    }
    auto_close(&f->epoll_fd);
    auto_close(&f->stop_fd);
    free(f);
}

enum aloft_err front_start(const struct front_options *options, struct front **ret_front,
                           struct error *e)
{
    struct front *f = calloc(1, sizeof *f);

    if (!f) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    f->options = *options;
    f->epoll_fd = -1;
    f->stop_fd = -1;
    f->waiting_max = waiting_max();
    enum aloft_err err = open_fds(f, e);
    if (err == ALOFT_ERR_OK) {
        errno = pthread_create(&f->thread, NULL, run, f);
        err = errno == 0 ? ALOFT_ERR_OK
                         : fail_errno(e, ALOFT_ERR_IO, "cannot start the console plane");
    }
    if (err != ALOFT_ERR_OK) {
        free_front(f);
        return err;
    }
    *ret_front = f;
    return ALOFT_ERR_OK;
}

void front_stop(struct front *f)
{
    uint64_t one = 1;

    if (!f) {
        return;
    }
    (void)!write(f->stop_fd, &one, sizeof one); /* an eventfd takes it */
    (void)pthread_join(f->thread, NULL);
    (void)close(f->options.listen_fd);
    free_front(f);
}
