/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WIRE_GATE_H
#define ALOFT_WIRE_GATE_H

#include "attempt/contact.h"

/*
 * Who is let in, asked at the version query and the version list only: by the time of the file
 * request stock firmware has erased its slot, and a refusal would cost the module its old image.
 *
 * Per (token, address) a bucket: so many queries a minute, all of them at once if need be. Who asks
 * on gets a pause; each pause after it is twice as long, until the bucket has filled up again. And
 * a ceiling of downloads at the same time, over all loops.
 *
 * The memory is fixed: under a flood of addresses the least recent are forgotten, so that a limit
 * may be missed but nobody is limited for what others did. Everything here may be called from any
 * thread; nothing blocks.
 */

struct gate;

struct gate_limits {
    unsigned device_per_min;  /**< For a device's own token; 0: no limit. GATE_PER_MIN_MAX. */
    unsigned product_per_min; /**< For a product's token, shared by its modules; likewise. */
    unsigned first_pause_ms;
    unsigned max_pause_ms;  /**< At most GATE_PAUSE_MAX_MS. */
    unsigned max_downloads; /**< At the same time; 0: no limit. */
};

#define GATE_PER_MIN_MAX  60000u
#define GATE_PAUSE_MAX_MS (24u * 60 * 60 * 1000)

/** NULL with a sentence when memory or randomness is out. */
struct gate *gate_new(struct error *e);
void gate_free(struct gate *gate); /**< NULL is fine. */

/** From now on; who is in a pause stays in it. */
void gate_set(struct gate *gate, const struct gate_limits *limits);

struct gate_caller {
    int64_t product_id;
    int64_t device_id; /**< 0: by the product's token. */
    const struct contact_peer *peer;
    uint64_t now_ms; /**< Monotonic. */
};

enum gate_word { GATE_OPEN, GATE_LIMITED, GATE_FULL };

/**
 * A query; it counts.
 *
 * @param ret_wait_s  When it is worth to ask again; set unless the word is GATE_OPEN.
 */
enum gate_word gate_ask(struct gate *gate, const struct gate_caller *caller, unsigned *ret_wait_s);

/** A download begins; it ends. */
void gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);

unsigned gate_downloads(const struct gate *gate);

#endif
