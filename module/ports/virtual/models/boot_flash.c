/* SPDX-License-Identifier: Apache-2.0 */
#include "models/boot_flash.h"

#include <string.h>

#include "aloft/limits.h"

#define READ_BYTES     4096u
#define SLOT_BYTES_MAX (16u * 1024 * 1024) /* facts/esp-formats.md 1.7, check 1 */

static enum aloft_err load_table(const struct boot_loader *b,
                                 struct aloft_partition_table *ret_table, struct error *e)
{
    uint8_t buf[ALOFT_PARTITION_TABLE_BYTES];
    enum aloft_err err = flash_read(b->flash, ALOFT_PARTITION_TABLE_OFF, buf, sizeof buf);

    if (err == ALOFT_ERR_OK) {
        err = aloft_partition_table_parse(buf, sizeof buf, b->flash->size_bytes, b->md5, ret_table);
    }
    if (err != ALOFT_ERR_OK) {
        return fail(e, err, "the flash has no usable partition table at 0x%x: %s",
                    ALOFT_PARTITION_TABLE_OFF, aloft_err_text(err));
    }
    return ALOFT_ERR_OK;
}

/* The last data/ota entry counts; NULL without one (facts/esp-formats.md 2.1). */
static const struct aloft_partition *find_otadata(const struct aloft_partition_table *table)
{
    const struct aloft_partition *found = NULL;

    for (size_t i = 0; i < table->n_entries; i++) {
        const struct aloft_partition *p = &table->entries[i];
        if (p->type == ALOFT_PARTITION_DATA && p->subtype == ALOFT_PARTITION_DATA_OTA) {
            found = p;
        }
    }
    return found;
}

static enum aloft_err load_otadata(const struct boot_loader *b, const struct aloft_partition *where,
                                   struct aloft_otadata *ret_otadata, struct error *e)
{
    if (where->size_bytes < ALOFT_OTADATA_BYTES) {
        return fail(e, ALOFT_ERR_RANGE, "the otadata partition has 0x%x bytes, it needs 0x%x",
                    where->size_bytes, ALOFT_OTADATA_BYTES);
    }
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t buf[ALOFT_OTADATA_ENTRY_BYTES];
        enum aloft_err err =
            flash_read(b->flash, where->off + i * ALOFT_SECTOR_BYTES, buf, sizeof buf);
        if (err != ALOFT_ERR_OK) {
            return fail(e, err, "otadata cannot be read: %s", aloft_err_text(err));
        }
        aloft_otadata_entry_parse(buf, &ret_otadata->entry[i]);
    }
    return ALOFT_ERR_OK;
}

enum aloft_err boot_flash_load(const struct boot_loader *b, struct boot_flash *ret_flash,
                               struct error *e)
{
    enum aloft_err err = load_table(b, &ret_flash->table, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    ret_flash->otadata = find_otadata(&ret_flash->table);
    return ret_flash->otadata ? load_otadata(b, ret_flash->otadata, &ret_flash->entries, e)
                              : ALOFT_ERR_OK;
}

enum aloft_err boot_flash_store_entry(const struct boot_loader *b, const struct boot_flash *flash,
                                      int index, const struct aloft_otadata_entry *entry,
                                      struct error *e)
{
    uint32_t addr = flash->otadata->off + (uint32_t)index * ALOFT_SECTOR_BYTES;
    uint8_t buf[ALOFT_OTADATA_ENTRY_BYTES];

    aloft_otadata_entry_encode(entry, buf);
    enum aloft_err err = flash_erase(b->flash, addr, ALOFT_SECTOR_BYTES);
    if (err == ALOFT_ERR_OK) {
        err = flash_program(b->flash, addr, buf, sizeof buf);
    }
    if (err != ALOFT_ERR_OK) {
        return fail(e, err, "boot entry %d cannot be written: %s", index, aloft_err_text(err));
    }
    return ALOFT_ERR_OK;
}

const struct aloft_partition *boot_flash_find_app(const struct boot_flash *flash, int slot)
{
    uint8_t subtype = (uint8_t)(ALOFT_PARTITION_APP_OTA_0 + slot);

    if (slot == ALOFT_BOOT_FACTORY) {
        subtype = ALOFT_PARTITION_APP_FACTORY;
    } else if (slot == ALOFT_BOOT_TEST) {
        subtype = ALOFT_PARTITION_APP_TEST;
    }
    return aloft_partition_by_type(flash->table.entries, flash->table.n_entries,
                                   ALOFT_PARTITION_APP, subtype);
}

static enum aloft_err feed_image(const struct boot_loader *b, const struct aloft_partition *p,
                                 struct aloft_app_image *img)
{
    uint8_t buf[READ_BYTES];

    for (uint32_t off = 0; off < p->size_bytes && !aloft_app_image_is_complete(img);) {
        uint32_t n = p->size_bytes - off < READ_BYTES ? p->size_bytes - off : READ_BYTES;
        enum aloft_err err = flash_read(b->flash, p->off + off, buf, n);
        size_t used = 0;
        if (err == ALOFT_ERR_OK) {
            err = aloft_app_image_feed(img, buf, n, &used);
        }
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        off += n;
    }
    return aloft_app_image_finish(img);
}

uint32_t boot_flash_secure_version(const struct boot_loader *b, const struct aloft_partition *p)
{
    uint8_t buf[ALOFT_APP_DESC_BYTES];
    struct aloft_app_desc desc;

    if (p->size_bytes < ALOFT_APP_PREFIX_BYTES ||
        flash_read(b->flash, p->off + ALOFT_APP_DESC_OFF, buf, sizeof buf) != ALOFT_ERR_OK ||
        aloft_app_desc_parse(buf, &desc) != ALOFT_ERR_OK) {
        return 0;
    }
    return desc.secure_version;
}

enum aloft_err boot_flash_verify(const struct boot_loader *b, const struct aloft_partition *p,
                                 struct aloft_app_image *ret_img)
{
    const struct aloft_app_rules rules = {
        .chip = b->chip, .chip_revision = b->chip_revision, .slot_bytes = p->size_bytes};

    if (p->size_bytes > SLOT_BYTES_MAX) {
        return ALOFT_ERR_TOO_BIG;
    }
    aloft_app_image_init(ret_img, &rules, b->sha256);
    enum aloft_err err = feed_image(b, p, ret_img);
    if (err == ALOFT_ERR_OK && b->efuse &&
        boot_flash_secure_version(b, p) < efuse_version(b->efuse)) {
        return ALOFT_ERR_SECURE_VERSION;
    }
    return err;
}
