/* SPDX-License-Identifier: Apache-2.0 */
#include "models/flash.h"

#include <stdbool.h>
#include <string.h>

#include "aloft/limits.h"

#define PROGRAM_UNIT_BYTES 4u

void flash_init(struct flash *f, uint8_t *bytes, uint32_t size_bytes,
                const struct flash_hooks *hooks)
{
    *f = (struct flash){.bytes = bytes,
                        .size_bytes = size_bytes,
                        .hooks = hooks ? *hooks : (struct flash_hooks){0},
                        .n_units_left = FLASH_UNITS_ENDLESS};
}

void flash_cut_power_after(struct flash *f, uint64_t n_units)
{
    f->n_units_left = n_units;
}

static bool is_inside(const struct flash *f, uint32_t addr, size_t len)
{
    return addr <= f->size_bytes && len <= f->size_bytes - addr;
}

/* How many of `len` bytes the power still allows, in units. */
static uint32_t use_power(struct flash *f, uint32_t len, uint32_t unit_bytes)
{
    uint64_t n_units = ((uint64_t)len + unit_bytes - 1) / unit_bytes;

    if (f->n_units_left == FLASH_UNITS_ENDLESS) {
        return len;
    }
    if (n_units <= f->n_units_left) {
        f->n_units_left -= n_units;
        return len;
    }
    uint32_t allowed = (uint32_t)(f->n_units_left * unit_bytes);
    f->n_units_left = 0;
    return allowed;
}

/* Report what changed, and whether the operation was cut short. */
static enum aloft_err finish(struct flash *f, uint32_t addr, uint32_t changed, uint32_t wanted)
{
    enum aloft_err err = ALOFT_ERR_OK;

    if (changed > 0 && f->hooks.store) {
        err = f->hooks.store(f->hooks.ctx, addr, changed);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    return changed == wanted ? ALOFT_ERR_OK : ALOFT_ERR_FLASH;
}

enum aloft_err flash_read(const struct flash *f, uint32_t addr, uint8_t *buf, size_t len)
{
    if (!is_inside(f, addr, len)) {
        return ALOFT_ERR_RANGE;
    }
    memcpy(buf, f->bytes + addr, len);
    return ALOFT_ERR_OK;
}

enum aloft_err flash_erase(struct flash *f, uint32_t addr, uint32_t len)
{
    if (!is_inside(f, addr, len)) {
        return ALOFT_ERR_RANGE;
    }
    if (addr % ALOFT_SECTOR_BYTES != 0 || len % ALOFT_SECTOR_BYTES != 0) {
        return ALOFT_ERR_ARG;
    }
    uint32_t allowed = use_power(f, len, ALOFT_SECTOR_BYTES);
    memset(f->bytes + addr, 0xFF, allowed);
    return finish(f, addr, allowed, len);
}

static void report_violation(const struct flash *f, uint32_t addr, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; f->hooks.violation && i < len; i++) {
        if (buf[i] & ~f->bytes[addr + i]) {
            f->hooks.violation(f->hooks.ctx, addr + (uint32_t)i);
            return;
        }
    }
}

enum aloft_err flash_program(struct flash *f, uint32_t addr, const uint8_t *buf, size_t len)
{
    if (!is_inside(f, addr, len)) {
        return ALOFT_ERR_RANGE;
    }
    report_violation(f, addr, buf, len);
    uint32_t allowed = use_power(f, (uint32_t)len, PROGRAM_UNIT_BYTES);
    for (uint32_t i = 0; i < allowed; i++) {
        f->bytes[addr + i] &= buf[i];
    }
    return finish(f, addr, allowed, (uint32_t)len);
}
