/* SPDX-License-Identifier: Apache-2.0 */
#include "tracker_world.h"

/* Proof. */

static void proof__ends_the_attempt_and_is_none_itself(void **state)
{
    struct fixture *f = *state;

    take(f, ours(query(0), "v1", "power"));
    take(f, ours(file(10, CONTACT_FILE_DELIVERED), "v1", "power"));
    take(f, ours(query(20), "v2", "upgrade"));
    expect_last(f, "proven", "", 1);
    assert_string_equal(f->rows[0].sentence, "runs v2 now: proven");
    assert_int_equal(f->rows[0].n_contacts, 3);
    take(f, ours(query(30), "v2", "upgrade"));
    assert_int_equal(read_rows(f), 1);
    assert_string_equal(read_events(f), "began delivered proven");
}

static void proof__counts_from_another_address_and_when_it_is_limited(void **state)
{
    struct fixture *f = *state;
    struct contact c = ours(query(20), "v2", "upgrade");

    take(f, ours(file(10, CONTACT_FILE_DELIVERED), "v1", "power"));
    c.peer.address[3] = 99;
    c.outcome = CONTACT_LIMITED;
    take(f, c);
    expect_last(f, "proven", "", 1);
}

static void proof__of_the_same_version_sent_again_needs_an_upgrade(void **state)
{
    struct fixture *f = *state;

    take(f, ours(file(10, CONTACT_FILE_DELIVERED), "v2", "power"));
    take(f, ours(query(400), "v2", "power"));
    expect_last(f, "delivered", "", 1);
    take(f, ours(query(500), "v2", "upgrade"));
    expect_last(f, "proven", "", 1);
}

static void proof__that_came_before_the_delivery_was_known_to_end_counts(void **state)
{
    struct fixture *f = *state;
    const struct device_news news = {.product_id = 1,
                                     .device = "0123456789ab",
                                     .token_prefix = "abcdef",
                                     .address = "192.0.2.7",
                                     .delivered_version = "v2",
                                     .running_version = "v2",
                                     .seen_ms = START_MS + 10 * S};

    take(f, ours(query(0), "v1", "power"));
    take(f, ours(query(9), "v2", "upgrade"));
    note_device(f, &news);
    take(f, ours(file(10, CONTACT_FILE_DELIVERED), "v1", "power"));
    expect_last(f, "proven", "", 1);
}

static void proof__finds_a_delivery_the_table_has_forgotten(void **state)
{
    struct fixture *f = *state;
    struct contact c = ours(query(900), "v2", "upgrade");

    take(f, ours(file(10, CONTACT_FILE_DELIVERED), "v1", "power"));
    sweep(f, 800); /* not proven in time: the next start does not read it again */
    open_tracker(f, 64);
    c.outcome = CONTACT_PROVEN;
    take(f, c);
    expect_last(f, "proven", "", 1);
}

static void proof__comes_after_it_was_missed_too(void **state)
{
    struct fixture *f = *state;

    take(f, ours(file(10, CONTACT_FILE_DELIVERED), "v1", "power"));
    sweep(f, 10 + 601);
    expect_last(f, "delivered", "not_proven", 1);
    assert_string_equal(f->rows[0].sentence,
                        "all 262144 bytes arrived 601 s ago, but the module did not come back on "
                        "v2: it is off, without network, or did not take the new version");
    take(f, ours(query(700), "v2", "upgrade"));
    expect_last(f, "proven", "", 1);
    assert_string_equal(read_events(f), "began delivered delivered proven");
}

static void rollback__ends_the_attempt(void **state)
{
    struct fixture *f = *state;

    take(f, ours(file(10, CONTACT_FILE_DELIVERED), "v1", "power"));
    take(f, ours(query(60), "v1", "rollback"));
    expect_last(f, "failed", "rolled_back", 1);
    assert_string_equal(f->rows[0].sentence,
                        "v2 was delivered, but the module came back with v1 after a rollback: the "
                        "new version did not start, or did not confirm itself");
}

/* Refused after the last byte. */

