/* SPDX-License-Identifier: Apache-2.0 */
#include "tracker_world.h"

#include "serve/attempt_files.h"

/* A whole try. */

static void try__is_one_attempt_from_the_query_to_the_last_byte(void **state)
{
    struct fixture *f = *state;

    take(f, query(0));
    expect_row(f, 0, "running", "", 1);
    assert_string_equal(f->rows[0].version, "v2");
    take(f, file(20, CONTACT_FILE_DELIVERED));
    expect_row(f, 0, "delivered", "", 2);
    assert_int_equal(f->n, 1);
    const struct attempt *a = &f->rows[0];
    assert_string_equal(a->product, "lamp");
    assert_string_equal(a->device, "192.0.2.7");
    assert_string_equal(a->address, "192.0.2.7");
    assert_string_equal(a->token_prefix, "abcdef");
    assert_string_equal(a->file, "ota.bin");
    assert_string_equal(a->asked_version, "v2");
    assert_string_equal(a->closed_by, "server");
    assert_int_equal(a->bytes_total, BYTES);
    assert_int_equal(a->bytes_acked, BYTES);
    assert_int_equal(a->started_ms, START_MS);
    assert_int_equal(a->ended_ms, START_MS + 20 * S);
    assert_int_equal(a->duration_ms, 2 * S);
    assert_memory_equal(a->user_agent, "Mozilla/5.0", 11);
    assert_string_equal(read_events(f), "began delivered");
}

static void try__needs_no_version_query(void **state)
{
    struct fixture *f = *state;

    take(f, file(20, CONTACT_FILE_DELIVERED));
    expect_row(f, 0, "delivered", "", 1);
    assert_int_equal(f->rows[0].started_ms, START_MS + 18 * S);
    assert_string_equal(read_events(f), "began delivered");
}

static void try__goes_on_within_180_s_and_no_longer(void **state)
{
    struct fixture *f = *state;
    struct contact slow = file(300, CONTACT_FILE_DELIVERED);

    take(f, query(0));
    slow.duration_ms = 120 * S; /* it began 180 s after the query */
    take(f, slow);
    assert_int_equal(read_rows(f), 1);
    take(f, query(1000));
    slow.time_ms = START_MS + 1301 * S;
    take(f, slow);
    assert_int_equal(read_rows(f), 3);
}

static void try__is_told_from_that_of_another_module(void **state)
{
    struct fixture *f = *state;
    struct contact c = query(1);

    take(f, query(0));
    c.peer.address[3] = 8;
    take(f, c);
    c = query(2);
    PUT(c.token_prefix, "fedcba");
    take(f, c);
    c = query(3);
    c.device_id = 5;
    take(f, c);
    take(f, ours(query(4), "v1", "power"));
    assert_int_equal(read_rows(f), 5);
    c = query(5);
    c.peer.port = 50000;
    take(f, c);
    assert_int_equal(read_rows(f), 5);
}

static void try__begins_anew_after_the_last_one_ended(void **state)
{
    struct fixture *f = *state;

    take(f, query(0));
    take(f, file(10, CONTACT_FILE_STALLED));
    expect_row(f, 0, "failed", "stalled", 2);
    take(f, query(20));
    take(f, file(30, CONTACT_FILE_DELIVERED));
    expect_row(f, 1, "delivered", "", 2);
    assert_string_equal(read_events(f), "began failed began delivered");
}

static void try__goes_on_with_the_rest_of_the_same_file(void **state)
{
    struct fixture *f = *state;

    take(f, ours(query(0), "v1", "power"));
    take(f, ours(file(10, CONTACT_FILE_STALLED), "v1", "power"));
    take(f, ours(file(20, CONTACT_FILE_DELIVERED), "v1", "power"));
    expect_row(f, 0, "delivered", "", 3);
    assert_int_equal(f->n, 1);
}

static void try__of_the_next_file_is_another_one(void **state)
{
    struct fixture *f = *state;
    struct contact c = file(20, CONTACT_FILE_DELIVERED);

    PUT(c.file_name, "client_ca.bin");
    take(f, c);
    c = file(30, CONTACT_FILE_DELIVERED);
    PUT(c.file_name, "mqtt_ca.bin");
    take(f, c);
    assert_int_equal(read_rows(f), 2);
}

