/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <pthread.h>
#include <string.h>

#include "wire/gate.h"

#define MINUTE_MS  60000u
#define DEVICE_MAX 30
#define NOW_MS     UINT64_C(86400000)

static const struct gate_limits limits = {.device_per_min = DEVICE_MAX,
                                          .product_per_min = 600,
                                          .first_pause_ms = 5000,
                                          .max_pause_ms = 600000};

static const struct contact_peer home = {.address = {192, 0, 2, 7}, .port = 40112};

static struct gate *new_gate(const struct gate_limits *l)
{
    struct gate *gate = gate_new(NULL);

    assert_non_null(gate);
    gate_set(gate, l);
    return gate;
}

/* Seconds to wait; 0: let in. */
static unsigned ask_as(struct gate *gate, int64_t device, const struct contact_peer *peer,
                       uint64_t now_ms)
{
    const struct gate_caller caller = {1, device, peer, now_ms};
    unsigned wait_s = 0;
    enum gate_word word = gate_ask(gate, &caller, &wait_s);

    assert_int_equal(word == GATE_OPEN, wait_s == 0);
    return wait_s;
}

static unsigned ask(struct gate *gate, uint64_t now_ms)
{
    return ask_as(gate, 7, &home, now_ms);
}

/* How many are let in one after the other. */
static int drain(struct gate *gate, int64_t device, const struct contact_peer *peer,
                 uint64_t now_ms)
{
    int n = 0;

    while (ask_as(gate, device, peer, now_ms) == 0) {
        n++;
    }
    return n;
}

static void limit__lets_so_many_in_a_minute_in_and_then_pauses(void **state)
{
    (void)state;
    struct gate *gate = new_gate(&limits);

    assert_int_equal(drain(gate, 7, &home, NOW_MS), DEVICE_MAX);
    assert_int_equal(ask(gate, NOW_MS), 5);
    assert_int_equal(ask(gate, NOW_MS + 1), 5); /* whole seconds, rounded up */
    assert_int_equal(ask(gate, NOW_MS + 4999), 1);
    assert_int_equal(ask(gate, NOW_MS + 5000), 0);
    gate_free(gate);
}

static void limit__of_steady_callers_is_never_reached(void **state)
{
    (void)state;
    struct gate *gate = new_gate(&limits);

    for (uint64_t i = 0; i < UINT64_C(10) * DEVICE_MAX; i++) {
        assert_int_equal(ask(gate, NOW_MS + i * MINUTE_MS / DEVICE_MAX), 0);
    }
    gate_free(gate);
}

static void pause__doubles_until_its_limit_for_who_goes_on(void **state)
{
    (void)state;
    static const unsigned pauses_s[] = {5, 10, 20, 40, 80, 160, 320, 600, 600};
    struct gate *gate = new_gate(&limits);
    uint64_t now_ms = NOW_MS;

    (void)drain(gate, 7, &home, now_ms); /* the first pause has begun */
    for (size_t i = 0; i < sizeof pauses_s / sizeof pauses_s[0]; i++) {
        assert_int_equal(ask(gate, now_ms), pauses_s[i]);
        for (uint64_t s = 1; s < pauses_s[i]; s++) { /* asking on does not make it longer */
            assert_int_equal(ask(gate, now_ms + s * 1000), pauses_s[i] - s);
        }
        now_ms += UINT64_C(1000) * pauses_s[i];
        assert_int_equal(ask(gate, now_ms), 0); /* one is let in, and the next is too many */
        (void)ask(gate, now_ms);
    }
    gate_free(gate);
}

static void pause__is_forgotten_after_a_quiet_minute(void **state)
{
    (void)state;
    struct gate *gate = new_gate(&limits);
    uint64_t later_ms = NOW_MS + 5000 + MINUTE_MS;

    (void)drain(gate, 7, &home, NOW_MS);
    assert_int_equal(drain(gate, 7, &home, later_ms), DEVICE_MAX);
    assert_int_equal(ask(gate, later_ms), 5);
    gate_free(gate);
}

static void limit__of_a_product_is_its_own(void **state)
{
    (void)state;
    struct gate *gate = new_gate(&limits);

    assert_int_equal(drain(gate, 7, &home, NOW_MS), DEVICE_MAX);
    assert_int_equal(drain(gate, 0, &home, NOW_MS), 600);
    assert_int_equal(drain(gate, 8, &home, NOW_MS), DEVICE_MAX);
    gate_free(gate);
}

static void limit__is_per_address_and_per_net_of_a_customer(void **state)
{
    (void)state;
    const struct contact_peer neighbour = {.address = {192, 0, 2, 8}, .port = 40112};
    const struct contact_peer other_port = {.address = {192, 0, 2, 7}, .port = 5};
    struct contact_peer v6 = {.address = {0x20, 1, 0xD, 0xB8, [15] = 1}, .is_v6 = true};
    struct gate *gate = new_gate(&limits);

    (void)drain(gate, 7, &home, NOW_MS);
    assert_int_equal(ask_as(gate, 7, &other_port, NOW_MS), 5);
    assert_int_equal(ask_as(gate, 7, &neighbour, NOW_MS), 0);
    (void)drain(gate, 7, &v6, NOW_MS);
    v6.address[8] = 9; /* the same /64 */
    assert_int_equal(ask_as(gate, 7, &v6, NOW_MS), 5);
    v6.address[7] = 9;
    assert_int_equal(ask_as(gate, 7, &v6, NOW_MS), 0);
    gate_free(gate);
}

