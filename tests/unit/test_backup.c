/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/backup.h"
#include "backup/manifest.h"
#include "blob/blobs.h"
#include "store/db.h"
#include "temp_dir.h"

/* A data folder with one blob that a row needs. */
struct place {
    char dir[256];
    char data[300];
    char file[300];
    char blob[BLOB_SHA256_BYTES];
    struct db *db;
    struct blobs *blobs;
};

static const struct backup_progress silent = {NULL, NULL};

/* What happens between the snapshot and the copies. */
static struct {
    struct place *place;
    bool removes_row;
    bool removes_blob;
    int n_calls;
} s_moment;

static void run_sql(struct db *db, const char *sql)
{
    AUTO_STMT s = NULL;

    assert_err(db_prepare(db, sql, &s, NULL), ALOFT_ERR_OK);
    assert_err(db_run(s, NULL), ALOFT_ERR_OK);
}

enum aloft_err __real_db_snapshot(const char *path, const char *copy, struct error *e);
enum aloft_err __wrap_db_snapshot(const char *path, const char *copy, struct error *e);

enum aloft_err __wrap_db_snapshot(const char *path, const char *copy, struct error *e)
{
    enum aloft_err err = __real_db_snapshot(path, copy, e);

    s_moment.n_calls++;
    if (s_moment.removes_row) {
        run_sql(s_moment.place->db, "DELETE FROM upload");
    }
    if (s_moment.removes_blob) {
        assert_err(blobs_remove(s_moment.place->blobs, s_moment.place->blob, NULL), ALOFT_ERR_OK);
    }
    return err;
}

/* Five bytes, which are the upload's id too. */
static void add_upload(struct place *p, const char *bytes, char blob[BLOB_SHA256_BYTES])
{
    AUTO_STMT s = NULL;
    struct blob_writer *writer = NULL;

    assert_err(blob_writer_open(p->blobs, &writer, NULL), ALOFT_ERR_OK);
    assert_err(blob_writer_append(writer, bytes, 5, NULL), ALOFT_ERR_OK);
    assert_err(blob_writer_commit(writer, blob, NULL), ALOFT_ERR_OK);
    blob_writer_free(writer);
    assert_err(db_prepare(p->db,
                          "INSERT INTO upload (id, product_id, version, name, sha256, size_bytes, "
                          "created_ms) VALUES (?1, 1, 'v1', 'ota.bin', ?2, 5, 1)",
                          &s, NULL),
               ALOFT_ERR_OK);
    db_bind_text(s, 1, bytes);
    db_bind_text(s, 2, blob);
    assert_err(db_run(s, NULL), ALOFT_ERR_OK);
}

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    char path[320];

    if (!p || temp_dir_make(p->dir) != 0) {
        return -1;
    }
    (void)snprintf(p->data, sizeof p->data, "%s/data", p->dir);
    (void)snprintf(p->file, sizeof p->file, "%s/backup.tar", p->dir);
    (void)snprintf(path, sizeof path, "%s/blobs", p->data);
    if (blobs_open(path, &p->blobs, NULL) != ALOFT_ERR_OK) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/aloft.db", p->data);
    if (db_open(path, &p->db, NULL) != ALOFT_ERR_OK) {
        return -1;
    }
    run_sql(p->db, "INSERT INTO product (id, name, layout, token, token_tls, created_ms) "
                   "VALUES (1, 'lamp', 'esp32c3_default', 'a', 'b', 1)");
    add_upload(p, "bytes", p->blob);
    memset(&s_moment, 0, sizeof s_moment);
    s_moment.place = p;
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    db_close(p->db);
    blobs_close(p->blobs);
    temp_dir_remove(p->dir);
    free(p);
    return 0;
}

static void make__copies_database_and_blobs_of_one_moment(void **state)
{
    struct place *p = *state;
    struct error e = {0};
    char again[320];

    s_moment.removes_row = true; /* after the snapshot: the backup still has it */
    assert_err(backup_make(p->data, p->file, &silent, &e), ALOFT_ERR_OK);
    assert_int_equal(s_moment.n_calls, 1);
    (void)snprintf(again, sizeof again, "%s/again", p->dir);
    assert_err(backup_restore(p->file, again, &silent, &e), ALOFT_ERR_OK);
    {
        AUTO_DB db = NULL;
        int64_t n = 0;
        (void)snprintf(again, sizeof again, "%s/again/aloft.db", p->dir);
        assert_err(db_open(again, &db, NULL), ALOFT_ERR_OK);
        assert_err(db_query_int(db, "SELECT count(*) FROM upload", NULL, &n, NULL), ALOFT_ERR_OK);
        assert_int_equal(n, 1);
    }
}

static void make__takes_a_new_snapshot_when_a_blob_has_gone(void **state)
{
    struct place *p = *state;
    struct error e = {0};
    char again[320];

    s_moment.removes_row = true;
    s_moment.removes_blob = true;
    assert_err(backup_make(p->data, p->file, &silent, &e), ALOFT_ERR_OK);
    assert_int_equal(s_moment.n_calls, 2);
    (void)snprintf(again, sizeof again, "%s/again", p->dir);
    assert_err(backup_restore(p->file, again, &silent, &e), ALOFT_ERR_OK);
}

