/* SPDX-License-Identifier: Apache-2.0 */
#include "blob/blobs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/auto.h"
#include "host/files.h"
#include "host/hashes.h"

#define CHECK_BLOCK_BYTES 65536
#define DAMAGED_FOLDER    "damaged"
#define FOLDER_CHARS      2 /* ab/abcdef...: no folder gets too long */
#define FOLDER_MODE       0700
#define FILE_MODE         0600
#define PATH_BYTES        PATH_MAX

struct blobs {
    char dir[PATH_BYTES - BLOB_SHA256_BYTES - 16]; /* leaves room for every path inside it */
    _Atomic unsigned long next_temporary;
};

struct blob_writer {
    struct blobs *blobs;
    struct aloft_hash *hash;
    int fd;
    char temporary[PATH_BYTES]; /* empty = renamed */
};

static enum aloft_err clear_temporary(const struct blobs *blobs, struct error *e)
{
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof path, "%s/tmp", blobs->dir);
    DIR *folder = opendir(path);
    if (!folder) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot read the folder '%s'", path);
    }
    enum aloft_err err = ALOFT_ERR_OK;
    for (struct dirent *d; err == ALOFT_ERR_OK && (d = readdir(folder)) != NULL;) {
        if (d->d_name[0] != '.' && unlinkat(dirfd(folder), d->d_name, 0) != 0) {
            err = fail_errno(e, ALOFT_ERR_IO, "cannot remove '%s/%s'", path, d->d_name);
        }
    }
    (void)closedir(folder);
    return err;
}

enum aloft_err blobs_open(const char *dir, struct blobs **ret_blobs, struct error *e)
{
    char path[PATH_BYTES];
    AUTO_FREE struct blobs *blobs = calloc(1, sizeof *blobs);

    if (!blobs) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    if ((size_t)snprintf(blobs->dir, sizeof blobs->dir, "%s", dir) >= sizeof blobs->dir) {
        return fail(e, ALOFT_ERR_TOO_BIG, "the path '%s' is too long", dir);
    }
    (void)snprintf(path, sizeof path, "%s/tmp", blobs->dir);
    enum aloft_err err = dir_make(path, FOLDER_MODE, e);
    if (err == ALOFT_ERR_OK) {
        err = clear_temporary(blobs, e);
    }
    if (err == ALOFT_ERR_OK) {
        *ret_blobs = STEAL(blobs);
    }
    return err;
}

const char *blobs_dir(const struct blobs *blobs)
{
    return blobs->dir;
}

void blobs_close(struct blobs *blobs)
{
    free(blobs);
}

static bool is_sha256(const char *text)
{
    return strspn(text, "0123456789abcdef") == BLOB_SHA256_BYTES - 1 &&
           text[BLOB_SHA256_BYTES - 1] == '\0';
}

/* A database that came from elsewhere must not name files outside the folder. */
enum aloft_err blobs_path(const struct blobs *blobs, const char *sha256, char *path, size_t cap,
                          struct error *e)
{
    if (!is_sha256(sha256)) {
        return fail(e, ALOFT_ERR_SYNTAX,
                    "'%.64s' is not the SHA-256 of a blob: the database is damaged", sha256);
    }
    int n = snprintf(path, cap, "%s/%.*s/%s", blobs->dir, FOLDER_CHARS, sha256, sha256);

    return n > 0 && (size_t)n < cap
               ? ALOFT_ERR_OK
               : fail(e, ALOFT_ERR_TOO_BIG, "the path '%s' is too long", blobs->dir);
}

/* Its hash, and its size on the way. */
static enum aloft_err hash_blob(const char *path, char ret_hex[HASH_HEX_BYTES],
                                int64_t *ret_size_bytes, struct error *e)
{
    uint8_t digest[ALOFT_SHA256_BYTES];
    uint8_t buf[CHECK_BLOCK_BYTES];
    ssize_t n;
    AUTO_HASH hash = hash_new_sha256();
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return fail_errno(e, errno == ENOENT ? ALOFT_ERR_NOT_FOUND : ALOFT_ERR_IO,
                          "the blob '%s' is missing; restore it from a backup", path);
    }
    if (!hash) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    *ret_size_bytes = 0;
    hash->ops->start(hash->state);
    while ((n = read(fd, buf, sizeof buf)) > 0) {
        hash->ops->update(hash->state, buf, (size_t)n);
        *ret_size_bytes += n;
    }
    hash->ops->finish(hash->state, digest);
    hex_encode(digest, sizeof digest, ret_hex);
    return n == 0 ? ALOFT_ERR_OK : fail_errno(e, ALOFT_ERR_IO, "cannot read '%s'", path);
}

/* Out of the way, so that no module gets it; the same bytes uploaded again take its place. */
static enum aloft_err put_aside(const struct blobs *blobs, const char *sha256, const char *path,
                                struct error *e)
{
    char aside[PATH_BYTES];

    (void)snprintf(aside, sizeof aside, "%s/" DAMAGED_FOLDER, blobs->dir);
    enum aloft_err err = dir_make(aside, FOLDER_MODE, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    (void)snprintf(aside, sizeof aside, "%s/" DAMAGED_FOLDER "/%s", blobs->dir, sha256);
    return rename(path, aside) == 0 ? ALOFT_ERR_OK
                                    : fail_errno(e, ALOFT_ERR_IO, "cannot move '%s'", path);
}

enum aloft_err blobs_check(const struct blobs *blobs, const char *sha256, int64_t size_bytes,
                           struct error *e)
{
    char path[PATH_BYTES];
    char hex[HASH_HEX_BYTES];
    int64_t found_bytes = 0;
    enum aloft_err err = blobs_path(blobs, sha256, path, sizeof path, e);

