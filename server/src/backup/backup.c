/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "backup/manifest.h"
#include "backup/names.h"
#include "host/auto.h"
#include "host/files.h"
#include "store/db.h"
#include "store/roms.h"

#define PIECE_BYTES 65536
#define TRIES       10 /* a blob may go with its ROM between the snapshot and hold_blobs() */
#define FDS_SPARED  64 /* for the database, the archive and what else is open */
#define GROW_FROM   64

struct job {
    const char *data;
    char part[PATH_MAX];     /* the archive while it grows */
    char snapshot[PATH_MAX]; /* of the database */
    const struct backup_progress *progress;
    uint64_t n_bytes;
    struct archive *archive;
    struct manifest manifest;
    int *
        blob_fds; /* of the needed blobs, in the order of the database; -1: more than may be open */
    size_t n_blobs;
    size_t cap;
    size_t max_held;   /* blobs open at the same time */
    size_t next_blob;  /* to be copied */
    bool is_blob_gone; /* why a try failed */
};

static enum aloft_err fail_archive(const struct job *j, struct error *e)
{
    (void)fail(e, ALOFT_ERR_IO, "cannot write '%s': %s", j->part, archive_error_string(j->archive));
    if (e) {
        e->native_code = archive_errno(j->archive);
    }
    return ALOFT_ERR_IO;
}

static enum aloft_err begin_entry(const struct job *j, const char *name, int64_t size_bytes,
                                  struct error *e)
{
    struct archive_entry *entry = archive_entry_new();
    enum aloft_err err = ALOFT_ERR_OK;

    if (!entry) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, S_IRUSR | S_IWUSR);
    archive_entry_set_size(entry, size_bytes);
    if (archive_write_header(j->archive, entry) != ARCHIVE_OK) {
        err = fail_archive(j, e);
    }
    archive_entry_free(entry);
    return err;
}

static enum aloft_err write_piece(struct job *j, const void *buf, size_t len, struct error *e)
{
    if (archive_write_data(j->archive, buf, len) != (la_ssize_t)len) {
        return fail_archive(j, e);
    }
    j->n_bytes += len;
    if (j->progress->note) {
        j->progress->note(j->progress->ctx, j->manifest.n_files, j->n_bytes);
    }
    return ALOFT_ERR_OK;
}

/* `size_bytes` of the file: what grows meanwhile is not for us, and a tar entry cannot end early.
 */
static enum aloft_err copy_bytes(struct job *j, int fd, const char *name, int64_t size_bytes,
                                 char sha256[HASH_HEX_BYTES], struct error *e)
{
    uint8_t piece[PIECE_BYTES];
    uint8_t digest[ALOFT_SHA256_BYTES];
    AUTO_HASH hash = hash_new_sha256();

    if (!hash) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    hash->ops->start(hash->state);
    while (size_bytes > 0) {
        size_t wanted = size_bytes < (int64_t)sizeof piece ? (size_t)size_bytes : sizeof piece;
        ssize_t n = read(fd, piece, wanted);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return fail_errno(e, ALOFT_ERR_IO, "cannot read '%s' to its end", name);
        }
        hash->ops->update(hash->state, piece, (size_t)n);
        enum aloft_err err = write_piece(j, piece, (size_t)n, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        size_bytes -= n;
    }
    hash->ops->finish(hash->state, digest);
    hex_encode(digest, sizeof digest, sha256);
    return ALOFT_ERR_OK;
}

/* NOT_FOUND = it is not there. */
static enum aloft_err open_file(const char *path, int *ret_fd, struct error *e)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 && errno == ENOENT) {
        return fail(e, ALOFT_ERR_NOT_FOUND, "'%s' is missing", path);
    }
    if (fd < 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot open '%s'", path);
    }
    *ret_fd = STEAL_FD(fd);
    return ALOFT_ERR_OK;
}

/* One file into the archive and the manifest. */
static enum aloft_err add_open_file(struct job *j, int fd, const char *path, const char *name,
                                    struct error *e)
{
    char sha256[HASH_HEX_BYTES];
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot look at '%s'", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return fail(e, ALOFT_ERR_IO, "'%s' is not a regular file", path);
    }
    enum aloft_err err = begin_entry(j, name, st.st_size, e);
    if (err == ALOFT_ERR_OK) {
        err = copy_bytes(j, fd, path, st.st_size, sha256, e);
    }
    const char *wanted = manifest_blob_sha256(name);
    if (err == ALOFT_ERR_OK && wanted && strcmp(wanted, sha256) != 0) {
        return fail(e, ALOFT_ERR_HASH,
                    "the blob '%s' is damaged: withdraw its ROM, or put the file back from an "
                    "earlier backup",
                    path);
    }
    return err == ALOFT_ERR_OK ? manifest_add(&j->manifest, name, sha256, e) : err;
}

static enum aloft_err add_file(struct job *j, const char *path, const char *name, struct error *e)
{
    AUTO_FD int fd = -1;
    enum aloft_err err = open_file(path, &fd, e);

