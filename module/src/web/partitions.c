/* SPDX-License-Identifier: Apache-2.0 */
#include "web/partitions.h"

#include "aloft/layout.h"
#include "aloft/module.h"

/* The `index`-th entry of the table at `table_addr`. */
static enum aloft_err read_entry(const struct aloft_module *m, uint32_t table_addr, uint16_t index,
                                 struct aloft_partition *ret_entry)
{
    uint8_t record[ALOFT_PARTITION_RECORD_BYTES];

    if (index >= ALOFT_PARTITION_MAX) {
        return ALOFT_ERR_NOT_FOUND;
    }
    enum aloft_err err = m->port->flash.read(
        m->port->ctx, table_addr + index * ALOFT_PARTITION_RECORD_BYTES, record, sizeof record);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    err = aloft_partition_parse_record(record, ret_entry);
    return err == ALOFT_ERR_OK ? err : ALOFT_ERR_NOT_FOUND;
}

/* The partition whose first sector is the secondary table. */
static enum aloft_err find_secondary(const struct aloft_module *m, uint32_t *ret_addr)
{
    struct aloft_partition entry;
    enum aloft_err err = ALOFT_ERR_OK;

    for (uint16_t i = 0; err == ALOFT_ERR_OK; i++) {
        err = read_entry(m, ALOFT_PARTITION_TABLE_OFF, i, &entry);
        if (err == ALOFT_ERR_OK && entry.type == ALOFT_PARTITION_AT_CUSTOMIZE &&
            entry.subtype == 0) {
            *ret_addr = entry.off;
            return ALOFT_ERR_OK;
        }
    }
    return err;
}

enum aloft_err aloft_partitions_at(const struct aloft_module *m, uint16_t index,
                                   struct aloft_partition *ret_partition)
{
    uint32_t addr = 0;
    enum aloft_err err = find_secondary(m, &addr);

    return err == ALOFT_ERR_OK ? read_entry(m, addr, index, ret_partition) : err;
}
