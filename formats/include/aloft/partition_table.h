/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_PARTITION_TABLE_H
#define ALOFT_PARTITION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"
#include "aloft/hash.h"
#include "aloft/limits.h"

/* Partition tables, binary and CSV (facts/esp-formats.md 2). */

#define ALOFT_PARTITION_TABLE_BYTES  0xC00u /**< Data area of the sector, and size of the file. */
#define ALOFT_PARTITION_RECORD_BYTES 32u
#define ALOFT_PARTITION_MAX          95 /**< Entries that fit with the end marker. */

/* Types and the subtypes this project names. Stored: never renumber. */
#define ALOFT_PARTITION_APP          0x00
#define ALOFT_PARTITION_DATA         0x01
#define ALOFT_PARTITION_AT_CUSTOMIZE 0x40
#define ALOFT_PARTITION_APP_FACTORY  0x00
#define ALOFT_PARTITION_APP_OTA_0    0x10 /**< ota_N is this + N, N 0..15. */
#define ALOFT_PARTITION_APP_TEST     0x20
#define ALOFT_PARTITION_DATA_OTA     0x00
#define ALOFT_PARTITION_DATA_PHY     0x01
#define ALOFT_PARTITION_DATA_NVS     0x02
#define ALOFT_PARTITION_DATA_STORAGE 0x22 /**< Packed-image storage of legacy compressed OTA. */

#define ALOFT_PARTITION_ENCRYPTED 0x1u
#define ALOFT_PARTITION_READONLY  0x2u

struct aloft_partition {
    uint8_t type;
    uint8_t subtype;
    uint32_t off; /**< Absolute flash address. */
    uint32_t size_bytes;
    uint32_t flags;
    char label[ALOFT_LABEL_MAX + 1]; /**< Always NUL-terminated here, 16 bytes may be used. */
};

struct aloft_partition_table {
    struct aloft_partition entries[ALOFT_PARTITION_MAX];
    size_t n_entries;
    bool has_md5; /**< An MD5 record was there (and matched), or is to be written. */
};

/**
 * Read a binary table as the boot loader does.
 *
 * @param buf         At least up to the end marker; normally ALOFT_PARTITION_TABLE_BYTES.
 * @param flash_bytes Chip size for the bounds check; 0 = do not check bounds.
 * @param md5         MD5 to check a record with; NULL = a record is accepted unchecked.
 * @retval ALOFT_ERR_MAGIC      A record is neither entry, MD5 record nor end.
 * @retval ALOFT_ERR_TRUNCATED  No end marker.
 * @retval ALOFT_ERR_RANGE      An entry reaches past the flash.
 * @retval ALOFT_ERR_MD5        The MD5 record does not match.
 * @retval ALOFT_ERR_DUPLICATE  Two MD5 records.
 * On every error `*ret_table` is undefined.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_partition_table_parse(const uint8_t *buf, size_t len, uint32_t flash_bytes,
                                           const struct aloft_hash *md5,
                                           struct aloft_partition_table *ret_table);

/**
 * Read one record, for tables that are looked through without memory for a whole one.
 *
 * @param record  ALOFT_PARTITION_RECORD_BYTES bytes.
 * @retval ALOFT_ERR_MAGIC  It is no entry: an MD5 record, the end marker, or no table.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_partition_parse_record(const uint8_t *record,
                                            struct aloft_partition *ret_entry);

/**
 * Write a binary table: records, the MD5 record if `table->has_md5`, FF to the end.
 *
 * @param out  ALOFT_PARTITION_TABLE_BYTES bytes.
 * @param md5  Needed if `table->has_md5`.
 * @retval ALOFT_ERR_TOO_BIG  More entries than fit (95, or 94 with the MD5 record).
 * @retval ALOFT_ERR_ARG      An MD5 record is wanted and `md5` is NULL.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_partition_table_encode(const struct aloft_partition_table *table,
                                            const struct aloft_hash *md5, uint8_t *out);

/** First entry with this label; NULL if there is none. Borrowed from the table. */
const struct aloft_partition *aloft_partition_by_label(const struct aloft_partition *entries,
                                                       size_t n_entries, const char *label);

/** First entry of this type and subtype; NULL if there is none. Borrowed from the table. */
const struct aloft_partition *aloft_partition_by_type(const struct aloft_partition *entries,
                                                      size_t n_entries, uint8_t type,
                                                      uint8_t subtype);

#endif
