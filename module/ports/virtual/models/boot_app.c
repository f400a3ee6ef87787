/* SPDX-License-Identifier: Apache-2.0 */
#include "models/boot_flash.h"

#include "aloft/limits.h"

/* What the app does with otadata (facts/esp-formats.md 3.4 to 3.6). */

/* The app counts ota_0, ota_1, ... up to the first gap, unlike the boot loader
 * (facts/esp-formats.md 2.1). */
static uint32_t count_slots(const struct boot_flash *flash)
{
    uint32_t n = 0;

    while (n < ALOFT_BOOT_SLOTS_MAX && boot_flash_find_app(flash, (int)n)) {
        n++;
    }
    return n;
}

/* As every decision needs it: with otadata. */
static enum aloft_err load(const struct boot_loader *b, struct boot_flash *ret_flash,
                           struct error *e)
{
    enum aloft_err err = boot_flash_load(b, ret_flash, e);

    if (err == ALOFT_ERR_OK && !ret_flash->otadata) {
        return fail(e, ALOFT_ERR_NOT_FOUND, "the partition table has no otadata");
    }
    return err;
}

enum aloft_err boot_loader_spare(const struct boot_loader *b, int running,
                                 struct aloft_slot *ret_slot, struct error *e)
{
    struct boot_flash flash;
    enum aloft_err err = boot_flash_load(b, &flash, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    uint32_t n = count_slots(&flash);
    uint32_t spare = 0;
    if (running >= 0 && running < ALOFT_BOOT_SLOTS_MAX && n > 0) {
        spare = ((uint32_t)running + 1) % n;
    }
    if (n == 0 || (int)spare == running) {
        return fail(e, ALOFT_ERR_NO_SLOT, "the partition table has no slot to upgrade into");
    }
    const struct aloft_partition *p = boot_flash_find_app(&flash, (int)spare);
    *ret_slot =
        (struct aloft_slot){.index = (uint8_t)spare, .addr = p->off, .size_bytes = p->size_bytes};
    return ALOFT_ERR_OK;
}

/* The entry to write. One that selects the slot already is itself rewritten, as ESP-IDF 6 does: its
 * image went bad and another one runs. Beside it, as ESP-IDF 5 has it, it would rule again once the
 * new image is given up, and boot that image for ever (facts/esp-formats.md 3.4). */
static enum aloft_err next_entry(const struct boot_loader *b, const struct boot_flash *flash,
                                 uint32_t slot, int *ret_index,
                                 struct aloft_otadata_entry *ret_entry)
{
    const struct aloft_otadata *entries = &flash->entries;
    uint32_t state = b->has_rollback ? ALOFT_OTA_NEW : ALOFT_OTA_UNDEFINED;
    int active = aloft_otadata_active(entries);
    enum aloft_err err =
        aloft_otadata_next(entries, slot, count_slots(flash), state, ret_index, ret_entry);

    if (err == ALOFT_ERR_OK && active >= 0 && entries->entry[active].seq == ret_entry->seq) {
        *ret_index = active;
    }
    return err;
}

/* What is too old must not be left where a fallback would look for it. */
static enum aloft_err erase_slot(const struct boot_loader *b, const struct aloft_partition *p,
                                 uint32_t slot, struct error *e)
{
    uint32_t version = boot_flash_secure_version(b, p);

    if (flash_erase(b->flash, p->off, p->size_bytes) != ALOFT_ERR_OK) {
        return fail(e, ALOFT_ERR_FLASH, "ota_%u cannot be erased", slot);
    }
    return fail(e, ALOFT_ERR_SECURE_VERSION,
                "the image in ota_%u has secure version %u, this device takes %u and up; the slot "
                "was erased",
                slot, version, efuse_version(b->efuse));
}

enum aloft_err boot_loader_select(const struct boot_loader *b, uint32_t slot, struct error *e)
{
    struct boot_flash flash;
    struct aloft_otadata_entry entry;
    struct aloft_app_image img;
    int index = 0;
    enum aloft_err err = load(b, &flash, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    err = next_entry(b, &flash, slot, &index, &entry);
    if (err != ALOFT_ERR_OK) {
        return fail(e, err, "ota_%u cannot be selected: %s", slot, aloft_err_text(err));
    }
    const struct aloft_partition *p = boot_flash_find_app(&flash, (int)slot);
    err = boot_flash_verify(b, p, &img);
    if (err == ALOFT_ERR_SECURE_VERSION) {
        return erase_slot(b, p, slot, e);
    }
    if (err != ALOFT_ERR_OK) {
        return fail(e, err, "the image in ota_%u is not bootable: %s", slot, aloft_err_text(err));
    }
    return boot_flash_store_entry(b, &flash, index, &entry, e);
}

/* A proven app sets the lowest version allowed. */
static enum aloft_err raise_efuse(const struct boot_loader *b, const struct boot_flash *flash,
                                  int running, struct error *e)
{
    if (!b->efuse) {
        return ALOFT_ERR_OK;
    }
    uint32_t version = boot_flash_secure_version(b, boot_flash_find_app(flash, running));
    enum aloft_err err = efuse_raise(b->efuse, version);
    if (err != ALOFT_ERR_OK) {
        return fail(e, err, "the eFuse cannot be raised to secure version %u: %s", version,
                    aloft_err_text(err));
    }
    return ALOFT_ERR_OK;
}

enum aloft_err boot_loader_confirm(const struct boot_loader *b, int running, struct error *e)
{
    struct boot_flash flash;

