/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_NOTIFY_BUS_H
#define ALOFT_NOTIFY_BUS_H

#include <pthread.h>
#include <stddef.h>

/*
 * Tells those who wait for events that there are new ones in the event table. It carries no event:
 * who is woken reads on from the last one it has, so that a wake too many or one for several
 * commits does no harm. From any thread.
 */

/** Called in the thread that committed: it must not wait, nor ask the bus or the database. */
typedef void bus_listener(void *ctx);

#define BUS_LISTENERS_MAX 4 /**< One per kind of listener (streams, webhooks), not per client. */

struct bus {
    pthread_mutex_t lock;
    size_t n_listeners;
    struct {
        bus_listener *wake;
        void *ctx;
    } listeners[BUS_LISTENERS_MAX];
};

void bus_init(struct bus *bus);

/** Nobody listens any more. */
void bus_deinit(struct bus *bus);

/** More than BUS_LISTENERS_MAX is an error of the program. */
void bus_listen(struct bus *bus, bus_listener *wake, void *ctx);

/** From the return on it is not called any more, and no call is under way. Not known is fine. */
void bus_unlisten(struct bus *bus, bus_listener *wake, void *ctx);

/** A transaction with events was committed. NULL is fine: nobody listens. */
void bus_wake(struct bus *bus);

#endif