static void return__with_the_old_version_ends_the_attempt(void **state)
{
    struct fixture *f = *state;

    take(f, ours(file(10, CONTACT_FILE_DELIVERED), "v1", "power"));
    take(f, ours(query(22), "v1", "power"));
    expect_row(f, 0, "failed", "refused_after_last_byte", 1);
    assert_string_equal(f->rows[0].sentence,
                        "all 262144 bytes arrived, but the module came back after 12 s, still on "
                        "v1 and not restarted: its own verification refused the image after the "
                        "last byte");
    expect_last(f, "running", "", 2);
}

static void return__after_a_restart_or_late_says_nothing(void **state)
{
    struct fixture *f = *state;

    take(f, ours(file(10, CONTACT_FILE_DELIVERED), "v1", "power"));
    take(f, ours(query(22), "v1", "restart"));
    expect_row(f, 0, "delivered", "", 1);
    take(f, ours(query(192), "v1", "power"));
    expect_row(f, 0, "delivered", "", 1);
}

static void return__of_a_stock_module_for_the_same_file_ends_the_attempt(void **state)
{
    struct fixture *f = *state;
    struct contact c = file(10, CONTACT_FILE_DELIVERED);

    c.device_id = 5;
    take(f, c);
    c = query(20);
    c.device_id = 5;
    take(f, c);
    expect_row(f, 0, "delivered", "", 1); /* it may come for another file */
    c = file(30, CONTACT_FILE_DELIVERED);
    c.device_id = 5;
    take(f, c);
    expect_row(f, 0, "failed", "refused_after_last_byte", 1);
    assert_string_equal(f->rows[0].sentence,
                        "all 262144 bytes arrived, but the module came back after 10 s for the "
                        "same version: its own verification refused the image after the last "
                        "byte, or its host MCU ordered the same upgrade once more");
    expect_last(f, "delivered", "", 2);
}

static void return__by_the_products_token_may_be_another_module(void **state)
{
    struct fixture *f = *state;

    take(f, file(10, CONTACT_FILE_DELIVERED));
    take(f, file(30, CONTACT_FILE_DELIVERED));
    expect_row(f, 0, "failed", "refused_after_last_byte", 1);
    assert_string_equal(f->rows[0].sentence,
                        "all 262144 bytes arrived, but the module came back after 18 s for the "
                        "same version: its own verification refused the image after the last "
                        "byte, or it is another module, as the product's token behind one address "
                        "does not tell them apart");
    expect_last(f, "delivered", "", 2);
}

static void return__is_none_where_several_modules_are_known(void **state)
{
    struct fixture *f = *state;
    struct contact c = file(12, CONTACT_FILE_DELIVERED);

    take(f, file(10, CONTACT_FILE_DELIVERED));
    c.duration_ms = 9 * S; /* it ran beside the first one */
    take(f, c);
    take(f, file(30, CONTACT_FILE_DELIVERED));
    expect_row(f, 0, "delivered", "", 1);
    expect_row(f, 1, "delivered", "", 1);
    expect_last(f, "delivered", "", 3);
}

static void return__for_a_user_partition_is_another_try(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 2; i++) {
        struct contact c = file(10 + 20 * i, CONTACT_FILE_DELIVERED);
        PUT(c.file_name, "client_ca.bin");
        take(f, c);
    }
    expect_row(f, 0, "delivered", "", 1);
    assert_int_equal(f->n, 2);
    sweep(f, 2000);
    expect_row(f, 0, "delivered", "", 1); /* nothing can prove it */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(proof__ends_the_attempt_and_is_none_itself),
        TEST(proof__counts_from_another_address_and_when_it_is_limited),
        TEST(proof__of_the_same_version_sent_again_needs_an_upgrade),
        TEST(proof__that_came_before_the_delivery_was_known_to_end_counts),
        TEST(proof__finds_a_delivery_the_table_has_forgotten),
        TEST(proof__comes_after_it_was_missed_too),
        TEST(rollback__ends_the_attempt),
        TEST(return__with_the_old_version_ends_the_attempt),
        TEST(return__after_a_restart_or_late_says_nothing),
        TEST(return__of_a_stock_module_for_the_same_file_ends_the_attempt),
        TEST(return__by_the_products_token_may_be_another_module),
        TEST(return__is_none_where_several_modules_are_known),
        TEST(return__for_a_user_partition_is_another_try),
    };

    return STORE_RUN(tests);
}
