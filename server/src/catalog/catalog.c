/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/catalog.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/hash.h"
#include "catalog/links.h"
#include "catalog/snapshot.h"
#include "catalog/tokens.h"

#define FIRST_PRODUCTS 16u

struct catalog_snapshot {
    atomic_uint n_refs;
    struct catalog_product **products; /* by id, once published */
    size_t n_products;
    struct link_list *links;
};

struct catalog_draft {
    struct catalog_snapshot *snapshot;
    size_t cap;
};

struct catalog {
    pthread_mutex_t lock; /* of `snapshot`, `told` and `told_ctx` */
    struct catalog_snapshot *snapshot;
    catalog_published_fn *told; /* NULL: none */
    void *told_ctx;
    atomic_uint_fast64_t generation;
    struct token_table *tokens;
};

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool is_of(const char *characters, const char *text, size_t max)
{
    size_t len = strspn(text, characters);

    return len > 0 && len <= max && text[len] == '\0';
}

static bool is_word(const char *text, size_t max)
{
    return is_of(LETTERS_AND_DIGITS "._-", text, max);
}

static bool is_sha256(const char *text)
{
    size_t len = strspn(text, "0123456789abcdef");

    return len == 2 * ALOFT_SHA256_BYTES && text[len] == '\0';
}

static void rom_free(struct catalog_rom *rom)
{
    for (size_t i = 0; i < rom->n_files; i++) {
        catalog_file_release(rom->files[i]);
    }
    free(rom->files);
    free(rom);
}

static void product_free(struct catalog_product *product)
{
    while (product->roms) {
        struct catalog_rom *rom = product->roms;
        product->roms = rom->next;
        rom_free(rom);
    }
    answers_free(product);
    free(product);
}

static void snapshot_free(struct catalog_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->n_products; i++) {
        product_free(snapshot->products[i]);
    }
    free(snapshot->products);
    link_list_free(snapshot->links);
    free(snapshot);
}

struct catalog_draft *catalog_draft_new(void)
{
    struct catalog_draft *draft = calloc(1, sizeof *draft);

    if (!draft || !(draft->snapshot = calloc(1, sizeof *draft->snapshot)) ||
        !(draft->snapshot->links = link_list_new())) {
        free(draft ? draft->snapshot : NULL);
        free(draft);
        return NULL;
    }
    atomic_init(&draft->snapshot->n_refs, 1);
    return draft;
}

void catalog_draft_free(struct catalog_draft *draft)
{
    if (draft) {
        snapshot_free(draft->snapshot);
        free(draft);
    }
}

enum aloft_err catalog_draft_add_product(struct catalog_draft *draft, int64_t id,
                                         struct catalog_product **ret_product, struct error *e)
{
    struct catalog_snapshot *s = draft->snapshot;

    if (id == 0) {
        return fail(e, ALOFT_ERR_ARG, "a product's id is never 0");
    }
    if (s->n_products == draft->cap) {
        size_t cap = draft->cap ? draft->cap * 2 : FIRST_PRODUCTS;
        struct catalog_product **grown =
            reallocarray(s->products, cap, sizeof(struct catalog_product *));
        if (!grown) {
            return fail(e, ALOFT_ERR_TOO_BIG, "out of memory for %zu products", cap);
        }
        s->products = grown;
        draft->cap = cap;
    }
    struct catalog_product *product = calloc(1, sizeof *product);
    if (!product) {
        return fail(e, ALOFT_ERR_TOO_BIG, "out of memory for product %" PRId64, id);
    }
    product->id = id;
    product->roms_end = &product->roms;
    s->products[s->n_products++] = product;
    *ret_product = product;
    return ALOFT_ERR_OK;
}

