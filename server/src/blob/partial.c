/* SPDX-License-Identifier: Apache-2.0 */
#include "blob/partial.h"

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

#define FOLDER      "incoming"
#define FOLDER_MODE 0700
#define FILE_MODE   0600

struct partial {
    int fd;
    uint64_t n_bytes;
};

/* A database that came from elsewhere must not name files outside the folder. */
static enum aloft_err make_path(const struct blobs *blobs, const char *id, char path[PATH_MAX],
                                struct error *e)
{
    if (id[0] == '.' || strchr(id, '/')) {
        return fail(e, ALOFT_ERR_SYNTAX, "'%.64s' is no partial upload: the database is damaged",
                    id);
    }
    return snprintf(path, PATH_MAX, "%s/" FOLDER "/%s", blobs_dir(blobs), id) < PATH_MAX
               ? ALOFT_ERR_OK
               : fail(e, ALOFT_ERR_TOO_BIG, "the path '%s' is too long", blobs_dir(blobs));
}

static enum aloft_err make_folder(const struct blobs *blobs, char folder[PATH_MAX], struct error *e)
{
    enum aloft_err err = make_path(blobs, "", folder, e);

    return err == ALOFT_ERR_OK ? dir_make(folder, FOLDER_MODE, e) : err;
}

static enum aloft_err prepare(const struct partial *p, const char *path, uint64_t offset,
                              struct error *e)
{
    struct stat st;

    if (fstat(p->fd, &st) != 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot look at '%s'", path);
    }
    if ((uint64_t)st.st_size < offset) {
        return fail(e, ALOFT_ERR_TRUNCATED, "'%s' has lost bytes; begin the upload again", path);
    }
    if (ftruncate(p->fd, (off_t)offset) != 0 || lseek(p->fd, 0, SEEK_END) < 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot cut '%s'", path);
    }
    return ALOFT_ERR_OK;
}

enum aloft_err partial_open(struct blobs *blobs, const char *id, uint64_t offset,
                            struct partial **ret_partial, struct error *e)
{
    char folder[PATH_MAX];
    char path[PATH_MAX];
    enum aloft_err err = make_folder(blobs, folder, e);

    if (err == ALOFT_ERR_OK) {
        err = make_path(blobs, id, path, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    struct partial *p = calloc(1, sizeof *p);
    if (!p) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    p->n_bytes = offset;
    p->fd = open(path, O_RDWR | O_CLOEXEC | (offset == 0 ? O_CREAT : 0), FILE_MODE);
    if (p->fd < 0) {
        err = fail_errno(e, errno == ENOENT ? ALOFT_ERR_TRUNCATED : ALOFT_ERR_IO,
                         "cannot open '%s'", path);
    } else {
        err = prepare(p, path, offset, e);
    }
    if (err == ALOFT_ERR_OK && offset == 0) {
        err = dir_sync(folder, e);
    }
    if (err != ALOFT_ERR_OK) {
        partial_close(p);
        return err;
    }
    *ret_partial = p;
    return ALOFT_ERR_OK;
}

enum aloft_err partial_append(struct partial *partial, const void *buf, size_t len, struct error *e)
{
    enum aloft_err err = file_write_all(partial->fd, buf, len, e);

    if (err == ALOFT_ERR_OK) {
        partial->n_bytes += len;
    }
    return err;
}

enum aloft_err partial_sync(struct partial *partial, struct error *e)
{
    return fsync(partial->fd) == 0 ? ALOFT_ERR_OK
                                   : fail_errno(e, ALOFT_ERR_IO, "cannot sync a partial upload");
}

uint64_t partial_bytes(const struct partial *partial)
{
    return partial->n_bytes;
}

int partial_fd(const struct partial *partial)
{
    return partial->fd;
}

void partial_close(struct partial *partial)
{
    if (partial) {
        auto_close(&partial->fd);
        free(partial);
    }
}

enum aloft_err partial_remove(struct blobs *blobs, const char *id, struct error *e)
{
    char path[PATH_MAX];
    enum aloft_err err = make_path(blobs, id, path, e);

    if (err == ALOFT_ERR_OK && unlink(path) != 0 && errno != ENOENT) {
        err = fail_errno(e, ALOFT_ERR_IO, "cannot remove '%s'", path);
    }
    return err;
}

enum aloft_err partials_each(struct blobs *blobs, partial_visitor *visit, void *ctx,
                             struct error *e)
{
    char folder[PATH_MAX];
    enum aloft_err err = make_folder(blobs, folder, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    DIR *dir = opendir(folder);
    if (!dir) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot read the folder '%s'", folder);
    }
    for (struct dirent *d; err == ALOFT_ERR_OK && (d = readdir(dir)) != NULL;) {
        if (d->d_name[0] != '.') {
            err = visit(ctx, d->d_name, e);
        }
    }
    (void)closedir(dir);
    return err;
}
