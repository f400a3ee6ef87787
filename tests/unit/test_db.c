/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdbool.h>
#include <string.h>

#include "store/db.h"
#include "store/migrations.h"
#include "temp_dir.h"

struct fixture {
    char dir[256];
    char path[300];
    struct db *db;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (!f || temp_dir_make(f->dir) != 0) {
        return -1;
    }
    (void)snprintf(f->path, sizeof f->path, "%s/aloft.db", f->dir);
    *state = f;
    return db_open(f->path, &f->db, NULL) == ALOFT_ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    db_close(f->db);
    temp_dir_remove(f->dir);
    free(f);
    return 0;
}

static void run_sql(struct db *db, const char *sql)
{
    AUTO_STMT s = NULL;

    assert_err(db_prepare(db, sql, &s, NULL), ALOFT_ERR_OK);
    assert_err(db_run(s, NULL), ALOFT_ERR_OK);
}

static int64_t count_facts(struct db *db)
{
    int64_t n = -1;

    assert_err(db_query_int(db, "SELECT count(*) FROM server_fact", NULL, &n, NULL), ALOFT_ERR_OK);
    return n;
}

static void open__applies_every_migration_once(void **state)
{
    struct fixture *f = *state;
    int64_t version = 0;

    for (int i = 0; i < 2; i++) {
        assert_err(
            db_query_int(f->db, "SELECT max(version) FROM schema_version", NULL, &version, NULL),
            ALOFT_ERR_OK);
        assert_int_equal(version, n_db_migrations);
        db_close(f->db);
        f->db = NULL;
        assert_err(db_open(f->path, &f->db, NULL), ALOFT_ERR_OK);
    }
}

static void open__refuses_a_newer_schema_with_a_sentence(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};

    run_sql(f->db, "INSERT INTO schema_version VALUES (999, 'from-the-future', 0)");
    db_close(f->db);
    f->db = NULL;
    assert_err(db_open(f->path, &f->db, &e), ALOFT_ERR_VERSION);
    assert_non_null(strstr(e.sentence, "schema version 999"));
}

static void open__refuses_what_is_no_database(void **state)
{
    struct fixture *f = *state;
    char path[300];
    struct db *db = NULL;
    struct error e = {0};

    (void)snprintf(path, sizeof path, "%s/other", f->dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 100; i++) {
        (void)fputs("this is not a database ", file);
    }
    (void)fclose(file);
    assert_err(db_open(path, &db, &e), ALOFT_ERR_IO);
    assert_non_null(strstr(e.sentence, "not a database"));
}

static void open__makes_strict_tables_with_foreign_keys_and_full_sync(void **state)
{
    struct fixture *f = *state;
    int64_t n = -1;

    assert_err(db_query_int(f->db,
                            "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND "
                            "strict = 0 AND name NOT LIKE 'sqlite_%'",
                            NULL, &n, NULL),
               ALOFT_ERR_OK);
    assert_int_equal(n, 0);
    assert_err(db_query_int(f->db, "PRAGMA foreign_keys", NULL, &n, NULL), ALOFT_ERR_OK);
    assert_int_equal(n, 1);
    assert_err(db_query_int(f->db, "PRAGMA synchronous", NULL, &n, NULL), ALOFT_ERR_OK);
    assert_int_equal(n, 2); /* FULL */
}

static void transaction__is_undone_when_it_goes_out_of_scope(void **state)
{
    struct fixture *f = *state;

    {
        AUTO_TRANSACTION tx = NULL;
        assert_err(db_begin(f->db, &tx, NULL), ALOFT_ERR_OK);
        run_sql(tx, "INSERT INTO server_fact VALUES ('a', 'lost')");
        assert_int_equal(count_facts(f->db), 1);
    }
    assert_int_equal(count_facts(f->db), 0);
}

static void transaction__lasts_after_commit_and_reopen(void **state)
{
    struct fixture *f = *state;
    AUTO_TRANSACTION tx = NULL;

    assert_err(db_begin(f->db, &tx, NULL), ALOFT_ERR_OK);
    run_sql(tx, "INSERT INTO server_fact VALUES ('a', 'kept')");
    assert_err(db_commit(&tx, NULL), ALOFT_ERR_OK);
    assert_null(tx);
    db_close(f->db);
    f->db = NULL;
    assert_err(db_open(f->path, &f->db, NULL), ALOFT_ERR_OK);
    assert_int_equal(count_facts(f->db), 1);
}

static void statement__is_clean_when_prepared_again(void **state)
{
    struct fixture *f = *state;
    static const char sql[] = "SELECT ?1";

    for (int i = 0; i < 2; i++) {
        AUTO_STMT s = NULL;
        char text[8];
        assert_err(db_prepare(f->db, sql, &s, NULL), ALOFT_ERR_OK);
        if (i == 0) {
            db_bind_text(s, 1, "first");
        }
        assert_err(db_step(s, NULL), ALOFT_ERR_OK);
        db_get_text(s, 0, text, sizeof text);
        assert_string_equal(text, i == 0 ? "first" : "");
        assert_err(db_step(s, NULL), ALOFT_ERR_NOT_FOUND);
    }
}

static void statement__shows_a_bind_that_failed(void **state)
{
    struct fixture *f = *state;
    AUTO_STMT s = NULL;
    struct error e = {0};

    assert_err(db_prepare(f->db, "SELECT ?1", &s, NULL), ALOFT_ERR_OK);
    db_bind_int(s, 2, 7);
    assert_err(db_step(s, &e), ALOFT_ERR_IO);
    assert_non_null(strstr(e.sentence, "bind"));
}

static void get_text__cuts_at_the_buffer(void **state)
{
    struct fixture *f = *state;
    AUTO_STMT s = NULL;
    char text[4];

    assert_err(db_prepare(f->db, "SELECT 'abcdef'", &s, NULL), ALOFT_ERR_OK);
    assert_err(db_step(s, NULL), ALOFT_ERR_OK);
    db_get_text(s, 0, text, sizeof text);
    assert_string_equal(text, "abc");
}

static void foreign_keys__are_enforced(void **state)
{
    struct fixture *f = *state;
    AUTO_STMT s = NULL;
    struct error e = {0};

    assert_err(db_prepare(f->db,
                          "INSERT INTO rom (product_id, version, corename, life_cycle, created_ms) "
                          "VALUES (7, 'v1', '', 'release', 0)",
                          &s, NULL),
               ALOFT_ERR_OK);
    assert_err(db_run(s, &e), ALOFT_ERR_IO);
    assert_non_null(strstr(e.sentence, "FOREIGN KEY"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(open__applies_every_migration_once),
        TEST(open__refuses_a_newer_schema_with_a_sentence),
        TEST(open__refuses_what_is_no_database),
        TEST(open__makes_strict_tables_with_foreign_keys_and_full_sync),
        TEST(transaction__is_undone_when_it_goes_out_of_scope),
        TEST(transaction__lasts_after_commit_and_reopen),
        TEST(statement__is_clean_when_prepared_again),
        TEST(statement__shows_a_bind_that_failed),
        TEST(get_text__cuts_at_the_buffer),
        TEST(foreign_keys__are_enforced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
