/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/layout.h"

#include <string.h>

/*
 * The AT module configurations (facts/esp-formats.md 0.4, module names of
 * facts/at-commands.md 5.3). What counts is the table in the device: OTA never rewrites it. Modules
 * that share their tables share the arrays here; the letters are the groups of
 * facts/at-commands.md 5.1.
 */
/* clang-format off */

#define OTADATA(off)      {ALOFT_PARTITION_DATA, ALOFT_PARTITION_DATA_OTA, off, 0x2000, 0, "otadata"}
#define PHY_INIT(off)     {ALOFT_PARTITION_DATA, ALOFT_PARTITION_DATA_PHY, off, 0x1000, 0, "phy_init"}
#define NVS(off, size)    {ALOFT_PARTITION_DATA, ALOFT_PARTITION_DATA_NVS, off, size, 0, "nvs"}
#define CUSTOM(off, size) {ALOFT_PARTITION_AT_CUSTOMIZE, 0, off, size, 0, "at_customize"}
#define STORAGE(off, size) \
    {ALOFT_PARTITION_DATA, ALOFT_PARTITION_DATA_STORAGE, off, size, 0, "storage"}
#define FACTORY(off, size) \
    {ALOFT_PARTITION_APP, ALOFT_PARTITION_APP_FACTORY, off, size, 0, "factory"}
