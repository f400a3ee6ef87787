/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_PACKED_IMAGE_H
#define ALOFT_PACKED_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"
#include "aloft/hash.h"

/* Headers of packed images (facts/esp-formats.md 4.1). The payload is an xz stream, not read here.
 */

#define ALOFT_PACKED_V1_BYTES   80u
#define ALOFT_PACKED_V2_BYTES   88u
#define ALOFT_PACKED_V3_BYTES   40u
#define ALOFT_PACKED_WRAP_BYTES 0x120u /**< App prefix in front of a wrapped v3 header. */

struct aloft_packed_header {
    uint8_t version;           /**< 1, 2 or 3. */
    uint8_t compress_type;     /**< 0 none, 1 xz. */
    uint8_t delta_type;        /**< v1, v2: 0 none, 1 ddelta. */
    uint8_t encryption_type;   /**< v1, v2: 0 none, 1 AES-128. */
    char firmware_version[33]; /**< v1, v2; empty in v3. */
    uint32_t payload_bytes;
    uint8_t payload_md5[ALOFT_MD5_BYTES];
    uint32_t base_bytes;  /**< v2. */
    uint32_t base_crc;    /**< v2. */
    bool is_wrapped;      /**< Behind an app prefix whose segment count is 0. */
    uint32_t payload_off; /**< From the start of the file. */
};

/**
 * Read the header at the start of a file, bare or wrapped.
 *
 * @param buf  Start of the file; up to ALOFT_PACKED_WRAP_BYTES + ALOFT_PACKED_V3_BYTES bytes are
 * looked at.
 * @retval ALOFT_ERR_MAGIC      Neither a bare nor a wrapped packed image.
 * @retval ALOFT_ERR_VERSION    A version other than 1, 2, 3; or a wrapped one other than 3.
 * @retval ALOFT_ERR_TRUNCATED  `len` ends inside the header.
 * @retval ALOFT_ERR_CRC        The header CRC does not fit.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_packed_header_parse(const uint8_t *buf, size_t len,
                                         struct aloft_packed_header *ret_header);

/**
 * Write a header with its CRC. For a wrapped one the caller writes the app prefix itself.
 *
 * @param out       At least ALOFT_PACKED_V2_BYTES.
 * @param ret_len   80, 88 or 40.
 * @retval ALOFT_ERR_VERSION  `header->version` is not 1, 2 or 3.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_packed_header_encode(const struct aloft_packed_header *header, uint8_t *out,
                                          size_t *ret_len);

#endif