enum aloft_err catalog_draft_add_rom(struct catalog_product *product, const char *version,
                                     const char *life_cycle, bool is_current,
                                     struct catalog_rom **ret_rom, struct error *e)
{
    if (!is_word(version, ALOFT_VERSION_MAX)) {
        return fail(e, ALOFT_ERR_SYNTAX,
                    "the version '%s' is not 1 to %d of A-Z a-z 0-9 . _ - as modules need it",
                    version, ALOFT_VERSION_MAX);
    }
    if (!is_word(life_cycle, CATALOG_LIFE_CYCLE_MAX)) {
        return fail(e, ALOFT_ERR_SYNTAX, "the life cycle '%s' is not 1 to %d of A-Z a-z 0-9 . _ -",
                    life_cycle, CATALOG_LIFE_CYCLE_MAX);
    }
    if (catalog_find_rom(product, version, strlen(version)) || (is_current && product->current)) {
        return fail(e, ALOFT_ERR_DUPLICATE,
                    "version '%s' of product %" PRId64 " stands there twice, or two are current",
                    version, product->id);
    }
    struct catalog_rom *rom = calloc(1, sizeof *rom);
    if (!rom) {
        return fail(e, ALOFT_ERR_TOO_BIG, "out of memory for version '%s'", version);
    }
    memcpy(rom->version, version, strlen(version) + 1);
    memcpy(rom->life_cycle, life_cycle, strlen(life_cycle) + 1);
    rom->is_current = is_current;
    *product->roms_end = rom;
    product->roms_end = &rom->next;
    if (is_current) {
        product->current = rom;
    }
    *ret_rom = rom;
    return ALOFT_ERR_OK;
}

enum aloft_err catalog_draft_add_file(struct catalog_rom *rom,
                                      const struct catalog_file_facts *facts, struct error *e)
{
    if (!is_word(facts->name, ALOFT_FILE_NAME_MAX) || !is_sha256(facts->sha256_hex) ||
        facts->size_bytes == 0) {
        return fail(e, ALOFT_ERR_SYNTAX,
                    "file '%s' of version '%s': name, size or SHA-256 is wrong", facts->name,
                    rom->version);
    }
    if (catalog_find_file(rom, facts->name, strlen(facts->name))) {
        return fail(e, ALOFT_ERR_DUPLICATE, "version '%s' has two files '%s'", rom->version,
                    facts->name);
    }
    struct catalog_file **grown =
        reallocarray(rom->files, rom->n_files + 1, sizeof(struct catalog_file *));
    if (grown) {
        rom->files = grown;
    }
    struct catalog_file *file = grown ? file_new(facts, rom->version) : NULL;
    if (!file) {
        return fail(e, ALOFT_ERR_TOO_BIG, "out of memory for file '%s'", facts->name);
    }
    rom->files[rom->n_files++] = file;
    return ALOFT_ERR_OK;
}

enum aloft_err catalog_draft_add_link(struct catalog_draft *draft,
                                      const struct catalog_link_facts *facts, struct error *e)
{
    if (!is_of(LETTERS_AND_DIGITS "_-", facts->short_name, CATALOG_LINK_MAX)) {
        return fail(e, ALOFT_ERR_SYNTAX, "the link '%s' is not 1 to %d of A-Z a-z 0-9 _ -",
                    facts->short_name, CATALOG_LINK_MAX);
    }
    if (!is_word(facts->version, ALOFT_VERSION_MAX) ||
        !is_word(facts->file_name, ALOFT_FILE_NAME_MAX)) {
        return fail(e, ALOFT_ERR_SYNTAX, "the link '%s' leads to no possible version or file",
                    facts->short_name);
    }
    return link_list_add(draft->snapshot->links, facts, e);
}

static int compare_products(const void *a, const void *b)
{
    int64_t x = (*(const struct catalog_product *const *)a)->id;
    int64_t y = (*(const struct catalog_product *const *)b)->id;

    return (x > y) - (x < y);
}

