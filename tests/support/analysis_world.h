/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_ANALYSIS_WORLD_H
#define ALOFT_TESTS_ANALYSIS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyse/analyse.h"

/*
 * For tests of the analyser: a whole image of any chip in two segments, image A's descriptor in
 * mapped data and 16 bytes of RAM with the entry, of which a case changes one thing; packages of
 * images by the layout of facts/esp-formats.md 4.1, made with liblzma; and assertions on findings.
 */

#define WORLD_RAM_HEAD     0x120u
#define WORLD_RAM_DATA     0x128u
#define WORLD_CHECKSUM_OFF 0x13Fu
#define WORLD_IMAGE_BYTES  0x160u
#define WORLD_SIGNED_BYTES 0x2000u
#define WORLD_VERSION      "v0.0.1-test"

/** A whole image, WORLD_IMAGE_BYTES. */
void world_image(const char *chip, uint8_t *image);

/** Make checksum and hash right again. */
void world_seal(uint8_t *image);

/** Rules for `ota.bin` filed under WORLD_VERSION. */
struct analysis_rules world_rules(const char *layout);

/** Vet a file. @return Borrowed from `*ret_analysis`. */
const struct analysis_report *world_vet(const struct analysis_rules *rules, const void *buf,
                                        size_t len, struct analysis **ret_analysis);

/** NULL if the row is not there. */
const struct analysis_finding *world_find(const struct analysis_report *report, unsigned row);

/** Assert a finding; `words` must stand in its sentence. */
void world_expect(const struct analysis_report *report, unsigned row, const char *code,
                  enum analysis_verdict verdict, const char *words);

/** Assert that the row passed. */
void world_expect_pass(const struct analysis_report *report, unsigned row);

/** Vet and assert: this finding, and all others are passes (behind a refusal: none). */
void world_only(const struct analysis_rules *rules, const void *buf, size_t len, unsigned row,
                const char *code, enum analysis_verdict verdict, const char *words);

/** How to pack; zeros = as the vendor's tool does. */
struct world_pack {
    unsigned version; /**< 1, 2 or 3; 0 = 2. */
    bool is_wrapped;  /**< Behind the image's first 288 bytes without segment count. */
    uint32_t dict_bytes;
    bool has_check;  /**< `check` counts; else CRC32. */
    unsigned check;  /**< lzma_check */
    bool has_x86;    /**< A filter before LZMA2. */
    bool is_cut;     /**< The stream lacks its last byte. */
    uint8_t n_extra; /**< Bytes behind the stream, in the payload. */
    const char *version_text;
    uint8_t compress_type; /**< 0 = 1. */
    uint8_t delta_type;
    uint8_t encryption_type;
};

/** @return Length of the package in `out`, of `cap` bytes. */
size_t world_pack(const struct world_pack *how, const uint8_t *image, size_t len, uint8_t *out,
                  size_t cap);

/** Put the CRC of a packed header right again: v2 at 0, v3 behind an app header. */
void world_seal_package(uint8_t *file);

#endif
