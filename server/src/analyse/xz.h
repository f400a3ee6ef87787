/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ANALYSE_XZ_H
#define ALOFT_SERVER_ANALYSE_XZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The payload of a packed image, decoded as it streams by and only as far as a boot loader would
 * (facts/esp-formats.md 4.2): one .xz stream, check none or CRC32, the filter LZMA2 alone, a
 * dictionary of 64 KiB at most. liblzma itself takes more, so the container is walked here and only
 * the blocks are decoded by it. Memory: one dictionary and one portion of output.
 */

#define XZ_DICT_MAX 65536u /**< Bytes; larger ones do not fit in a boot loader's memory. */

enum xz_fault {
    XZ_GOOD,
    XZ_NO_STREAM, /**< It does not begin with a whole stream header. */
    XZ_CHECK,     /**< Integrity check of a type boot loaders do not have: `check`. */
    XZ_FILTER,    /**< Another filter than LZMA2, or more than one. */
    XZ_DICT,      /**< The dictionary is too large: `dict_bytes`. */
    XZ_TRAILING,  /**< Bytes follow the end of the stream. */
    XZ_DATA,      /**< Damaged. */
    XZ_TRUNCATED, /**< It ends too early. */
    XZ_STOPPED,   /**< The sink wanted no more. */
    XZ_MEMORY,    /**< Memory is out. */
};

/** Takes decoded bytes, which are borrowed. @return False to stop. */
typedef bool xz_sink(void *ctx, const uint8_t *buf, size_t len);

struct xz_reader;

/** @return Free with xz_free(); NULL only when memory is out. */
struct xz_reader *xz_new(xz_sink *sink, void *ctx);

/** The next bytes, in any portions; after a fault they are ignored. */
void xz_feed(struct xz_reader *xz, const uint8_t *buf, size_t len);

/** No more bytes come. @return The first fault. */
enum xz_fault xz_finish(struct xz_reader *xz);

/** Type of the integrity check as the stream header says; 0 none, 1 CRC32, 4 CRC64, 10 SHA-256. */
unsigned xz_check(const struct xz_reader *xz);

/** Of the last block header that was read; 0 before. */
uint32_t xz_dict_bytes(const struct xz_reader *xz);

/** NULL is allowed. */
void xz_free(struct xz_reader *xz);

#endif