static enum aloft_err finish(struct catalog_snapshot *s, struct error *e)
{
    if (s->n_products > 0) {
        qsort(s->products, s->n_products, sizeof(struct catalog_product *), compare_products);
    }
    for (size_t i = 0; i < s->n_products; i++) {
        if (i > 0 && s->products[i]->id == s->products[i - 1]->id) {
            return fail(e, ALOFT_ERR_DUPLICATE, "product %" PRId64 " stands there twice",
                        s->products[i]->id);
        }
        enum aloft_err err = answers_build(s->products[i], e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return link_list_finish(s->links, s, e);
}

enum aloft_err catalog_publish(struct catalog *catalog, struct catalog_draft *draft,
                               struct error *e)
{
    enum aloft_err err = finish(draft->snapshot, e);

    if (err != ALOFT_ERR_OK) {
        catalog_draft_free(draft);
        return err;
    }
    (void)pthread_mutex_lock(&catalog->lock);
    struct catalog_snapshot *old = catalog->snapshot;
    catalog->snapshot = draft->snapshot;
    atomic_fetch_add_explicit(&catalog->generation, 1, memory_order_release);
    if (catalog->told) {
        catalog->told(catalog->told_ctx);
    }
    (void)pthread_mutex_unlock(&catalog->lock);
    catalog_snapshot_release(old);
    free(draft);
    return ALOFT_ERR_OK;
}

void catalog_on_publish(struct catalog *catalog, catalog_published_fn *told, void *ctx)
{
    (void)pthread_mutex_lock(&catalog->lock);
    catalog->told = told;
    catalog->told_ctx = ctx;
    (void)pthread_mutex_unlock(&catalog->lock);
}

struct catalog *catalog_new(struct error *e)
{
    struct catalog *catalog = calloc(1, sizeof *catalog);
    struct catalog_draft *empty = catalog ? catalog_draft_new() : NULL;

    if (!empty) {
        free(catalog);
        (void)fail(e, ALOFT_ERR_TOO_BIG, "out of memory for the catalog");
        return NULL;
    }
    (void)pthread_mutex_init(&catalog->lock, NULL); /* cannot fail on Linux */
    catalog->snapshot = empty->snapshot;
    free(empty);
    catalog->tokens = token_table_new(e);
    if (!catalog->tokens) {
        catalog_free(catalog);
        return NULL;
    }
    return catalog;
}

void catalog_free(struct catalog *catalog)
{
    if (catalog) {
        catalog_snapshot_release(catalog->snapshot);
        token_table_free(catalog->tokens);
        (void)pthread_mutex_destroy(&catalog->lock);
        free(catalog);
    }
}

enum aloft_err catalog_token_set(struct catalog *catalog, enum catalog_mode mode, const char *token,
                                 size_t len, struct catalog_owner owner, int64_t expires_ms)
{
    return token_table_set(catalog->tokens, mode, token, len, owner, expires_ms);
}

bool catalog_token_remove(struct catalog *catalog, enum catalog_mode mode, const char *token,
                          size_t len)
{
    return token_table_remove(catalog->tokens, mode, token, len);
}

bool catalog_token_find(struct catalog *catalog, enum catalog_mode mode, const char *token,
                        size_t len, int64_t now_ms, struct catalog_owner *ret_owner)
{
    return token_table_find(catalog->tokens, mode, token, len, now_ms, ret_owner);
}

uint64_t catalog_generation(const struct catalog *catalog)
{
    return atomic_load_explicit(&catalog->generation, memory_order_acquire);
}

struct catalog_snapshot *catalog_get(struct catalog *catalog)
{
    (void)pthread_mutex_lock(&catalog->lock);
    struct catalog_snapshot *snapshot = catalog->snapshot;
    atomic_fetch_add_explicit(&snapshot->n_refs, 1, memory_order_relaxed);
    (void)pthread_mutex_unlock(&catalog->lock);
    return snapshot;
}

void catalog_snapshot_release(struct catalog_snapshot *snapshot)
{
    if (snapshot && atomic_fetch_sub_explicit(&snapshot->n_refs, 1, memory_order_acq_rel) == 1) {
        snapshot_free(snapshot);
    }
}

const struct catalog_product *catalog_find_product(const struct catalog_snapshot *snapshot,
                                                   int64_t id)
{
    size_t low = 0;
    size_t high = snapshot->n_products;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct catalog_product *p = snapshot->products[middle];
        if (p->id == id) {
            return p;
        }
        if (p->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const struct catalog_link *catalog_find_link(const struct catalog_snapshot *snapshot,
                                             const char *short_name, size_t len)
{
    return link_list_find(snapshot->links, short_name, len);
}

const struct catalog_answer *catalog_version_answer(const struct catalog_product *product)
{
    return product->version_answer.bytes ? &product->version_answer : NULL;
}

const struct catalog_answer *catalog_list_answer(const struct catalog_product *product)
{
    return &product->list_answer;
}

const char *catalog_current_version(const struct catalog_product *product)
{
    return product->current ? product->current->version : NULL;
}

static bool is_text(const char *text, const char *bytes, size_t len)
{
    return strlen(text) == len && memcmp(text, bytes, len) == 0;
}

const struct catalog_rom *catalog_find_rom(const struct catalog_product *product,
                                           const char *version, size_t len)
{
    if (len == 0) {
        return product->current;
    }
    for (const struct catalog_rom *r = product->roms; r; r = r->next) {
        if (is_text(r->version, version, len)) {
            return r;
        }
    }
    return NULL;
}

struct catalog_file *catalog_find_file(const struct catalog_rom *rom, const char *name, size_t len)
{
    for (size_t i = 0; i < rom->n_files; i++) {
        if (is_text(catalog_file_name(rom->files[i]), name, len)) {
            return rom->files[i];
        }
    }
    return NULL;
}
