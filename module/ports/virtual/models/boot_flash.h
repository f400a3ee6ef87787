/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_BOOT_FLASH_H
#define ALOFT_VIRTUAL_BOOT_FLASH_H

#include "models/boot_loader.h"

/* What boot loader and app read and write of a flash in common: partition table, otadata, images.
 * Private to boot_loader.c and boot_app.c. */

/** Read afresh for every call; `otadata` points into `table`. */
struct boot_flash {
    struct aloft_partition_table table;
    const struct aloft_partition *otadata; /**< NULL = the table has none; `entries` is unset. */
    struct aloft_otadata entries;
};

/** @retval ALOFT_ERR_RANGE The otadata partition is too small. Or as the table's parser. */
ALOFT_MUST_CHECK
enum aloft_err boot_flash_load(const struct boot_loader *b, struct boot_flash *ret_flash,
                               struct error *e);

/** Erase the sector of `entries.entry[index]` and program it. A power cut between the two leaves a
 * blank entry; the other sector still rules. */
ALOFT_MUST_CHECK
enum aloft_err boot_flash_store_entry(const struct boot_loader *b, const struct boot_flash *flash,
                                      int index, const struct aloft_otadata_entry *entry,
                                      struct error *e);

/** The partition of ota_`slot`, of ALOFT_BOOT_FACTORY or ALOFT_BOOT_TEST; NULL if there is none. */
const struct aloft_partition *boot_flash_find_app(const struct boot_flash *flash, int slot);

/** Of the app in a partition; one without descriptor has version 0. */
uint32_t boot_flash_secure_version(const struct boot_loader *b, const struct aloft_partition *p);

/**
 * Judge the image in a partition as the boot loader does (facts/esp-formats.md 1.7, 3.6).
 *
 * @retval ALOFT_ERR_SECURE_VERSION  It is whole, but older than the eFuse allows.
 */
ALOFT_MUST_CHECK
enum aloft_err boot_flash_verify(const struct boot_loader *b, const struct aloft_partition *p,
                                 struct aloft_app_image *ret_img);

#endif
