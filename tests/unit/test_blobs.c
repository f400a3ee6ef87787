/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob/blobs.h"
#include "temp_dir.h"

/* SHA-256 of "abc": FIPS 180-2, appendix B.1. */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

struct fixture {
    char dir[256];
    struct blobs *blobs;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    *state = f;
    return f && temp_dir_make(f->dir) == 0 && blobs_open(f->dir, &f->blobs, NULL) == ALOFT_ERR_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    blobs_close(f->blobs);
    temp_dir_remove(f->dir);
    free(f);
    return 0;
}

static bool exists(const struct fixture *f, const char *name)
{
    char path[512];
    struct stat st;

    (void)snprintf(path, sizeof path, "%s/%s", f->dir, name);
    return stat(path, &st) == 0;
}

static struct blob_writer *begin(struct fixture *f)
{
    struct blob_writer *w = NULL;

    assert_err(blob_writer_open(f->blobs, &w, NULL), ALOFT_ERR_OK);
    return w;
}

static void write_abc(struct fixture *f)
{
    char sha256[BLOB_SHA256_BYTES];
    struct blob_writer *w = begin(f);

    assert_err(blob_writer_append(w, "a", 1, NULL), ALOFT_ERR_OK);
    assert_err(blob_writer_append(w, "bc", 2, NULL), ALOFT_ERR_OK);
    assert_err(blob_writer_commit(w, sha256, NULL), ALOFT_ERR_OK);
    blob_writer_free(w);
    assert_string_equal(sha256, ABC);
}

static enum aloft_err count(void *ctx, const char *sha256, struct error *e)
{
    (void)e;
    assert_string_equal(sha256, ABC);
    ++*(int *)ctx;
    return ALOFT_ERR_OK;
}

static int count_blobs(struct fixture *f)
{
    int n = 0;

    assert_err(blobs_each(f->blobs, count, &n, NULL), ALOFT_ERR_OK);
    return n;
}

static void commit__names_the_blob_by_its_hash(void **state)
{
    struct fixture *f = *state;

    write_abc(f);
    assert_true(exists(f, "ba/" ABC));
    assert_err(blobs_check(f->blobs, ABC, 3, NULL), ALOFT_ERR_OK);
}

static void commit__keeps_the_same_content_once(void **state)
{
    struct fixture *f = *state;

    write_abc(f);
    write_abc(f);
    assert_int_equal(count_blobs(f), 1);
    assert_false(exists(f, "tmp/0"));
    assert_false(exists(f, "tmp/1"));
}

static void writer__leaves_nothing_when_not_committed(void **state)
{
    struct fixture *f = *state;
    struct blob_writer *w = begin(f);

    assert_err(blob_writer_append(w, "abc", 3, NULL), ALOFT_ERR_OK);
    assert_true(exists(f, "tmp/0"));
    blob_writer_free(w);
    assert_false(exists(f, "tmp/0"));
    assert_int_equal(count_blobs(f), 0);
}

static void open__removes_what_a_killed_writer_left(void **state)
{
    struct fixture *f = *state;
    char path[512];

    (void)snprintf(path, sizeof path, "%s/tmp/17", f->dir);
    FILE *left = fopen(path, "w");
    assert_non_null(left);
    (void)fclose(left);
    write_abc(f);
    blobs_close(f->blobs);
    f->blobs = NULL;
    assert_err(blobs_open(f->dir, &f->blobs, NULL), ALOFT_ERR_OK);
    assert_false(exists(f, "tmp/17"));
    assert_true(exists(f, "ba/" ABC));
}

static void check__tells_missing_from_damaged(void **state)
{
    struct fixture *f = *state;
    char path[512];
    struct error e = {0};

    assert_err(blobs_check(f->blobs, ABC, 3, &e), ALOFT_ERR_NOT_FOUND);
    assert_non_null(strstr(e.sentence, "missing"));
    write_abc(f);
    assert_err(blobs_path(f->blobs, ABC, path, sizeof path, NULL), ALOFT_ERR_OK);
    assert_int_equal(truncate(path, 2), 0);
    assert_err(blobs_check(f->blobs, ABC, 3, &e), ALOFT_ERR_TRUNCATED);
    assert_non_null(strstr(e.sentence, "2 bytes instead of 3"));
}

static void remove__accepts_one_that_is_not_there(void **state)
{
    struct fixture *f = *state;

    write_abc(f);
    assert_err(blobs_remove(f->blobs, ABC, NULL), ALOFT_ERR_OK);
    assert_int_equal(count_blobs(f), 0);
    assert_err(blobs_remove(f->blobs, ABC, NULL), ALOFT_ERR_OK);
}

static void remove__never_leaves_the_folder(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/victim", blobs_dir(f->blobs));
    FILE *victim = fopen(path, "we");
    assert_non_null(victim);
    assert_int_equal(fclose(victim), 0);
    const char *const wrong[] = {"../victim", "../../victim", "victim", "", "/etc/hostname"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_err(blobs_remove(f->blobs, wrong[i], NULL), ALOFT_ERR_SYNTAX);
        assert_err(blobs_check(f->blobs, wrong[i], 0, NULL), ALOFT_ERR_SYNTAX);
    }
    assert_int_equal(access(path, F_OK), 0);
}

static void path__refuses_a_small_buffer(void **state)
{
    struct fixture *f = *state;
    char path[32];

    assert_err(blobs_path(f->blobs, ABC, path, sizeof path, NULL), ALOFT_ERR_TOO_BIG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commit__names_the_blob_by_its_hash),
        TEST(commit__keeps_the_same_content_once),
        TEST(writer__leaves_nothing_when_not_committed),
        TEST(open__removes_what_a_killed_writer_left),
        TEST(check__tells_missing_from_damaged),
        TEST(remove__accepts_one_that_is_not_there),
        TEST(remove__never_leaves_the_folder),
        TEST(path__refuses_a_small_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
