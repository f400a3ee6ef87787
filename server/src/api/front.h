/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_FRONT_H
#define ALOFT_SERVER_FRONT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "aloft/attr.h"
#include "host/error.h"

/*
 * In front of libmicrohttpd: accepts connections, waits until a whole request head has arrived,
 * looks at its bytes without taking them, and hands the connection on. The library is generous with
 * what a proxy in front of us may read differently (facts/serving.md 6), and it hides folded lines,
 * NUL and bare LF from us; here all of that is refused. One request per connection, so that every
 * head is seen: answers say `Connection: close`.
 *
 * A connection that is idle or slow costs a descriptor and less than a kilobyte; it is cut after
 * FRONT_HEAD_MS, or when too many others have come after it: FRONT_WAITING_MAX, and not more than a
 * sixteenth of the descriptors the process may have, so that a crowd here leaves modules theirs.
 */

#define FRONT_HEAD_MAX    16384 /**< Bytes of a request head. */
#define FRONT_HEAD_MS     15000
#define FRONT_WAITING_MAX 4096

struct front;

struct front_options {
    int listen_fd; /**< Taken over with success. */
    /** A connection whose head is fine; the descriptor is the callee's. False = no room: it is
     * answered with 503 and stays ours. */
    bool (*hand_over)(void *ctx, int fd, const struct sockaddr *address, socklen_t address_len);
    void *ctx;
};

/** @param ret_front  front_stop() it. */
ALOFT_MUST_CHECK
enum aloft_err front_start(const struct front_options *options, struct front **ret_front,
                           struct error *e);

/** Accept no more; those that wait are cut. NULL is fine. */
void front_stop(struct front *front);

#endif
