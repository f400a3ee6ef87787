/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "aloft/partition_csv.h"

/* Parsers: formats/src/partition_csv.c formats/src/partition_words.c */

static void check_table(const struct aloft_partition_table *t,
                        const struct aloft_partition_csv_rules *rules)
{
    uint64_t end = (uint64_t)rules->table_off + 0x1000;

    MUST(t->n_entries <= ALOFT_PARTITION_MAX);
    for (size_t i = 0; i < t->n_entries; i++) {
        const struct aloft_partition *p = &t->entries[i];
        MUST(memchr(p->label, '\0', sizeof p->label) != NULL);
        MUST(p->off >= end);
        end = (uint64_t)p->off + p->size_bytes;
        MUST(end <= (uint64_t)UINT32_MAX + 1);
        MUST(rules->skip_verify ||
             p->off % (p->type == ALOFT_PARTITION_APP ? 0x10000 : 0x1000) == 0);
    }
    MUST(rules->skip_verify || rules->flash_bytes == 0 || t->n_entries == 0 ||
         end <= rules->flash_bytes);
}

/* Two comments and one line for each partition: no label forges another. */
static void check_text(const struct aloft_partition_table *t)
{
    char text[8192];
    size_t len = 0;
    size_t n_lines = 0;
    enum aloft_err err = aloft_partition_csv_encode(t, text, sizeof text, &len);

    MUST(err == ALOFT_ERR_OK || err == ALOFT_ERR_SYNTAX);
    for (size_t i = 0; err == ALOFT_ERR_OK && i < len; i++) {
        n_lines += text[i] == '\n';
    }
    MUST(err != ALOFT_ERR_OK || (n_lines == t->n_entries + 2 && len == strlen(text)));
    MUST(aloft_partition_csv_encode(t, text, len / 2, &len) != ALOFT_ERR_OK);
}

/* The first byte: bit 0 skips the rules, bit 1 is a secondary table, the others the flash size. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct aloft_partition_table table;
    struct aloft_partition_csv_report report;

    if (size == 0) {
        return 0;
    }
    const struct aloft_partition_csv_rules rules = {.table_off = 0x8000,
                                                    .flash_bytes = (uint32_t)(data[0] >> 2) << 20,
                                                    .is_secondary = (data[0] & 2) != 0,
                                                    .skip_verify = (data[0] & 1) != 0};
    enum aloft_err err =
        aloft_partition_csv_parse((const char *)data + 1, size - 1, &rules, &table, &report);
    MUST(err == ALOFT_ERR_OK || report.sentence != NULL);
    MUST(report.line <= size);
    if (err == ALOFT_ERR_OK) {
        check_table(&table, &rules);
        check_text(&table);
    }
    return 0;
}