struct two_blobs {
    struct place *place;
    char other[BLOB_SHA256_BYTES];
};

static void remove_both(void *ctx, uint64_t n_files, uint64_t n_bytes)
{
    const struct two_blobs *two = ctx;

    (void)n_bytes;
    if (n_files == 1) { /* the database is in it; the first blob, too, but not the second */
        assert_err(blobs_remove(two->place->blobs, two->place->blob, NULL), ALOFT_ERR_OK);
        assert_err(blobs_remove(two->place->blobs, two->other, NULL), ALOFT_ERR_OK);
    }
}

static void make__keeps_a_blob_that_goes_while_others_are_copied(void **state)
{
    struct place *p = *state;
    struct error e = {0};
    struct two_blobs two = {.place = p};
    struct backup_progress progress = {remove_both, &two};
    char again[320];

    add_upload(p, "other", two.other);
    assert_err(backup_make(p->data, p->file, &progress, &e), ALOFT_ERR_OK);
    assert_int_equal(s_moment.n_calls, 1);
    (void)snprintf(again, sizeof again, "%s/again", p->dir);
    assert_err(backup_restore(p->file, again, &silent, &e), ALOFT_ERR_OK);
}

/* As on a memory stick. */
int __wrap_link(const char *from, const char *to);

int __wrap_link(const char *from, const char *to)
{
    (void)from;
    (void)to;
    errno = EPERM;
    return -1;
}

/* Somebody else's file comes under the backup's name while it is written. */
static void come_first(void *ctx, uint64_t n_files, uint64_t n_bytes)
{
    const struct place *p = ctx;
    FILE *file = fopen(p->file, "we");

    (void)n_files;
    (void)n_bytes;
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

static void make__needs_no_links_and_replaces_nothing(void **state)
{
    struct place *p = *state;
    struct error e = {0};
    struct backup_progress progress = {come_first, p};
    struct stat st;
    char part[320];

    (void)snprintf(part, sizeof part, "%s.part", p->file);
    assert_err(backup_make(p->data, p->file, &silent, &e), ALOFT_ERR_OK);
    assert_int_not_equal(access(part, F_OK), 0);
    assert_int_equal(unlink(p->file), 0);
    assert_err(backup_make(p->data, p->file, &progress, &e), ALOFT_ERR_DUPLICATE);
    assert_int_equal(stat(p->file, &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_not_equal(access(part, F_OK), 0);
}

static void make__gives_up_on_a_blob_that_stays_missing(void **state)
{
    struct place *p = *state;
    struct error e = {0};

    s_moment.removes_blob = true;
    assert_err(backup_make(p->data, p->file, &silent, &e), ALOFT_ERR_NOT_FOUND);
    assert_int_equal(s_moment.n_calls, 10);
    assert_non_null(strstr(e.sentence, "is missing"));
    assert_int_not_equal(access(p->file, F_OK), 0);
}

static void note(void *ctx, uint64_t n_files, uint64_t n_bytes)
{
    uint64_t *last = ctx;

    assert_true(n_bytes > last[1] && n_files >= last[0]);
    last[0] = n_files;
    last[1] = n_bytes;
}

static void make_and_restore__say_how_far_they_are(void **state)
{
    struct place *p = *state;
    struct error e = {0};
    uint64_t last[2] = {0, 0};
    struct backup_progress progress = {note, last};
    char again[320];

    assert_err(backup_make(p->data, p->file, &progress, &e), ALOFT_ERR_OK);
    assert_int_equal(last[0], 2); /* when the manifest is written */
    last[0] = last[1] = 0;
    (void)snprintf(again, sizeof again, "%s/again", p->dir);
    assert_err(backup_restore(p->file, again, &progress, &e), ALOFT_ERR_OK);
    assert_true(last[1] > 5);
}

static void is_name__takes_only_the_files_of_a_data_folder(void **state)
{
    static const struct {
        const char *name;
        bool is_name;
    } rows[] = {
        {"aloft.db", true},
        {"key.pem", true},
        {"", false},
        {"lock", false},
        {"aloft.db-wal", false},
        {"./aloft.db", false},
        {"blobs/", false},
        {"blobs/0", false},
        {"blobs/01/", false},
        {"blobs/01/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", true},
        {"blobs/02/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", false},
        {"blobs/01/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde", false},
        {"blobs/01/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0", false},
        {"blobs/01/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", false},
        {"blobs/01/../../aloft.db", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(manifest_is_name(rows[i].name), rows[i].is_name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(make__copies_database_and_blobs_of_one_moment, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(make__takes_a_new_snapshot_when_a_blob_has_gone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(make__keeps_a_blob_that_goes_while_others_are_copied,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(make__needs_no_links_and_replaces_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(make__gives_up_on_a_blob_that_stays_missing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(make_and_restore__say_how_far_they_are, set_up, tear_down),
        cmocka_unit_test(is_name__takes_only_the_files_of_a_data_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
