/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "host/clock.h"
#include "host/log.h"

#define EVENTS_MAX      256
#define ACCEPTS_MAX     64 /* a round; then the other connections have their turn */
#define SLAB_CONNS      128
#define TICK_MS         100
#define ACK_MS          50   /* a round trip and a delayed acknowledgement */
#define ACK_LATE_MS     1000 /* for a peer that closes nothing */
#define LINGER_MS       2000
#define ACCEPT_PAUSE_MS 100 /* when descriptors or memory are out */

_Static_assert(sizeof(struct conn) <= 256, "a slow download holds one, and nothing else of ours");

struct conn_slab {
    struct conn_slab *next;
    struct conn conns[SLAB_CONNS];
};

/* Time-outs. */

static void timer_remove(struct loop *loop, struct conn *conn)
{
    if (conn->timer == N_TIMERS) {
        return;
    }
    struct timer_list *list = &loop->timers[conn->timer];
    *(conn->prev ? &conn->prev->next : &list->first) = conn->next;
    *(conn->next ? &conn->next->prev : &list->last) = conn->prev;
    conn->timer = N_TIMERS;
}

/* To the end of a tick, so that one wake-up serves all that end in it. */
static uint64_t round_up(uint64_t deadline_ms)
{
    return (deadline_ms / TICK_MS + 1) * TICK_MS;
}

void conn_set_timer(struct loop *loop, struct conn *conn, enum timer timer)
{
    struct timer_list *list = &loop->timers[timer];

    timer_remove(loop, conn);
    conn->timer = (uint8_t)timer;
    conn->deadline_ms = round_up(loop->now_ms + list->duration_ms);
    conn->next = NULL;
    conn->prev = list->last;
    *(list->last ? &list->last->next : &list->first) = conn;
    list->last = conn;
}

static void run_timers(struct loop *loop)
{
    for (int i = 0; i < N_TIMERS; i++) {
        struct timer_list *list = &loop->timers[i];
        while (list->first && list->first->deadline_ms <= loop->now_ms) {
            if (i == TIMER_HEAD) {
                request_expire(loop, list->first);
            } else {
                reply_expire(loop, list->first);
            }
        }
    }
}

static uint64_t stop_deadline_ms(const struct loop *loop)
{
    return __atomic_load_n(&loop->shared->stop_deadline_ms, __ATOMIC_ACQUIRE);
}

/* Milliseconds until something is due; -1: nothing is. */
static int next_due_ms(const struct loop *loop)
{
    uint64_t due = UINT64_MAX;

    for (int i = 0; i < N_TIMERS; i++) {
        if (loop->timers[i].first && loop->timers[i].first->deadline_ms < due) {
            due = loop->timers[i].first->deadline_ms;
        }
    }
    if (loop->accept_again_ms && loop->accept_again_ms < due) {
        due = loop->accept_again_ms;
    }
    if (loop->is_stopping && stop_deadline_ms(loop) < due) {
        due = stop_deadline_ms(loop);
    }
    if (due == UINT64_MAX) {
        return -1;
    }
    return due > loop->now_ms ? (int)(due - loop->now_ms) : 0;
}

/* Connections. */

static struct conn *conn_new(struct loop *loop)
{
    if (!loop->free_conns) {
        struct conn_slab *slab = malloc(sizeof *slab);
        if (!slab) {
            return NULL;
        }
        slab->next = loop->slabs;
        loop->slabs = slab;
        for (size_t i = 0; i < SLAB_CONNS; i++) {
            slab->conns[i].next = loop->free_conns;
            loop->free_conns = &slab->conns[i];
        }
    }
    struct conn *conn = loop->free_conns;
    loop->free_conns = conn->next;
    loop->n_conns++;
    *conn =
        (struct conn){.source = SOURCE_CONN, .fd = -1, .timer = N_TIMERS, .start_ms = loop->now_ms};
    return conn;
}

void conn_close(struct loop *loop, struct conn *conn)
{
    timer_remove(loop, conn);
    SSL_free(conn->ssl);
    if (conn->file) {
        catalog_file_release(conn->file);
        gate_leave(loop->shared->gate);
    }
    free(conn->partial);
    free(conn->rest);
    free(conn->words);
    (void)close(conn->fd); /* leaves the epoll set by this */
    conn->next = loop->free_conns;
    loop->free_conns = conn;
    loop->n_conns--;
}

static int watch(const struct loop *loop, struct conn *conn, int op)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = conn};

    return epoll_ctl(loop->epoll_fd, op, conn->fd, &event);
}

void conn_watch(struct loop *loop, struct conn *conn)
{
    if (!conn->is_watched) {
        conn->is_watched = true; /* without memory for it, its time-out ends the connection */
        (void)watch(loop, conn, EPOLL_CTL_ADD);
    }
}

