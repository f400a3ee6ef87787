/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One 64-bit word per (token, address), changed by compare-and-swap:
 *
 *   bits 63..37  tag: part of a secret hash, so that nobody can choose whom he meets in a slot
 *   bit  36      in a pause
 *   bits 35..32  how many pauses so far, since the bucket was full last
 *   bits 31..0   when the bucket is full again, ms of the monotonic clock
 *
 * A query moves the last one on by its share of a minute (the "theoretical arrival time" of ATM's
 * GCRA); it is one too many when that lies more than a minute ahead. A pause moves it so far ahead
 * that it is a minute ahead when the pause ends. A time of the past, or too far ahead to be ours,
 * is a full bucket: the word is free.
 */

#include "wire/gate.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define N_GROUPS     4096u /* a power of two */
#define GROUP_SLOTS  8u    /* a cache line */
#define CACHE_LINE   64
#define MINUTE_MS    60000u
#define FULL_WAIT_S  60u /* a download lasts up to three minutes (wire 3.3) */
#define PAUSED       (UINT64_C(1) << 36)
#define LEVEL_SHIFT  32
#define LEVEL_MAX    15u
#define TAG_MASK     (~UINT64_C(0) << 37)
#define MS_PER_S     1000u
#define V6_NET_BYTES 8 /* one customer has a /64 */

struct gate {
    _Alignas(CACHE_LINE) atomic_uint n_downloads;
    _Alignas(CACHE_LINE) atomic_uint device_per_min;
    atomic_uint product_per_min;
    atomic_uint first_pause_ms;
    atomic_uint max_pause_ms;
    atomic_uint max_downloads;
    uint8_t secret[crypto_shorthash_KEYBYTES];
    _Alignas(CACHE_LINE) atomic_uint_fast64_t slots[N_GROUPS][GROUP_SLOTS];
};

struct gate *gate_new(struct error *e)
{
    struct gate *gate = aligned_alloc(CACHE_LINE, sizeof *gate);

    if (!gate) {
        (void)fail(e, ALOFT_ERR_TOO_BIG, "out of memory for the table of limits");
        return NULL;
    }
    if (sodium_init() < 0) {
        free(gate);
        (void)fail(e, ALOFT_ERR_IO, "the system gives no random numbers");
        return NULL;
    }
    memset(gate, 0, sizeof *gate);
    randombytes_buf(gate->secret, sizeof gate->secret);
    return gate;
}

void gate_free(struct gate *gate)
{
    free(gate);
}

void gate_set(struct gate *gate, const struct gate_limits *limits)
{
    atomic_store(&gate->device_per_min, limits->device_per_min);
    atomic_store(&gate->product_per_min, limits->product_per_min);
    atomic_store(&gate->first_pause_ms, limits->first_pause_ms);
    atomic_store(&gate->max_pause_ms, limits->max_pause_ms);
    atomic_store(&gate->max_downloads, limits->max_downloads);
}

