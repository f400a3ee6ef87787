/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_UPGRADE_SOURCE_H
#define ALOFT_UPGRADE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/err.h"

/*
 * Where the bytes of an image come from: the answer to a GET, or the body of a POST. The engine
 * pulls; a source moves on by itself between two calls (its owner steps it first).
 */

struct aloft_module;

enum aloft_source_state {
    ALOFT_SOURCE_WAITING, /**< No good head yet. */
    ALOFT_SOURCE_OPEN,    /**< The head is good; body bytes come. */
    ALOFT_SOURCE_DONE,    /**< The whole body arrived; its last bytes may still wait. */
    ALOFT_SOURCE_FAILED,  /**< Nothing follows: `err` says why. */
};

struct aloft_source {
    enum aloft_source_state (*state)(const struct aloft_module *m);
    enum aloft_err (*err)(const struct aloft_module *m);
    /** Bytes that wait, valid until the next consume() or step of the source. More come only while
     * its buffer has room: consume what you took. */
    const uint8_t *(*body)(const struct aloft_module *m, size_t *ret_len);
    void (*consume)(struct aloft_module *m, size_t len);
    /** Bytes of the whole body. False if the peer did not say. */
    bool (*body_bytes)(const struct aloft_module *m, uint64_t *ret_bytes);
    /** The SHA-256 the peer announced for the body; NULL = none. */
    const uint8_t *(*sha256)(const struct aloft_module *m);
    /** In DONE, with the body consumed: the source's buffer, for the engine's use until end(). */
    uint8_t *(*scratch)(struct aloft_module *m, size_t *ret_cap);
    /** The engine needs it no longer, whatever became of it. */
    void (*end)(struct aloft_module *m);
};

#endif
