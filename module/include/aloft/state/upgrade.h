/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_UPGRADE_H
#define ALOFT_STATE_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/app_image.h"
#include "aloft/limits.h"
#include "aloft/port.h"
#include "aloft/state/http.h"
#include "aloft/upgrade.h"

/* Private state of module/src, complete only so that struct aloft_module can be allocated
 * statically. */

struct aloft_module;
struct aloft_source;

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
    bool is_demanded; /**< The trial of the running image waits for an answer. */
    bool is_answered; /**< In this boot. */
};

/** The trial of a new image: see upgrade/confirm.h. */
struct aloft_confirm_state {
    uint64_t deadline_ms;
    uint64_t next_ms; /**< Not looked at again before this. */
    bool is_due;
};

/** The engine: see upgrade/engine.h. */
struct aloft_upgrade_state {
    uint64_t deadline_ms;
    aloft_upgrade_fn *tell;
    const struct aloft_source *source; /**< NULL before it is taken, and once it was ended. */
    const char *url;                   /**< URL: borrowed. */
    enum aloft_err err;
    uint32_t n_unexpected; /**< Events that found no rule: stays 0. */
    uint32_t reread;       /**< Bytes read back so far. */
    uint32_t reread_crc;
    uint64_t pause_end_ms;
    uint32_t resumed_from; /**< Bytes in flash at the last break. */
    uint16_t url_len;
    uint16_t n_judged; /**< Bytes in front of the source's buffer that were judged already. */
    uint8_t state;
    uint8_t kind; /**< enum aloft_upgrade_kind. */
    uint8_t mode;
    uint8_t told;      /**< The last news. */
    uint8_t n_resumes; /**< Tries since there was progress. */
    uint8_t n_wholes;  /**< Answers that began with the file's first byte. */
    bool is_ota;
    char version[ALOFT_VERSION_MAX + 1]; /**< Empty until known. */
    char etag[ALOFT_HTTP_ETAG_BYTES];    /**< Of the file; empty = it cannot be resumed. */
    struct aloft_writer writer;
    struct aloft_trailer trailer;
    struct aloft_app_image image;
    struct aloft_proof_state proof;
    struct aloft_confirm_state confirm;
};

#endif
