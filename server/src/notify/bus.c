/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/bus.h"

#include <assert.h>

void bus_init(struct bus *bus)
{
    (void)pthread_mutex_init(&bus->lock, NULL); /* cannot fail on Linux */
    bus->n_listeners = 0;
}

void bus_deinit(struct bus *bus)
{
    (void)pthread_mutex_destroy(&bus->lock);
}

void bus_listen(struct bus *bus, bus_listener *wake, void *ctx)
{
    (void)pthread_mutex_lock(&bus->lock);
    assert(bus->n_listeners < BUS_LISTENERS_MAX);
    bus->listeners[bus->n_listeners].wake = wake;
    bus->listeners[bus->n_listeners].ctx = ctx;
    bus->n_listeners++;
    (void)pthread_mutex_unlock(&bus->lock);
}

void bus_unlisten(struct bus *bus, bus_listener *wake, void *ctx)
{
    (void)pthread_mutex_lock(&bus->lock);
    for (size_t i = 0; i < bus->n_listeners; i++) {
        if (bus->listeners[i].wake == wake && bus->listeners[i].ctx == ctx) {
            bus->listeners[i] = bus->listeners[--bus->n_listeners];
            break;
        }
    }
    (void)pthread_mutex_unlock(&bus->lock);
}

void bus_wake(struct bus *bus)
{
    if (!bus) {
        return;
    }
    (void)pthread_mutex_lock(&bus->lock);
    for (size_t i = 0; i < bus->n_listeners; i++) {
        bus->listeners[i].wake(bus->listeners[i].ctx);
    }
    (void)pthread_mutex_unlock(&bus->lock);
}
