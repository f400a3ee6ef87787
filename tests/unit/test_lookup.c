/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "process/endpoint.h"
#include "process/lookup.h"

#define DEADLINE_MS 10000
#define ADDRS_MANY  6

/* The system's look-up as the tests want it: `held...` waits for its turn, `many` has addresses of
 * both families, `counted` another one each time, everything else none. */
static sem_t s_turn;
static sem_t s_left; /* a held question was answered */
static uint8_t s_n_counted;
static _Atomic uint64_t s_now_ms; /* and its clock */

uint64_t __wrap_clock_monotonic_ms(void);

uint64_t __wrap_clock_monotonic_ms(void)
{
    return s_now_ms;
}

static struct addrinfo *new_info(const struct aloft_addr *addr, struct addrinfo *next)
{
    struct {
        struct addrinfo info;
        struct endpoint endpoint;
    } *item = calloc(1, sizeof *item);

    assert_non_null(item);
    endpoint_set(&item->endpoint, addr, 0);
    item->info = (struct addrinfo){.ai_family = item->endpoint.u.any.sa_family,
                                   .ai_addr = &item->endpoint.u.any,
                                   .ai_addrlen = item->endpoint.len,
                                   .ai_next = next};
    return &item->info;
}

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_list);
void __wrap_freeaddrinfo(struct addrinfo *list);

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_list)
{
    struct aloft_addr addr = {4, {10, 0, 0, 0}};

    (void)service;
    *ret_list = NULL;
    if (strncmp(host, "held", 4) == 0) {
        while (sem_wait(&s_turn) != 0 && errno == EINTR) {
        }
        *ret_list = new_info(&addr, NULL);
        (void)sem_post(&s_left);
    } else if (strcmp(host, "counted") == 0) {
        addr.bytes[3] = ++s_n_counted;
        *ret_list = new_info(&addr, NULL);
    } else if (strcmp(host, "many") == 0) {
        for (uint8_t i = ADDRS_MANY; i > 0; i--) {
            addr.len = i % 2 == 1 ? 16 : 4;
            addr.bytes[3] = i;
            *ret_list = new_info(&addr, *ret_list);
        }
    }
    assert_int_equal(hints->ai_family, AF_UNSPEC);
    return *ret_list ? 0 : EAI_NONAME;
}

void __wrap_freeaddrinfo(struct addrinfo *list)
{
    while (list) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}

static int set_up(void **state)
{
    struct lookup *l = NULL;

    assert_int_equal(sem_init(&s_turn, 0, 0), 0);
    assert_int_equal(sem_init(&s_left, 0, 0), 0);
    assert_err(lookup_new(&l, NULL), ALOFT_ERR_OK);
    *state = l;
    return 0;
}

static int tear_down(void **state)
{
    lookup_free(*state);
    return 0;
}

static void wait_once(struct lookup *l)
{
    struct pollfd p = {.fd = lookup_fd(l), .events = POLLIN};

    assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
    lookup_drain(l);
}

static enum aloft_err ask(struct lookup *l, const char *host, struct aloft_addrs *ret_addrs)
{
    enum aloft_err err;

    while ((err = lookup_ask(l, host, ret_addrs)) == ALOFT_ERR_AGAIN) {
        wait_once(l);
    }
    return err;
}

static void literal__of_either_family_answers_at_once(void **state)
{
    struct aloft_addrs addrs;
    const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

    assert_err(lookup_ask(*state, "10.1.2.3", &addrs), ALOFT_ERR_OK);
    assert_int_equal(addrs.n, 1);
    assert_int_equal(addrs.items[0].len, 4);
    assert_memory_equal(addrs.items[0].bytes, "\x0a\x01\x02\x03", 4);
    assert_err(lookup_ask(*state, "2001:db8::1", &addrs), ALOFT_ERR_OK);
    assert_int_equal(addrs.n, 1);
    assert_int_equal(addrs.items[0].len, 16);
    assert_memory_equal(addrs.items[0].bytes, v6, 16);
}

static void name__gives_the_first_addresses_in_the_order_of_the_system(void **state)
{
    struct aloft_addrs addrs;

    assert_err(ask(*state, "many", &addrs), ALOFT_ERR_OK);
    assert_int_equal(addrs.n, ALOFT_ADDRS_MAX);
    for (uint8_t i = 0; i < ALOFT_ADDRS_MAX; i++) {
        assert_int_equal(addrs.items[i].len, i % 2 == 0 ? 16 : 4);
        assert_int_equal(addrs.items[i].bytes[3], i + 1);
    }
}

