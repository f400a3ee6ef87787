/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/links.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define FIRST_LINKS 16u

struct entry {
    uint64_t hash;
    char short_name[CATALOG_LINK_MAX + 1]; /* zeros behind it */
    char version[ALOFT_VERSION_MAX + 1];
    char file_name[ALOFT_FILE_NAME_MAX + 1];
    struct catalog_link link; /* its file is borrowed from the snapshot */
};

struct link_list {
    struct entry *entries; /* by hash, once finished */
    size_t n_entries;
    size_t cap;
    uint8_t secret[crypto_shorthash_KEYBYTES];
};

struct link_list *link_list_new(void)
{
    return calloc(1, sizeof(struct link_list));
}

void link_list_free(struct link_list *list)
{
    if (list) {
        free(list->entries);
        free(list);
    }
}

enum aloft_err link_list_add(struct link_list *list, const struct catalog_link_facts *facts,
                             struct error *e)
{
    if (list->n_entries == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : FIRST_LINKS;
        struct entry *grown = reallocarray(list->entries, cap, sizeof *grown);
        if (!grown) {
            return fail(e, ALOFT_ERR_TOO_BIG, "out of memory for %zu links", cap);
        }
        list->entries = grown;
        list->cap = cap;
    }
    struct entry *entry = &list->entries[list->n_entries++];
    *entry =
        (struct entry){.link = {.product_id = facts->product_id, .expires_ms = facts->expires_ms}};
    memcpy(entry->short_name, facts->short_name, strlen(facts->short_name));
    memcpy(entry->version, facts->version, strlen(facts->version));
    memcpy(entry->file_name, facts->file_name, strlen(facts->file_name));
    return ALOFT_ERR_OK;
}

static uint64_t hash_name(const struct link_list *list, const char name[CATALOG_LINK_MAX + 1])
{
    uint64_t hash;

    _Static_assert(sizeof hash == crypto_shorthash_BYTES, "SipHash gives 64 bits");
    (void)crypto_shorthash((uint8_t *)&hash, (const uint8_t *)name, CATALOG_LINK_MAX + 1,
                           list->secret);
    return hash;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;

    if (x->hash != y->hash) {
        return x->hash < y->hash ? -1 : 1;
    }
    return memcmp(x->short_name, y->short_name, sizeof x->short_name);
}

static struct catalog_file *look_up(const struct catalog_snapshot *snapshot,
                                    const struct entry *entry)
{
    const struct catalog_product *product = catalog_find_product(snapshot, entry->link.product_id);
    const struct catalog_rom *rom =
        product ? catalog_find_rom(product, entry->version, strlen(entry->version)) : NULL;

    return rom ? catalog_find_file(rom, entry->file_name, strlen(entry->file_name)) : NULL;
}

enum aloft_err link_list_finish(struct link_list *list, const struct catalog_snapshot *snapshot,
                                struct error *e)
{
    randombytes_buf(list->secret, sizeof list->secret);
    for (size_t i = 0; i < list->n_entries; i++) {
        list->entries[i].hash = hash_name(list, list->entries[i].short_name);
        list->entries[i].link.file = look_up(snapshot, &list->entries[i]);
    }
    if (list->n_entries > 1) {
        qsort(list->entries, list->n_entries, sizeof list->entries[0], compare_entries);
    }
    for (size_t i = 1; i < list->n_entries; i++) {
        if (compare_entries(&list->entries[i - 1], &list->entries[i]) == 0) {
            return fail(e, ALOFT_ERR_DUPLICATE, "the link '%s' stands there twice",
                        list->entries[i].short_name);
        }
    }
    return ALOFT_ERR_OK;
}

const struct catalog_link *link_list_find(const struct link_list *list, const char *short_name,
                                          size_t len)
{
    char name[CATALOG_LINK_MAX + 1] = {0};
    size_t low = 0;
    size_t high = list->n_entries;

    if (len > CATALOG_LINK_MAX) {
        return NULL;
    }
    memcpy(name, short_name, len);
    uint64_t hash = hash_name(list, name);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->entries[middle].hash < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < list->n_entries && list->entries[low].hash == hash; low++) {
        if (sodium_memcmp(list->entries[low].short_name, name, sizeof name) == 0) {
            return list->entries[low].link.file ? &list->entries[low].link : NULL;
        }
    }
    return NULL;
}
