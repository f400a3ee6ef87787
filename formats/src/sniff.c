/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/sniff.h"

#include <stdbool.h>
#include <string.h>

#include "aloft/app_image.h"
#include "aloft/bytes.h"
#include "aloft/layout.h"
#include "aloft/limits.h"
#include "aloft/otadata.h"
#include "aloft/packed_image.h"
#include "aloft/partition_table.h"

/*
 * Two tables: magic bytes that say it all, and probes for kinds that need a closer look. The first
 * that fits wins, so the surest stand first and text last.
 */

#define HASH_FLAG_OFF     23 /* 0 or 1 in every ESP32-family header. */
#define NVS_HEADER_BYTES  32u
#define BLE_MAGIC_OFF     2
#define HEX_RECORD_DIGITS 10 /* Length, address, type and checksum of an empty record. */
#define NONOS_SLOT_OFF    3

struct head {
    const uint8_t *p;
    size_t len;
};

static bool has_bytes(struct head h, size_t off, const char *bytes, size_t n)
{
    return h.len >= off + n && memcmp(h.p + off, bytes, n) == 0;
}

/* One real entry of a partition table: two magic bytes alone occur in any code. */
static bool has_partition_record(struct head h, size_t off)
{
    if (!has_bytes(h, off, "\xAA\x50", 2) || h.len < off + ALOFT_PARTITION_RECORD_BYTES) {
        return false;
    }
    const uint8_t *record = h.p + off;
    return aloft_get_le32(record + 4) % ALOFT_SECTOR_BYTES == 0 &&
           aloft_get_le32(record + 8) != 0 && aloft_get_le32(record + 28) <= 3;
}

static bool is_partition_table(struct head h)
{
    return has_partition_record(h, 0);
}

/* A boot loader stands at 0, 0x1000 or 0x2000, by chip; the table behind it. */
static bool is_factory(struct head h)
{
    return has_partition_record(h, ALOFT_PARTITION_TABLE_OFF) &&
           (has_bytes(h, 0, "\xE9", 1) || has_bytes(h, 0x1000, "\xE9", 1) ||
            has_bytes(h, 0x2000, "\xE9", 1));
}

static bool is_nonos(struct head h)
{
    return has_bytes(h, 0, "\xEA\x04\x00", 3) && h.len > NONOS_SLOT_OFF &&
           (h.p[NONOS_SLOT_OFF] == 1 || h.p[NONOS_SLOT_OFF] == 2);
}

static bool is_wrapped(struct head h)
{
    return has_bytes(h, 0, "\xE9\x00", 2) && has_bytes(h, ALOFT_PACKED_WRAP_BYTES, "ESP\0\3", 5);
}

static bool has_app_desc(struct head h)
{
    return h.len >= ALOFT_APP_DESC_OFF + 4 &&
           aloft_get_le32(h.p + ALOFT_APP_DESC_OFF) == ALOFT_APP_DESC_MAGIC;
}

/* facts/esp-formats.md 1.9: the ESP8266 has a header of 8 bytes, so these two are not what they
 * should be, and its descriptor stands elsewhere. */
static bool is_esp8266(struct head h)
{
    return has_bytes(h, 0, "\xE9", 1) && h.len >= ALOFT_APP_HEADER_BYTES && h.p[1] != 0 &&
           !has_app_desc(h) &&
           (h.p[HASH_FLAG_OFF] > 1 || !aloft_chip_by_id(aloft_get_le16(h.p + 12)));
}

/* All segment headers are in sight and none of them is mapped. */
static bool has_only_ram(struct head h)
{
    const struct aloft_chip *chip = aloft_chip_by_id(aloft_get_le16(h.p + 12));
    uint64_t off = ALOFT_APP_HEADER_BYTES;

    for (uint8_t i = 0; i < h.p[1]; i++) {
        if (off + 8 > h.len || aloft_chip_is_mapped(chip, aloft_get_le32(h.p + off))) {
            return false;
        }
        off += 8 + (uint64_t)aloft_get_le32(h.p + off + 4);
    }
    return true;
}

/* Runs behind is_esp8266(): without descriptor, the chip is known. */
static bool is_bootloader(struct head h)
{
    if (!has_bytes(h, 0, "\xE9", 1) || h.len < ALOFT_APP_DESC_OFF + 4 || h.p[1] == 0 ||
        h.p[1] > ALOFT_APP_SEGMENTS_MAX || has_app_desc(h)) {
        return false;
    }
    const struct aloft_chip *chip = aloft_chip_by_id(aloft_get_le16(h.p + 12));
    bool is_ram = !aloft_chip_is_mapped(chip, aloft_get_le32(h.p + ALOFT_APP_HEADER_BYTES));
    /* facts/esp-formats.md 1.6: the boot loader's own descriptor. */
    bool has_boot_desc = has_bytes(h, ALOFT_APP_DESC_OFF, "\x50\0\0", 3);
    return (is_ram && has_boot_desc) || has_only_ram(h);
}

static bool is_app(struct head h)
{
    return has_bytes(h, 0, "\xE9", 1) && !has_bytes(h, 1, "\0", 1);
}

static bool is_nvs(struct head h)
{
    static const uint32_t states[] = {0xFFFFFFFE, 0xFFFFFFFC, 0xFFFFFFF8, 0xFFFFFFF0};

    if (h.len < NVS_HEADER_BYTES ||
        aloft_crc32(0xFFFFFFFF, h.p + 4, 24) != aloft_get_le32(h.p + 28)) {
        return false;
    }
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (aloft_get_le32(h.p) == states[i]) {
            return true;
        }
    }
    return false;
}

