/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/data_dir.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "host/auto.h"
#include "host/clock.h"
#include "host/files.h"
#include "host/hashes.h"
#include "host/log.h"
#include "store/api_tokens.h"
#include "store/roms.h"

#define ADMIN_NAME "admin"

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
        return fail_errno(e, ALOFT_ERR_BUSY,
                          "another server uses the folder '%s': stop it, or name another with "
                          "--data",
                          dir);
    }
    *ret_fd = STEAL_FD(fd);
    return ALOFT_ERR_OK;
}

/* A token file without a row in the database is one of a first start that was cut: take it. */
static enum aloft_err read_token(const char *path, char ret_token[API_TOKEN_CHARS + 1])
{
    AUTO_FREE uint8_t *data = NULL;
    size_t len = 0;
    enum aloft_err err = file_load(path, API_TOKEN_CHARS + 1, &data, &len, NULL);

    if (err != ALOFT_ERR_OK || len < API_TOKEN_CHARS) {
        return ALOFT_ERR_NOT_FOUND;
    }
    data[API_TOKEN_CHARS] = '\0'; /* where the file has its line end */
    memcpy(ret_token, data, API_TOKEN_CHARS + 1);
    return is_api_token(ret_token) ? ALOFT_ERR_OK : ALOFT_ERR_NOT_FOUND;
}

static enum aloft_err make_token(const char *path, char ret_token[API_TOKEN_CHARS + 1],
                                 struct error *e)
{
    uint8_t random[API_TOKEN_CHARS / 2];
    char line[API_TOKEN_CHARS + 2];

    if (RAND_bytes(random, sizeof random) != 1) {
        return fail(e, ALOFT_ERR_IO, "the system gives no random numbers");
    }
    hex_encode(random, sizeof random, ret_token);
    int len = snprintf(line, sizeof line, "%s\n", ret_token);
    return file_replace(path, line, (size_t)len, 0600, e);
}

/* The file first, then the row: after a cut in between the next start finds the file. */
static enum aloft_err add_token(struct data_dir *d, const char *dir, struct error *e)
{
    char path[PATH_MAX];
    char token[API_TOKEN_CHARS + 1];
    int64_t id;
    enum aloft_err err = join(path, dir, DATA_DIR_TOKEN_FILE, e);

    if (err == ALOFT_ERR_OK && read_token(path, token) != ALOFT_ERR_OK) {
        err = make_token(path, token, e);
    }
    if (err == ALOFT_ERR_OK) {
        const struct api_token row = {
            .name = ADMIN_NAME, .role = ROLE_ADMIN, .created_ms = clock_wall_ms()};
        err = api_tokens_add(d->db, &row, token, &id, e);
    }
    d->has_new_token = err == ALOFT_ERR_OK;
    return err;
}

/* A blob whose row never came: the server was killed in between. */
static enum aloft_err sweep_blob(void *ctx, const char *sha256, struct error *e)
{
    struct data_dir *d = ctx;
    bool is_needed = true;
    enum aloft_err err = blob_is_needed(d->db, sha256, &is_needed, e);

    return err == ALOFT_ERR_OK && !is_needed ? blobs_remove(d->blobs, sha256, e) : err;
}

/* Nobody can have uploaded without an API token: the database that knew this blob is gone. */
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
    int64_t n_tokens = 0;
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
        err = db_query_int(d->db, "SELECT count(*) FROM api_token", NULL, &n_tokens, e);
    }
    if (err == ALOFT_ERR_OK && n_tokens == 0) {
        err = blobs_each(d->blobs, refuse_blob, (void *)(uintptr_t)dir, e);
        return err == ALOFT_ERR_OK ? add_token(d, dir, e) : err;
    }
    if (err == ALOFT_ERR_OK) {
        err = blobs_each(d->blobs, sweep_blob, d, e);
    }
    return err == ALOFT_ERR_OK ? blobs_needed_each(d->db, check_blob, d, e) : err;
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
