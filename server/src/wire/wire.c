/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/auto.h"
#include "host/clock.h"
#include "wire/loop.h"

#define THREADS_MAX      256u
#define RECORD_MIN       512u /* the smallest max_fragment_length (RFC 6066 4) */
#define SEND_BUFFER_MIN  2048u
#define MS_PER_S         1000
#define CHECKS_SHARE     16u  /* one connection in so many is for version queries */
#define DESCRIPTORS_KEPT 256u /* connections of the console plane, blobs, database, listeners */

struct wire {
    struct loop_shared shared;
    unsigned max_downloads; /* when nobody says */
    uint16_t plain_port;
    uint16_t tls_port;
    unsigned n_loops;   /* opened */
    unsigned n_running; /* with a thread */
    unsigned n_joined;  /* of these */
    struct loop loops[];
};

/* SO_REUSEPORT lets a second server of the same user listen on the same port, and the two would
 * share the modules between them. So take the port alone first, to learn whether it is free. */
static enum aloft_err check_free(const struct address *address, struct error *e)
{
    AUTO_FD int fd = -1;
    uint16_t port;

    if (address->port == 0) {
        return ALOFT_ERR_OK;
    }
    return address_listen(address, false, &fd, &port, e);
}

static enum aloft_err open_listener(const struct address *address, unsigned send_buffer_bytes,
                                    int defer_s, int *ret_fd, uint16_t *ret_port, struct error *e)
{
    AUTO_FD int fd = -1;
    int bytes = (int)send_buffer_bytes;
    enum aloft_err err = address_listen(address, true, &fd, ret_port, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    /* Accepted sockets inherit both; serving.md rules 1 and 6. */
    if (setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer_s, sizeof defer_s) != 0 ||
        (bytes && setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) != 0)) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot set up the listener on port %u", *ret_port);
    }
    *ret_fd = STEAL_FD(fd);
    return ALOFT_ERR_OK;
}

/* One loop's listener for this address; the first one fixes the port of all. */
static enum aloft_err add_listener(const struct address *address, const struct wire *wire,
                                   const struct wire_options *options, uint16_t *port, int *ret_fd,
                                   struct error *e)
{
    int defer_s = (int)(wire->shared.rules->head_timeout_ms / MS_PER_S) + 1;