void conn_watch_again(struct loop *loop, struct conn *conn)
{
    if (conn->is_watched) { /* a change of the set reports what is ready once more */
        (void)watch(loop, conn, EPOLL_CTL_MOD);
    }
}

void conn_tell(struct loop *loop, const struct conn *conn, struct contact *contact)
{
    contact_counts_note(&loop->counts, contact);
    if (!loop->shared->contacts) {
        return;
    }
    contact->time_ms = loop->wall_ms;
    contact->duration_ms = (uint32_t)(loop->now_ms - conn->start_ms);
    contact->mode = conn->ssl ? CATALOG_TLS : CATALOG_PLAIN;
    contact->tls_version = io_tls_version(conn);
    contact->peer = conn->peer;
    contact_queue_push(loop->shared->contacts, contact);
}

/* Accepting. */

void peer_set_v6(struct contact_peer *peer, const uint8_t address[16])
{
    static const uint8_t v4_in_v6[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

    peer->is_v6 = memcmp(address, v4_in_v6, sizeof v4_in_v6) != 0;
    size_t skip = peer->is_v6 ? 0 : sizeof v4_in_v6;
    memcpy(peer->address, address + skip, sizeof peer->address - skip);
}

static void take_peer(const struct sockaddr_storage *address, struct contact_peer *ret_peer)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        memcpy(ret_peer->address, &v4->sin_addr, sizeof v4->sin_addr);
        ret_peer->port = ntohs(v4->sin_port);
        return;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    ret_peer->port = ntohs(v6->sin6_port);
    peer_set_v6(ret_peer, v6->sin6_addr.s6_addr);
}

static void start_conn(struct loop *loop, const struct listener *listener, int fd,
                       const struct sockaddr_storage *address)
{
    struct conn *conn = conn_new(loop);

    if (!conn) {
        (void)close(fd);
        return;
    }
    conn->fd = fd;
    take_peer(address, &conn->peer);
    conn_set_timer(loop, conn, TIMER_HEAD);
    if (listener->mode == CATALOG_TLS) {
        conn->ssl = SSL_new(loop->rules->tls);
        if (!conn->ssl || SSL_set_fd(conn->ssl, fd) != 1) {
            conn_close(loop, conn);
            return;
        }
        SSL_set_accept_state(conn->ssl);
    }
    request_start(loop, conn);
}

static void listen_for(struct loop *loop, struct listener *listener, int op, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = listener};

    if (listener->fd >= 0 && epoll_ctl(loop->epoll_fd, op, listener->fd, &event) != 0) {
        log_error("wire.epoll", "errno=%d", errno);
    }
}

static void listen_for_all(struct loop *loop, int op, uint32_t events)
{
    for (size_t i = 0; i < 2; i++) {
        listen_for(loop, &loop->listeners[i], op, events);
    }
}

/* Out of descriptors: a waiting connection would wake the loop for ever, so look away a moment. */
static void pause_accepting(struct loop *loop, int reason)
{
    log_error("wire.accept_paused", "errno=%d pause_ms=%d n_conns=%zu", reason, ACCEPT_PAUSE_MS,
              loop->n_conns);
    loop->accept_again_ms = loop->now_ms + ACCEPT_PAUSE_MS;
    listen_for_all(loop, EPOLL_CTL_MOD, 0);
}

/* False: nobody waits, or there is no room. */
static bool accept_one(struct loop *loop, const struct listener *listener)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;

    if (loop->n_conns >= loop->shared->max_conns) {
        pause_accepting(loop, EMFILE);
        return false;
    }
    int fd = accept4(listener->fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        start_conn(loop, listener, fd, &address);
        return true;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        pause_accepting(loop, errno);
        return false;
    }
    return errno == ECONNABORTED || errno == EPROTO; /* one that died while it waited */
}

/* Checks are answered and gone in a moment, and the next one mostly waits already. After a
 * connection that stays, asking for another is mostly in vain, and costs more than to be told. */
static void accept_some(struct loop *loop, const struct listener *listener)
{
    size_t n_before = loop->n_conns;
    int left = ACCEPTS_MAX;

    while (left-- > 0 && accept_one(loop, listener) && loop->n_conns <= n_before) {
    }
}

/* Running. */

/* A shorter time-out counts for connections that come now; those before them in a list keep their
 * own, and hold them up until it is over. */