static unsigned get(const atomic_uint *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static uint64_t hash_caller(const struct gate *gate, const struct gate_caller *caller)
{
    struct {
        int64_t ids[2];
        uint8_t address[16];
        uint64_t is_v6;
    } key = {.ids = {caller->product_id, caller->device_id}, .is_v6 = caller->peer->is_v6};
    uint64_t hash;

    _Static_assert(sizeof key == 40 && sizeof hash == crypto_shorthash_BYTES, "no gaps");
    memcpy(key.address, caller->peer->address, key.is_v6 ? V6_NET_BYTES : sizeof key.address);
    (void)crypto_shorthash((uint8_t *)&hash, (const uint8_t *)&key, sizeof key, gate->secret);
    return hash;
}

/* How far ahead the word's time lies; 0: its bucket is full. */
static uint32_t ahead_ms(uint64_t word, uint32_t now, uint32_t max_ahead)
{
    uint32_t ahead = (uint32_t)word - now;

    return ahead <= max_ahead ? ahead : 0;
}

struct terms {
    uint32_t now;
    uint32_t interval; /* a query's share of a minute */
    uint32_t first_pause;
    uint32_t max_pause;
};

/* The word after one more query. `ret_wait` is 0 when it is let in. */
static uint64_t count_query(uint64_t word, const struct terms *t, uint32_t *ret_wait)
{
    uint32_t tolerance = MINUTE_MS - t->interval;
    uint32_t ahead = ahead_ms(word, t->now, t->max_pause + MINUTE_MS);
    uint64_t level = ahead > 0 ? word >> LEVEL_SHIFT & LEVEL_MAX : 0;
    uint64_t paused = 0;

    *ret_wait = 0;
    if (ahead <= tolerance) {
        ahead += t->interval;
    } else if (word & PAUSED) {
        *ret_wait = ahead - tolerance;
        return word;
    } else {
        uint64_t pause = (uint64_t)t->first_pause << level;
        *ret_wait = pause < t->max_pause ? (uint32_t)pause : t->max_pause;
        ahead = *ret_wait + tolerance;
        level += level < LEVEL_MAX;
        paused = PAUSED;
    }
    return (word & TAG_MASK) | paused | level << LEVEL_SHIFT | (uint32_t)(t->now + ahead);
}

/* The slot of this tag, or else the one that is soonest forgotten without harm. */
static atomic_uint_fast64_t *find_slot(atomic_uint_fast64_t *group, uint64_t tag,
                                       const struct terms *t, uint64_t *ret_word)
{
    atomic_uint_fast64_t *oldest = NULL;
    uint32_t least = UINT32_MAX;

    for (size_t i = 0; i < GROUP_SLOTS; i++) {
        uint64_t word = atomic_load_explicit(&group[i], memory_order_relaxed);
        uint32_t ahead = ahead_ms(word, t->now, t->max_pause + MINUTE_MS);
        if ((word & TAG_MASK) == tag) {
            *ret_word = word;
            return &group[i];
        }
        if (ahead < least) {
            least = ahead;
            oldest = &group[i];
            *ret_word = word;
        }
    }
    return oldest;
}

/* Milliseconds to wait; 0: let in. */
static uint32_t limit(struct gate *gate, const struct gate_caller *caller, unsigned per_min)
{
    const struct terms t = {(uint32_t)caller->now_ms, MINUTE_MS / per_min,
                            get(&gate->first_pause_ms), get(&gate->max_pause_ms)};
    uint64_t hash = hash_caller(gate, caller);
    uint64_t tag = (hash | UINT64_C(1) << 63) & TAG_MASK; /* never that of an empty slot */
    atomic_uint_fast64_t *group = gate->slots[hash & (N_GROUPS - 1)];
    uint32_t wait;

    for (;;) {
        uint64_t word = 0;
        atomic_uint_fast64_t *slot = find_slot(group, tag, &t, &word);
        uint64_t before = (word & TAG_MASK) == tag ? word : tag | t.now;
        uint64_t after = count_query(before, &t, &wait);
        if (after == word || atomic_compare_exchange_weak_explicit(
                                 slot, &word, after, memory_order_relaxed, memory_order_relaxed)) {
            return wait;
        }
    }
}

enum gate_word gate_ask(struct gate *gate, const struct gate_caller *caller, unsigned *ret_wait_s)
{
    unsigned per_min = get(caller->device_id ? &gate->device_per_min : &gate->product_per_min);
    unsigned max_downloads = get(&gate->max_downloads);
    uint32_t wait_ms = per_min ? limit(gate, caller, per_min) : 0;

    if (wait_ms > 0) {
        *ret_wait_s = (wait_ms + MS_PER_S - 1) / MS_PER_S;
        return GATE_LIMITED;
    }
    if (max_downloads && get(&gate->n_downloads) >= max_downloads) {
        *ret_wait_s = FULL_WAIT_S;
        return GATE_FULL;
    }
    return GATE_OPEN;
}

void gate_enter(struct gate *gate)
{
    atomic_fetch_add_explicit(&gate->n_downloads, 1, memory_order_relaxed);
}

void gate_leave(struct gate *gate)
{
    atomic_fetch_sub_explicit(&gate->n_downloads, 1, memory_order_relaxed);
}

unsigned gate_downloads(const struct gate *gate)
{
    return get(&gate->n_downloads);
}
