/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ANALYSE_PACKED_H
#define ALOFT_SERVER_ANALYSE_PACKED_H

#include "aloft/packed_image.h"
#include "analyse/rows.h"
#include "analyse/xz.h"

/*
 * A packed upload: header, payload, and the image in it, which is decoded as it streams by and
 * becomes the subject's image (facts/esp-formats.md 4, and 7, rows 21 to 31).
 */

#define PACKED_HEAD_BYTES (ALOFT_PACKED_WRAP_BYTES + ALOFT_PACKED_V2_BYTES)

struct packed {
    bool is_open;       /**< The header is whole and in its place: the payload is decoded. */
    enum aloft_err err; /**< Of the header: TRUNCATED until it is there. */
    struct aloft_packed_header header; /**< Valid when `err` is OK. */
    uint32_t header_off;
    uint8_t head[PACKED_HEAD_BYTES];
    size_t head_len;
    uint64_t payload_bytes; /**< Seen. */
    struct aloft_hash *md5;
    struct xz_reader *xz;
    uint64_t slot_bytes; /**< Where the image goes: it must be smaller. */
    struct subject *subject;
};

/** @return False when memory is out. */
bool packed_init(struct packed *p, struct subject *s);
void packed_deinit(struct packed *p);

/** The next bytes of the file, in any portions. */
void packed_feed(struct packed *p, const uint8_t *buf, size_t len);

/** Rows 5 to 34 as far as they apply to packed images. */
void packed_judge(struct packed *p);

#endif
