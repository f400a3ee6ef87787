/* SPDX-License-Identifier: Apache-2.0 */
#include "account/throttle.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "host/auto.h"
#include "host/hashes.h"
#include "host/network.h"

#define N_SETS      512 /* which set a key is in nobody outside can know: the hash has a secret */
#define SET_SIZE    8
#define KEY_BYTES   192
#define NET64_BYTES 8

struct entry {
    uint64_t hash; /* of the key; 0 = free */
    unsigned n_failures;
    uint64_t failed_ms;
    uint64_t open_ms; /* no attempt before */
};

struct throttle {
    pthread_mutex_t lock;
    uint8_t secret[crypto_shorthash_KEYBYTES];
    struct entry sets[N_SETS][SET_SIZE];
};

struct throttle *throttle_new(void)
{
    struct throttle *t = sodium_init() >= 0 ? calloc(1, sizeof *t) : NULL;

    if (t) {
        (void)pthread_mutex_init(&t->lock, NULL); /* cannot fail on Linux */
        randombytes_buf(t->secret, sizeof t->secret);
    }
    return t;
}

void throttle_free(struct throttle *t)
{
    if (t) {
        (void)pthread_mutex_destroy(&t->lock);
        free(t);
    }
}

static uint64_t hash_key(const struct throttle *t, const struct throttle_key *key)
{
    char text[KEY_BYTES];
    uint8_t out[crypto_shorthash_BYTES];
    uint64_t hash;

    (void)snprintf(text, sizeof text, "%s %s", key->kind, key->text);
    (void)crypto_shorthash(out, (const uint8_t *)text, strlen(text), t->secret);
    memcpy(&hash, out, sizeof hash);
    return hash ? hash : 1;
}

/* The key's entry; NULL = it has none. */
static struct entry *find(struct throttle *t, uint64_t hash)
{
    struct entry *set = t->sets[hash % N_SETS];

    for (size_t i = 0; i < SET_SIZE; i++) {
        if (set[i].hash == hash) {
            return &set[i];
        }
    }
    return NULL;
}

static bool is_over(const struct entry *entry, uint64_t now_ms)
{
    return now_ms - entry->failed_ms > THROTTLE_FORGET_MS;
}

static bool fails_less(const struct entry *a, const struct entry *b, uint64_t now_ms)
{
    unsigned n_a = is_over(a, now_ms) ? 0 : a->n_failures;
    unsigned n_b = is_over(b, now_ms) ? 0 : b->n_failures;

    return n_a != n_b ? n_a < n_b : a->failed_ms < b->failed_ms;
}

/* Who failed least, then longest ago, is forgotten for the new one; a free entry failed never. */
static struct entry *take(struct throttle *t, uint64_t hash, uint64_t now_ms)
{
    struct entry *set = t->sets[hash % N_SETS];
    struct entry *least = &set[0];

    for (size_t i = 1; i < SET_SIZE; i++) {
        least = fails_less(&set[i], least, now_ms) ? &set[i] : least;
    }
    *least = (struct entry){.hash = hash};
    return least;
}

static void count(struct throttle *t, const struct throttle_key *key, uint64_t now_ms)
{
    uint64_t hash = hash_key(t, key);
    struct entry *entry = find(t, hash);
    uint64_t pause_s = 0;

    if (!entry) {
        entry = take(t, hash, now_ms);
    } else if (is_over(entry, now_ms)) {
        *entry = (struct entry){.hash = hash};
    }
    entry->n_failures++;
    entry->failed_ms = now_ms;
    if (entry->n_failures >= THROTTLE_FREE) {
        unsigned doublings = entry->n_failures - THROTTLE_FREE;
        pause_s = doublings < 16 ? UINT64_C(1) << doublings : key->pause_max_s;
        pause_s = pause_s < key->pause_max_s ? pause_s : key->pause_max_s;
    }
    entry->open_ms = now_ms + pause_s * 1000;
}

unsigned throttle_begin(struct throttle *t, const struct throttle_key *keys, size_t n_keys,
                        uint64_t now_ms)
{
    uint64_t wait_ms = 0;

    (void)pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < n_keys; i++) {
        const struct entry *entry = find(t, hash_key(t, &keys[i]));
        if (entry && entry->open_ms > now_ms && entry->open_ms - now_ms > wait_ms) {
            wait_ms = entry->open_ms - now_ms;
        }
    }
    for (size_t i = 0; wait_ms == 0 && i < n_keys; i++) {
        count(t, &keys[i], now_ms);
    }
    (void)pthread_mutex_unlock(&t->lock);
    return (unsigned)((wait_ms + 999) / 1000);
}

void throttle_undo(struct throttle *t, const struct throttle_key *key)
{
    (void)pthread_mutex_lock(&t->lock);
    struct entry *entry = find(t, hash_key(t, key));
    if (entry && entry->n_failures > 0) {
        entry->n_failures--;
        entry->open_ms = 0;
    }
    (void)pthread_mutex_unlock(&t->lock);
}

void throttle_forget(struct throttle *t, const struct throttle_key *key)
{
    (void)pthread_mutex_lock(&t->lock);
    struct entry *entry = find(t, hash_key(t, key));
    if (entry) {
        *entry = (struct entry){0};
    }
    (void)pthread_mutex_unlock(&t->lock);
}

bool throttle_is_first(struct throttle *t, const struct throttle_key *key, uint64_t interval_ms,
                       uint64_t now_ms)
{
    (void)pthread_mutex_lock(&t->lock);
    uint64_t hash = hash_key(t, key);
    struct entry *entry = find(t, hash);
    bool is_first = !entry || entry->open_ms <= now_ms;
    if (is_first) {
        entry = entry ? entry : take(t, hash, now_ms);
        entry->failed_ms = now_ms;
        entry->open_ms = now_ms + interval_ms;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return is_first;
}

void throttle_address(const char *address, char *out)
{
    struct networks one;

    (void)snprintf(out, THROTTLE_ADDRESS_BYTES, "%s", address);
    if (networks_parse(address, &one, NULL) == ALOFT_ERR_OK && one.n_items == 1 &&
        one.items[0].is_v6) {
        hex_encode(one.items[0].bytes, NET64_BYTES, out);
    }
}
