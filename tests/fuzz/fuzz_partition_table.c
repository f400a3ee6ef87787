/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "aloft/partition_table.h"
#include "host/hashes.h"

/* Parsers: formats/src/partition_table.c */

static struct aloft_hash *s_md5;

static void check_entries(const struct aloft_partition_table *t, uint32_t flash_bytes)
{
    MUST(t->n_entries <= ALOFT_PARTITION_MAX);
    for (size_t i = 0; i < t->n_entries; i++) {
        const struct aloft_partition *p = &t->entries[i];
        MUST(memchr(p->label, '\0', sizeof p->label) != NULL);
        MUST(flash_bytes == 0 || (uint64_t)p->off + p->size_bytes <= flash_bytes);
        const struct aloft_partition *found =
            aloft_partition_by_label(t->entries, t->n_entries, p->label);
        MUST(found != NULL && found <= p);
        found = aloft_partition_by_type(t->entries, t->n_entries, p->type, p->subtype);
        MUST(found != NULL && found <= p);
    }
}

/* What was read can be written and read again. */
static void check_round_trip(const struct aloft_partition_table *t)
{
    static struct aloft_partition_table again;
    uint8_t bytes[ALOFT_PARTITION_TABLE_BYTES];
    enum aloft_err err = aloft_partition_table_encode(t, s_md5, bytes);

    MUST(err == ALOFT_ERR_OK);
    MUST(aloft_partition_table_parse(bytes, sizeof bytes, 0, s_md5, &again) == ALOFT_ERR_OK);
    MUST(again.n_entries == t->n_entries && again.has_md5 == t->has_md5);
    for (size_t i = 0; i < t->n_entries; i++) {
        const struct aloft_partition *a = &t->entries[i];
        const struct aloft_partition *b = &again.entries[i];
        MUST(a->type == b->type && a->subtype == b->subtype && a->off == b->off);
        MUST(a->size_bytes == b->size_bytes && a->flags == b->flags);
        MUST(strcmp(a->label, b->label) == 0);
    }
}

/* The first byte: bit 0 checks the MD5, the others are the flash size in MiB. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct aloft_partition_table table;

    if (!s_md5) {
        s_md5 = hash_new_md5();
    }
    if (size == 0 || !s_md5) {
        return 0;
    }
    uint32_t flash_bytes = (uint32_t)(data[0] >> 1) << 20;
    enum aloft_err err = aloft_partition_table_parse(data + 1, size - 1, flash_bytes,
                                                     data[0] & 1 ? s_md5 : NULL, &table);
    if (err == ALOFT_ERR_OK) {
        check_entries(&table, flash_bytes);
        check_round_trip(&table);
    }
    return 0;
}