static void try__counts_for_its_device(void **state)
{
    struct fixture *f = *state;
    const struct device_news news = {.product_id = 1,
                                     .device = "",
                                     .token_prefix = "abcdef",
                                     .address = "192.0.2.7",
                                     .seen_ms = START_MS};
    int64_t n = 0;

    note_device(f, &news);
    take(f, query(0));
    take(f, file(10, CONTACT_FILE_STALLED));
    take(f, query(20));
    assert_err(db_query_int(f->db, "SELECT sum(n_attempts) FROM device", NULL, &n, NULL),
               ALOFT_ERR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(read_rows(f), 2);
    assert_true(f->rows[0].device_id != 0);
}

/* Refusals. */

static void refusals__of_one_client_are_one_attempt(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 10; i++) {
        struct contact c = query(i);
        c.product_id = 0;
        c.status = 404;
        c.outcome = CONTACT_UNKNOWN_TOKEN;
        take(f, c);
    }
    assert_int_equal(read_rows(f), 1);
    assert_string_equal(f->rows[0].cause, "unknown_token");
    assert_int_equal(f->rows[0].product_id, 0);
    assert_string_equal(read_events(f), "began failed");
    sweep(f, 200);
    expect_row(f, 0, "failed", "unknown_token", 10);
    assert_int_equal(f->rows[0].ended_ms, START_MS + 9 * S);
}

static void refusals__end_when_the_client_is_let_in(void **state)
{
    struct fixture *f = *state;
    struct contact c = query(0);

    c.status = 503;
    c.outcome = CONTACT_FULL;
    take(f, c);
    expect_row(f, 0, "failed", "full", 1);
    take(f, query(30));
    expect_row(f, 0, "running", "", 2);
    take(f, file(40, CONTACT_FILE_DELIVERED));
    expect_row(f, 0, "delivered", "", 3);
}

