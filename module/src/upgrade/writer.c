/* SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/writer.h"

#include <string.h>

#include "aloft/bytes.h"
#include "aloft/limits.h"

#define WRITE_UNIT 4u

void aloft_writer_init(struct aloft_writer *w, const struct aloft_slot *slot, uint32_t total_bytes)
{
    *w = (struct aloft_writer){.slot = *slot, .total_bytes = total_bytes};
}

/* The next piece to erase. A block must be filled: beyond the file nothing is worn. */
static uint32_t piece_bytes(const struct aloft_writer *w)
{
    uint32_t addr = w->slot.addr + w->erased;
    uint32_t left = w->total_bytes > w->erased ? w->total_bytes - w->erased : 0;
    uint32_t sectors = (left + ALOFT_SECTOR_BYTES - 1) / ALOFT_SECTOR_BYTES * ALOFT_SECTOR_BYTES;

    return addr % ALOFT_BLOCK_BYTES == 0 && sectors >= ALOFT_BLOCK_BYTES ? ALOFT_BLOCK_BYTES
                                                                         : ALOFT_SECTOR_BYTES;
}

static enum aloft_err erase_ahead(struct aloft_writer *w, const struct aloft_port *port)
{
    uint32_t len = piece_bytes(w);

    if (len > w->slot.size_bytes - w->erased) {
        return ALOFT_ERR_TOO_BIG;
    }
    enum aloft_err err = port->flash.erase(port->ctx, w->slot.addr + w->erased, len);
    if (err == ALOFT_ERR_OK) {
        w->erased += len;
    }
    return err;
}

static enum aloft_err program(struct aloft_writer *w, const struct aloft_port *port,
                              const uint8_t *buf, uint32_t len)
{
    enum aloft_err err = port->flash.write(port->ctx, w->slot.addr + w->written, buf, len);

    if (err == ALOFT_ERR_OK) {
        w->crc = aloft_crc32(w->crc, buf, len);
        w->written += len;
    }
    return err;
}

enum aloft_err aloft_writer_put(struct aloft_writer *w, const struct aloft_port *port,
                                const uint8_t *buf, size_t len, bool is_last, size_t *ret_used)
{
    *ret_used = 0;
    if (len == 0 || (len < WRITE_UNIT && !is_last)) {
        return ALOFT_ERR_OK;
    }
    if (w->written == w->erased) {
        return erase_ahead(w, port);
    }
    if (len < WRITE_UNIT) {
        uint8_t last[WRITE_UNIT] = {0xFF, 0xFF, 0xFF, 0xFF};
        memcpy(last, buf, len);
        *ret_used = len;
        return program(w, port, last, WRITE_UNIT);
    }
    uint32_t room = w->erased - w->written;
    uint32_t n = len < room ? (uint32_t)(len - len % WRITE_UNIT) : room;
    *ret_used = n;
    return program(w, port, buf, n);
}
