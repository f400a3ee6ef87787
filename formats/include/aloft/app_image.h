/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_APP_IMAGE_H
#define ALOFT_APP_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/chip.h"
#include "aloft/err.h"
#include "aloft/hash.h"

/*
 * App images (facts/esp-formats.md 1): an incremental reader that sees each byte once, in order,
 * and judges as the boot loader will. It needs no buffer but its own state. The same reader serves
 * the upgrade engine, the boot loader model, the server's analyser and `aloft image info`.
 */

#define ALOFT_APP_MAGIC        0xE9
#define ALOFT_APP_SEGMENTS_MAX 16
#define ALOFT_APP_HEADER_BYTES 24u
#define ALOFT_APP_DESC_OFF     0x20u
#define ALOFT_APP_DESC_BYTES   256u
#define ALOFT_APP_DESC_MAGIC   0xABCD5432u
#define ALOFT_APP_PREFIX_BYTES 288u  /**< Header, first segment header, descriptor. */
#define ALOFT_SIGNATURE_BYTES  4096u /**< Secure Boot v2 signature sector. */

struct aloft_app_header {
    uint8_t segment_count;
    uint8_t spi_mode;
    uint8_t spi_speed; /**< Low nibble of byte 3. */
    uint8_t spi_size;  /**< High nibble of byte 3: 1 MiB << n. */
    uint32_t entry_addr;
    uint16_t chip_id;
    uint16_t min_chip_rev; /**< major * 100 + minor. */
    uint16_t max_chip_rev; /**< 0 or 65535 = not set. */
    uint8_t hash_appended;
};

struct aloft_app_segment {
    uint32_t load_addr;
    uint32_t size_bytes;
    uint32_t data_off; /**< Of the first data byte in the image. */
};

struct aloft_app_desc {
    uint32_t secure_version;
    char version[33]; /**< NUL-terminated copies of the 32-byte fields. */
    char project_name[33];
    char compile_time[17];
    char compile_date[17];
    char idf_version[33];
    uint8_t elf_sha256[32];
    uint16_t min_efuse_rev;
    uint16_t max_efuse_rev;
    uint8_t mmu_page_log2; /**< 0 = the chip's default. */
};

/** What the reader compares with. A zeroed struct accepts any chip and revision. */
struct aloft_app_rules {
    const struct aloft_chip *chip; /**< NULL = any known chip (the image's own), unknown ids refused
                                      only by rows that need one. */
    uint16_t chip_revision;        /**< major * 100 + minor; 0 = unknown, not checked. */
    uint32_t slot_bytes; /**< The image with its signature sector must fit; 0 = not checked. */
    bool has_signature;  /**< A Secure Boot v2 sector must follow (its place is counted; it is not
                            verified here). */
    bool requires_app_desc; /**< Refuse an image without descriptor even where the boot loader does
                               not. */
    bool is_bootloader;     /**< It is a second-stage boot loader: no chip asks it for a descriptor.
                             */
};

/** Reading state; complete so that it can be allocated statically, otherwise private. */
struct aloft_app_image {
    /* Results, valid as soon as the named byte has been fed. */
    struct aloft_app_header header; /**< After byte 24. */
    struct aloft_app_segment segments[ALOFT_APP_SEGMENTS_MAX];
    uint8_t n_segments; /**< Segment headers read so far. */
    bool has_header;
    bool has_desc; /**< `desc` is filled (after byte 288, magic found). */
    struct aloft_app_desc desc;
    uint32_t image_bytes;    /**< Unsigned length L; 0 until known (after the checksum byte). */
    uint32_t signature_off;  /**< align_up(L, 4096); 0 until L is known. */
    uint8_t checksum;        /**< Calculated so far. */
    uint8_t checksum_stored; /**< Valid when `image_bytes` is not 0. */
    uint8_t hash[ALOFT_SHA256_BYTES]; /**< Calculated; valid once complete and
                                         `header.hash_appended`. */
    enum aloft_err err;               /**< First error; sticky. */
    uint32_t err_off;                 /**< Offset at which it was found. */

    /* Private. */
    struct aloft_app_rules rules;
    struct aloft_hash sha256;
    uint32_t off;
    uint32_t part_end;
    uint8_t state;
    uint8_t scratch[ALOFT_APP_DESC_BYTES];
    uint32_t scratch_len;
};

/**
 * Begin a new image.
 *
 * @param sha256  Started here, finished by the reader; the state memory stays the caller's and is
 *                borrowed until the image is complete. NULL = the appended hash is not checked.
 */
void aloft_app_image_init(struct aloft_app_image *img, const struct aloft_app_rules *rules,
                          const struct aloft_hash *sha256);

/**
 * Feed the next bytes, in any portions.
 *
 * @param ret_used  Bytes taken; less than `len` only when the image is complete (the rest is after
 *                  its end) or on error.
 * @retval ALOFT_ERR_OK             Taken.
 * @retval ALOFT_ERR_MAGIC          Byte 0 is not E9 (known after one byte).
 * @retval ALOFT_ERR_CHIP           chip_id differs from the rules' chip (known after byte 14).
 * @retval ALOFT_ERR_CHIP_REVISION  Revision outside the image's range.
 * @retval ALOFT_ERR_SEGMENT_COUNT  0 or more than 16 segments.
 * @retval ALOFT_ERR_SEGMENT_LEN    A length is not a multiple of 4 or reaches 16 MiB.
 * @retval ALOFT_ERR_ALIGN          A mapped segment is off its page.
 * @retval ALOFT_ERR_NO_APP_DESC    The chip or the rules need a descriptor and there is none.
 * @retval ALOFT_ERR_TOO_BIG        The image, as far as known, passes `slot_bytes`.
 * @retval ALOFT_ERR_CHECKSUM       Known at its byte.
 * @retval ALOFT_ERR_HASH           Known at the last byte.
 * The error is sticky: later calls return it again and take nothing.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_app_image_feed(struct aloft_app_image *img, const uint8_t *buf, size_t len,
                                    size_t *ret_used);

/** All bytes of the image (without signature gap and sector) were fed and all checks passed. */
bool aloft_app_image_is_complete(const struct aloft_app_image *img);

/**
 * The least length L the image can have, in bytes, by the segment headers read so far; exact once
 * `n_segments` equals `header.segment_count`. 0 before the header is complete; meaningless after an
 * error.
 */
uint32_t aloft_app_image_least_bytes(const struct aloft_app_image *img);

/**
 * Say that no more bytes come.
 *
 * @retval ALOFT_ERR_OK         Complete.
 * @retval ALOFT_ERR_TRUNCATED  It ends too early.
 * Or the sticky error.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_app_image_finish(const struct aloft_app_image *img);

/** Read the 24 header bytes without judging any but the magic. @retval ALOFT_ERR_MAGIC not an app
 * image. */
ALOFT_MUST_CHECK
enum aloft_err aloft_app_header_parse(const uint8_t *buf, struct aloft_app_header *ret_header);

/** Read the 256 descriptor bytes. @retval ALOFT_ERR_NO_APP_DESC the magic is not there. */
ALOFT_MUST_CHECK
enum aloft_err aloft_app_desc_parse(const uint8_t *buf, struct aloft_app_desc *ret_desc);

#endif
