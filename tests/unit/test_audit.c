/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

#include <string.h>

#include "host/hashes.h"
#include "store/audit.h"

#define N_ROWS 5
#define ZEROS  "0000000000000000000000000000000000000000000000000000000000000000"

struct fixture {
    char dir[256];
    struct db *db;
    struct audit_verdict verdict;
};

static void add(struct fixture *f, int64_t time_ms, const char *actor, const char *action,
                const char *product)
{
    const struct audit_entry entry = {.time_ms = time_ms,
                                      .actor = actor,
                                      .address = "192.0.2.1",
                                      .action = action,
                                      .product = product,
                                      .object = "it",
                                      .detail = "{}"};

    assert_err(audit_add(f->db, &entry, NULL), ALOFT_ERR_OK);
}

/* Rows 1 to 5, at 100, 200, ... */
static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (!f || store_world_open(f->dir, &f->db) != 0) {
        return -1;
    }
    add(f, 100, "ann", "account.joined", "");
    add(f, 200, "ann", "product.added", "lamp");
    add(f, 300, "bob", "rom.deployed", "lamp");
    add(f, 400, "bob", "product.added", "fan");
    add(f, 500, "ann", "rom.deployed", "fan");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    store_world_close(f->dir, f->db);
    free(f);
    return 0;
}

/* `sql` is a literal. */
static void execute(struct fixture *f, const char *sql)
{
    AUTO_STMT s = NULL;

    assert_err(db_prepare(f->db, sql, &s, NULL), ALOFT_ERR_OK);
    assert_err(db_run(s, NULL), ALOFT_ERR_OK);
}

static const struct audit_verdict *verify(struct fixture *f, const char *kept_head)
{
    assert_err(audit_verify(f->db, kept_head, &f->verdict, NULL), ALOFT_ERR_OK);
    return &f->verdict;
}

static void hash__is_of_the_row_before_and_all_columns_with_their_lengths(void **state)
{
    struct fixture *f = *state;
    char hex[HASH_HEX_BYTES];
    static const char first[] = "64:" ZEROS "1:1"
                                "3:100"
                                "3:ann"
                                "9:192.0.2.1"
                                "14:account.joined"
                                "0:"
                                "2:it"
                                "2:{}";

    execute(f, "DELETE FROM audit WHERE id > 1");
    assert_err(sha256_text(first, sizeof first - 1, hex, NULL), ALOFT_ERR_OK);
    assert_string_equal(verify(f, NULL)->head, hex);
}

static void verify__finds_a_log_whole(void **state)
{
    struct fixture *f = *state;
    const struct audit_verdict *v = verify(f, NULL);

    assert_int_equal(v->bad_id, 0);
    assert_int_equal(v->n_rows, N_ROWS);
    assert_string_equal(v->reason, "");
    execute(f, "DELETE FROM audit");
    v = verify(f, ZEROS);
    assert_int_equal(v->n_rows, 0);
    assert_string_equal(v->head, ZEROS);
    assert_true(v->has_kept_head);
}

static void verify__walks_over_more_rows_than_it_reads_at_once(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 1200; i++) {
        add(f, 600 + i, "ann", "rom.deployed", "lamp");
    }
    assert_int_equal(verify(f, NULL)->n_rows, N_ROWS + 1200);
    execute(f, "UPDATE audit SET object = 'that' WHERE id = 1100");
    assert_int_equal(verify(f, NULL)->bad_id, 1100);
}

static void verify__notices_a_change_in_every_column(void **state)
{
    static const char *const changes[] = {
        "UPDATE audit SET time_ms = 301 WHERE id = 3",
        "UPDATE audit SET actor = 'eve' WHERE id = 3",
        "UPDATE audit SET address = '' WHERE id = 3",
        "UPDATE audit SET action = 'rom.removed' WHERE id = 3",
        "UPDATE audit SET product = 'fan' WHERE id = 3",
        "UPDATE audit SET object = 'that' WHERE id = 3",
        "UPDATE audit SET detail = '{ }' WHERE id = 3",
        "UPDATE audit SET actor = 'bo', address = 'b192.0.2.1' WHERE id = 3",
        "UPDATE audit SET hash = '" ZEROS "' WHERE id = 3",
    };

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        assert_int_equal(set_up(state), 0);
        struct fixture *f = *state;
        execute(f, changes[i]);
        assert_int_equal(verify(f, NULL)->bad_id, 3);
        assert_int_equal(f->verdict.n_rows, 2);
        assert_string_equal(f->verdict.reason, "this row is not the one that was written here");
        assert_int_equal(tear_down(state), 0);
    }
}

static void verify__notices_a_row_taken_away(void **state)
{
    struct fixture *f = *state;

    execute(f, "DELETE FROM audit WHERE id = 3");
    assert_int_equal(verify(f, NULL)->bad_id, 3);
    assert_string_equal(f->verdict.reason, "this row is missing");
    execute(f, "DELETE FROM audit WHERE id = 1");
    assert_int_equal(verify(f, NULL)->bad_id, 1);
}

