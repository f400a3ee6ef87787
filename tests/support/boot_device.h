/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_BOOT_DEVICE_H
#define ALOFT_TESTS_BOOT_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/layout.h"
#include "aloft/otadata.h"
#include "models/boot_loader.h"

/* A device for tests of the boot loader: a flash in memory whose every byte the test may look at or
 * change, and an eFuse that is used once `boot.efuse` points to it. */

/* Of a table of our own making, for the table of decisions: 64 KiB slots in 2 MiB. */
#define DEVICE_FLASH_BYTES  0x200000u
#define DEVICE_OTADATA_ADDR 0x9000u
#define DEVICE_SLOT_BYTES   0x10000u
#define DEVICE_OTA_ADDR     0x20000u
#define DEVICE_FACTORY_ADDR 0x180000u
#define DEVICE_TEST_ADDR    0x190000u

struct device {
    uint8_t *bytes;
    struct flash flash;
    struct efuse efuse;
    struct boot_loader boot;
    struct error e;
};

/** An erased flash. A program that asks a 0 to become 1 fails the test. */
void device_begin(struct device *d, uint32_t flash_bytes, const struct aloft_chip *chip,
                  bool has_rollback);
void device_end(struct device *d);

/** From now on with anti-rollback; `bits` are burnt. */
void device_set_efuse(struct device *d, uint32_t bits);

/** A formatted device of a layout with the app "old" in its first slot. */
void device_begin_layout(struct device *d, const struct aloft_layout *layout);

/** An image its boot loader takes, `secure_version` 0. */
void device_put_image(struct device *d, uint32_t addr, const char *version);
void device_put_versioned_image(struct device *d, uint32_t addr, const char *version,
                                uint32_t secure_version);

void device_put_otadata(struct device *d, uint32_t addr, const struct aloft_otadata *otadata);

/** Table with otadata and the apps of a row's `slots` (boot_rows.h). */
void device_put_table(struct device *d, uint32_t slots);

/** Where an app of that table stands. */
uint32_t device_addr_of(int slot);

/** Where a layout has otadata. */
uint32_t device_otadata_of(const struct aloft_layout *layout);

#endif
