/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/tokens.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define N_SHARDS      64u /* a power of two; far more than loops, so locks are rarely shared */
#define KEY_BYTES     (1 + ALOFT_TOKEN_CHARS / 2)
#define FIRST_SLOTS   16u /* a power of two */
#define CACHE_LINE    64
#define FULL_QUARTERS 3u /* grow when three of four slots are taken */

struct slot {
    uint8_t key[KEY_BYTES]; /* mode, token */
    uint8_t is_taken;
    struct catalog_owner owner;
    int64_t expires_ms; /* INT64_MAX: never */
};

struct shard {
    _Alignas(CACHE_LINE) pthread_mutex_t lock;
    struct slot *slots;
    uint32_t n_slots; /* 0 or a power of two */
    uint32_t n_taken;
};

struct token_table {
    struct shard shards[N_SHARDS];
    uint8_t secret[crypto_shorthash_KEYBYTES];
};

struct token_table *token_table_new(struct error *e)
{
    if (sodium_init() < 0) {
        (void)fail(e, ALOFT_ERR_IO, "the system gives no random numbers");
        return NULL;
    }
    struct token_table *table = aligned_alloc(CACHE_LINE, sizeof *table);
    if (!table) {
        (void)fail(e, ALOFT_ERR_TOO_BIG, "out of memory for the token table");
        return NULL;
    }
    memset(table, 0, sizeof *table);
    randombytes_buf(table->secret, sizeof table->secret);
    for (size_t i = 0; i < N_SHARDS; i++) {
        (void)pthread_mutex_init(&table->shards[i].lock, NULL); /* cannot fail on Linux */
    }
    return table;
}

void token_table_free(struct token_table *table)
{
    if (!table) {
        return;
    }
    for (size_t i = 0; i < N_SHARDS; i++) {
        (void)pthread_mutex_destroy(&table->shards[i].lock);
        free(table->shards[i].slots);
    }
    free(table);
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool make_key(enum catalog_mode mode, const char *token, size_t len, uint8_t *ret_key)
{
    if (len != ALOFT_TOKEN_CHARS) {
        return false;
    }
    ret_key[0] = (uint8_t)mode;
    for (size_t i = 0; i < ALOFT_TOKEN_CHARS / 2; i++) {
        int high = digit_value(token[2 * i]);
        int low = digit_value(token[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        ret_key[1 + i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static uint64_t hash_key(const struct token_table *table, const uint8_t *key)
{
    uint64_t hash;

    _Static_assert(sizeof hash == crypto_shorthash_BYTES, "SipHash gives 64 bits");
    (void)crypto_shorthash((uint8_t *)&hash, key, KEY_BYTES, table->secret);
    return hash;
}

static struct shard *shard_of(struct token_table *table, uint64_t hash)
{
    return &table->shards[hash >> 32 & (N_SHARDS - 1)];
}

/* The slot of this key, or the free slot where it would go. The shard has a free slot. */
static uint32_t probe(const struct shard *s, uint64_t hash, const uint8_t *key)
{
    uint32_t i = (uint32_t)hash & (s->n_slots - 1);

    while (s->slots[i].is_taken && sodium_memcmp(s->slots[i].key, key, KEY_BYTES) != 0) {
        i = (i + 1) & (s->n_slots - 1);
    }
    return i;
}

static bool grow(const struct token_table *table, struct shard *s)
{
    uint32_t n_old = s->n_slots;
    struct slot *old = s->slots;
    uint32_t n_new = n_old ? n_old * 2 : FIRST_SLOTS;
    struct slot *slots = n_new > n_old ? calloc(n_new, sizeof *slots) : NULL;

    if (!slots) {
        return false;
    }
    s->slots = slots;
    s->n_slots = n_new;
    for (uint32_t i = 0; i < n_old; i++) {
        if (old[i].is_taken) {
            slots[probe(s, hash_key(table, old[i].key), old[i].key)] = old[i];
        }
    }
    free(old);
    return true;
}

enum aloft_err token_table_set(struct token_table *table, enum catalog_mode mode, const char *token,
                               size_t len, struct catalog_owner owner, int64_t expires_ms)
{
    uint8_t key[KEY_BYTES];

    if (!make_key(mode, token, len, key)) {
        return ALOFT_ERR_SYNTAX;
    }
    uint64_t hash = hash_key(table, key);
    struct shard *s = shard_of(table, hash);
    (void)pthread_mutex_lock(&s->lock);
    bool has_room = s->n_taken < s->n_slots / 4 * FULL_QUARTERS || grow(table, s);
    if (has_room) {
        struct slot *slot = &s->slots[probe(s, hash, key)];
        s->n_taken += !slot->is_taken;
        slot->is_taken = 1;
        memcpy(slot->key, key, KEY_BYTES);
        slot->owner = owner;
        slot->expires_ms = expires_ms ? expires_ms : INT64_MAX;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return has_room ? ALOFT_ERR_OK : ALOFT_ERR_TOO_BIG;
}

/* Free slot `i`, and move up whoever stands behind it only because it was taken: a search ends at
 * the first free slot. */
static void free_slot(const struct token_table *table, struct shard *s, uint32_t i)
{
    uint32_t mask = s->n_slots - 1;

    for (uint32_t k = (i + 1) & mask; s->slots[k].is_taken; k = (k + 1) & mask) {
        uint32_t home = (uint32_t)hash_key(table, s->slots[k].key) & mask;
        if (((k - home) & mask) >= ((k - i) & mask)) {
            s->slots[i] = s->slots[k];
            i = k;
        }
    }
    s->slots[i].is_taken = 0;
    s->n_taken--;
}

bool token_table_remove(struct token_table *table, enum catalog_mode mode, const char *token,
                        size_t len)
{
    uint8_t key[KEY_BYTES];
    bool is_found = false;

    if (!make_key(mode, token, len, key)) {
        return false;
    }
    uint64_t hash = hash_key(table, key);
    struct shard *s = shard_of(table, hash);
    (void)pthread_mutex_lock(&s->lock);
    if (s->n_slots > 0) {
        uint32_t i = probe(s, hash, key);
        is_found = s->slots[i].is_taken;
        if (is_found) {
            free_slot(table, s, i);
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
    return is_found;
}

bool token_table_find(struct token_table *table, enum catalog_mode mode, const char *token,
                      size_t len, int64_t now_ms, struct catalog_owner *ret_owner)
{
    uint8_t key[KEY_BYTES];
    bool is_found = false;

    if (!make_key(mode, token, len, key)) {
        return false;
    }
    uint64_t hash = hash_key(table, key);
    struct shard *s = shard_of(table, hash);
    (void)pthread_mutex_lock(&s->lock);
    if (s->n_slots > 0) {
        const struct slot *slot = &s->slots[probe(s, hash, key)];
        is_found = slot->is_taken && now_ms < slot->expires_ms;
        if (is_found) {
            *ret_owner = slot->owner;
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
    return is_found;
}