static void verify__notices_a_row_taken_away_and_the_others_moved_up(void **state)
{
    struct fixture *f = *state;

    execute(f, "DELETE FROM audit WHERE id = 3");
    execute(f, "UPDATE audit SET id = 3 WHERE id = 4");
    execute(f, "UPDATE audit SET id = 4 WHERE id = 5");
    assert_int_equal(verify(f, NULL)->bad_id, 3);
}

static void verify__notices_a_row_put_in(void **state)
{
    struct fixture *f = *state;

    execute(f, "UPDATE audit SET id = id + 100 WHERE id >= 3");
    execute(f, "UPDATE audit SET id = id - 99 WHERE id >= 100");
    execute(f, "INSERT INTO audit SELECT 3, time_ms, actor, address, action, product, object, "
               "detail, hash FROM audit WHERE id = 2");
    assert_int_equal(verify(f, NULL)->bad_id, 3);
    execute(f, "INSERT INTO audit SELECT 0, time_ms, actor, address, action, product, object, "
               "detail, hash FROM audit WHERE id = 2");
    assert_int_equal(verify(f, NULL)->bad_id, 1);
    assert_string_equal(f->verdict.reason, "rows were put in before this one");
}

static void verify__notices_rows_in_another_order(void **state)
{
    struct fixture *f = *state;

    execute(f, "UPDATE audit SET id = 99 WHERE id = 3");
    execute(f, "UPDATE audit SET id = 3 WHERE id = 4");
    execute(f, "UPDATE audit SET id = 4 WHERE id = 99");
    assert_int_equal(verify(f, NULL)->bad_id, 3);
}

static void verify__notices_a_cut_end_only_by_a_head_that_was_kept(void **state)
{
    struct fixture *f = *state;
    char kept[HASH_HEX_BYTES];

    memcpy(kept, verify(f, NULL)->head, sizeof kept);
    add(f, 600, "ann", "rom.deployed", "fan");
    assert_true(verify(f, kept)->has_kept_head);
    execute(f, "DELETE FROM audit WHERE id >= 5");
    assert_int_equal(verify(f, NULL)->bad_id, 0);
    assert_int_equal(f->verdict.n_rows, 4);
    assert_false(verify(f, kept)->has_kept_head);
    add(f, 500, "eve", "rom.deployed", "fan");
    assert_int_equal(verify(f, kept)->bad_id, 0);
    assert_false(f->verdict.has_kept_head);
}

/* -- list -------------------------------------------------------------------------------------- */

struct seen {
    int64_t ids[N_ROWS + 1];
    size_t n;
};

static enum aloft_err note_row(void *ctx, int64_t id, const struct audit_entry *entry,
                               const char *hash, struct error *e)
{
    struct seen *seen = ctx;

    (void)e;
    assert_string_equal(entry->address, "192.0.2.1");
    assert_int_equal(strlen(hash), 64);
    assert_true(seen->n < N_ROWS);
    seen->ids[seen->n++] = id;
    return ALOFT_ERR_OK;
}

static void assert_rows(struct fixture *f, struct audit_filter filter, size_t n, const int64_t *ids)
{
    struct seen seen = {0};

    filter.limit = filter.limit ? filter.limit : N_ROWS;
    assert_err(audit_each(f->db, &filter, note_row, &seen, NULL), ALOFT_ERR_OK);
    assert_int_equal(seen.n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(seen.ids[i], ids[i]);
    }
}

#define ROWS(...)                                                                                  \
    sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[])                                \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static void each__gives_the_newest_first_and_filters(void **state)
{
    struct fixture *f = *state;

    assert_rows(f, (struct audit_filter){0}, ROWS(5, 4, 3, 2, 1));
    assert_rows(f, (struct audit_filter){.limit = 2}, ROWS(5, 4));
    assert_rows(f, (struct audit_filter){.before = 4, .limit = 2}, ROWS(3, 2));
    assert_rows(f, (struct audit_filter){.actor = "ann"}, ROWS(5, 2, 1));
    assert_rows(f, (struct audit_filter){.action = "product.added"}, ROWS(4, 2));
    assert_rows(f, (struct audit_filter){.product = "lamp"}, ROWS(3, 2));
    assert_rows(f, (struct audit_filter){.since_ms = 200, .until_ms = 400}, ROWS(3, 2));
    assert_rows(f, (struct audit_filter){.actor = "bob", .product = "fan"}, ROWS(4));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hash__is_of_the_row_before_and_all_columns_with_their_lengths),
        TEST(verify__finds_a_log_whole),
        TEST(verify__walks_over_more_rows_than_it_reads_at_once),
        cmocka_unit_test(verify__notices_a_change_in_every_column),
        TEST(verify__notices_a_row_taken_away),
        TEST(verify__notices_a_row_taken_away_and_the_others_moved_up),
        TEST(verify__notices_a_row_put_in),
        TEST(verify__notices_rows_in_another_order),
        TEST(verify__notices_a_cut_end_only_by_a_head_that_was_kept),
        TEST(each__gives_the_newest_first_and_filters),
    };

    return STORE_RUN(tests);
}