static void limit__can_be_lifted_while_it_holds(void **state)
{
    (void)state;
    struct gate_limits none = limits;
    struct gate *gate = new_gate(&limits);

    none.device_per_min = 0;
    (void)drain(gate, 7, &home, NOW_MS);
    gate_set(gate, &none);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(ask(gate, NOW_MS), 0);
    }
    gate_set(gate, &limits);
    assert_int_equal(ask(gate, NOW_MS), 5);
    gate_free(gate);
}

/* The clock's low 32 bits begin anew every 49.7 days. */
static void limit__holds_when_the_clock_wraps(void **state)
{
    (void)state;
    for (uint64_t before = 0; before < 70000; before += 500) {
        uint64_t now_ms = (UINT64_C(1) << 32) - before;
        struct gate *gate = new_gate(&limits);
        assert_int_equal(drain(gate, 7, &home, now_ms), DEVICE_MAX);
        assert_int_equal(ask(gate, now_ms + 4000), 1);
        assert_int_equal(ask(gate, now_ms + 5000), 0);
        assert_int_equal(drain(gate, 7, &home, now_ms + 130000), DEVICE_MAX);
        gate_free(gate);
    }
}

/* Also when the low 32 bits make it look like somebody of the future. */
static void limit__of_a_caller_of_days_ago_is_forgotten(void **state)
{
    (void)state;
    const uint64_t day_ms = UINT64_C(86400000);

    for (uint64_t days = 1; days < 100; days++) {
        struct gate *gate = new_gate(&limits);
        (void)drain(gate, 7, &home, NOW_MS);
        assert_int_equal(drain(gate, 7, &home, NOW_MS + days * day_ms), DEVICE_MAX);
        gate_free(gate);
    }
}

#define N_STRANGERS 1000000u

/* More addresses than there is room for: none of them is limited for the others. */
static void limit__under_a_flood_of_addresses_hits_nobody_else(void **state)
{
    (void)state;
    struct gate *gate = new_gate(&limits);

    for (uint32_t i = 0; i < N_STRANGERS; i++) {
        struct contact_peer stranger = {
            .address = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
        assert_int_equal(ask_as(gate, 0, &stranger, NOW_MS), 0);
    }
    gate_free(gate);
}

/* Who is in a long pause is not forgotten for callers who come and go. */
static void pause__outlasts_a_crowd(void **state)
{
    (void)state;
    struct gate *gate = new_gate(&limits);
    uint64_t now_ms = NOW_MS;

    for (unsigned wait_s = 0; wait_s < 600;) {
        now_ms += UINT64_C(1000) * wait_s;
        (void)drain(gate, 7, &home, now_ms);
        wait_s = ask(gate, now_ms);
    }
    for (uint32_t i = 0; i < N_STRANGERS; i++) {
        struct contact_peer stranger = {
            .address = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
        (void)ask_as(gate, 7, &stranger, now_ms);
    }
    assert_int_equal(ask(gate, now_ms), 600);
    gate_free(gate);
}

static void ceiling__refuses_while_so_many_are_under_way(void **state)
{
    (void)state;
    struct gate_limits two = {.max_downloads = 2};
    struct gate *gate = new_gate(&two);
    const struct gate_caller caller = {1, 0, &home, NOW_MS};
    unsigned wait_s = 0;

    gate_enter(gate);
    assert_int_equal(gate_ask(gate, &caller, &wait_s), GATE_OPEN);
    gate_enter(gate);
    assert_int_equal(gate_downloads(gate), 2);
    assert_int_equal(gate_ask(gate, &caller, &wait_s), GATE_FULL);
    assert_int_equal(wait_s, 60);
    gate_leave(gate);
    assert_int_equal(gate_ask(gate, &caller, &wait_s), GATE_OPEN);
    gate_free(gate);
}

struct crowd {
    struct gate *gate;
    int n_let_in;
};

static void *push_in(void *arg)
{
    struct crowd *crowd = arg;

    for (int i = 0; i < 10000; i++) {
        crowd->n_let_in += ask_as(crowd->gate, 0, &home, NOW_MS) == 0;
    }
    return NULL;
}

static void limit__counts_right_between_threads(void **state)
{
    (void)state;
    struct gate *gate = new_gate(&limits);
    struct crowd crowds[4];
    pthread_t threads[4];
    int n = 0;

    for (size_t i = 0; i < 4; i++) {
        crowds[i] = (struct crowd){gate, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, push_in, &crowds[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        n += crowds[i].n_let_in;
    }
    assert_int_equal(n, 600);
    gate_free(gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit__lets_so_many_in_a_minute_in_and_then_pauses),
        cmocka_unit_test(limit__of_steady_callers_is_never_reached),
        cmocka_unit_test(pause__doubles_until_its_limit_for_who_goes_on),
        cmocka_unit_test(pause__is_forgotten_after_a_quiet_minute),
        cmocka_unit_test(limit__of_a_product_is_its_own),
        cmocka_unit_test(limit__is_per_address_and_per_net_of_a_customer),
        cmocka_unit_test(limit__can_be_lifted_while_it_holds),
        cmocka_unit_test(limit__holds_when_the_clock_wraps),
        cmocka_unit_test(limit__of_a_caller_of_days_ago_is_forgotten),
        cmocka_unit_test(limit__under_a_flood_of_addresses_hits_nobody_else),
        cmocka_unit_test(pause__outlasts_a_crowd),
        cmocka_unit_test(ceiling__refuses_while_so_many_are_under_way),
        cmocka_unit_test(limit__counts_right_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