static void refusals__of_files_are_one_attempt_each(void **state)
{
    static const struct {
        enum contact_outcome outcome;
        const char *cause;
    } rows[] = {
        {CONTACT_NO_ROM, "unknown_version"},
        {CONTACT_NO_FILE, "no_file"},
        {CONTACT_FILE_ERASES, "erased_for_nothing"},
        {CONTACT_FILE_UNREADABLE, "unreadable"},
        {CONTACT_BAD_RANGE, "bad_range"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct contact c = file((int64_t)i * 1000, rows[i].outcome);
        c.status = 404;
        take(f, query((int64_t)i * 1000 - 10));
        take(f, c);
        take(f, c); /* the same once more */
        expect_row(f, i, "failed", rows[i].cause, 3);
    }
}

static void refusals__of_everybody_else_leave_a_row_too(void **state)
{
    static const struct {
        enum contact_outcome outcome;
        const char *cause;
    } rows[] = {
        {CONTACT_NO_TOKEN, "no_token"},         {CONTACT_BAD_TOKEN, "bad_token"},
        {CONTACT_TLS_FAILED, "tls_refused"},    {CONTACT_LINK_UNKNOWN, "link_unknown"},
        {CONTACT_LINK_EXPIRED, "link_expired"}, {CONTACT_NO_CURRENT, "no_current"},
        {CONTACT_LIMITED, "limited"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct contact c = query((int64_t)i * 1000);
        c.status = 404;
        c.outcome = rows[i].outcome;
        take(f, c);
        expect_row(f, i, "failed", rows[i].cause, 1);
    }
}

static void noise__leaves_no_row(void **state)
{
    static const enum contact_outcome noise[] = {
        CONTACT_LIST_TOLD,    CONTACT_HEAD_TOLD,       CONTACT_NOT_HERE,
        CONTACT_BAD_METHOD,   CONTACT_BAD_REQUEST,     CONTACT_REQUEST_CUT,
        CONTACT_REQUEST_LATE, CONTACT_REQUEST_TOO_BIG, CONTACT_BAD_PROXY,
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof noise / sizeof noise[0]; i++) {
        struct contact c = query(0);
        c.kind = CONTACT_OTHER;
        c.outcome = noise[i];
        take(f, c);
    }
    take(f, ours(query(1), "v2", "power")); /* it only looks whether there is anything new */
    assert_int_equal(read_rows(f), 0);
}

static void strangers__fill_no_disk(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 500; i++) {
        struct contact c = query(0);
        c.product_id = 0;
        c.outcome = CONTACT_UNKNOWN_TOKEN;
        (void)snprintf(c.token_prefix, sizeof c.token_prefix, "%06d", i);
        take(f, c);
    }
    assert_int_equal(read_rows(f), TRACKER_STRANGERS_PER_S);
}

/* Downloads that end early. */

static void download__that_ends_early_has_its_cause(void **state)
{
    static const struct {
        enum contact_outcome outcome;
        uint64_t acked;
        const char *cause;
        const char *closed_by;
    } rows[] = {
        {CONTACT_FILE_CLOSED, 1024, "wrong_magic", "module"},
        {CONTACT_FILE_CLOSED, 0, "closed_first_window", "module"},
        {CONTACT_FILE_CLOSED, 100000, "closed", "module"},
        {CONTACT_FILE_STALLED, 100000, "stalled", "server"},
        {CONTACT_FILE_STOPPED, 100000, "server_stopped", "server"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct contact c = file((int64_t)i * 1000, rows[i].outcome);
        c.acked_bytes = rows[i].acked;
        take(f, c);
        expect_row(f, i, "failed", rows[i].cause, 1);
        assert_string_equal(f->rows[i].closed_by, rows[i].closed_by);
        assert_int_equal(f->rows[i].bytes_acked, rows[i].acked);
    }
}

static void download__that_took_all_of_180_s_was_too_slow(void **state)
{
    struct fixture *f = *state;
    struct contact c = file(170, CONTACT_FILE_CLOSED);

    take(f, query(0));
    c.duration_ms = 140 * S; /* with 30 s of erasing before it */
    take(f, c);
    expect_last(f, "failed", "too_slow", 1);
}

/* Time. */

static void silence__after_the_query_is_an_attempt_given_up(void **state)
{
    struct fixture *f = *state;

    take(f, query(0));
    sweep(f, 180);
    expect_last(f, "running", "", 1);
    sweep(f, 181);
    expect_last(f, "abandoned", "never_came", 1);
    assert_string_equal(read_events(f), "began abandoned");
    assert_int_equal(f->rows[0].ended_ms, START_MS);
}

static void silence__after_a_part_is_an_attempt_given_up(void **state)
{
    struct fixture *f = *state;

    take(f, file(10, CONTACT_FILE_PART));
    expect_last(f, "running", "", 1);
    sweep(f, 191);
    expect_last(f, "abandoned", "only_a_part", 1);
}

static void download__that_ends_after_it_was_given_up_goes_on(void **state)
{
    struct fixture *f = *state;
    struct contact c = file(400, CONTACT_FILE_DELIVERED);

    take(f, query(0));
    sweep(f, 200);
    c.duration_ms = 390 * S;
    take(f, c);
    expect_last(f, "delivered", "", 1);
    assert_string_equal(read_events(f), "began abandoned delivered");
}

static void delivery__of_a_stock_module_is_never_proven(void **state)
{
    struct fixture *f = *state;

    take(f, file(10, CONTACT_FILE_DELIVERED));
    sweep(f, 10 + 600);
    expect_last(f, "delivered", "", 1);
    sweep(f, 10 + 601);
    expect_last(f, "delivered", "not_proven", 1);
    assert_string_equal(f->rows[0].sentence,
                        "all 262144 bytes arrived; stock firmware says nothing after its restart, "
                        "so delivered is all that can be seen of v2");
}

static void start__goes_on_with_what_ran_before(void **state)
{
    struct fixture *f = *state;
    struct contact own = ours(query(0), "v1", "power");

    own.device_id = 5;
    take(f, query(0));
    take(f, own);
    open_tracker(f, 64);
    take(f, file(10, CONTACT_FILE_DELIVERED));
    own = ours(file(11, CONTACT_FILE_DELIVERED), "v1", "power");
    own.device_id = 5;
    take(f, own);
    assert_int_equal(read_rows(f), 2);
    open_tracker(f, 64);
    own = ours(query(20), "v2", "upgrade");
    own.device_id = 5;
    take(f, own);
    expect_row(f, 0, "delivered", "", 2);
    expect_row(f, 1, "proven", "", 3);
    assert_int_equal(f->n, 2);
}

static void start__writes_down_what_was_only_counted(void **state)
{
    struct fixture *f = *state;

    take(f, query(0));
    take(f, query(1));
    take(f, query(2));
    expect_row(f, 0, "running", "", 1);
    open_tracker(f, 64);
    expect_row(f, 0, "running", "", 3);
}

static void table__lets_closed_attempts_give_way(void **state)
{
    struct fixture *f = *state;

    open_tracker(f, 4);
    take(f, query(0));
    for (uint8_t i = 0; i < 20; i++) {
        struct contact c = file(1, CONTACT_FILE_STALLED);
        c.peer.address[3] = (uint8_t)(100 + i);
        take(f, c);
    }
    take(f, file(10, CONTACT_FILE_DELIVERED));
    expect_row(f, 0, "delivered", "", 2);
    assert_int_equal(f->n, 21);
}

static void attempts__that_are_old_go(void **state)
{
    struct fixture *f = *state;

    take(f, file(10, CONTACT_FILE_STALLED));
    take(f, file(1000, CONTACT_FILE_STALLED));
    assert_err(attempts_expire(f->db, START_MS + 1000 * S, NULL), ALOFT_ERR_OK);
    assert_int_equal(read_rows(f), 1);
    assert_int_equal(f->rows[0].ended_ms, START_MS + 1000 * S);
}

static void filter__takes_all_its_words(void **state)
{
    struct fixture *f = *state;
    struct attempt_filter filters[] = {
        {.device = "192.0.2.7"},    {.state = "failed"},    {.cause = "stalled"},
        {.version = "v2"},          {.file = "ota.bin"},    {.address = "192.0.2.7"},
        {.token_prefix = "abcdef"}, {.since_ms = START_MS}, {.until_ms = START_MS + 9000},
        {.product_id = 1},          {.before_id = 2},
    };
    struct attempt_filter others[] = {
        {.device = "x"},        {.state = "proven"},
        {.cause = "x"},         {.version = "v3"},
        {.file = "x.bin"},      {.address = "192.0.2.8"},
        {.token_prefix = "0"},  {.since_ms = START_MS + 9000},
        {.until_ms = START_MS}, {.product_id = 2},
        {.before_id = 1},
    };

    take(f, file(10, CONTACT_FILE_STALLED)); /* began 8 s after the start */
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        filters[i].limit = others[i].limit = 10;
        filters[i].is_all_seen = others[i].is_all_seen = true;
        assert_int_equal(read_some(f, &filters[i]), 1);
        assert_int_equal(read_some(f, &others[i]), 0);
    }
}

/* Two downloads side by side show that the token and the address are those of several modules.
 */
static void crowd__that_cannot_be_told_apart_has_one_row_in_a_second(void **state)
{
    struct fixture *f = *state;
    struct contact c = file(100, CONTACT_FILE_DELIVERED);

    c.duration_ms = 90 * S;
    for (int i = 0; i < 50; i++) {
        take(f, c);
        c.time_ms += 10;
    }
    assert_int_equal(read_rows(f), 1);
    c.time_ms += 2 * S;
    take(f, c);
    size_t n = read_rows(f);
    assert_int_equal(n, 2);
    tracker_free(f->tracker);
    f->tracker = NULL;
    int64_t n_contacts = 0;
    (void)read_rows(f);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(f->rows[i].state, "delivered");
        n_contacts += f->rows[i].n_contacts;
    }
    assert_int_equal(n_contacts, 51);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(try__is_one_attempt_from_the_query_to_the_last_byte),
        TEST(try__needs_no_version_query),
        TEST(try__goes_on_within_180_s_and_no_longer),
        TEST(try__is_told_from_that_of_another_module),
        TEST(try__begins_anew_after_the_last_one_ended),
        TEST(try__goes_on_with_the_rest_of_the_same_file),
        TEST(try__of_the_next_file_is_another_one),
        TEST(try__counts_for_its_device),
        TEST(refusals__of_one_client_are_one_attempt),
        TEST(refusals__end_when_the_client_is_let_in),
        TEST(refusals__of_files_are_one_attempt_each),
        TEST(refusals__of_everybody_else_leave_a_row_too),
        TEST(noise__leaves_no_row),
        TEST(strangers__fill_no_disk),
        TEST(download__that_ends_early_has_its_cause),
        TEST(download__that_took_all_of_180_s_was_too_slow),
        TEST(silence__after_the_query_is_an_attempt_given_up),
        TEST(silence__after_a_part_is_an_attempt_given_up),
        TEST(download__that_ends_after_it_was_given_up_goes_on),
        TEST(delivery__of_a_stock_module_is_never_proven),
        TEST(crowd__that_cannot_be_told_apart_has_one_row_in_a_second),
        TEST(start__goes_on_with_what_ran_before),
        TEST(start__writes_down_what_was_only_counted),
        TEST(table__lets_closed_attempts_give_way),
        TEST(attempts__that_are_old_go),
        TEST(filter__takes_all_its_words),
    };

    return STORE_RUN(tests);
}
