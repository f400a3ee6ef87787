/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ATTEMPT_CONTACT_QUEUE_H
#define ALOFT_ATTEMPT_CONTACT_QUEUE_H

#include "attempt/contact.h"

/*
 * From the loops of the module plane to the one thread that writes contacts down. Bounded: when the
 * writer is behind, contacts are dropped and counted, the module plane never waits.
 */

struct contact_queue;

enum contact_log_level { CONTACT_LOG_NONE, CONTACT_LOG_FAILURES, CONTACT_LOG_ALL };

struct contact_queue_options {
    /**
     * Called by the writer thread with 1 to `batch` contacts, oldest first. It may set
     * CONTACT_PROVEN as their outcome; they are logged after it. NULL = only log.
     */
    void (*handle)(void *ctx, struct contact *contacts, size_t n_contacts);
    void *ctx;
    enum contact_log_level log;
    uint32_t batch_delay_ms; /**< How long contacts gather before they are handed over. */
};

/** NULL with a sentence when memory or threads are out. */
struct contact_queue *contact_queue_new(const struct contact_queue_options *options,
                                        struct error *e);

/** Hands over what is in it, then ends the thread. NULL is fine. Nobody may push any more. */
void contact_queue_free(struct contact_queue *queue);

/** Copies the contact; never blocks. From any thread. */
void contact_queue_push(struct contact_queue *queue, const struct contact *contact);

/** Which contacts are logged from now on. From any thread. */
void contact_queue_set_log(struct contact_queue *queue, enum contact_log_level log);

/** How many were dropped since the start because the queue was full. */
uint64_t contact_queue_dropped(const struct contact_queue *queue);

#endif
