/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_device.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "aloft/partition_table.h"
#include "boot_rows.h"
#include "host/hashes.h"
#include "mini_image.h"

static void on_violation(void *ctx, uint32_t addr)
{
    (void)ctx;
    fail_msg("a program at 0x%x asks a 0 to become 1", addr);
}

void device_begin(struct device *d, uint32_t flash_bytes, const struct aloft_chip *chip,
                  bool has_rollback)
{
    const struct flash_hooks hooks = {NULL, NULL, on_violation};

    d->bytes = malloc(flash_bytes);
    assert_non_null(d->bytes);
    memset(d->bytes, 0xFF, flash_bytes);
    flash_init(&d->flash, d->bytes, flash_bytes, &hooks);
    d->boot = (struct boot_loader){.flash = &d->flash,
                                   .chip = chip,
                                   .has_rollback = has_rollback,
                                   .sha256 = hash_new_sha256(),
                                   .md5 = hash_new_md5()};
}

void device_end(struct device *d)
{
    hash_free((struct aloft_hash *)(uintptr_t)d->boot.sha256);
    hash_free((struct aloft_hash *)(uintptr_t)d->boot.md5);
    free(d->bytes);
}

void device_set_efuse(struct device *d, uint32_t bits)
{
    d->efuse = (struct efuse){.bits = bits, .n_bits = d->boot.chip->secure_version_bits};
    d->boot.efuse = &d->efuse;
}

void device_put_versioned_image(struct device *d, uint32_t addr, const char *version,
                                uint32_t secure_version)
{
    mini_image_make(d->boot.chip, version, d->bytes + addr);
    mini_image_set_secure_version(d->bytes + addr, secure_version);
}

void device_put_image(struct device *d, uint32_t addr, const char *version)
{
    device_put_versioned_image(d, addr, version, 0);
}

void device_put_otadata(struct device *d, uint32_t addr, const struct aloft_otadata *otadata)
{
    memset(d->bytes + addr, 0xFF, ALOFT_OTADATA_BYTES);
    aloft_otadata_entry_encode(&otadata->entry[0], d->bytes + addr);
    aloft_otadata_entry_encode(&otadata->entry[1], d->bytes + addr + 0x1000);
}

static void add_partition(struct aloft_partition_table *t, uint8_t type, uint8_t subtype,
                          uint32_t addr, uint32_t size)
{
    t->entries[t->n_entries++] =
        (struct aloft_partition){.type = type, .subtype = subtype, .off = addr, .size_bytes = size};
}

void device_put_table(struct device *d, uint32_t slots)
{
    struct aloft_partition_table t = {0};

    add_partition(&t, 1, 0, DEVICE_OTADATA_ADDR, 0x2000);
    for (uint8_t i = 0; i < 16; i++) {
        if ((slots >> i) & 1) {
            add_partition(&t, 0, (uint8_t)(0x10 + i), DEVICE_OTA_ADDR + i * DEVICE_SLOT_BYTES,
                          DEVICE_SLOT_BYTES);
        }
    }
    if (slots & ROW_FACTORY) {
        add_partition(&t, 0, 0, DEVICE_FACTORY_ADDR, DEVICE_SLOT_BYTES);
    }
    if (slots & ROW_TEST) {
        add_partition(&t, 0, 0x20, DEVICE_TEST_ADDR, DEVICE_SLOT_BYTES);
    }
    assert_err(aloft_partition_table_encode(&t, NULL, d->bytes + 0x8000), ALOFT_ERR_OK);
}

uint32_t device_addr_of(int slot)
{
    if (slot == ALOFT_BOOT_FACTORY) {
        return DEVICE_FACTORY_ADDR;
    }
    return slot == ALOFT_BOOT_TEST ? DEVICE_TEST_ADDR
                                   : DEVICE_OTA_ADDR + (uint32_t)slot * DEVICE_SLOT_BYTES;
}

void device_begin_layout(struct device *d, const struct aloft_layout *layout)
{
    uint8_t app[MINI_IMAGE_BYTES];

    device_begin(d, layout->flash_bytes, aloft_chip_by_id(layout->chip_id), layout->has_rollback);
    assert_non_null(d->boot.chip);
    mini_image_make(d->boot.chip, "old", app);
    assert_err(boot_loader_format(&d->boot, layout, app, sizeof app, &d->e), ALOFT_ERR_OK);
}

uint32_t device_otadata_of(const struct aloft_layout *layout)
{
    return aloft_partition_by_label(layout->primary, layout->n_primary, "otadata")->off;
}
