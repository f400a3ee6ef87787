/* SPDX-License-Identifier: Apache-2.0 */

/* While one thread waits for the downloads, another waits for somebody who cannot. */

#include "serve/drain.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include "host/auto.h"
#include "host/log.h"

struct watch {
    struct wire *wire;
    int signal_fd;
    int done_fd; /* readable: the wait is over */
};

static void *run_watch(void *arg)
{
    const struct watch *w = arg;
    struct pollfd fds[] = {{.fd = w->signal_fd, .events = POLLIN},
                           {.fd = w->done_fd, .events = POLLIN}};

    while (poll(fds, 2, -1) < 0) {
    }
    if (fds[0].revents & POLLIN) {
        log_info("serve.cut", "reason=\"a second signal\"");
        wire_drain(w->wire, 0);
    }
    return NULL;
}

void drain(struct wire *wire, unsigned grace_ms, const sigset_t *signals)
{
    AUTO_FD int signal_fd = signalfd(-1, signals, SFD_CLOEXEC);
    AUTO_FD int done_fd = eventfd(0, EFD_CLOEXEC);
    struct watch watch = {wire, signal_fd, done_fd};
    pthread_t thread;

    /* Without descriptors or threads left, only the time ends the wait. */
    bool has_watch =
        signal_fd >= 0 && done_fd >= 0 && pthread_create(&thread, NULL, run_watch, &watch) == 0;
    wire_drain(wire, grace_ms);
    wire_join(wire);
    if (has_watch) {
        (void)eventfd_write(done_fd, 1);
        (void)pthread_join(thread, NULL);
    }
}