#define OTA(n, off, size) \
    {ALOFT_PARTITION_APP, ALOFT_PARTITION_APP_OTA_0 + n, off, size, 0, "ota_" #n}
#define MFG_NVS(off, size) {ALOFT_PARTITION_DATA, ALOFT_PARTITION_DATA_NVS, off, size, 0, "mfg_nvs"}
#define FS_STORAGE(off, size) {ALOFT_PARTITION_DATA, 0xFF, off, size, 0, "fs_storage"}

static const struct aloft_partition primary_a[] = {
    PHY_INIT(0xF000), OTADATA(0x10000), NVS(0x12000, 0xE000), CUSTOM(0x20000, 0xE0000),
    OTA(0, 0x100000, 0x180000), OTA(1, 0x280000, 0x180000)};
static const struct aloft_partition primary_b[] = {
    PHY_INIT(0xF000), OTADATA(0x10000), NVS(0x12000, 0xE000), CUSTOM(0x20000, 0x60000),
    FACTORY(0x80000, 0x180000)};
static const struct aloft_partition primary_c[] = {
    OTADATA(0xD000), PHY_INIT(0xF000), NVS(0x10000, 0xE000), CUSTOM(0x1E000, 0x42000),
    OTA(0, 0x60000, 0x1D0000), OTA(1, 0x230000, 0x1D0000)};
static const struct aloft_partition primary_d[] = {
    OTADATA(0x9000), PHY_INIT(0xB000), NVS(0xC000, 0xE000), CUSTOM(0x1A000, 0x10000),
    STORAGE(0x2A000, 0xA6000), OTA(0, 0xD0000, 0x130000)};
static const struct aloft_partition primary_e[] = {
    OTADATA(0xD000), PHY_INIT(0xF000), NVS(0x10000, 0xE000), CUSTOM(0x1E000, 0x42000),
    OTA(0, 0x60000, 0x1A0000)};
static const struct aloft_partition primary_f[] = {
    OTADATA(0xD000), PHY_INIT(0xF000), NVS(0x10000, 0xE000), CUSTOM(0x1E000, 0x42000),
    OTA(0, 0x60000, 0x244000), STORAGE(0x2A4000, 0x15C000)};
static const struct aloft_partition primary_g[] = {
    OTADATA(0xD000), PHY_INIT(0xF000), NVS(0x10000, 0x20000), CUSTOM(0x30000, 0x70000),
    OTA(0, 0xA0000, 0x220000), OTA(1, 0x2C0000, 0x140000)};

static const struct aloft_partition secondary_a[] = {
    MFG_NVS(0x21000, 0x1C000), FS_STORAGE(0x70000, 0x90000)};
static const struct aloft_partition secondary_b[] = {MFG_NVS(0x21000, 0x1C000)};
static const struct aloft_partition secondary_c[] = {
    MFG_NVS(0x1F000, 0x1F000), FS_STORAGE(0x47000, 0x19000)};
static const struct aloft_partition secondary_d[] = {MFG_NVS(0x1B000, 0xF000)};
static const struct aloft_partition secondary_f[] = {
    MFG_NVS(0x1F000, 0x25000), FS_STORAGE(0x47000, 0x19000)};
static const struct aloft_partition secondary_g[] = {
    MFG_NVS(0x31000, 0x1F000), FS_STORAGE(0x50000, 0x19000)};

/* Releases v2.2 to v3.0 (facts/at-commands.md 5.5): one partition per thing, numbered by subtype. */
#define USER(subtype, label, off, size) {ALOFT_PARTITION_AT_CUSTOMIZE, subtype, off, size, 0, label}
#define FATFS(off, size) {ALOFT_PARTITION_DATA, 0x81, off, size, 0, "fatfs"}

static const struct aloft_partition secondary_a_v3[] = {
    USER(1, "ble_data", 0x21000, 0x3000), USER(2, "server_cert", 0x24000, 0x2000),
    USER(3, "server_key", 0x26000, 0x2000), USER(4, "server_ca", 0x28000, 0x2000),
    USER(5, "client_cert", 0x2A000, 0x2000), USER(6, "client_key", 0x2C000, 0x2000),
    USER(7, "client_ca", 0x2E000, 0x2000), USER(8, "factory_param", 0x30000, 0x1000),
    USER(9, "wpa2_cert", 0x31000, 0x2000), USER(10, "wpa2_key", 0x33000, 0x2000),
    USER(11, "wpa2_ca", 0x35000, 0x2000), USER(12, "mqtt_cert", 0x37000, 0x2000),
    USER(13, "mqtt_key", 0x39000, 0x2000), USER(14, "mqtt_ca", 0x3B000, 0x2000),
    FATFS(0x70000, 0x90000)};
static const struct aloft_partition secondary_c_v3[] = {
    USER(1, "ble_data", 0x1F000, 0x6000), USER(2, "server_cert", 0x25000, 0x2000),
    USER(3, "server_key", 0x27000, 0x2000), USER(4, "server_ca", 0x29000, 0x2000),
    USER(5, "client_cert", 0x2B000, 0x2000), USER(6, "client_key", 0x2D000, 0x2000),
    USER(7, "client_ca", 0x2F000, 0x2000), USER(8, "factory_param", 0x31000, 0x1000),
    USER(9, "wpa2_cert", 0x32000, 0x2000), USER(10, "wpa2_key", 0x34000, 0x2000),
    USER(11, "wpa2_ca", 0x36000, 0x2000), USER(12, "mqtt_cert", 0x38000, 0x2000),
    USER(13, "mqtt_key", 0x3A000, 0x2000), USER(14, "mqtt_ca", 0x3C000, 0x2000),
    FATFS(0x47000, 0x19000)};
static const struct aloft_partition secondary_c2_v3[] = {
    USER(1, "server_cert", 0x1F000, 0x2000), USER(2, "server_key", 0x21000, 0x2000),
    USER(3, "server_ca", 0x23000, 0x2000), USER(4, "client_cert", 0x25000, 0x2000),
    USER(5, "client_key", 0x27000, 0x2000), USER(6, "client_ca", 0x29000, 0x2000),
    USER(7, "factory_param", 0x2B000, 0x1000), USER(8, "wpa2_cert", 0x2C000, 0x2000),
    USER(9, "wpa2_key", 0x2E000, 0x2000), USER(10, "wpa2_ca", 0x30000, 0x2000),
    USER(11, "mqtt_cert", 0x32000, 0x2000), USER(12, "mqtt_key", 0x34000, 0x2000),
    USER(13, "mqtt_ca", 0x36000, 0x2000), USER(14, "ble_data", 0x38000, 0x6000),
    FATFS(0x47000, 0x19000)};
static const struct aloft_partition secondary_d_v3[] = {
    USER(1, "factory_param", 0x1B000, 0x1000), USER(2, "server_cert", 0x1C000, 0x1000),
    USER(3, "server_key", 0x1D000, 0x1000), USER(4, "server_ca", 0x1E000, 0x1000),
    USER(5, "client_cert", 0x1F000, 0x1000), USER(6, "client_key", 0x20000, 0x1000),
    USER(7, "client_ca", 0x21000, 0x1000), USER(8, "wpa2_cert", 0x22000, 0x1000),
    USER(9, "wpa2_key", 0x23000, 0x1000), USER(10, "wpa2_ca", 0x24000, 0x1000),
    USER(11, "mqtt_cert", 0x25000, 0x1000), USER(12, "mqtt_key", 0x26000, 0x1000),
    USER(13, "mqtt_ca", 0x27000, 0x1000), USER(14, "ble_data", 0x28000, 0x2000)};

#define TABLES(primary, secondary)                                   \
    primary, sizeof primary / sizeof primary[0], secondary, sizeof secondary / sizeof secondary[0]
#define GROUP_A TABLES(primary_a, secondary_a)
#define GROUP_B TABLES(primary_b, secondary_b)
#define GROUP_C TABLES(primary_c, secondary_c)
#define GROUP_D TABLES(primary_d, secondary_d)
#define GROUP_E TABLES(primary_e, secondary_c)
#define GROUP_F TABLES(primary_f, secondary_f)
#define GROUP_G TABLES(primary_g, secondary_g)
#define GROUP_A_V3 TABLES(primary_a, secondary_a_v3)
#define GROUP_C_V3 TABLES(primary_c, secondary_c_v3)
#define GROUP_C2_V3 TABLES(primary_c, secondary_c2_v3)
#define GROUP_D_V3 TABLES(primary_d, secondary_d_v3)

#define FLASH_2M 0x200000
#define FLASH_4M 0x400000
#define PLAIN    ALOFT_UPLOAD_PLAIN
#define PACKED2  ALOFT_UPLOAD_PACKED2
#define PACKED3  ALOFT_UPLOAD_PACKED3
#define NO_OTA   ALOFT_UPLOAD_NONE

static const struct aloft_layout layouts[] = {
    {"esp32_default", "WROOM-32", 0x00, FLASH_4M, PLAIN, GROUP_A, 0, true},
    {"wrover-32", "WROVER-32", 0x00, FLASH_4M, PLAIN, GROUP_A, 100, true},
    {"esp32-sdio", "ESP32-SDIO", 0x00, FLASH_4M, PLAIN, GROUP_A, 0, true},
    {"esp32-d2wd", "ESP32-D2WD", 0x00, FLASH_2M, NO_OTA, GROUP_B, 0, true},
    {"esp32s2_default", "MINI", 0x02, FLASH_4M, PLAIN, GROUP_A, 0, true},
    {"esp32c3_default", "MINI-1", 0x05, FLASH_4M, PLAIN, GROUP_C, 0, true},
    {"esp32c3-spi", "ESP32C3-SPI", 0x05, FLASH_4M, PLAIN, GROUP_C, 0, true},
    /* its own name is missing from the firmware's list, so AT+GMR shows MINI-1 */
    {"esp32c3_rainmaker", "MINI-1", 0x05, FLASH_4M, PACKED2, GROUP_F, 0, true},
    {"esp32c2_default", "ESP32C2-4MB", 0x0C, FLASH_4M, PLAIN, GROUP_C, 0, true},
    {"esp32c2-4mb-g2", "ESP32C2-4MB-G2", 0x0C, FLASH_4M, PLAIN, GROUP_C, 200, true},
    {"esp32c2-2mb", "ESP32C2-2MB", 0x0C, FLASH_2M, PACKED2, GROUP_D, 0, true},
    {"esp32c2-2mb-g2", "ESP32C2-2MB-G2", 0x0C, FLASH_2M, PACKED2, GROUP_D, 200, true},
    {"esp32c2-2mb-ble", "ESP32C2-2MB-BLE", 0x0C, FLASH_2M, NO_OTA, GROUP_D, 0, true},
    {"esp32c2-2mb-ble-g2", "ESP32C2-2MB-BLE-G2", 0x0C, FLASH_2M, NO_OTA, GROUP_D, 200, true},
    {"esp32c2-2mb-no-ota-g2", "ESP32C2-2MB-NO-OTA-G2", 0x0C, FLASH_2M, NO_OTA, GROUP_E, 200, false},
    {"esp32c6_default", "ESP32C6-4MB", 0x0D, FLASH_4M, PLAIN, GROUP_C, 0, true},
    {"esp32c5_default", "ESP32C5-4MB", 0x17, FLASH_4M, PACKED3, GROUP_G, 0, false},
    {"esp32c5-sdio", "ESP32C5-SDIO", 0x17, FLASH_4M, PACKED3, GROUP_G, 0, false},
    {"esp32c5-spi", "ESP32C5-SPI", 0x17, FLASH_4M, PACKED3, GROUP_G, 0, false},
    /* modules that left the factory with AT v4.1 keep its table */
    {"esp32c5_v4", "ESP32C5-4MB", 0x17, FLASH_4M, PLAIN, GROUP_C, 0, true},
    {"esp32c61_default", "ESP32C61-4MB", 0x14, FLASH_4M, PACKED3, GROUP_G, 0, false},
    /* modules that left it with AT v2.2 to v3.0: user partitions that AT+CIUPDATE can write, and no
     * rollback */
    {"esp32_v3", "WROOM-32", 0x00, FLASH_4M, PLAIN, GROUP_A_V3, 0, false},
    {"esp32c3_v3", "MINI-1", 0x05, FLASH_4M, PLAIN, GROUP_C_V3, 0, false},
    {"esp32c2_v3", "ESP32C2-4MB", 0x0C, FLASH_4M, PLAIN, GROUP_C2_V3, 0, false},
    {"esp32c2-2mb_v3", "ESP32C2-2MB", 0x0C, FLASH_2M, PACKED2, GROUP_D_V3, 0, false},
};
/* clang-format on */

const struct aloft_layout *aloft_layout_at(size_t i)
{
    return i < sizeof layouts / sizeof layouts[0] ? &layouts[i] : NULL;
}

const struct aloft_layout *aloft_layout_by_name(const char *name)
{
    const struct aloft_layout *layout;

    for (size_t i = 0; (layout = aloft_layout_at(i)) != NULL; i++) {
        if (strcmp(layout->name, name) == 0) {
            return layout;
        }
    }
    return NULL;
}

const char *aloft_upload_kind_text(enum aloft_upload_kind kind)
{
    switch (kind) {
    case ALOFT_UPLOAD_PLAIN:
        return "plain";
    case ALOFT_UPLOAD_PACKED2:
        return "packed v2";
    case ALOFT_UPLOAD_PACKED3:
        return "packed v3";
    case ALOFT_UPLOAD_NONE:
        break;
    }
    return "none";
}

static bool is_target(const struct aloft_layout *layout, const struct aloft_partition *p)
{
    bool is_ota = p->type == ALOFT_PARTITION_APP && p->subtype >= ALOFT_PARTITION_APP_OTA_0 &&
                  p->subtype < ALOFT_PARTITION_APP_TEST;

    switch (layout->upload) {
    case ALOFT_UPLOAD_PLAIN:
    case ALOFT_UPLOAD_PACKED3: /* always goes to the last slot, the smaller one */
        return is_ota;
    case ALOFT_UPLOAD_PACKED2:
        return p->type == ALOFT_PARTITION_DATA && p->subtype == ALOFT_PARTITION_DATA_STORAGE;
    case ALOFT_UPLOAD_NONE:
        break;
    }
    return false;
}

uint32_t aloft_layout_target_bytes(const struct aloft_layout *layout)
{
    uint32_t least = 0;

    for (size_t i = 0; i < layout->n_primary; i++) {
        const struct aloft_partition *p = &layout->primary[i];
        if (is_target(layout, p) && (least == 0 || p->size_bytes < least)) {
            least = p->size_bytes;
        }
    }
    return least;
}
