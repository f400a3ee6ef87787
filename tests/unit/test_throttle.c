/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>

#include "account/throttle.h"

#define SECOND UINT64_C(1000)
#define START  (UINT64_C(1000) * SECOND)

static const struct throttle_key address = {"address", "192.0.2.1", THROTTLE_ADDRESS_MAX_S};
static const struct throttle_key account = {"account", "ann", THROTTLE_ACCOUNT_MAX_S};

static int set_up(void **state)
{
    *state = throttle_new();
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    throttle_free(*state);
    return 0;
}

static unsigned begin(struct throttle *t, const struct throttle_key *key, uint64_t now_ms)
{
    return throttle_begin(t, key, 1, now_ms);
}

static void fail_often(struct throttle *t, const struct throttle_key *key, int n, uint64_t now_ms)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(begin(t, key, now_ms), 0);
    }
}

static void begin__waits_twice_as_long_with_each_failure_after_the_fifth(void **state)
{
    struct throttle *t = *state;
    uint64_t now_ms = START;

    fail_often(t, &account, THROTTLE_FREE, now_ms);
    for (unsigned wait_s = 1; wait_s <= 32; wait_s *= 2) {
        assert_int_equal(begin(t, &account, now_ms), wait_s);
        assert_int_equal(begin(t, &account, now_ms + wait_s * SECOND - 1), 1);
        now_ms += wait_s * SECOND;
        assert_int_equal(begin(t, &account, now_ms), 0);
    }
    assert_int_equal(begin(t, &account, now_ms), THROTTLE_ACCOUNT_MAX_S);
}

static void begin__never_waits_longer_than_the_kind_allows(void **state)
{
    struct throttle *t = *state;
    uint64_t now_ms = START;

    for (int i = 0; i < 100; i++) {
        unsigned wait_s = begin(t, &account, now_ms);
        assert_true(wait_s <= THROTTLE_ACCOUNT_MAX_S);
        now_ms += wait_s * SECOND;
    }
}

static void begin__forgets_after_a_while(void **state)
{
    struct throttle *t = *state;

    fail_often(t, &account, THROTTLE_FREE, START);
    fail_often(t, &account, THROTTLE_FREE, START + THROTTLE_FORGET_MS + 1);
    assert_int_equal(begin(t, &account, START + THROTTLE_FORGET_MS + 1), 1);
}

static void begin__counts_neither_key_while_one_must_wait(void **state)
{
    struct throttle *t = *state;
    const struct throttle_key both[] = {address, account};

    fail_often(t, &account, THROTTLE_FREE, START);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(throttle_begin(t, both, 2, START), 1);
    }
    fail_often(t, &address, THROTTLE_FREE, START);
    assert_int_equal(begin(t, &address, START), 1);
}

static void keys__of_different_kinds_and_texts_do_not_meet(void **state)
{
    struct throttle *t = *state;
    const struct throttle_key other = {"account", "bob", THROTTLE_ACCOUNT_MAX_S};
    const struct throttle_key same_text = {"address", "ann", THROTTLE_ADDRESS_MAX_S};

    fail_often(t, &account, THROTTLE_FREE, START);
    assert_int_equal(begin(t, &other, START), 0);
    assert_int_equal(begin(t, &same_text, START), 0);
}

static void forget__begins_anew_and_undo_takes_one_back(void **state)
{
    struct throttle *t = *state;

    fail_often(t, &account, THROTTLE_FREE, START);
    throttle_forget(t, &account);
    fail_often(t, &account, THROTTLE_FREE, START);
    assert_int_equal(begin(t, &account, START), 1);
    for (int i = 0; i < 3 * THROTTLE_FREE; i++) { /* who always succeeds never waits */
        assert_int_equal(begin(t, &address, START), 0);
        throttle_undo(t, &address);
    }
    fail_often(t, &address, THROTTLE_FREE, START);
    assert_int_equal(begin(t, &address, START), 1);
}

static void table__keeps_who_failed_often_through_a_flood_of_others(void **state)
{
    struct throttle *t = *state;
    char text[32];
    const struct throttle_key flood = {"address", text, THROTTLE_ADDRESS_MAX_S};

    fail_often(t, &account, THROTTLE_FREE, START);
    for (int i = 0; i < 200000; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        (void)begin(t, &flood, START);
    }
    assert_int_equal(begin(t, &account, START), 1);
}

static void is_first__is_true_once_in_an_interval(void **state)
{
    struct throttle *t = *state;
    const struct throttle_key key = {"session.refused", "ann 192.0.2.1", 0};

    assert_true(throttle_is_first(t, &key, 60 * SECOND, START));
    assert_false(throttle_is_first(t, &key, 60 * SECOND, START));
    assert_false(throttle_is_first(t, &key, 60 * SECOND, START + 60 * SECOND - 1));
    assert_true(throttle_is_first(t, &key, 60 * SECOND, START + 60 * SECOND));
}

static void address__of_version_6_counts_by_its_network(void **state)
{
    static const struct {
        const char *address;
        const char *key;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"2001:db8:1:2:3:4:5:6", "20010db800010002"},
        {"2001:db8:1:2::1", "20010db800010002"},
        {"2001:db8:1:3::1", "20010db800010003"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char key[THROTTLE_ADDRESS_BYTES];
        throttle_address(rows[i].address, key);
        assert_string_equal(key, rows[i].key);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(begin__waits_twice_as_long_with_each_failure_after_the_fifth),
        TEST(begin__never_waits_longer_than_the_kind_allows),
        TEST(begin__forgets_after_a_while),
        TEST(begin__counts_neither_key_while_one_must_wait),
        TEST(keys__of_different_kinds_and_texts_do_not_meet),
        TEST(forget__begins_anew_and_undo_takes_one_back),
        TEST(table__keeps_who_failed_often_through_a_flood_of_others),
        TEST(is_first__is_true_once_in_an_interval),
        cmocka_unit_test(address__of_version_6_counts_by_its_network),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
