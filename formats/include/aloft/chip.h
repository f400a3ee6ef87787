/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CHIP_H
#define ALOFT_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A half-open address range; both 0 = not there. */
struct aloft_range {
    uint32_t start;
    uint32_t end;
};

#define ALOFT_CHIP_RAM_RANGES 5

/** What an image reader must know of a chip (facts/esp-formats.md 0.3). */
struct aloft_chip {
    const char *name;        /**< `esp32c3`: as in options and in `Aloft-Chip`. */
    const char *at_name;     /**< `ESP32C3`: as in AT+GMR. */
    uint16_t id;             /**< At offset 12 of the image header. */
    uint32_t bootloader_off; /**< Flash address of the second-stage boot loader. */
    struct aloft_range drom; /**< Mapped data addresses. */
    struct aloft_range irom; /**< Mapped code addresses. */
    struct aloft_range
        ram[ALOFT_CHIP_RAM_RANGES]; /**< Loadable RAM and RTC memory; unused ones 0. */
    bool needs_app_desc;  /**< The boot loader itself refuses an image without an app descriptor. */
    bool has_small_pages; /**< The MMU page follows the image's own descriptor (C2, C6, C61, H2). */
    bool checks_efuse_block;     /**< Everything but ESP32. */
    uint8_t secure_version_bits; /**< Width of the eFuse field of anti-rollback. */
};

/** NULL if no chip has this id. */
const struct aloft_chip *aloft_chip_by_id(uint16_t id);

/** NULL if no chip has this name (exact, lower case). */
const struct aloft_chip *aloft_chip_by_name(const char *name);

/** The i-th chip in ascending order of id, NULL past the end. */
const struct aloft_chip *aloft_chip_at(size_t i);

/** The address is read through the flash cache: the segment must sit on its MMU page. */
bool aloft_chip_is_mapped(const struct aloft_chip *chip, uint32_t addr);

/** The address is loadable RAM or RTC memory. */
bool aloft_chip_is_ram(const struct aloft_chip *chip, uint32_t addr);

#endif