static void name__that_is_not_known_or_too_long_does_not_resolve(void **state)
{
    struct aloft_addrs addrs;
    char longest[300];

    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_err(ask(*state, "nonexistent.invalid", &addrs), ALOFT_ERR_RESOLVE);
    assert_err(lookup_ask(*state, longest, &addrs), ALOFT_ERR_RESOLVE);
}

static void questions__for_different_names_run_side_by_side(void **state)
{
    struct lookup *l = *state;
    struct aloft_addrs addrs;

    assert_err(lookup_ask(l, "held", &addrs), ALOFT_ERR_AGAIN);
    assert_err(ask(l, "many", &addrs), ALOFT_ERR_OK);
    assert_err(lookup_ask(l, "held", &addrs), ALOFT_ERR_AGAIN);
    assert_int_equal(sem_post(&s_turn), 0); /* one turn: asked again it would hang */
    assert_err(ask(l, "held", &addrs), ALOFT_ERR_OK);
    assert_int_equal(addrs.items[0].bytes[0], 10);
}

static void answer__is_given_once(void **state)
{
    struct aloft_addrs addrs;

    s_n_counted = 0;
    for (uint8_t i = 1; i <= 3; i++) {
        assert_err(ask(*state, "counted", &addrs), ALOFT_ERR_OK);
        assert_int_equal(addrs.items[0].bytes[3], i);
    }
}

static void answer__to_a_question_that_was_given_up_is_not_the_next_ones(void **state)
{
    struct lookup *l = *state;
    struct aloft_addrs addrs;

    s_n_counted = 0;
    assert_err(lookup_ask(l, "counted", &addrs), ALOFT_ERR_AGAIN);
    wait_once(l);
    s_now_ms += LOOKUP_KEPT_MS;
    assert_err(lookup_ask(l, "counted", &addrs), ALOFT_ERR_AGAIN);
    assert_err(ask(l, "counted", &addrs), ALOFT_ERR_OK);
    assert_int_equal(addrs.items[0].bytes[3], 2);
}

static void abandon__forgets_all_questions_and_their_answers_harm_nobody(void **state)
{
    struct lookup *l = *state;
    struct aloft_addrs addrs;

    s_n_counted = 0;
    assert_err(lookup_ask(l, "held", &addrs), ALOFT_ERR_AGAIN);
    assert_err(lookup_ask(l, "counted", &addrs), ALOFT_ERR_AGAIN);
    wait_once(l);
    lookup_abandon(l);
    assert_err(ask(l, "counted", &addrs), ALOFT_ERR_OK);
    assert_int_equal(addrs.items[0].bytes[3], 2);
    assert_int_equal(sem_post(&s_turn), 0);
    assert_int_equal(sem_wait(&s_left), 0);
}

/* A ninth question among eight that hang is answered; of the others only the oldest is lost. */
static void question__asked_longest_ago_makes_room(void **state)
{
    struct lookup *l = *state;
    struct aloft_addrs addrs;
    char name[] = "held0";

    for (int i = 0; i < LOOKUP_JOBS_MAX; i++) {
        name[4] = (char)('0' + i);
        assert_err(lookup_ask(l, name, &addrs), ALOFT_ERR_AGAIN);
        s_now_ms++;
    }
    assert_err(ask(l, "many", &addrs), ALOFT_ERR_OK);
    for (int i = 0; i < LOOKUP_JOBS_MAX; i++) {
        assert_int_equal(sem_post(&s_turn), 0);
    }
    for (int i = 1; i < LOOKUP_JOBS_MAX; i++) { /* no turn is left for one that begins anew */
        name[4] = (char)('0' + i);
        assert_err(ask(l, name, &addrs), ALOFT_ERR_OK);
    }
    for (int i = 0; i < LOOKUP_JOBS_MAX; i++) {
        assert_int_equal(sem_wait(&s_left), 0);
    }
}

#define WITH_LOOKUP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOKUP(literal__of_either_family_answers_at_once),
        WITH_LOOKUP(name__gives_the_first_addresses_in_the_order_of_the_system),
        WITH_LOOKUP(name__that_is_not_known_or_too_long_does_not_resolve),
        WITH_LOOKUP(questions__for_different_names_run_side_by_side),
        WITH_LOOKUP(answer__is_given_once),
        WITH_LOOKUP(answer__to_a_question_that_was_given_up_is_not_the_next_ones),
        WITH_LOOKUP(abandon__forgets_all_questions_and_their_answers_harm_nobody),
        WITH_LOOKUP(question__asked_longest_ago_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
