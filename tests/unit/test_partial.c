/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "blob/partial.h"
#include "temp_dir.h"

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

static void append(struct fixture *f, uint64_t offset, const char *text)
{
    struct partial *p = NULL;

    assert_err(partial_open(f->blobs, "p1", offset, &p, NULL), ALOFT_ERR_OK);
    assert_err(partial_append(p, text, strlen(text), NULL), ALOFT_ERR_OK);
    assert_err(partial_sync(p, NULL), ALOFT_ERR_OK);
    assert_int_equal(partial_bytes(p), offset + strlen(text));
    partial_close(p);
}

static void assert_holds(struct fixture *f, const char *text)
{
    struct partial *p = NULL;
    char buf[32] = "";

    assert_err(partial_open(f->blobs, "p1", strlen(text), &p, NULL), ALOFT_ERR_OK);
    assert_int_equal(pread(partial_fd(p), buf, sizeof buf, 0), strlen(text));
    assert_string_equal(buf, text);
    partial_close(p);
}

static void append__goes_on_where_it_is_told(void **state)
{
    struct fixture *f = *state;

    append(f, 0, "abc");
    append(f, 3, "def");
    assert_holds(f, "abcdef");
}

static void open__drops_what_was_never_counted(void **state)
{
    struct fixture *f = *state;

    append(f, 0, "abcdef");
    append(f, 2, "X");
    assert_holds(f, "abX");
    append(f, 0, "new");
    assert_holds(f, "new");
}

static void open__says_when_bytes_are_lost(void **state)
{
    struct fixture *f = *state;
    struct partial *p = NULL;

    assert_err(partial_open(f->blobs, "p1", 1, &p, NULL), ALOFT_ERR_TRUNCATED);
    append(f, 0, "abc");
    assert_err(partial_open(f->blobs, "p1", 4, &p, NULL), ALOFT_ERR_TRUNCATED);
    assert_null(p);
}

static enum aloft_err remove_one(void *ctx, const char *id, struct error *e)
{
    struct fixture *f = ctx;

    assert_string_equal(id, "p1");
    return partial_remove(f->blobs, id, e);
}

static enum aloft_err never(void *ctx, const char *id, struct error *e)
{
    (void)ctx;
    return fail(e, ALOFT_ERR_STATE, "%s is there", id);
}

static void each__lets_the_visitor_remove(void **state)
{
    struct fixture *f = *state;

    assert_err(partials_each(f->blobs, never, f, NULL), ALOFT_ERR_OK);
    append(f, 0, "abc");
    assert_err(partials_each(f->blobs, never, f, NULL), ALOFT_ERR_STATE);
    assert_err(partials_each(f->blobs, remove_one, f, NULL), ALOFT_ERR_OK);
    assert_err(partials_each(f->blobs, never, f, NULL), ALOFT_ERR_OK);
    assert_err(partial_remove(f->blobs, "p1", NULL), ALOFT_ERR_OK); /* not there is fine */
}

static enum aloft_err no_blob(void *ctx, const char *sha256, struct error *e)
{
    return never(ctx, sha256, e);
}

static void remove__never_leaves_the_folder(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX];

    append(f, 0, "abc"); /* the folder is made */
    (void)snprintf(path, sizeof path, "%s/victim", blobs_dir(f->blobs));
    FILE *victim = fopen(path, "we");
    assert_non_null(victim);
    assert_int_equal(fclose(victim), 0);
    assert_err(partial_remove(f->blobs, "../victim", NULL), ALOFT_ERR_SYNTAX);
    assert_err(partial_remove(f->blobs, "..", NULL), ALOFT_ERR_SYNTAX);
    assert_int_equal(access(path, F_OK), 0);
}

static void partials__survive_a_start_and_are_no_blobs(void **state)
{
    struct fixture *f = *state;

    append(f, 0, "abc");
    blobs_close(f->blobs);
    assert_err(blobs_open(f->dir, &f->blobs, NULL), ALOFT_ERR_OK);
    assert_holds(f, "abc");
    assert_err(blobs_each(f->blobs, no_blob, NULL, NULL), ALOFT_ERR_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(append__goes_on_where_it_is_told), TEST(open__drops_what_was_never_counted),
        TEST(open__says_when_bytes_are_lost),   TEST(each__lets_the_visitor_remove),
        TEST(remove__never_leaves_the_folder),  TEST(partials__survive_a_start_and_are_no_blobs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