static void take_rules(struct loop *loop)
{
    struct loop_shared *shared = loop->shared;

    rules_release(loop->rules);
    (void)pthread_mutex_lock(&shared->lock);
    loop->rules = rules_hold(shared->rules);
    loop->rules_generation = atomic_load(&shared->rules_generation);
    (void)pthread_mutex_unlock(&shared->lock);
    loop->timers[TIMER_HEAD].duration_ms = loop->rules->head_timeout_ms;
    loop->timers[TIMER_STALL].duration_ms = loop->rules->stall_timeout_ms;
}

void loop_take_snapshot(struct loop *loop)
{
    uint64_t generation = catalog_generation(loop->shared->catalog);

    if (generation != loop->generation) {
        catalog_snapshot_release(loop->snapshot);
        loop->snapshot = catalog_get(loop->shared->catalog);
        loop->generation = generation;
    }
}

static void begin_round(struct loop *loop)
{
    if (atomic_load_explicit(&loop->shared->rules_generation, memory_order_relaxed) !=
        loop->rules_generation) {
        take_rules(loop);
    }
    loop->now_ms = clock_monotonic_ms();
    loop->wall_ms = clock_wall_ms();
    if (loop->accept_again_ms && loop->accept_again_ms <= loop->now_ms) {
        loop->accept_again_ms = 0;
        listen_for_all(loop, EPOLL_CTL_MOD, EPOLLIN);
    }
}

static void stop_listening(struct loop *loop)
{
    for (size_t i = 0; i < 2; i++) {
        struct listener *listener = &loop->listeners[i];
        if (listener->fd >= 0) {
            /* What waits already would get RST; under load the queue may never be empty. */
            for (int left = SOMAXCONN; left > 0 && accept_one(loop, listener); left--) {
            }
            (void)close(listener->fd);
            listener->fd = -1;
        }
    }
    loop->is_stopping = true;
}

static void handle(struct loop *loop, const struct epoll_event *event)
{
    enum source source = *(const enum source *)event->data.ptr;

    if (source == SOURCE_LISTENER) {
        accept_some(loop, event->data.ptr);
    } else if (source == SOURCE_WAKE) {
        eventfd_t ignored;
        (void)eventfd_read(loop->wake_fd, &ignored);
        loop_take_snapshot(loop); /* an old one would keep the disk space of deleted blobs */
        if (stop_deadline_ms(loop) != 0) {
            stop_listening(loop);
        }
    } else {
        struct conn *conn = event->data.ptr;
        if (conn->state <= CONN_HEAD) {
            request_continue(loop, conn);
        } else {
            reply_continue(loop, conn, event->events);
        }
    }
}

static void cut_all(struct loop *loop)
{
    for (int i = 0; i < N_TIMERS; i++) {
        while (loop->timers[i].first) {
            reply_cut(loop, loop->timers[i].first);
        }
    }
}

void loop_run(struct loop *loop)
{
    struct epoll_event events[EVENTS_MAX];

    begin_round(loop);
    while (!loop->is_stopping || loop->n_conns > 0) {
        int n = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, next_due_ms(loop));
        begin_round(loop);
        for (int i = 0; i < n; i++) {
            handle(loop, &events[i]);
        }
        run_timers(loop);
        if (loop->is_stopping && loop->now_ms >= stop_deadline_ms(loop)) {
            cut_all(loop);
        }
    }
}

enum aloft_err loop_open(struct loop *loop, struct loop_shared *shared, const int fds[2],
                         struct error *e)
{
    *loop = (struct loop){
        .shared = shared,
        .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
        .wake_source = SOURCE_WAKE,
        .wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
        .listeners = {{SOURCE_LISTENER, fds[0], CATALOG_PLAIN},
                      {SOURCE_LISTENER, fds[1], CATALOG_TLS}},
        .generation = catalog_generation(shared->catalog),
        .snapshot = catalog_get(shared->catalog),
        .timers = {[TIMER_ACK].duration_ms = ACK_MS,
                   [TIMER_ACK_LATE].duration_ms = ACK_LATE_MS,
                   [TIMER_LINGER].duration_ms = LINGER_MS},
    };
    take_rules(loop);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &loop->wake_source};
    if (loop->epoll_fd < 0 || loop->wake_fd < 0 ||
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0) {
        enum aloft_err err = fail_errno(e, ALOFT_ERR_IO, "cannot make an event loop");
        loop_close(loop);
        return err;
    }
    listen_for_all(loop, EPOLL_CTL_ADD, EPOLLIN);
    return ALOFT_ERR_OK;
}

void loop_close(struct loop *loop)
{
    int fds[] = {loop->epoll_fd, loop->wake_fd, loop->listeners[0].fd, loop->listeners[1].fd};

    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    catalog_snapshot_release(loop->snapshot);
    rules_release(loop->rules);
    while (loop->slabs) {
        struct conn_slab *slab = loop->slabs;
        loop->slabs = slab->next;
        free(slab);
    }
}
