/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CATALOG_SNAPSHOT_H
#define ALOFT_CATALOG_SNAPSHOT_H

#include "catalog/catalog.h"

/* Inside the catalog: what a snapshot consists of. Lists are in the order modules see. */

#define FILE_HEAD_BYTES 192 /**< Stock head of a file answer: 142 bytes plus a longer number. */

struct catalog_rom {
    struct catalog_rom *next;
    struct catalog_file **files;
    size_t n_files;
    bool is_current;
    char version[ALOFT_VERSION_MAX + 1];
    char life_cycle[CATALOG_LIFE_CYCLE_MAX + 1];
};

struct catalog_product {
    int64_t id;
    struct catalog_rom *roms;
    struct catalog_rom **roms_end; /**< Where the next ROM is hung in. */
    const struct catalog_rom *current;
    struct catalog_answer version_answer; /**< `bytes` NULL: no current version. */
    struct catalog_answer list_answer;
};

/** Build the two answers of a product; they are freed with answers_free(). */
ALOFT_MUST_CHECK
enum aloft_err answers_build(struct catalog_product *product, struct error *e);
void answers_free(struct catalog_product *product);

/** Write the stock head of a file answer; it always fits FILE_HEAD_BYTES. */
size_t answers_file_head(uint64_t size_bytes, char out[FILE_HEAD_BYTES]);

/** One reference, the caller's; NULL when memory is out. The facts have been checked. */
struct catalog_file *file_new(const struct catalog_file_facts *facts, const char *version);

#endif
