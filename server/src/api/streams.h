/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_STREAMS_H
#define ALOFT_SERVER_STREAMS_H

#include <stdbool.h>

#include "api/request.h"
#include "notify/bus.h"

/*
 * Event streams: server-sent events (WHATWG HTML 9.2) to whoever asks for /api/v1/events. A stream
 * reads the event table on from the last event it has; when there is nothing it is suspended, until
 * the bus says that something was committed or a heartbeat is due.
 */

#define STREAMS_MAX         100
#define STREAM_HEARTBEAT_MS 15000
#define STREAM_KINDS_BYTES  512

struct streams;

/** NULL when memory or threads are out. */
struct streams *streams_new(struct bus *bus);

/** End them all: each is woken and gives the end of its answer. New ones are refused. NULL is fine;
 * call it before the library is stopped, which must find none suspended. */
void streams_end(struct streams *streams);

/** When no stream is left. NULL is fine. */
void streams_free(struct streams *streams);

struct stream_wanted {
    int64_t product_id;             /**< 0 = of all one may see. */
    char kinds[STREAM_KINDS_BYTES]; /**< As webhook_wants() takes them. */
    int64_t after;                  /**< Id of the last event the client has. */
};

/** Answer with a stream: 503 if there are too many. */
void streams_answer(struct streams *streams, struct request *request,
                    const struct stream_wanted *wanted);

#endif
