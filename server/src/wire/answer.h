/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WIRE_ANSWER_H
#define ALOFT_WIRE_ANSWER_H

#include "aloft/http_head.h"
#include "attempt/contact.h"
#include "catalog/catalog.h"
#include "wire/gate.h"

/*
 * From a request head to the bytes of its answer (facts/ciupdate-wire.md 1 to 4 and 7). No sockets
 * here: what comes out is a head with everything of the body that is not a file, and which bytes of
 * which file follow.
 */

#define ANSWER_SCRATCH_BYTES 768 /**< Heads up to ALOFT_FILE_HEAD_MAX, and a short body. */

struct answer {
    const char *bytes; /**< Sent first, in one piece; in `scratch` or in the snapshot. */
    size_t len;
    struct catalog_file *file; /**< Sent behind `bytes`; NULL: nothing. Borrowed. */
    uint64_t start;            /**< First byte of the file that is sent. */
    uint64_t end;              /**< Behind the last one. */
    char scratch[ANSWER_SCRATCH_BYTES];
};

struct answer_request {
    struct catalog *catalog; /**< For the tokens. */
    const struct catalog_snapshot *snapshot;
    enum catalog_mode mode;
    const struct aloft_http_head *head; /**< Complete. */
    const char *buf;                    /**< What `head` points into. */
    int64_t now_ms;                     /**< Wall clock, for what expires. */
    struct gate *gate;               /**< Asked at version queries and lists; NULL: all may come. */
    const struct contact_peer *peer; /**< For the gate, like this: */
    uint64_t monotonic_ms;
};

/**
 * Answer a complete request head.
 *
 * @param contact     Zeroed; gets kind, outcome, status, owner, texts and total_bytes. The outcome
 *                    of a download is CONTACT_FILE_DELIVERED until something else is known.
 * @param ret_answer  Valid as long as the snapshot is held; must not be moved.
 */
void answer_request(const struct answer_request *request, struct contact *contact,
                    struct answer *ret_answer);

/** Answer what never became a request head: outcome CONTACT_BAD_REQUEST or _REQUEST_TOO_BIG. */
void answer_refuse(enum contact_outcome outcome, struct contact *contact,
                   struct answer *ret_answer);

/**
 * Head of a file answer with our own fields behind the stock ones (wire 7): 200, or 206 when less
 * than the whole file is sent. The same arguments always give the same bytes.
 *
 * @return Its length, at most ALOFT_FILE_HEAD_MAX.
 */
size_t answer_file_head(const struct catalog_file *file, uint64_t start, uint64_t end,
                        char out[ALOFT_FILE_HEAD_MAX + 1]);

#endif