    if (err == ALOFT_ERR_OK) {
        err = hash_blob(path, hex, &found_bytes, e);
    }
    if (err != ALOFT_ERR_OK || (found_bytes == size_bytes && strcmp(hex, sha256) == 0)) {
        return err;
    }
    err = put_aside(blobs, sha256, path, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (found_bytes != size_bytes) {
        return fail(e, ALOFT_ERR_TRUNCATED,
                    "the blob '%s' had %lld bytes instead of %lld and was put into the folder "
                    "'" DAMAGED_FOLDER "'; restore it from a backup, or upload the file again",
                    path, (long long)found_bytes, (long long)size_bytes);
    }
    return fail(e, ALOFT_ERR_HASH,
                "the bytes of the blob '%s' have changed; it was put into the folder "
                "'" DAMAGED_FOLDER "'; restore it from a backup, or upload the file again",
                path);
}

enum aloft_err blobs_remove(struct blobs *blobs, const char *sha256, struct error *e)
{
    char path[PATH_BYTES];
    enum aloft_err err = blobs_path(blobs, sha256, path, sizeof path, e);

    if (err == ALOFT_ERR_OK && unlink(path) != 0 && errno != ENOENT) {
        err = fail_errno(e, ALOFT_ERR_IO, "cannot remove '%s'", path);
    }
    return err;
}

static enum aloft_err visit_folder(const char *path, blobs_visitor *visit, void *ctx,
                                   struct error *e)
{
    DIR *folder = opendir(path);
    enum aloft_err err = ALOFT_ERR_OK;

    if (!folder) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot read the folder '%s'", path);
    }
    for (struct dirent *d; err == ALOFT_ERR_OK && (d = readdir(folder)) != NULL;) {
        if (is_sha256(d->d_name)) {
            err = visit(ctx, d->d_name, e);
        }
    }
    (void)closedir(folder);
    return err;
}

enum aloft_err blobs_each(struct blobs *blobs, blobs_visitor *visit, void *ctx, struct error *e)
{
    DIR *folder = opendir(blobs->dir);
    enum aloft_err err = ALOFT_ERR_OK;

    if (!folder) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot read the folder '%s'", blobs->dir);
    }
    for (struct dirent *d; err == ALOFT_ERR_OK && (d = readdir(folder)) != NULL;) {
        char path[PATH_BYTES];
        if (strlen(d->d_name) == FOLDER_CHARS && d->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, "%s/%.2s", blobs->dir, d->d_name);
            err = visit_folder(path, visit, ctx, e);
        }
    }
    (void)closedir(folder);
    return err;
}

enum aloft_err blob_writer_open(struct blobs *blobs, struct blob_writer **ret_writer,
                                struct error *e)
{
    struct blob_writer *w = calloc(1, sizeof *w);

    if (!w) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    w->blobs = blobs;
    w->hash = hash_new_sha256();
    (void)snprintf(w->temporary, sizeof w->temporary, "%s/tmp/%lu", blobs->dir,
                   blobs->next_temporary++);
    w->fd = open(w->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (w->fd < 0 || !w->hash) {
        enum aloft_err err = fail_errno(e, ALOFT_ERR_IO, "cannot create '%s'", w->temporary);
        blob_writer_free(w);
        return err;
    }
    w->hash->ops->start(w->hash->state);
    *ret_writer = w;
    return ALOFT_ERR_OK;
}

enum aloft_err blob_writer_append(struct blob_writer *writer, const void *buf, size_t len,
                                  struct error *e)
{
    writer->hash->ops->update(writer->hash->state, buf, len);
    return file_write_all(writer->fd, buf, len, e);
}

int blob_writer_fd(const struct blob_writer *writer)
{
    return writer->fd;
}

/* fsync of both folders also when folder or blob was there: who made it may not have come so far.
 */
static enum aloft_err publish(struct blob_writer *w, const char *sha256, struct error *e)
{
    char folder[PATH_BYTES];
    char path[PATH_BYTES];
    enum aloft_err err = blobs_path(w->blobs, sha256, path, sizeof path, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    (void)snprintf(folder, sizeof folder, "%s/%.*s", w->blobs->dir, FOLDER_CHARS, sha256);
    if (mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot create the folder '%s'", folder);
    }
    err = dir_sync(w->blobs->dir, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (rename(w->temporary, path) != 0) { /* replaces equal bytes by equal bytes */
        return fail_errno(e, ALOFT_ERR_IO, "cannot rename '%s' to '%s'", w->temporary, path);
    }
    w->temporary[0] = '\0';
    return dir_sync(folder, e);
}

enum aloft_err blob_writer_commit(struct blob_writer *writer, char ret_sha256[BLOB_SHA256_BYTES],
                                  struct error *e)
{
    uint8_t digest[ALOFT_SHA256_BYTES];
    char sha256[BLOB_SHA256_BYTES];

    writer->hash->ops->finish(writer->hash->state, digest);
    hex_encode(digest, sizeof digest, sha256);
    if (fsync(writer->fd) != 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot sync '%s'", writer->temporary);
    }
    enum aloft_err err = publish(writer, sha256, e);
    if (err == ALOFT_ERR_OK) {
        memcpy(ret_sha256, sha256, sizeof sha256);
    }
    return err;
}

void blob_writer_free(struct blob_writer *writer)
{
    if (!writer) {
        return;
    }
    auto_close(&writer->fd);
    if (writer->temporary[0]) {
        (void)unlink(writer->temporary); /* else the next start removes it */
    }
    hash_free(writer->hash);
    free(writer);
}
