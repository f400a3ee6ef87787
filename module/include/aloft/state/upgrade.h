/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_UPGRADE_H
#define ALOFT_STATE_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/app_image.h"
#include "aloft/limits.h"
#include "aloft/port.h"

/* Private state of module/src, complete only so that struct aloft_module can be allocated
 * statically. */

struct aloft_module;

/** What the engine tells whoever started it. */
enum aloft_upgrade_news {
    ALOFT_UPGRADE_FOUND = 1,     /**< The server's name is resolved. */
    ALOFT_UPGRADE_CONNECTED = 2, /**< Only if the server is asked for the version. */
    ALOFT_UPGRADE_VERSION = 3,   /**< Only if the server is asked for the version. */
    ALOFT_UPGRADE_DONE = 4,      /**< Verified and selected; nothing follows. */
    ALOFT_UPGRADE_FAILED = -1,   /**< Nothing follows. */
};

typedef void aloft_upgrade_fn(struct aloft_module *m, enum aloft_upgrade_news news);

/** Writer of a slot: see upgrade/writer.h. */
struct aloft_writer {
    struct aloft_slot slot;
    uint32_t total_bytes; /**< 0 = not known. */
    uint32_t written;     /**< Bytes in flash, padding included. */
    uint32_t erased;      /**< Bytes erased for it so far. */
    uint32_t crc;         /**< Of what was written. */
};

/** Judge of what stands behind an image: see upgrade/trailer.h. */
struct aloft_trailer {
    uint32_t off; /**< Of the next byte, from the start of the file. */
    uint32_t sector_off;
    uint32_t crc;
    uint8_t stored[4];
    bool has_sector;
};

/** The proof request: see upgrade/proof.h. */
struct aloft_proof_state {
    uint64_t next_ms;
    uint8_t mode;
    uint8_t tries;
    bool is_due;
    bool is_running;
};

/** The engine: see upgrade/engine.h. */
struct aloft_upgrade_state {
    uint64_t deadline_ms;
    aloft_upgrade_fn *tell;
    enum aloft_err err;
    uint32_t n_unexpected; /**< Events that found no rule: stays 0. */
    uint32_t reread;       /**< Bytes read back so far. */
    uint32_t reread_crc;
    uint16_t n_judged; /**< Bytes in front of the client's buffer that were judged already. */
    uint8_t state;
    uint8_t mode;
    uint8_t told; /**< The last news. */
    bool is_ota;
    char version[ALOFT_VERSION_MAX + 1]; /**< Empty until known. */
    struct aloft_writer writer;
    struct aloft_trailer trailer;
    struct aloft_app_image image;
    struct aloft_proof_state proof;
};

#endif