static bool is_otadata_entry(struct head h, size_t off)
{
    if (h.len < off + ALOFT_OTADATA_ENTRY_BYTES) {
        return false;
    }
    const uint8_t *e = h.p + off;
    uint32_t ota_state = aloft_get_le32(e + 24);
    return aloft_bytes_are(e + 4, 20, 0xFF) &&
           (ota_state <= ALOFT_OTA_ABORTED || ota_state == ALOFT_OTA_UNDEFINED) &&
           aloft_get_le32(e + 28) == aloft_crc32(0xFFFFFFFF, e, 4);
}

static bool is_otadata(struct head h)
{
    bool is_initial = h.len == ALOFT_OTADATA_BYTES && aloft_bytes_are(h.p, h.len, 0xFF);

    return is_initial || is_otadata_entry(h, 0) || is_otadata_entry(h, ALOFT_SECTOR_BYTES);
}

static bool is_erased(struct head h)
{
    return aloft_bytes_are(h.p, h.len, 0xFF);
}

static bool is_hex(struct head h)
{
    size_t i = 1;

    while (i < h.len && aloft_hex_digit((char)h.p[i]) < 16) {
        i++;
    }
    return h.p[0] == ':' && i > HEX_RECORD_DIGITS;
}

static bool is_text(struct head h)
{
    for (size_t i = 0; i < h.len; i++) {
        bool is_space = h.p[i] == '\t' || h.p[i] == '\n' || h.p[i] == '\r' || h.p[i] == '\f';
        if (h.p[i] == 0x7F || (h.p[i] < ' ' && !is_space)) {
            return false;
        }
    }
    return true;
}

/* facts/esp-formats.md 6.5, 7 row 2. */
static const struct magic {
    uint8_t off;
    uint8_t len;
    const char *bytes;
    enum aloft_sniff_kind kind;
} magics[] = {
    {0, 5, "ESP\0\1", ALOFT_SNIFF_PACKED_V1},
    {0, 5, "ESP\0\2", ALOFT_SNIFF_PACKED_V2},
    {0, 5, "ESP\0\3", ALOFT_SNIFF_PACKED_V3},
    {0, 6,
     "\xFD"
     "7zXZ\0",
     ALOFT_SNIFF_XZ},
    {0, 2, "\x1F\x8B", ALOFT_SNIFF_GZIP},
    {0, 4, "PK\3\4", ALOFT_SNIFF_ZIP},
    {0, 4, "PK\5\6", ALOFT_SNIFF_ZIP}, /* without members */
    {0, 4,
     "\x7F"
     "ELF",
     ALOFT_SNIFF_ELF},
};

/* Weaker: two bytes, so behind everything that is sure. */
static const struct magic weak_magics[] = {
    {0, 2, "\xF1\xF1", ALOFT_SNIFF_PKI},
    {0, 2, "\xFC\xFC", ALOFT_SNIFF_FACTORY_PARAM},
    {BLE_MAGIC_OFF, 3, "\x27\x95{", ALOFT_SNIFF_BLE_DATA},
};

static const struct probe {
    bool (*is)(struct head h);
    enum aloft_sniff_kind kind;
} probes[] = {
    {is_otadata, ALOFT_SNIFF_OTADATA},
    {is_erased, ALOFT_SNIFF_ERASED},
    {is_factory, ALOFT_SNIFF_FACTORY},
    {is_wrapped, ALOFT_SNIFF_PACKED_V3_WRAPPED},
    {is_nonos, ALOFT_SNIFF_ESP8266_NONOS},
    {is_esp8266, ALOFT_SNIFF_ESP8266},
    {is_bootloader, ALOFT_SNIFF_BOOTLOADER},
    {is_app, ALOFT_SNIFF_APP},
    {is_partition_table, ALOFT_SNIFF_PARTITION_TABLE},
    {is_nvs, ALOFT_SNIFF_NVS},
    {is_hex, ALOFT_SNIFF_HEX},
    {is_text, ALOFT_SNIFF_TEXT},
};

static enum aloft_sniff_kind find_magic(struct head h, const struct magic *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (has_bytes(h, table[i].off, table[i].bytes, table[i].len)) {
            return table[i].kind;
        }
    }
    return ALOFT_SNIFF_UNKNOWN;
}

enum aloft_sniff_kind aloft_sniff(const uint8_t *head, size_t head_len)
{
    struct head h = {head, head_len};

    if (head_len == 0) {
        return ALOFT_SNIFF_EMPTY;
    }
    enum aloft_sniff_kind kind = find_magic(h, magics, sizeof magics / sizeof magics[0]);
    if (kind != ALOFT_SNIFF_UNKNOWN) {
        return kind;
    }
    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
        if (probes[i].is(h)) {
            return probes[i].kind;
        }
    }
    return find_magic(h, weak_magics, sizeof weak_magics / sizeof weak_magics[0]);
}

const char *aloft_sniff_text(enum aloft_sniff_kind kind)
{
    switch (kind) {
#define SNIFF_TEXT(name, text)                                                                     \
    case ALOFT_SNIFF_##name:                                                                       \
        return text;
        ALOFT_SNIFF_MAP(SNIFF_TEXT)
#undef SNIFF_TEXT
    }
    return "a file of unknown kind";
}