    return err == ALOFT_ERR_OK ? add_open_file(j, fd, path, name, e) : err;
}

static enum aloft_err join(char path[PATH_MAX], const char *dir, const char *name, struct error *e)
{
    return snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX
               ? ALOFT_ERR_OK
               : fail(e, ALOFT_ERR_TOO_BIG, "the path '%.64s...' is too long", dir);
}

static enum aloft_err name_blob(const struct job *j, const char *sha256,
                                char name[MANIFEST_NAME_BYTES], char path[PATH_MAX],
                                struct error *e)
{
    (void)snprintf(name, MANIFEST_NAME_BYTES, DATA_DIR_BLOBS "/%.2s/%.64s", sha256, sha256);
    return manifest_blob_sha256(name)
               ? join(path, j->data, name, e)
               : fail(e, ALOFT_ERR_SYNTAX,
                      "'%.64s' is not the SHA-256 of a blob: the database is damaged", sha256);
}

static enum aloft_err keep_fd(struct job *j, int fd, struct error *e)
{
    if (j->n_blobs == j->cap) {
        size_t cap = j->cap ? 2 * j->cap : GROW_FROM;
        int *grown = reallocarray(j->blob_fds, cap, sizeof *grown);
        if (!grown) {
            return fail(e, ALOFT_ERR_IO, "out of memory for %zu blobs", cap);
        }
        j->blob_fds = grown;
        j->cap = cap;
    }
    j->blob_fds[j->n_blobs++] = fd;
    return ALOFT_ERR_OK;
}

static enum aloft_err hold_blob(void *ctx, const char *sha256, int64_t size_bytes, struct error *e)
{
    struct job *j = ctx;
    char name[MANIFEST_NAME_BYTES];
    char path[PATH_MAX];
    AUTO_FD int fd = -1;
    enum aloft_err err = name_blob(j, sha256, name, path, e);

    (void)size_bytes;
    if (err == ALOFT_ERR_OK && j->n_blobs < j->max_held) {
        err = open_file(path, &fd, e);
        j->is_blob_gone = err == ALOFT_ERR_NOT_FOUND;
    }
    if (err == ALOFT_ERR_OK) {
        err = keep_fd(j, fd, e);
    }
    if (err == ALOFT_ERR_OK) {
        (void)STEAL_FD(fd);
    }
    return err;
}

static void let_blobs_go(struct job *j)
{
    for (size_t i = 0; i < j->n_blobs; i++) {
        auto_close(&j->blob_fds[i]);
    }
    free(j->blob_fds);
    j->blob_fds = NULL;
    j->n_blobs = j->cap = j->next_blob = 0;
}

static enum aloft_err add_blob(void *ctx, const char *sha256, int64_t size_bytes, struct error *e)
{
    struct job *j = ctx;
    char name[MANIFEST_NAME_BYTES];
    char path[PATH_MAX];
    enum aloft_err err = name_blob(j, sha256, name, path, e);
    int *fd = &j->blob_fds[j->next_blob++];

    (void)size_bytes; /* the hash says more */
    if (err == ALOFT_ERR_OK && *fd < 0) {
        err = open_file(path, fd, e);
        j->is_blob_gone = err == ALOFT_ERR_NOT_FOUND;
    }
    if (err == ALOFT_ERR_OK) {
        err = add_open_file(j, *fd, path, name, e);
    }
    auto_close(fd);
    return err;
}

/* The snapshot goes in as it was made: opening it brings its schema up to date. All blobs are
 * opened before the first is copied, which may take long: what is deleted meanwhile stays readable.
 */
static enum aloft_err add_database_and_blobs(struct job *j, struct error *e)
{
    AUTO_DB db = NULL;
    enum aloft_err err = add_file(j, j->snapshot, DATA_DIR_DATABASE_FILE, e);

    if (err == ALOFT_ERR_OK) {
        err = db_open(j->snapshot, &db, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = blobs_needed_each(db, hold_blob, j, e);
    }
    return err == ALOFT_ERR_OK ? blobs_needed_each(db, add_blob, j, e) : err;
}

static enum aloft_err add_others(struct job *j, struct error *e)
{
    enum aloft_err err = ALOFT_ERR_OK;

    for (const char *const *name = backup_names + 1; err == ALOFT_ERR_OK && *name; name++) {
        char path[PATH_MAX];
        err = join(path, j->data, *name, e);
        if (err == ALOFT_ERR_OK) {
            err = add_file(j, path, *name, e);
        }
        if (err == ALOFT_ERR_NOT_FOUND) {
            err = ALOFT_ERR_OK;
        }
    }
    return err;
}

static enum aloft_err add_manifest(struct job *j, struct error *e)
{
    size_t len;
    AUTO_FREE char *text = manifest_format(&j->manifest, &len);

