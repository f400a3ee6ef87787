/* SPDX-License-Identifier: Apache-2.0 */
#include "attempt/track_table.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define NONE (-1)

struct ends {
    int32_t first;
    int32_t last;
};

struct track_table {
    size_t n;
    size_t n_used; /* never given back: a track that gives way is filled anew */
    uint64_t order;
    uint8_t key[crypto_shorthash_KEYBYTES];
    struct ends lists[TRACK_LISTS];
    int32_t *buckets;
    struct track *tracks;
};

struct track_table *track_table_new(size_t n)
{
    struct track_table *t = calloc(1, sizeof *t);

    if (!t) {
        return NULL;
    }
    t->n = n;
    t->buckets = malloc(n * sizeof *t->buckets);
    t->tracks = calloc(n, sizeof *t->tracks);
    if (!t->buckets || !t->tracks) {
        track_table_free(t);
        return NULL;
    }
    randombytes_buf(t->key, sizeof t->key);
    track_table_clear(t);
    return t;
}

void track_table_free(struct track_table *table)
{
    if (table) {
        free(table->buckets);
        free(table->tracks);
        free(table);
    }
}

void track_table_clear(struct track_table *table)
{
    table->n_used = 0;
    memset(table->buckets, 0xFF, table->n * sizeof *table->buckets); /* NONE in each */
    for (size_t i = 0; i < TRACK_LISTS; i++) {
        table->lists[i] = (struct ends){NONE, NONE};
    }
}

uint64_t track_hash_all(const struct track_table *table, const void *bytes, size_t len)
{
    uint64_t hash;
    uint8_t out[crypto_shorthash_BYTES];

    _Static_assert(sizeof out == sizeof hash, "a hash is 64 bits");
    (void)crypto_shorthash(out, bytes, len, table->key);
    memcpy(&hash, out, sizeof hash);
    return hash ? hash : 1;
}

uint64_t track_hash(const struct track_table *table, const char *text)
{
    return text[0] ? track_hash_all(table, text, strlen(text)) : 0;
}

static int32_t index_of(const struct track_table *table, const struct track *track)
{
    return (int32_t)(track - table->tracks);
}

static struct track *at(const struct track_table *table, int32_t index)
{
    return index == NONE ? NULL : &table->tracks[index];
}

static int32_t *bucket_of(const struct track_table *table, uint64_t module)
{
    return &table->buckets[module & (table->n - 1)];
}

static void leave_list(struct track_table *table, struct track *track)
{
    struct ends *ends = &table->lists[track->list];
    struct track *previous = at(table, track->previous);
    struct track *next = at(table, track->next);

    *(previous ? &previous->next : &ends->first) = track->next;
    *(next ? &next->previous : &ends->last) = track->previous;
}

static void enter_list(struct track_table *table, struct track *track, enum track_list list)
{
    struct ends *ends = &table->lists[list];
    struct track *last = at(table, ends->last);

    track->list = list;
    track->next = NONE;
    track->previous = ends->last;
    *(last ? &last->next : &ends->first) = index_of(table, track);
    ends->last = index_of(table, track);
}

void track_move(struct track_table *table, struct track *track, enum track_list list)
{
    leave_list(table, track);
    enter_list(table, track, list);
}

static void leave_bucket(struct track_table *table, const struct track *track)
{
    int32_t *link = bucket_of(table, track->module);

    while (*link != index_of(table, track)) {
        link = &table->tracks[*link].next_in_bucket;
    }
    *link = track->next_in_bucket;
}

static struct track *give_way(struct track_table *table)
{
    struct track *t = track_first(table, TRACK_CLOSED);

    t = t ? t : track_first(table, TRACK_AWAITS);
    t = t ? t : track_first(table, TRACK_OPEN);
    leave_list(table, t);
    leave_bucket(table, t);
    return t;
}

struct track *track_add(struct track_table *table, uint64_t key, uint64_t module)
{
    struct track *t = table->n_used < table->n ? &table->tracks[table->n_used++] : give_way(table);
    int32_t *bucket = bucket_of(table, module);

    *t = (struct track){.order = ++table->order,
                        .key = key,
                        .module = module,
                        .cause = "",
                        .next_in_bucket = *bucket};
    *bucket = index_of(table, t);
    enter_list(table, t, TRACK_OPEN);
    return t;
}

struct track *track_next(const struct track_table *table, uint64_t module,
                         const struct track *after)
{
    struct track *t = at(table, after ? after->next_in_bucket : *bucket_of(table, module));

    while (t && t->module != module) {
        t = at(table, t->next_in_bucket);
    }
    return t;
}

struct track *track_first(const struct track_table *table, enum track_list list)
{
    return at(table, table->lists[list].first);
}

struct track *track_following(const struct track_table *table, const struct track *track)
{
    return at(table, track->next);
}
