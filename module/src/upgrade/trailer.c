/* SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/trailer.h"

#include "aloft/bytes.h"
#include "aloft/limits.h"

/* facts/esp-formats.md 1.8: block 0 of the sector, its CRC over what precedes it. */
#define BLOCK_MAGIC   0xE7
#define BLOCK_CRC_OFF 1196u

void aloft_trailer_init(struct aloft_trailer *t, uint32_t image_bytes)
{
    *t = (struct aloft_trailer){
        .off = image_bytes,
        .sector_off =
            (image_bytes + ALOFT_SECTOR_BYTES - 1) / ALOFT_SECTOR_BYTES * ALOFT_SECTOR_BYTES,
    };
}

static enum aloft_err take(struct aloft_trailer *t, uint8_t byte)
{
    if (t->off == t->sector_off && byte == BLOCK_MAGIC) {
        t->has_sector = true;
    }
    if (!t->has_sector) {
        return byte == 0xFF ? ALOFT_ERR_OK : ALOFT_ERR_TRAILING;
    }
    uint32_t off = t->off - t->sector_off;
    if (off < BLOCK_CRC_OFF) {
        t->crc = aloft_crc32(t->crc, &byte, 1);
    } else if (off < BLOCK_CRC_OFF + sizeof t->stored) {
        t->stored[off - BLOCK_CRC_OFF] = byte;
    }
    return off < ALOFT_SIGNATURE_BYTES ? ALOFT_ERR_OK : ALOFT_ERR_TRAILING;
}

enum aloft_err aloft_trailer_feed(struct aloft_trailer *t, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        enum aloft_err err = take(t, buf[i]);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        t->off++;
    }
    return ALOFT_ERR_OK;
}

enum aloft_err aloft_trailer_finish(const struct aloft_trailer *t)
{
    if (!t->has_sector) {
        return ALOFT_ERR_OK;
    }
    bool is_whole = t->off - t->sector_off == ALOFT_SIGNATURE_BYTES;
    return is_whole && aloft_get_le32(t->stored) == t->crc ? ALOFT_ERR_OK : ALOFT_ERR_TRAILING;
}
