/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A bounded ring with a sequence number in each cell (D. Vyukov's bounded queue, here with one
 * consumer): producers claim a cell by one compare-and-swap and never wait. Waking the writer is a
 * system call, so only the first push after it fell asleep does it; it then waits a moment, so that
 * contacts come to the handler in batches.
 */

#include "attempt/contact_queue.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/log.h"

#define N_CELLS    8192u /* a power of two; a third of a second of checks at full load */
#define BATCH      256u
#define CACHE_LINE 64

/* The ring is larger than a cache, and most contacts end before their words: those stay untouched,
 * which spares two thirds of the memory that a contact costs both sides. */
#define FRONT_BYTES offsetof(struct contact, other_agent)

struct cell {
    atomic_uint_fast64_t sequence; /* == position: free for it; == position + 1: filled */
    bool has_words;                /* false: only the front of `contact` counts */
    struct contact contact;
};

struct contact_queue {
    _Alignas(CACHE_LINE) atomic_uint_fast64_t tail; /* next position to fill */
    _Alignas(CACHE_LINE) uint64_t head;             /* next position to take; the writer's */
    _Alignas(CACHE_LINE) atomic_bool is_asleep;
    atomic_bool is_ending;
    atomic_uint_fast64_t n_dropped;
    sem_t wake;
    pthread_t writer;
    struct contact_queue_options options;
    atomic_uint log; /* enum contact_log_level */
    struct cell *cells;
    struct contact batch[BATCH];
};

static void put(struct cell *cell, const struct contact *contact)
{
    cell->has_words = contact_has_words(contact);
    memcpy(&cell->contact, contact, cell->has_words ? sizeof *contact : FRONT_BYTES);
}

static void take(const struct cell *cell, struct contact *ret_contact)
{
    char *bytes = (char *)ret_contact;
    size_t len = cell->has_words ? sizeof *ret_contact : FRONT_BYTES;

    memcpy(bytes, &cell->contact, len);
    memset(bytes + len, 0, sizeof *ret_contact - len);
}

static size_t take_batch(struct contact_queue *q)
{
    size_t n = 0;

    while (n < BATCH) {
        struct cell *cell = &q->cells[q->head & (N_CELLS - 1)];
        if (atomic_load_explicit(&cell->sequence, memory_order_acquire) != q->head + 1) {
            break;
        }
        take(cell, &q->batch[n++]);
        atomic_store_explicit(&cell->sequence, q->head + N_CELLS, memory_order_release);
        q->head++;
    }
    return n;
}

static void log_batch(const struct contact_queue *q, size_t n)
{
    unsigned log = atomic_load(&q->log);

    for (size_t i = 0; i < n; i++) {
        if (log == CONTACT_LOG_ALL ||
            (log == CONTACT_LOG_FAILURES && contact_is_failure(&q->batch[i]))) {
            contact_log(&q->batch[i]);
        }
    }
}

static void write_all(struct contact_queue *q)
{
    for (size_t n = take_batch(q); n > 0; n = take_batch(q)) {
        if (q->options.handle) {
            q->options.handle(q->options.ctx, q->batch, n);
        }
        log_batch(q, n);
    }
}

static void log_drops(struct contact_queue *q, uint64_t *known)
{
    uint64_t now = atomic_load(&q->n_dropped);

    if (now != *known) {
        log_warn("contact.dropped", "n_contacts=%" PRIu64 " n_total=%" PRIu64, now - *known, now);
        *known = now;
    }
}

static void gather(const struct contact_queue *q)
{
    struct timespec delay = {
        .tv_sec = q->options.batch_delay_ms / 1000,
        .tv_nsec = (long)(q->options.batch_delay_ms % 1000) * 1000000,
    };

    (void)nanosleep(&delay, NULL); /* shorter after a signal is fine */
}

static void *run_writer(void *arg)
{
    struct contact_queue *q = arg;
    uint64_t known_drops = 0;

    (void)pthread_setname_np(pthread_self(), "contacts"); /* for top and perf */
    while (!atomic_load(&q->is_ending)) {
        atomic_store_explicit(&q->is_asleep, true, memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst); /* pairs with the one in push */
        write_all(q); /* what came between the last look and the flag */
        while (sem_wait(&q->wake) != 0 && errno == EINTR) {
        }
        if (!atomic_load(&q->is_ending)) {
            gather(q);
        }
        write_all(q);
        log_drops(q, &known_drops);
    }
    write_all(q);
    return NULL;
}

static bool start_writer(struct contact_queue *q)
{
    sigset_t all;
    sigset_t old;

    (void)sigfillset(&all); /* signals are for the main thread */
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(&q->writer, NULL, run_writer, q);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc == 0;
}

struct contact_queue *contact_queue_new(const struct contact_queue_options *options,
                                        struct error *e)
{
    struct contact_queue *q = aligned_alloc(CACHE_LINE, sizeof *q);
    struct cell *cells = calloc(N_CELLS, sizeof *cells);

    if (!q || !cells) {
        free(q);
        free(cells);
        (void)fail(e, ALOFT_ERR_TOO_BIG, "out of memory for the contact queue");
        return NULL;
    }
    memset(q, 0, sizeof *q);
    q->options = *options;
    atomic_init(&q->log, options->log);
    q->cells = cells;
    for (uint64_t i = 0; i < N_CELLS; i++) {
        atomic_init(&cells[i].sequence, i);
    }
    (void)sem_init(&q->wake, 0, 0); /* cannot fail with these arguments */
    if (!start_writer(q)) {
        (void)sem_destroy(&q->wake);
        free(cells);
        free(q);
        (void)fail(e, ALOFT_ERR_IO, "cannot start the thread that writes contacts down");
        return NULL;
    }
    return q;
}

static void wake(struct contact_queue *q)
{
    /* Either the writer sees the contact before it sleeps, or we see that it sleeps. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&q->is_asleep, memory_order_relaxed) &&
        atomic_exchange(&q->is_asleep, false)) {
        (void)sem_post(&q->wake); /* at most one at a time, so it cannot overflow */
    }
}

void contact_queue_free(struct contact_queue *q)
{
    if (!q) {
        return;
    }
    atomic_store(&q->is_ending, true);
    (void)sem_post(&q->wake);
    (void)pthread_join(q->writer, NULL);
    (void)sem_destroy(&q->wake);
    free(q->cells);
    free(q);
}

void contact_queue_push(struct contact_queue *q, const struct contact *contact)
{
    uint64_t at = atomic_load_explicit(&q->tail, memory_order_relaxed);
    struct cell *cell;

    for (;;) {
        cell = &q->cells[at & (N_CELLS - 1)];
        uint64_t sequence = atomic_load_explicit(&cell->sequence, memory_order_acquire);
        if (sequence == at) {
            if (atomic_compare_exchange_weak_explicit(&q->tail, &at, at + 1, memory_order_relaxed,
                                                      memory_order_relaxed)) {
                break;
            }
        } else if (sequence < at) { /* not taken since the last round: full */
            atomic_fetch_add_explicit(&q->n_dropped, 1, memory_order_relaxed);
            wake(q);
            return;
        } else {
            at = atomic_load_explicit(&q->tail, memory_order_relaxed);
        }
    }
    put(cell, contact);
    atomic_store_explicit(&cell->sequence, at + 1, memory_order_release);
    wake(q);
}

void contact_queue_set_log(struct contact_queue *q, enum contact_log_level log)
{
    atomic_store(&q->log, log);
}

uint64_t contact_queue_dropped(const struct contact_queue *q)
{
    return atomic_load(&q->n_dropped);
}