    if (!address) {
        return ALOFT_ERR_OK;
    }
    struct address bound = *address;
    if (*port != 0) {
        bound.port = *port;
    } else {
        enum aloft_err err = check_free(address, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return open_listener(&bound, options->send_buffer_bytes, defer_s, ret_fd, port, e);
}

/* Plain connections are born corked: a head waits for the first bytes of its body (wire 3.3), and
 * the last bytes leave together with the FIN of shutdown() or close(), a segment less per contact.
 * TLS ones are not: each step of a handshake would wait. */
static enum aloft_err cork(int fd, struct error *e)
{
    const int on = 1;

    if (fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on) != 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot set up the plain listener");
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err add_loop(struct wire *wire, const struct wire_options *options,
                               struct error *e)
{
    int fds[2] = {-1, -1};
    enum aloft_err err =
        add_listener(options->plain, wire, options, &wire->plain_port, &fds[CATALOG_PLAIN], e);

    if (err == ALOFT_ERR_OK) {
        err = cork(fds[CATALOG_PLAIN], e);
    }
    if (err == ALOFT_ERR_OK) {
        err = add_listener(options->tls, wire, options, &wire->tls_port, &fds[CATALOG_TLS], e);
    }
    if (err != ALOFT_ERR_OK) {
        if (fds[CATALOG_PLAIN] >= 0) {
            (void)close(fds[CATALOG_PLAIN]);
        }
        return err;
    }
    err = loop_open(&wire->loops[wire->n_loops], &wire->shared, fds, e);
    wire->n_loops += err == ALOFT_ERR_OK;
    return err;
}

static void *run(void *arg)
{
    (void)pthread_setname_np(pthread_self(), "wire"); /* for top and perf */
    loop_run(arg);
    return NULL;
}

static enum aloft_err start_threads(struct wire *wire, struct error *e)
{
    sigset_t all;
    sigset_t old;
    int rc = 0;

    (void)sigfillset(&all); /* signals are for the main thread; SIGPIPE is an error code here */
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    while (rc == 0 && wire->n_running < wire->n_loops) {
        struct loop *loop = &wire->loops[wire->n_running];
        rc = pthread_create(&loop->thread, NULL, run, loop);
        wire->n_running += rc == 0;
    }
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = rc;
    return rc == 0 ? ALOFT_ERR_OK
                   : fail_errno(e, ALOFT_ERR_IO, "cannot start the threads of the module plane");
}

static void wake_all(void *ctx)
{
    const struct wire *wire = ctx;

    for (unsigned i = 0; i < wire->n_running; i++) {
        (void)eventfd_write(wire->loops[i].wake_fd, 1);
    }
}

static bool is_per_min(unsigned value)
{
    return value <= WIRE_PER_MIN_MAX || value == WIRE_NO_LIMIT;
}

static enum aloft_err check_limits(const struct wire_options *o, struct error *e)
{
    if (!is_per_min(o->device_per_min) || !is_per_min(o->product_per_min)) {
        return fail(e, ALOFT_ERR_ARG, "a limit has at most %u version queries a minute",
                    WIRE_PER_MIN_MAX);
    }
    if (o->first_pause_ms > GATE_PAUSE_MAX_MS || o->max_pause_ms > GATE_PAUSE_MAX_MS) {
        return fail(e, ALOFT_ERR_ARG, "a pause has at most %u ms", GATE_PAUSE_MAX_MS);
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err check_options(const struct wire_options *o, struct error *e)
{
    if (o->n_threads > THREADS_MAX) {
        return fail(e, ALOFT_ERR_ARG, "%u threads are too many, the limit is %u", o->n_threads,
                    THREADS_MAX);
    }
    if (o->record_bytes && (o->record_bytes < RECORD_MIN || o->record_bytes > LOOP_RECORD_MAX)) {
        return fail(e, ALOFT_ERR_ARG, "a TLS record has %u to %d bytes, not %u", RECORD_MIN,
                    LOOP_RECORD_MAX, o->record_bytes);
    }
    if (o->send_buffer_bytes &&
        (o->send_buffer_bytes < SEND_BUFFER_MIN || o->send_buffer_bytes > INT32_MAX / 2)) {
        return fail(e, ALOFT_ERR_ARG, "a send buffer has at least %u bytes, not %u",
                    SEND_BUFFER_MIN, o->send_buffer_bytes);
    }
    return check_limits(o, e);
}

/* Each download holds a descriptor, and the usual soft limit of 1024 is there for programs that
 * call select(). The hard limit is the operator's word and stays. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* with fewer, accepting pauses now and then */
    }
}

/* Some descriptors are not for modules: without them nobody could reach the console plane to end
 * what brings all the modules, and no blob could be opened. */
static size_t max_conns(unsigned n_loops)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return SIZE_MAX;
    }
    rlim_t kept = limit.rlim_cur / 2 < DESCRIPTORS_KEPT ? limit.rlim_cur / 2 : DESCRIPTORS_KEPT;
    return (limit.rlim_cur - kept) / n_loops + 1;
}

static unsigned max_downloads(size_t max_conns, unsigned n_loops)
{
    size_t max = max_conns > UINT32_MAX / n_loops ? UINT32_MAX : max_conns * n_loops;

    max -= max / CHECKS_SHARE;
    return max < WIRE_NO_LIMIT ? (unsigned)max : 0;
}

/* An option as the gate knows it: 0 there is no limit. */
static unsigned limit_of(unsigned option, unsigned preset)
{
    if (option == WIRE_NO_LIMIT) {
        return 0;
    }
    return option ? option : preset;
}

static void set_gate(const struct wire *wire, const struct wire_options *o)
{
    const struct gate_limits limits = {
        .device_per_min = limit_of(o->device_per_min, WIRE_DEVICE_PER_MIN),
        .product_per_min = limit_of(o->product_per_min, WIRE_PRODUCT_PER_MIN),
        .first_pause_ms = o->first_pause_ms ? o->first_pause_ms : WIRE_FIRST_PAUSE_MS,
        .max_pause_ms = o->max_pause_ms ? o->max_pause_ms : WIRE_MAX_PAUSE_MS,
        .max_downloads = limit_of(o->max_downloads, wire->max_downloads),
    };

    gate_set(wire->shared.gate, &limits);
}

static enum aloft_err set_up(struct wire *wire, const struct wire_options *options,
                             unsigned n_loops, struct error *e)
{
    struct loop_shared *shared = &wire->shared;

    shared->gate = gate_new(e);
    if (!shared->gate) {
        return ALOFT_ERR_TOO_BIG;
    }
    enum aloft_err err = rules_new(options, options->tls != NULL, &shared->rules, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    shared->max_conns = max_conns(n_loops);
    wire->max_downloads = max_downloads(shared->max_conns, n_loops);
    set_gate(wire, options);
    shared->is_send_buffer_fixed = options->send_buffer_bytes != 0;
    shared->record_bytes = options->record_bytes ? options->record_bytes : LOOP_RECORD_MAX;
    for (unsigned i = 0; i < n_loops; i++) {
        err = add_loop(wire, options, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return start_threads(wire, e);
}

enum aloft_err wire_start(const struct wire_options *options, struct catalog *catalog,
                          struct contact_queue *contacts, struct wire **ret_wire, struct error *e)
{
    enum aloft_err err = check_options(options, e);
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n_loops = options->n_threads;

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (n_loops == 0) {
        n_loops = n_cores < 1 ? 1 : n_cores > THREADS_MAX ? THREADS_MAX : (unsigned)n_cores;
    }
    struct wire *wire = calloc(1, sizeof *wire + n_loops * sizeof wire->loops[0]);
    if (!wire) {
        return fail(e, ALOFT_ERR_TOO_BIG, "out of memory for %u event loops", n_loops);
    }
    raise_descriptor_limit();
    (void)pthread_mutex_init(&wire->shared.lock, NULL); /* cannot fail on Linux */
    wire->shared.catalog = catalog;
    wire->shared.contacts = contacts;
    err = set_up(wire, options, n_loops, e);
    if (err != ALOFT_ERR_OK) {
        wire_stop(wire, 0);
        return err;
    }
    catalog_on_publish(catalog, wake_all, wire);
    *ret_wire = wire;
    return ALOFT_ERR_OK;
}

enum aloft_err wire_reload(struct wire *wire, const struct wire_options *options, struct error *e)
{
    struct rules *rules;
    struct wire_options wanted = *options;
    struct loop_shared *shared = &wire->shared;
    enum aloft_err err = check_limits(options, e);

    wanted.record_bytes = (unsigned)shared->record_bytes;
    if (err == ALOFT_ERR_OK) {
        err = rules_new(&wanted, wire->tls_port != 0, &rules, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    set_gate(wire, &wanted);
    (void)pthread_mutex_lock(&shared->lock);
    struct rules *old = shared->rules;
    shared->rules = rules;
    atomic_fetch_add(&shared->rules_generation, 1);
    (void)pthread_mutex_unlock(&shared->lock);
    rules_release(old);
    wake_all(wire); /* so that nobody keeps the old key */
    return ALOFT_ERR_OK;
}

bool wire_is_listening(const struct wire *wire)
{
    return __atomic_load_n(&wire->shared.stop_deadline_ms, __ATOMIC_ACQUIRE) == 0;
}

void wire_counts(const struct wire *wire, struct contact_counts *sum)
{
    for (unsigned i = 0; i < wire->n_running; i++) {
        contact_counts_sum(sum, &wire->loops[i].counts);
    }
}

unsigned wire_downloads(const struct wire *wire)
{
    return gate_downloads(wire->shared.gate);
}

uint16_t wire_plain_port(const struct wire *wire)
{
    return wire->plain_port;
}

uint16_t wire_tls_port(const struct wire *wire)
{
    return wire->tls_port;
}

void wire_drain(struct wire *wire, unsigned grace_ms)
{
    __atomic_store_n(&wire->shared.stop_deadline_ms, clock_monotonic_ms() + grace_ms,
                     __ATOMIC_RELEASE);
    wake_all(wire);
}

void wire_join(struct wire *wire)
{
    for (; wire->n_joined < wire->n_running; wire->n_joined++) {
        (void)pthread_join(wire->loops[wire->n_joined].thread, NULL);
    }
}

void wire_stop(struct wire *wire, unsigned grace_ms)
{
    if (!wire) {
        return;
    }
    catalog_on_publish(wire->shared.catalog, NULL, NULL);
    wire_drain(wire, grace_ms);
    wire_join(wire);
    for (unsigned i = 0; i < wire->n_loops; i++) {
        loop_close(&wire->loops[i]);
    }
    rules_release(wire->shared.rules);
    gate_free(wire->shared.gate);
    (void)pthread_mutex_destroy(&wire->shared.lock);
    free(wire);
}
