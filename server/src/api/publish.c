/* SPDX-License-Identifier: Apache-2.0 */
#include "api/publish.h"

#include <limits.h>

#include "host/auto.h"
#include "store/links.h"
#include "store/products.h"
#include "store/roms.h"

struct publishing {
    struct db *db;
    const struct blobs *blobs;
    struct catalog_draft *draft;
    struct catalog_product *product; /* the one whose ROMs are being added */
};

static enum aloft_err add_file(struct publishing *p, struct catalog_rom *rom,
                               const struct rom_file *file, struct error *e)
{
    char path[PATH_MAX];
    struct catalog_file_facts facts = {file->name, path, (uint64_t)file->size_bytes, file->sha256};
    enum aloft_err err = blobs_path(p->blobs, file->sha256, path, sizeof path, e);

    return err == ALOFT_ERR_OK ? catalog_draft_add_file(rom, &facts, e) : err;
}

static enum aloft_err add_rom(void *ctx, const struct rom *rom, const struct rom_file *files,
                              size_t n_files, struct error *e)
{
    struct publishing *p = ctx;
    struct catalog_rom *added = NULL;
    if (rom->is_withdrawn) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = catalog_draft_add_rom(p->product, rom->version, rom->life_cycle,
                                               rom->is_current, &added, e);

    for (size_t i = 0; err == ALOFT_ERR_OK && i < n_files; i++) {
        err = add_file(p, added, &files[i], e);
    }
    return err;
}

static enum aloft_err add_product(void *ctx, const struct product *product, struct error *e)
{
    struct publishing *p = ctx;
    enum aloft_err err = catalog_draft_add_product(p->draft, product->id, &p->product, e);

    return err == ALOFT_ERR_OK ? roms_each(p->db, product->id, add_rom, p, e) : err;
}

/* Links to files of withdrawn ROMs lead nowhere: the catalog sees to it. */
static enum aloft_err add_link(void *ctx, const struct link *link, struct error *e)
{
    struct publishing *p = ctx;
    const struct catalog_link_facts facts = {.short_name = link->short_name,
                                             .product_id = link->product_id,
                                             .version = link->version,
                                             .file_name = link->file,
                                             .expires_ms = link->expires_ms};

    return catalog_draft_add_link(p->draft, &facts, e);
}

enum aloft_err publish_catalog(struct db *db, const struct blobs *blobs, struct catalog *catalog,
                               struct error *e)
{
    struct publishing p = {.db = db, .blobs = blobs};

    p.draft = catalog_draft_new();
    if (!p.draft) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    enum aloft_err err = products_each(db, "", add_product, &p, e);
    if (err == ALOFT_ERR_OK) {
        err = links_each(db, add_link, &p, e);
    }
    if (err != ALOFT_ERR_OK) {
        catalog_draft_free(p.draft);
        return err;
    }
    return catalog_publish(catalog, p.draft, e);
}