    if (!text) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    enum aloft_err err = begin_entry(j, MANIFEST_NAME, (int64_t)len, e);
    return err == ALOFT_ERR_OK ? write_piece(j, text, len, e) : err;
}

static enum aloft_err write_archive(struct job *j, int fd, struct error *e)
{
    j->archive = archive_write_new();
    if (!j->archive || archive_write_set_format_pax_restricted(j->archive) != ARCHIVE_OK ||
        archive_write_open_fd(j->archive, fd) != ARCHIVE_OK) {
        return j->archive ? fail_archive(j, e) : fail(e, ALOFT_ERR_IO, "out of memory");
    }
    enum aloft_err err = add_database_and_blobs(j, e);
    if (err == ALOFT_ERR_OK) {
        err = add_others(j, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = add_manifest(j, e);
    }
    if (err == ALOFT_ERR_OK && archive_write_close(j->archive) != ARCHIVE_OK) {
        err = fail_archive(j, e);
    }
    if (err == ALOFT_ERR_OK && fsync(fd) != 0) {
        err = fail_errno(e, ALOFT_ERR_IO, "cannot sync '%s'", j->part);
    }
    return err;
}

/* The write-ahead log of the snapshot is there only while it is open, or after a cut. */
static void remove_snapshot(const struct job *j)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char path[PATH_MAX + 16];
        (void)snprintf(path, sizeof path, "%s%s", j->snapshot, suffixes[i]);
        (void)unlink(path);
    }
}

/* The file is made here for its mode. */
static enum aloft_err make_snapshot(const struct job *j, const char *database, struct error *e)
{
    AUTO_FD int fd = open(j->snapshot, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

    return fd >= 0 ? db_snapshot(database, j->snapshot, e)
                   : fail_errno(e, ALOFT_ERR_IO, "cannot create '%s'", j->snapshot);
}

/* One moment of the database, and what it needs. */
static enum aloft_err try_once(struct job *j, int fd, struct error *e)
{
    char database[PATH_MAX];
    enum aloft_err err = join(database, j->data, DATA_DIR_DATABASE_FILE, e);

    remove_snapshot(j);
    j->is_blob_gone = false;
    j->n_bytes = 0;
    if (err == ALOFT_ERR_OK && (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0)) {
        err = fail_errno(e, ALOFT_ERR_IO, "cannot write '%s'", j->part);
    }
    if (err == ALOFT_ERR_OK) {
        err = make_snapshot(j, database, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = write_archive(j, fd, e);
    }
    (void)archive_write_free(j->archive); /* closed above if all went well */
    j->archive = NULL;
    let_blobs_go(j);
    manifest_free(&j->manifest);
    remove_snapshot(j);
    return err;
}

static enum aloft_err publish(const struct job *j, const char *file, struct error *e)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(file, '/');

    /* Neither replaces what came meanwhile. A memory stick knows no links, NFS not that rename. */
    bool is_renamed = renameat2(AT_FDCWD, j->part, AT_FDCWD, file, RENAME_NOREPLACE) == 0;
    if (!is_renamed && (errno != EINVAL || link(j->part, file) != 0)) {
        enum aloft_err err = fail_errno(e, errno == EEXIST ? ALOFT_ERR_DUPLICATE : ALOFT_ERR_IO,
                                        "cannot make '%s'", file);
        (void)unlink(j->part);
        return err;
    }
    if (!is_renamed) {
        (void)unlink(j->part);
    }
    (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - file) + 1 : 1,
                   slash ? file : ".");
    return dir_sync(folder, e);
}

/* The hard limit is the operator's word. */
static size_t max_held(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= FDS_SPARED) {
        return 0;
    }
    return limit.rlim_cur == RLIM_INFINITY ? SIZE_MAX : limit.rlim_cur - FDS_SPARED;
}

enum aloft_err backup_make(const char *data, const char *file,
                           const struct backup_progress *progress, struct error *e)
{
    struct job j = {.data = data, .progress = progress, .max_held = max_held()};
    struct stat st;

    if (snprintf(j.part, sizeof j.part, "%s.part", file) >= (int)sizeof j.part ||
        snprintf(j.snapshot, sizeof j.snapshot, "%s.part.db", file) >= (int)sizeof j.snapshot) {
        return fail(e, ALOFT_ERR_TOO_BIG, "the path '%.64s...' is too long", file);
    }
    if (lstat(file, &st) == 0) {
        return fail(e, ALOFT_ERR_DUPLICATE, "'%s' is there already: choose another name", file);
    }
    AUTO_FD int fd = open(j.part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0 && errno == EEXIST) {
        return fail(e, ALOFT_ERR_BUSY,
                    "'%s' is there: wait for the other backup to end, or remove what a cut one "
                    "left",
                    j.part);
    }
    if (fd < 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot create '%s'", j.part);
    }
    enum aloft_err err = try_once(&j, fd, e);
    for (int i = 1; i < TRIES && j.is_blob_gone; i++) {
        err = try_once(&j, fd, e);
    }
    if (err != ALOFT_ERR_OK) {
        (void)unlink(j.part);
        return err;
    }
    return publish(&j, file, e);
}
