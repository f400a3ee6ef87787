/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_OTADATA_H
#define ALOFT_OTADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/* The two otadata entries and what follows from them (facts/esp-formats.md 3.1, 3.4, 3.5). */

#define ALOFT_OTADATA_ENTRY_BYTES 32u
#define ALOFT_OTADATA_BYTES       0x2000u /**< Two sectors; entry i stands at i * 0x1000. */

/* ota_state as stored: never renumber. */
#define ALOFT_OTA_NEW            0u
#define ALOFT_OTA_PENDING_VERIFY 1u
#define ALOFT_OTA_VALID          2u
#define ALOFT_OTA_INVALID        3u
#define ALOFT_OTA_ABORTED        4u
#define ALOFT_OTA_UNDEFINED      0xFFFFFFFFu

struct aloft_otadata_entry {
    uint32_t seq;      /**< 0xFFFFFFFF = blank. */
    uint8_t label[20]; /**< Unused by all; kept as read. */
    uint32_t state;
    uint32_t crc;
};

/** Both entries, as every decision wants them. */
struct aloft_otadata {
    struct aloft_otadata_entry entry[2];
};

/** All bits set, as after an erase. */
void aloft_otadata_entry_blank(struct aloft_otadata_entry *e);

/** Read one entry from its 32 bytes. Cannot fail: bad content shows in aloft_otadata_is_valid(). */
void aloft_otadata_entry_parse(const uint8_t *buf, struct aloft_otadata_entry *ret_e);

/** Write one entry to its 32 bytes, the CRC as it stands in `e`. */
void aloft_otadata_entry_encode(const struct aloft_otadata_entry *e, uint8_t *out);

/** An entry with a fitting CRC and an untouched label. */
void aloft_otadata_entry_make(struct aloft_otadata_entry *e, uint32_t seq, uint32_t state);

/** Blank sequence number, or state INVALID or ABORTED. */
bool aloft_otadata_is_rejected(const struct aloft_otadata_entry *e);

/** Not rejected, and the CRC fits. */
bool aloft_otadata_is_valid(const struct aloft_otadata_entry *e);

/** Index of the active entry, 0 or 1; -1 if neither is valid. */
int aloft_otadata_active(const struct aloft_otadata *d);

/** Slot number an entry selects among `n_slots` (at least 1) ota slots. */
uint32_t aloft_otadata_slot(const struct aloft_otadata_entry *e, uint32_t n_slots);

/** State of the first entry with a fitting CRC that selects `slot`; ALOFT_OTA_UNDEFINED if there is
 * none. */
uint32_t aloft_otadata_slot_state(const struct aloft_otadata *d, uint32_t slot, uint32_t n_slots);

/**
 * Work out the entry that makes `slot` the next one to boot (set-boot of IDF 5.4/5.5).
 * The image in the slot must have been verified before.
 *
 * @param state      ALOFT_OTA_NEW with rollback, ALOFT_OTA_UNDEFINED without.
 * @param ret_index  Which sector to erase and program, 0 or 1; only this one changes.
 * @param ret_entry  What to program there.
 * @retval ALOFT_ERR_RANGE  `slot` is not below `n_slots`, or the sequence numbers are used up.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_otadata_next(const struct aloft_otadata *d, uint32_t slot, uint32_t n_slots,
                                  uint32_t state, int *ret_index,
                                  struct aloft_otadata_entry *ret_entry);

#endif
