/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_ROM_WORLD_H
#define ALOFT_TESTS_ROM_WORLD_H

#include "store_world.h"

#include <stdbool.h>
#include <string.h>

#include "store/current.h"
#include "store/links.h"
#include "store/products.h"
#include "store/roms.h"

/* A store with one product, and what tests of ROMs do with it. */

#define BLOB_A   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FINDINGS "[{\"row\":1}]"
#define BLOB_B   "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct fixture {
    char dir[256];
    struct db *db;
    struct product product;
    int64_t n_roms; /* added so far */
};

/** The product `lamp`; for TEST. */
static inline int set_up(void **state)
{
    struct fixture *f = (struct fixture *)calloc(1, sizeof *f);

    if (!f || store_world_open(f->dir, &f->db) != 0) {
        return -1;
    }
    *state = f;
    (void)snprintf(f->product.name, sizeof f->product.name, "lamp");
    (void)snprintf(f->product.layout, sizeof f->product.layout, "esp32c3_default");
    (void)snprintf(f->product.token, sizeof f->product.token, "%040d", 1);
    (void)snprintf(f->product.token_tls, sizeof f->product.token_tls, "%040d", 2);
    return products_add(f->db, &f->product, NULL) == ALOFT_ERR_OK ? 0 : -1;
}

static inline int tear_down(void **state)
{
    struct fixture *f = (struct fixture *)*state;

    store_world_close(f->dir, f->db);
    free(f);
    return 0;
}

/** A whole file that waits for a ROM of this version, complete at 1000 ms. */
static inline void add_upload_for(struct fixture *f, const char *version, const char *id,
                                  const char *name, const char *sha256)
{
    struct upload u;

    memset(&u, 0, sizeof u);
    u.product_id = f->product.id;
    u.created_ms = 1000;
    u.file.size_bytes = 336;
    (void)snprintf(u.id, sizeof u.id, "%s", id);
    (void)snprintf(u.version, sizeof u.version, "%s", version);
    (void)snprintf(u.file.name, sizeof u.file.name, "%s", name);
    (void)snprintf(u.file.sha256, sizeof u.file.sha256, "%s", sha256);
    assert_err(uploads_add(f->db, &u, FINDINGS, NULL), ALOFT_ERR_OK);
}

static inline void add_upload(struct fixture *f, const char *id, const char *name,
                              const char *sha256)
{
    add_upload_for(f, "v1", id, name, sha256);
}

/** A ROM of this version with one file (BLOB_A); each later than the one before. */
static inline void add_rom(struct fixture *f, const char *version)
{
    struct rom rom;
    const struct rom_part part = {"ota.bin", "u1"};

    memset(&rom, 0, sizeof rom);
    rom.product_id = f->product.id;
    rom.created_ms = ++f->n_roms;
    (void)snprintf(rom.life_cycle, sizeof rom.life_cycle, "release");
    (void)snprintf(rom.version, sizeof rom.version, "%s", version);
    add_upload_for(f, version, "u1", "ota.bin", BLOB_A);
    assert_err(roms_add(f->db, &rom, &part, 1, NULL), ALOFT_ERR_OK);
}

static inline struct rom get_rom(struct fixture *f, const char *version)
{
    struct rom rom;

    assert_err(roms_get(f->db, f->product.id, version, &rom, NULL, NULL, NULL), ALOFT_ERR_OK);
    return rom;
}

/** Make it current, by ada. */
static inline enum aloft_err choose(struct fixture *f, const char *version, struct error *e)
{
    struct current_choice choice;

    memset(&choice, 0, sizeof choice);
    choice.chosen_ms = 5;
    (void)snprintf(choice.chosen_by, sizeof choice.chosen_by, "ada");
    (void)snprintf(choice.version, sizeof choice.version, "%s", version);
    return current_choose(f->db, f->product.id, &choice, e);
}

static inline bool is_needed(struct fixture *f, const char *sha256)
{
    bool needed = false;

    assert_err(blob_is_needed(f->db, sha256, &needed, NULL), ALOFT_ERR_OK);
    return needed;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
