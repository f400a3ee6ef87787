/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/partition_table.h"

#include <string.h>

#include "aloft/bytes.h"

/* facts/esp-formats.md 2.1. */
#define MAGIC_ENTRY 0x50AAu
#define MAGIC_MD5   0xEBEBu
#define MAGIC_END   0xFFFFu
#define MD5_OFF     16u /* of the digest in its record */
#define LABEL_OFF   12u
#define RECORDS_MAX (ALOFT_PARTITION_TABLE_BYTES / ALOFT_PARTITION_RECORD_BYTES)

enum aloft_err aloft_partition_parse_record(const uint8_t *record,
                                            struct aloft_partition *ret_entry)
{
    if (aloft_get_le16(record) != MAGIC_ENTRY) {
        return ALOFT_ERR_MAGIC;
    }
    ret_entry->type = record[2];
    ret_entry->subtype = record[3];
    ret_entry->off = aloft_get_le32(record + 4);
    ret_entry->size_bytes = aloft_get_le32(record + 8);
    aloft_get_text(record + LABEL_OFF, ALOFT_LABEL_MAX, ret_entry->label, sizeof ret_entry->label);
    ret_entry->flags = aloft_get_le32(record + 28);
    return ALOFT_ERR_OK;
}

static void encode_entry(const struct aloft_partition *p, uint8_t *record)
{
    const char *label_end = memchr(p->label, '\0', ALOFT_LABEL_MAX);
    size_t label_len = label_end ? (size_t)(label_end - p->label) : ALOFT_LABEL_MAX;

    memset(record, 0, ALOFT_PARTITION_RECORD_BYTES);
    aloft_put_le16(record, MAGIC_ENTRY);
    record[2] = p->type;
    record[3] = p->subtype;
    aloft_put_le32(record + 4, p->off);
    aloft_put_le32(record + 8, p->size_bytes);
    memcpy(record + LABEL_OFF, p->label, label_len);
    aloft_put_le32(record + 28, p->flags);
}

static bool is_in_flash(const struct aloft_partition *p, uint32_t flash_bytes)
{
    return flash_bytes == 0 || (p->off <= flash_bytes && p->size_bytes <= flash_bytes - p->off);
}

static bool is_end(const uint8_t *record)
{
    return aloft_get_le16(record) == MAGIC_END && record[2] == 0xFF && record[3] == 0xFF;
}

static void digest(const struct aloft_hash *md5, const uint8_t *buf, size_t len,
                   uint8_t *ret_digest)
{
    md5->ops->start(md5->state);
    md5->ops->update(md5->state, buf, len);
    md5->ops->finish(md5->state, ret_digest);
}

/* The MD5 record at `off` covers everything before it. */
static enum aloft_err check_md5(const uint8_t *buf, size_t off, const struct aloft_hash *md5,
                                struct aloft_partition_table *table)
{
    uint8_t calculated[ALOFT_MD5_BYTES];

    if (table->has_md5) {
        return ALOFT_ERR_DUPLICATE;
    }
    table->has_md5 = true;
    if (!md5) {
        return ALOFT_ERR_OK;
    }
    digest(md5, buf, off, calculated);
    bool is_same = memcmp(calculated, buf + off + MD5_OFF, sizeof calculated) == 0;
    return is_same ? ALOFT_ERR_OK : ALOFT_ERR_MD5;
}

static enum aloft_err add_entry(const uint8_t *record, uint32_t flash_bytes,
                                struct aloft_partition_table *table)
{
    if (table->n_entries == ALOFT_PARTITION_MAX) {
        return ALOFT_ERR_TRUNCATED; /* the last record that could be the end marker is not it */
    }
    struct aloft_partition *p = &table->entries[table->n_entries];
    enum aloft_err err = aloft_partition_parse_record(record, p);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (!is_in_flash(p, flash_bytes)) {
        return ALOFT_ERR_RANGE;
    }
    table->n_entries++;
    return ALOFT_ERR_OK;
}

enum aloft_err aloft_partition_table_parse(const uint8_t *buf, size_t len, uint32_t flash_bytes,
                                           const struct aloft_hash *md5,
                                           struct aloft_partition_table *ret_table)
{
    size_t n_records = len / ALOFT_PARTITION_RECORD_BYTES;

    if (n_records > RECORDS_MAX) {
        n_records = RECORDS_MAX;
    }
    ret_table->n_entries = 0;
    ret_table->has_md5 = false;
    for (size_t i = 0; i < n_records; i++) {
        const uint8_t *record = buf + i * ALOFT_PARTITION_RECORD_BYTES;
        enum aloft_err err = ALOFT_ERR_MAGIC;
        if (is_end(record)) {
            return ALOFT_ERR_OK;
        }
        if (aloft_get_le16(record) == MAGIC_ENTRY) {
            err = add_entry(record, flash_bytes, ret_table);
        } else if (aloft_get_le16(record) == MAGIC_MD5) {
            err = check_md5(buf, i * ALOFT_PARTITION_RECORD_BYTES, md5, ret_table);
        }
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return ALOFT_ERR_TRUNCATED;
}

enum aloft_err aloft_partition_table_encode(const struct aloft_partition_table *table,
                                            const struct aloft_hash *md5, uint8_t *out)
{
    size_t n = table->n_entries;

    /* One record stays free for the end marker, one more for the MD5. */
    if (n + (table->has_md5 ? 1 : 0) > ALOFT_PARTITION_MAX) {
        return ALOFT_ERR_TOO_BIG;
    }
    if (table->has_md5 && !md5) {
        return ALOFT_ERR_ARG;
    }
    memset(out, 0xFF, ALOFT_PARTITION_TABLE_BYTES);
    for (size_t i = 0; i < n; i++) {
        encode_entry(&table->entries[i], out + i * ALOFT_PARTITION_RECORD_BYTES);
    }
    if (table->has_md5) {
        uint8_t *record = out + n * ALOFT_PARTITION_RECORD_BYTES;
        aloft_put_le16(record, MAGIC_MD5);
        digest(md5, out, n * ALOFT_PARTITION_RECORD_BYTES, record + MD5_OFF);
    }
    return ALOFT_ERR_OK;
}

const struct aloft_partition *aloft_partition_by_label(const struct aloft_partition *entries,
                                                       size_t n_entries, const char *label)
{
    for (size_t i = 0; i < n_entries; i++) {
        if (strcmp(entries[i].label, label) == 0) {
            return &entries[i];
        }
    }
    return NULL;
}

const struct aloft_partition *aloft_partition_by_type(const struct aloft_partition *entries,
                                                      size_t n_entries, uint8_t type,
                                                      uint8_t subtype)
{
    for (size_t i = 0; i < n_entries; i++) {
        if (entries[i].type == type && entries[i].subtype == subtype) {
            return &entries[i];
        }
    }
    return NULL;
}