    if (!boot_loader_is_unconfirmed(b, running)) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = load(b, &flash, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    int active = aloft_otadata_active(&flash.entries);
    if (active < 0 || flash.entries.entry[active].state != ALOFT_OTA_PENDING_VERIFY) {
        return ALOFT_ERR_OK; /* another entry rules already */
    }
    flash.entries.entry[active].state = ALOFT_OTA_VALID;
    err = boot_flash_store_entry(b, &flash, active, &flash.entries.entry[active], e);
    return err == ALOFT_ERR_OK ? raise_efuse(b, &flash, running, e) : err;
}

/* Would something else boot once the active entry is gone? (facts/esp-formats.md 3.5) */
static bool has_way_back(const struct boot_loader *b, const struct boot_flash *flash, int running,
                         int active)
{
    const struct aloft_otadata_entry *other = &flash->entries.entry[1 - active];
    struct aloft_app_image img;
    int slot = ALOFT_BOOT_FACTORY;

    if (aloft_otadata_is_valid(other)) {
        slot = (int)aloft_otadata_slot(other, count_slots(flash));
    }
    const struct aloft_partition *p = boot_flash_find_app(flash, slot);
    return slot != running && p && boot_flash_verify(b, p, &img) == ALOFT_ERR_OK;
}

enum aloft_err boot_loader_reject(const struct boot_loader *b, int running, struct error *e)
{
    struct boot_flash flash;
    enum aloft_err err = load(b, &flash, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    int active = aloft_otadata_active(&flash.entries);
    uint32_t n = count_slots(&flash);
    if (active < 0 || n == 0 ||
        (int)aloft_otadata_slot(&flash.entries.entry[active], n) != running) {
        return fail(e, ALOFT_ERR_STATE, "the running image is not the selected one");
    }
    if (!has_way_back(b, &flash, running, active)) {
        return fail(e, ALOFT_ERR_STATE, "no other image would boot");
    }
    flash.entries.entry[active].state = ALOFT_OTA_INVALID;
    return boot_flash_store_entry(b, &flash, active, &flash.entries.entry[active], e);
}

bool boot_loader_is_unconfirmed(const struct boot_loader *b, int running)
{
    struct boot_flash flash;

    if (running < 0 || load(b, &flash, NULL) != ALOFT_ERR_OK) {
        return false;
    }
    uint32_t n = count_slots(&flash);
    return n > 0 && aloft_otadata_slot_state(&flash.entries, (uint32_t)running, n) ==
                        ALOFT_OTA_PENDING_VERIFY;
}

bool boot_loader_is_pending(const struct boot_loader *b, int running)
{
    struct boot_flash flash;
    struct aloft_app_image img;

    if (load(b, &flash, NULL) != ALOFT_ERR_OK) {
        return false;
    }
    int active = aloft_otadata_active(&flash.entries);
    uint32_t n = count_slots(&flash);
    if (active < 0 || n == 0) {
        return false;
    }
    int slot = (int)aloft_otadata_slot(&flash.entries.entry[active], n);
    return slot != running &&
           boot_flash_verify(b, boot_flash_find_app(&flash, slot), &img) == ALOFT_ERR_OK;
}
