/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/otadata.h"

#include <string.h>

#include "aloft/bytes.h"

/* facts/esp-formats.md 3.1. */
#define SEQ_BLANK 0xFFFFFFFFu
#define CRC_SEED  0xFFFFFFFFu
#define LABEL_OFF 4u
#define STATE_OFF 24u
#define CRC_OFF   28u

/* The CRC covers the sequence number only: a state can be rewritten without it. */
static uint32_t seq_crc(uint32_t seq)
{
    uint8_t bytes[4];

    aloft_put_le32(bytes, seq);
    return aloft_crc32(CRC_SEED, bytes, sizeof bytes);
}

void aloft_otadata_entry_blank(struct aloft_otadata_entry *e)
{
    memset(e->label, 0xFF, sizeof e->label);
    e->seq = SEQ_BLANK;
    e->state = ALOFT_OTA_UNDEFINED;
    e->crc = 0xFFFFFFFFu;
}

void aloft_otadata_entry_parse(const uint8_t *buf, struct aloft_otadata_entry *ret_e)
{
    ret_e->seq = aloft_get_le32(buf);
    memcpy(ret_e->label, buf + LABEL_OFF, sizeof ret_e->label);
    ret_e->state = aloft_get_le32(buf + STATE_OFF);
    ret_e->crc = aloft_get_le32(buf + CRC_OFF);
}

void aloft_otadata_entry_encode(const struct aloft_otadata_entry *e, uint8_t *out)
{
    aloft_put_le32(out, e->seq);
    memcpy(out + LABEL_OFF, e->label, sizeof e->label);
    aloft_put_le32(out + STATE_OFF, e->state);
    aloft_put_le32(out + CRC_OFF, e->crc);
}

void aloft_otadata_entry_make(struct aloft_otadata_entry *e, uint32_t seq, uint32_t state)
{
    memset(e->label, 0xFF, sizeof e->label);
    e->seq = seq;
    e->state = state;
    e->crc = seq_crc(seq);
}

bool aloft_otadata_is_rejected(const struct aloft_otadata_entry *e)
{
    return e->seq == SEQ_BLANK || e->state == ALOFT_OTA_INVALID || e->state == ALOFT_OTA_ABORTED;
}

bool aloft_otadata_is_valid(const struct aloft_otadata_entry *e)
{
    return !aloft_otadata_is_rejected(e) && e->crc == seq_crc(e->seq);
}

int aloft_otadata_active(const struct aloft_otadata *d)
{
    bool is_valid[2] = {aloft_otadata_is_valid(&d->entry[0]), aloft_otadata_is_valid(&d->entry[1])};

    if (is_valid[0] && is_valid[1]) {
        return d->entry[1].seq > d->entry[0].seq ? 1 : 0;
    }
    if (is_valid[0]) {
        return 0;
    }
    return is_valid[1] ? 1 : -1;
}

uint32_t aloft_otadata_slot(const struct aloft_otadata_entry *e, uint32_t n_slots)
{
    return (e->seq - 1) % n_slots; /* seq 0 wraps on purpose, as in the boot loader */
}

uint32_t aloft_otadata_slot_state(const struct aloft_otadata *d, uint32_t slot, uint32_t n_slots)
{
    for (int i = 0; i < 2; i++) {
        const struct aloft_otadata_entry *e = &d->entry[i];
        if (e->crc == seq_crc(e->seq) && aloft_otadata_slot(e, n_slots) == slot) {
            return e->state;
        }
    }
    return ALOFT_OTA_UNDEFINED;
}

/* Smallest number not below `seq` that selects `slot` (facts/esp-formats.md 3.4). */
static uint64_t seq_at_least(uint32_t seq, uint32_t slot, uint32_t n_slots)
{
    uint64_t base = ((uint64_t)slot + 1) % n_slots;

    if (seq <= base) {
        return base;
    }
    uint64_t n_rounds = (seq - base + n_slots - 1) / n_slots;
    return base + n_rounds * n_slots;
}

enum aloft_err aloft_otadata_next(const struct aloft_otadata *d, uint32_t slot, uint32_t n_slots,
                                  uint32_t state, int *ret_index,
                                  struct aloft_otadata_entry *ret_entry)
{
    if (slot >= n_slots) {
        return ALOFT_ERR_RANGE;
    }
    int active = aloft_otadata_active(d);
    int index = active == 0 ? 1 : 0; /* never the entry that rules now; 0 if none does */
    uint64_t seq = (uint64_t)slot + 1;
    if (active >= 0) {
        seq = seq_at_least(d->entry[active].seq, slot, n_slots);
    }
    if (seq >= SEQ_BLANK) {
        return ALOFT_ERR_RANGE;
    }
    aloft_otadata_entry_make(ret_entry, (uint32_t)seq, state);
    memcpy(ret_entry->label, d->entry[index].label, sizeof ret_entry->label);
    *ret_index = index;
    return ALOFT_ERR_OK;
}
