/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SNIFF_H
#define ALOFT_SNIFF_H

#include <stddef.h>
#include <stdint.h>

/* What is this file? A guess from its first bytes, for sentences to people (facts/esp-formats.md 7,
 * row 2). */

/** Enumerator, words for people (with article). */
/* clang-format off */
#define ALOFT_SNIFF_MAP(X)                                            \
    X(UNKNOWN,         "a file of unknown kind")                      \
    X(EMPTY,           "an empty file")                               \
    X(APP,             "an app image")                                \
    X(BOOTLOADER,      "a boot loader")                               \
    X(FACTORY,         "a factory image (the whole flash)")           \
    X(PACKED_V1,       "a packed image v1")                           \
    X(PACKED_V2,       "a packed image v2")                           \
    X(PACKED_V3,       "a packed image v3 without app header")        \
    X(PACKED_V3_WRAPPED, "a packed image v3")                         \
    X(PARTITION_TABLE, "a partition table")                           \
    X(OTADATA,         "an otadata image")                            \
    X(NVS,             "an NVS partition")                            \
    X(PKI,             "a PKI partition of AT up to v3.0")            \
    X(FACTORY_PARAM,   "a factory_param partition")                   \
    X(BLE_DATA,        "a ble_data partition")                        \
    X(ESP8266_NONOS,   "an ESP8266 image (NONOS user1/user2)")        \
    X(ESP8266,         "an ESP8266 image")                            \
    X(ERASED,          "erased flash (only FF)")                      \
    X(XZ,              "an xz file")                                  \
    X(GZIP,            "a gzip file")                                 \
    X(ZIP,             "a zip archive")                               \
    X(ELF,             "an ELF file (the linker's output)")           \
    X(HEX,             "an Intel HEX file")                           \
    X(TEXT,            "a text file")
/* clang-format on */

enum aloft_sniff_kind {
#define ALOFT_SNIFF_ENUM(name, text) ALOFT_SNIFF_##name,
    ALOFT_SNIFF_MAP(ALOFT_SNIFF_ENUM)
#undef ALOFT_SNIFF_ENUM
};

/** Bytes from the start that make every kind recognisable (a factory image shows at 0x8000). */
#define ALOFT_SNIFF_BYTES 0x8020u

/**
 * @param head        First bytes of the file: ALOFT_SNIFF_BYTES of them, or all if it is shorter.
 * @param head_len    How many; 0 is an empty file.
 */
enum aloft_sniff_kind aloft_sniff(const uint8_t *head, size_t head_len);

/** Words for people with their article: "a zip archive". Never NULL. */
const char *aloft_sniff_text(enum aloft_sniff_kind kind);

#endif
