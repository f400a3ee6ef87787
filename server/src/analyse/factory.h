/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ANALYSE_FACTORY_H
#define ALOFT_SERVER_ANALYSE_FACTORY_H

#include "aloft/partition_table.h"
#include "analyse/rows.h"

/* A factory image holds the whole flash, so the app is in it: where, and is it whole? */

/** From the start of the file up to the end of its partition table. */
#define FACTORY_HEAD_BYTES (ALOFT_PARTITION_TABLE_OFF + ALOFT_PARTITION_TABLE_BYTES)

struct factory {
    bool is_factory;
    bool has_slot; /**< The partition table names an app slot. */
    uint32_t app_off;
    uint32_t slot_bytes;
};

/**
 * Look at the first FACTORY_HEAD_BYTES of a file. If they are those of a factory image with an app
 * slot, the subject's image begins anew and stands for the app in that slot.
 */
void factory_begin(struct factory *factory, struct subject *s, const uint8_t *head);

/** The bytes at `off` of the file. */
void factory_feed(const struct factory *factory, struct subject *s, uint64_t off,
                  const uint8_t *buf, size_t len);

/** Row 3; fills `app_off` and `app_bytes` of the report if the app can be cut out. */
void factory_refuse(const struct factory *factory, struct subject *s, const char *remedy);

#endif
