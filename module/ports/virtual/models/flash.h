/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_FLASH_H
#define ALOFT_VIRTUAL_FLASH_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/*
 * NOR flash over the caller's bytes (facts/esp-formats.md 5): a program only clears bits, an erase
 * sets whole 4 KiB sectors to FF, and nothing wraps. Pure: who wants it in a file stores what the
 * hooks report.
 */

/** What the owner of the bytes wants to hear; each may be NULL. */
struct flash_hooks {
    void *ctx;
    /**
     * `len` bytes at `addr` have changed; called once per operation, in the order of the
     * operations, with what really changed when the power went in the middle of one.
     * @retval others  The operation fails with this error (the bytes stay changed).
     */
    enum aloft_err (*store)(void *ctx, uint32_t addr, uint32_t len);
    /**
     * A program asks a 0 at `addr` to become 1: on the chip the data would be silently wrong.
     * Called before anything changes, for the first such byte. If it returns, the program goes on
     * as on the chip.
     */
    void (*violation)(void *ctx, uint32_t addr);
};

/** Complete for static allocation; its members are private. */
struct flash {
    uint8_t *bytes;
    uint32_t size_bytes;
    struct flash_hooks hooks;
    uint64_t n_units_left; /**< Until the power goes. */
};

/** Enough units for ever. */
#define FLASH_UNITS_ENDLESS UINT64_MAX

/**
 * @param bytes  Borrowed; the content is taken as it is.
 * @param hooks  Copied; NULL = none.
 */
void flash_init(struct flash *f, uint8_t *bytes, uint32_t size_bytes,
                const struct flash_hooks *hooks);

/**
 * Let the power go after `n_units` more units: a unit is a sector erased, or up to 4 bytes
 * programmed. What comes later fails with FLASH and changes nothing; reading still works.
 *
 * @param n_units  FLASH_UNITS_ENDLESS (as after init) switches the power back on.
 */
void flash_cut_power_after(struct flash *f, uint64_t n_units);

/** @retval ALOFT_ERR_RANGE  It passes the end of the flash; nothing was read. */
ALOFT_MUST_CHECK
enum aloft_err flash_read(const struct flash *f, uint32_t addr, uint8_t *buf, size_t len);

/**
 * @retval ALOFT_ERR_RANGE  It passes the end of the flash; nothing was erased.
 * @retval ALOFT_ERR_ARG    `addr` or `len` is not a multiple of 4096; nothing was erased.
 * @retval ALOFT_ERR_FLASH  The power went: the first sectors are erased, the others untouched.
 */
ALOFT_MUST_CHECK
enum aloft_err flash_erase(struct flash *f, uint32_t addr, uint32_t len);

/**
 * Any address and length; page boundaries are the model's business.
 *
 * @retval ALOFT_ERR_RANGE  It passes the end of the flash; nothing was programmed.
 * @retval ALOFT_ERR_FLASH  The power went: a multiple of 4 bytes was programmed.
 */
ALOFT_MUST_CHECK
enum aloft_err flash_program(struct flash *f, uint32_t addr, const uint8_t *buf, size_t len);

#endif
