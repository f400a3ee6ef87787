/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_BOOT_LOADER_H
#define ALOFT_VIRTUAL_BOOT_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/app_image.h"
#include "aloft/attr.h"
#include "aloft/boot_select.h"
#include "aloft/chip.h"
#include "aloft/hash.h"
#include "aloft/layout.h"
#include "aloft/port.h"
#include "host/error.h"
#include "models/efuse.h"
#include "models/flash.h"

/*
 * The second-stage boot loader (facts/esp-formats.md 3) and what an app does with otadata, over a
 * flash model. Every call reads the tables and otadata afresh, so the flash alone is the truth.
 * Packed images are not decoded: a wrapped one in a slot is an image that does not verify.
 */

/** A device; filled by the caller, everything borrowed. */
struct boot_loader {
    struct flash *flash;
    const struct aloft_chip *chip;
    uint16_t chip_revision; /**< major * 100 + minor; 0 = not checked. */
    bool has_rollback;      /**< As the layout says. */
    struct efuse *efuse;    /**< NULL = built without anti-rollback, as AT is. */
    const struct aloft_hash *sha256;
    const struct aloft_hash *md5;
};

/** What runs after a reset. */
struct boot_result {
    int slot; /**< N of ota_N, ALOFT_BOOT_FACTORY or ALOFT_BOOT_TEST. */
    uint32_t addr;
    uint32_t size_bytes; /**< Of the partition. */
    bool has_desc;       /**< `desc` is filled. */
    struct aloft_app_desc desc;
    enum aloft_boot_reason reason;
    enum aloft_err efuse_err; /**< The eFuse should be raised and could not: it boots all the same,
                                 and is raised next time. */
};

/**
 * Reset: choose, verify and "run" an image; otadata is rewritten, and with anti-rollback the eFuse
 * raised, as the boot loader does.
 *
 * @param cause  The reason unless otadata tells more: ALOFT_BOOT_POWER, ALOFT_BOOT_RESTART, or
 *               ALOFT_BOOT_ROLLBACK behind boot_loader_reject(), which otadata does not tell. It
 *               tells ROLLBACK (a pending image was aborted, or the selected one did not verify)
 *               and, with rollback only, UPGRADE.
 * @retval ALOFT_ERR_NOT_FOUND  Nothing bootable; a chip would reset for ever.
 * @retval others               The partition table or otadata cannot be used (likewise), or FLASH.
 */
ALOFT_MUST_CHECK
enum aloft_err boot_loader_run(const struct boot_loader *b, enum aloft_boot_reason cause,
                               struct boot_result *ret_result, struct error *e);

/**
 * The slot an upgrade goes to: the next higher ota slot, wrapping; the lowest from the factory app.
 *
 * @param running  As in boot_result.slot, here and below.
 * @retval ALOFT_ERR_NO_SLOT  There is no other slot than the running one.
 */
ALOFT_MUST_CHECK
enum aloft_err boot_loader_spare(const struct boot_loader *b, int running,
                                 struct aloft_slot *ret_slot, struct error *e);

/**
 * Verify the image in ota_`slot` and make it the next to boot. A power cut leaves the old or the
 * new choice; if the old choice was this slot already, it leaves that or the other entry's.
 *
 * @retval ALOFT_ERR_RANGE      No such slot, or the sequence numbers are used up.
 * @retval ALOFT_ERR_NOT_FOUND  The table has no otadata.
 * @retval ALOFT_ERR_SECURE_VERSION  With anti-rollback: the image is older than the eFuse allows.
 *                              Its slot was erased.
 * @retval others               The image does not verify; nothing was written. Or FLASH.
 */
ALOFT_MUST_CHECK
enum aloft_err boot_loader_select(const struct boot_loader *b, uint32_t slot, struct error *e);

/**
 * The running image works: PENDING_VERIFY becomes VALID, then the eFuse is raised to its version.
 * OK if there is nothing to confirm.
 *
 * @retval ALOFT_ERR_RANGE  It is confirmed, but its version is more than the eFuse can hold.
 * @retval others           FLASH: not confirmed. Or the eFuse: confirmed, raised at the next boot.
 */
ALOFT_MUST_CHECK
enum aloft_err boot_loader_confirm(const struct boot_loader *b, int running, struct error *e);

/**
 * The running image does not work: its entry becomes INVALID, the next reset boots another one.
 *
 * @retval ALOFT_ERR_STATE      Nothing else would boot (the other entry's image, or the factory app
 *                              if that entry is not valid, does not verify), or the running image
 *                              is not the selected one. Nothing was written.
 * @retval ALOFT_ERR_NOT_FOUND  The table has no otadata.
 */
ALOFT_MUST_CHECK
enum aloft_err boot_loader_reject(const struct boot_loader *b, int running, struct error *e);

/** The running image waits for boot_loader_confirm(). */
bool boot_loader_is_unconfirmed(const struct boot_loader *b, int running);

/**
 * Another slot than the running one is selected and its image verifies: a restart would boot it.
 * Reads that whole image: ask at the start of an upgrade, not in a loop.
 */
bool boot_loader_is_pending(const struct boot_loader *b, int running);

/**
 * Make a factory-new flash: primary table without MD5 record, secondary with it at `at_customize`,
 * blank otadata, the app in its first slot (ota_0 or factory), everything else FF.
 *
 * @param app  NULL = no app. It is not verified: a bad image is for the boot loader to find.
 * @retval ALOFT_ERR_ARG        The flash does not have the size of the layout.
 * @retval ALOFT_ERR_NOT_FOUND  The layout has no slot for an app.
 * @retval ALOFT_ERR_TOO_BIG    The app is larger than its slot; nothing was written.
 */
ALOFT_MUST_CHECK
enum aloft_err boot_loader_format(const struct boot_loader *b, const struct aloft_layout *layout,
                                  const uint8_t *app, size_t app_len, struct error *e);

#endif
