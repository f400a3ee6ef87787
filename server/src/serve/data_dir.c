/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account/setup.h"
#include "blob/partial.h"
#include "host/auto.h"
#include "host/files.h"
#include "host/log.h"
#include "store/roms.h"

static enum aloft_err join(char path[PATH_MAX], const char *dir, const char *name, struct error *e)
{
    if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX) {
        return fail(e, ALOFT_ERR_TOO_BIG, "the path '%s' is too long", dir);
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err take_lock(const char *dir, int *ret_fd, struct error *e)
{
    char path[PATH_MAX];
    enum aloft_err err = join(path, dir, DATA_DIR_LOCK_FILE, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot open '%s'", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return errno != EWOULDBLOCK
                   ? fail_errno(e, ALOFT_ERR_IO, "cannot lock '%s'", path)
                   : fail(e, ALOFT_ERR_BUSY,
                          "another server uses the folder '%s': stop it, or name another with "
                          "--data",
                          dir);
    }
    *ret_fd = STEAL_FD(fd);
    return ALOFT_ERR_OK;
}

/* A blob whose row never came: the server was killed in between. */
static enum aloft_err sweep_blob(void *ctx, const char *sha256, struct error *e)
{
    struct data_dir *d = ctx;
    bool is_needed = true;
    enum aloft_err err = blob_is_needed(d->db, sha256, &is_needed, e);

    return err == ALOFT_ERR_OK && !is_needed ? blobs_remove(d->blobs, sha256, e) : err;
}

/* The bytes of a partial upload whose row never came, or is gone. */
static enum aloft_err sweep_partial(void *ctx, const char *id, struct error *e)
{
    struct data_dir *d = ctx;
    bool has_row = true;
    enum aloft_err err = partial_uploads_has(d->db, id, &has_row, e);

    return err == ALOFT_ERR_OK && !has_row ? partial_remove(d->blobs, id, e) : err;
}

/* Nobody can have uploaded without an account, nor an API token of an earlier server: the database
 * that knew this blob is gone. */
static enum aloft_err refuse_blob(void *ctx, const char *sha256, struct error *e)
{
    const char *dir = ctx;

    return fail(e, ALOFT_ERR_NOT_FOUND,
                "the database of '%s' is new, but there are blobs (%.12s...): restore aloft.db "
                "from a backup, or remove '%s/blobs' to begin anew",
                dir, sha256, dir);
}

/* A damaged blob is no reason to stop: the catalog refuses that one file, the others are served. */
static enum aloft_err check_blob(void *ctx, const char *sha256, int64_t size_bytes, struct error *e)
{
    struct data_dir *d = ctx;
    struct error why = {0};

    (void)e;
    if (blobs_check(d->blobs, sha256, size_bytes, &why) != ALOFT_ERR_OK) {
        log_error("blob.damaged", "reason=\"%s\"", why.sentence);
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err open_inside(struct data_dir *d, const char *dir, struct error *e)
{
    char path[PATH_MAX];
    int64_t n_known = 0;
    enum aloft_err err = join(path, dir, DATA_DIR_DATABASE_FILE, e);

    if (err == ALOFT_ERR_OK) {
        err = db_open(path, &d->db, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = join(path, dir, DATA_DIR_BLOBS, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = blobs_open(path, &d->blobs, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = db_query_int(d->db,
                           "SELECT (SELECT count(*) FROM account) + "
                           "(SELECT count(*) FROM api_token)",
                           NULL, &n_known, e);
    }
    if (err == ALOFT_ERR_OK && n_known == 0) {
        err = blobs_each(d->blobs, refuse_blob, (void *)(uintptr_t)dir, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = blobs_each(d->blobs, sweep_blob, d, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = partials_each(d->blobs, sweep_partial, d, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = blobs_needed_each(d->db, check_blob, d, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = join(path, dir, DATA_DIR_SETUP_FILE, e);
    }
    return err == ALOFT_ERR_OK ? setup_prepare(d->db, path, d->setup_code, e) : err;
}

enum aloft_err data_dir_open(const char *path, struct data_dir *ret_dir, struct error *e)
{
    struct data_dir d = {.lock_fd = -1};
    enum aloft_err err = dir_make(path, 0700, e);

    if (err == ALOFT_ERR_OK) {
        err = take_lock(path, &d.lock_fd, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = open_inside(&d, path, e);
    }
    if (err != ALOFT_ERR_OK) {
        data_dir_close(&d);
        return err;
    }
    *ret_dir = d;
    return ALOFT_ERR_OK;
}

void data_dir_close(struct data_dir *dir)
{
    blobs_close(dir->blobs);
    db_close(dir->db);
    auto_close(&dir->lock_fd);
    *dir = (struct data_dir){.lock_fd = -1};
}
