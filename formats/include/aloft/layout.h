/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_LAYOUT_H
#define ALOFT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/chip.h"
#include "aloft/partition_table.h"

/** What kind of file a module of this layout takes as `ota.bin` (facts/esp-formats.md 0.4). */
enum aloft_upload_kind {
    ALOFT_UPLOAD_NONE,    /**< One slot, no OTA. */
    ALOFT_UPLOAD_PLAIN,   /**< An app image, first byte E9. */
    ALOFT_UPLOAD_PACKED2, /**< Packed image v2, first bytes `ESP`. */
    ALOFT_UPLOAD_PACKED3, /**< Packed image v3 behind an app header, first bytes E9 00. */
};

/**
 * One AT module configuration: chip, flash and both partition tables. The tables are constant data;
 * `primary` is written without, `secondary` with an MD5 record (facts/esp-formats.md 0.4, 2.3).
 */
struct aloft_layout {
    const char *name;        /**< `esp32c3_default`. */
    const char *module_name; /**< As AT+GMR shows it: `MINI-1`. */
    uint16_t chip_id;
    uint32_t flash_bytes;
    enum aloft_upload_kind upload;
    const struct aloft_partition *primary;
    size_t n_primary;
    const struct aloft_partition *secondary; /**< User partitions, absolute addresses. */
    size_t n_secondary;
    uint16_t min_chip_revision; /**< major * 100 + minor the builds for it ask for; 0 = any. */
    bool has_rollback;          /**< A new image must confirm itself. */
};

#define ALOFT_PARTITION_TABLE_OFF 0x8000u /**< Of the primary table, all AT layouts. */

/** NULL if there is none of this name (exact). */
const struct aloft_layout *aloft_layout_by_name(const char *name);

/** The i-th layout in the order of the documentation, NULL past the end. */
const struct aloft_layout *aloft_layout_at(size_t i);

/** The words users see: "plain", "packed v2", "packed v3", "none". */
const char *aloft_upload_kind_text(enum aloft_upload_kind kind);

/** Size in bytes of what `ota.bin` may fill (the smallest spare slot, or the packed storage); 0 if
 * there is no OTA. */
uint32_t aloft_layout_target_bytes(const struct aloft_layout *layout);

#endif
