/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/chip.h"

#include <stddef.h>
#include <string.h>

/*
 * facts/esp-formats.md 0.3; the width of the secure version is of 3.6. The facts name no RAM ranges
 * for S2's RTC memory, S3, H2 and P4; those are from the chips' soc.h in ESP-IDF v5.4.
 */
/* clang-format off */
static const struct aloft_chip chips[] = {
    {"esp32", "ESP32", 0x0000, 0x1000, {0x3F400000, 0x3F800000}, {0x400D0000, 0x40400000},
     {{0x40080000, 0x400AA000}, {0x3FFAE000, 0x40000000}, {0x400C0000, 0x400C2000},
      {0x3FF80000, 0x3FF82000}, {0x50000000, 0x50002000}},
     false, false, false, 32},
    {"esp32s2", "ESP32S2", 0x0002, 0x1000, {0x3F000000, 0x3FF80000}, {0x40080000, 0x40800000},
     {{0x40020000, 0x40070000}, {0x3FFB0000, 0x40000000}, {0x40070000, 0x40072000},
      {0x3FF9E000, 0x3FFA0000}, {0x50000000, 0x50002000}},
     false, false, true, 16},
    {"esp32c3", "ESP32C3", 0x0005, 0x0000, {0x3C000000, 0x3C800000}, {0x42000000, 0x42800000},
     {{0x4037C000, 0x403E0000}, {0x3FC80000, 0x3FCE0000}, {0x50000000, 0x50002000}},
     false, false, true, 16},
    {"esp32s3", "ESP32S3", 0x0009, 0x0000, {0x3C000000, 0x3E000000}, {0x42000000, 0x44000000},
     {{0x40370000, 0x403E0000}, {0x3FC88000, 0x3FD00000}, {0x600FE000, 0x60100000},
      {0x50000000, 0x50002000}},
     false, false, true, 16},
    {"esp32c2", "ESP32C2", 0x000C, 0x0000, {0x3C000000, 0x3C400000}, {0x42000000, 0x42400000},
     {{0x4037C000, 0x403C0000}, {0x3FCA0000, 0x3FCE0000}},
     true, true, true, 4},
    {"esp32c6", "ESP32C6", 0x000D, 0x0000, {0x42000000, 0x43000000}, {0x42000000, 0x43000000},
     {{0x40800000, 0x40880000}, {0x50000000, 0x50004000}},
     true, true, true, 16},
    {"esp32h2", "ESP32H2", 0x0010, 0x0000, {0x42000000, 0x43000000}, {0x42000000, 0x43000000},
     {{0x40800000, 0x40850000}, {0x50000000, 0x50001000}},
     true, true, true, 16},
    {"esp32p4", "ESP32P4", 0x0012, 0x2000, {0x40000000, 0x4C000000}, {0x40000000, 0x4C000000},
     {{0x4FF00000, 0x4FFC0000}, {0x50108000, 0x50110000}, {0x30100000, 0x30102000}},
     false, false, true, 16},
    {"esp32c61", "ESP32C61", 0x0014, 0x0000, {0x42000000, 0x44000000}, {0x42000000, 0x44000000},
     {{0x40800000, 0x40850000}},
     true, true, true, 16},
    {"esp32c5", "ESP32C5", 0x0017, 0x2000, {0x42000000, 0x44000000}, {0x42000000, 0x44000000},
     {{0x40800000, 0x40860000}, {0x50000000, 0x50004000}},
     false, false, true, 9},
};
/* clang-format on */

#define N_CHIPS (sizeof chips / sizeof chips[0])

const struct aloft_chip *aloft_chip_at(size_t i)
{
    return i < N_CHIPS ? &chips[i] : NULL;
}

const struct aloft_chip *aloft_chip_by_id(uint16_t id)
{
    for (size_t i = 0; i < N_CHIPS; i++) {
        if (chips[i].id == id) {
            return &chips[i];
        }
    }
    return NULL;
}

const struct aloft_chip *aloft_chip_by_name(const char *name)
{
    for (size_t i = 0; i < N_CHIPS; i++) {
        if (strcmp(chips[i].name, name) == 0) {
            return &chips[i];
        }
    }
    return NULL;
}

static bool is_within(const struct aloft_range *range, uint32_t addr)
{
    return addr >= range->start && addr < range->end;
}

bool aloft_chip_is_mapped(const struct aloft_chip *chip, uint32_t addr)
{
    return is_within(&chip->drom, addr) || is_within(&chip->irom, addr);
}

bool aloft_chip_is_ram(const struct aloft_chip *chip, uint32_t addr)
{
    for (size_t i = 0; i < ALOFT_CHIP_RAM_RANGES; i++) {
        if (is_within(&chip->ram[i], addr)) {
            return true;
        }
    }
    return false;
}
