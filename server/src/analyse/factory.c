/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/factory.h"

#include <inttypes.h>

#include "aloft/err.h"
#include "aloft/sniff.h"

/* ota_0 holds the app in every release; a layout without OTA has `factory` instead. */
static const struct aloft_partition *find_slot(const struct aloft_partition_table *table)
{
    const struct aloft_partition *slot = aloft_partition_by_type(
        table->entries, table->n_entries, ALOFT_PARTITION_APP, ALOFT_PARTITION_APP_OTA_0);

    return slot ? slot
                : aloft_partition_by_type(table->entries, table->n_entries, ALOFT_PARTITION_APP,
                                          ALOFT_PARTITION_APP_FACTORY);
}

void factory_begin(struct factory *factory, struct subject *s, const uint8_t *head)
{
    struct aloft_partition_table table;

    factory->is_factory = aloft_sniff(head, ALOFT_SNIFF_BYTES) == ALOFT_SNIFF_FACTORY;
    if (!factory->is_factory ||
        aloft_partition_table_parse(head + ALOFT_PARTITION_TABLE_OFF, ALOFT_PARTITION_TABLE_BYTES,
                                    0, NULL, &table) != ALOFT_ERR_OK) {
        return;
    }
    const struct aloft_partition *slot = find_slot(&table);
    if (slot && slot->off >= FACTORY_HEAD_BYTES) {
        factory->has_slot = true;
        factory->app_off = slot->off;
        factory->slot_bytes = slot->size_bytes;
        restart_image(s);
    }
}

void factory_feed(const struct factory *factory, struct subject *s, uint64_t off,
                  const uint8_t *buf, size_t len)
{
    uint64_t end = (uint64_t)factory->app_off + factory->slot_bytes;
    size_t skip = off >= factory->app_off        ? 0
                  : factory->app_off - off < len ? (size_t)(factory->app_off - off)
                                                 : len;

    if (!factory->has_slot || off >= end || skip == len) {
        return;
    }
    size_t n = end - off < len ? (size_t)(end - off) : len;
    feed_plain(s, buf + skip, n - skip);
}

/* The app alone, with its signature if it has one. */
static uint64_t app_bytes(const struct subject *s)
{
    bool has_signature = tail_has_signature(&s->tail);

    return has_signature ? tail_sector_off(&s->tail) + ALOFT_SIGNATURE_BYTES : s->image.image_bytes;
}

void factory_refuse(const struct factory *factory, struct subject *s, const char *remedy)
{
    struct analysis_report *report = s->report;
    enum aloft_err err = aloft_app_image_finish(&s->image);
    const char *code = "OTA_IS_FACTORY_IMAGE";

    if (!factory->has_slot) {
        add_finding(s, 3, code, ANALYSIS_REFUSAL,
                    "this is %s; %s (its partition table names no app slot to cut it from)",
                    aloft_sniff_text(ALOFT_SNIFF_FACTORY), remedy);
        return;
    }
    if (s->layout->upload != ALOFT_UPLOAD_PLAIN) {
        add_finding(s, 3, code, ANALYSIS_REFUSAL,
                    "this is %s; %s, for modules of the layout %s take %s images and the app in it "
                    "is a plain one",
                    aloft_sniff_text(ALOFT_SNIFF_FACTORY), remedy, s->layout->name,
                    aloft_upload_kind_text(s->layout->upload));
        return;
    }
    if (err != ALOFT_ERR_OK) {
        add_finding(s, 3, code, ANALYSIS_REFUSAL,
                    "this is %s; %s (the app in it, at 0x%" PRIx32 ", cannot be cut out: %s)",
                    aloft_sniff_text(ALOFT_SNIFF_FACTORY), remedy, factory->app_off,
                    aloft_err_text(err));
        return;
    }
    report->has_app = true;
    report->app_off = factory->app_off;
    report->app_bytes = app_bytes(s);
    add_finding(s, 3, code, ANALYSIS_REFUSAL,
                "this is a factory image: I can cut the app out for you, %" PRIu64
                " bytes at 0x%" PRIx32 "; or %s",
                report->app_bytes, factory->app_off, remedy);
}
