/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "backup/manifest.h"
#include "backup/names.h"
#include "blob/blobs.h"
#include "host/auto.h"
#include "host/files.h"
#include "store/db.h"
#include "store/roms.h"

#define PIECE_BYTES  65536
#define FOLDER_MODE  0700
#define FILE_MODE    0600
#define WALK_FDS     16
#define MANIFEST_MAX ((size_t)MANIFEST_FILES_MAX * (HASH_HEX_BYTES + MANIFEST_NAME_BYTES + 2))
#define NOT_A_BACKUP "'%s' is no backup of a server: "

struct job {
    const char *file;
    char folder[PATH_MAX]; /* DIR.restore */
    const struct backup_progress *progress;
    uint64_t n_bytes;
    uint64_t file_bytes;
    struct archive *archive;
    struct manifest found;
};

static enum aloft_err fail_archive(const struct job *j, struct error *e)
{
    const char *why = archive_error_string(j->archive);

    return fail(e, ALOFT_ERR_SYNTAX, "cannot read the backup '%s': %s", j->file,
                why ? why : "it is damaged");
}

static enum aloft_err join(const struct job *j, const char *name, char path[PATH_MAX],
                           struct error *e)
{
    return snprintf(path, PATH_MAX, "%s/%s", j->folder, name) < PATH_MAX
               ? ALOFT_ERR_OK
               : fail(e, ALOFT_ERR_TOO_BIG, "the path '%.64s...' is too long", j->folder);
}

/* The bytes of the entry at hand into a file that must be new, and their hash. */
static enum aloft_err extract(struct job *j, int fd, char sha256[HASH_HEX_BYTES], struct error *e)
{
    uint8_t piece[PIECE_BYTES];
    uint8_t digest[ALOFT_SHA256_BYTES];
    AUTO_HASH hash = hash_new_sha256();

    if (!hash) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    hash->ops->start(hash->state);
    for (;;) {
        la_ssize_t n = archive_read_data(j->archive, piece, sizeof piece);
        if (n < 0) {
            return fail_archive(j, e);
        }
        if (n == 0) {
            break;
        }
        j->n_bytes += (uint64_t)n;
        if (j->n_bytes > j->file_bytes) { /* a "sparse" entry: nothing that fills a disk */
            return fail(e, ALOFT_ERR_SYNTAX, NOT_A_BACKUP "there is more in it than it has bytes",
                        j->file);
        }
        hash->ops->update(hash->state, piece, (size_t)n);
        enum aloft_err err = file_write_all(fd, piece, (size_t)n, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        if (j->progress->note) {
            j->progress->note(j->progress->ctx, j->found.n_files, j->n_bytes);
        }
    }
    hash->ops->finish(hash->state, digest);
    hex_encode(digest, sizeof digest, sha256);
    return fsync(fd) == 0 ? ALOFT_ERR_OK
                          : fail_errno(e, ALOFT_ERR_IO, "cannot sync a file in '%s'", j->folder);
}

static enum aloft_err make_blob_folder(const char *path, struct error *e)
{
    char folder[PATH_MAX];

    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    return dir_make(folder, FOLDER_MODE, e);
}

static enum aloft_err restore_file(struct job *j, const char *name, struct error *e)
{
    char path[PATH_MAX];
    char sha256[HASH_HEX_BYTES];
    enum aloft_err err = join(j, name, path, e);

    if (err == ALOFT_ERR_OK && manifest_blob_sha256(name)) {
        err = make_blob_folder(path, e);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (fd < 0 && errno == EEXIST) {
        return fail(e, ALOFT_ERR_SYNTAX, NOT_A_BACKUP "'%s' is in it twice", j->file, name);
    }
    if (fd < 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot create '%s'", path);
    }
    err = extract(j, fd, sha256, e);
    if (err == ALOFT_ERR_OK && manifest_blob_sha256(name) &&
        strcmp(manifest_blob_sha256(name), sha256) != 0) {
        return fail(e, ALOFT_ERR_HASH, "the backup '%s' is damaged: '%s' has other bytes", j->file,
                    name);
    }
    return err == ALOFT_ERR_OK ? manifest_add(&j->found, name, sha256, e) : err;
}

/* The last entry: the list of all. */
static enum aloft_err check_manifest(struct job *j, int64_t size_bytes, struct error *e)
{
    struct archive_entry *entry;
    struct error why = {0};

    if (size_bytes < 0 || (uint64_t)size_bytes > MANIFEST_MAX) {
        return fail(e, ALOFT_ERR_SYNTAX, NOT_A_BACKUP "its list is too long", j->file);
    }
    size_t len = (size_t)size_bytes;
    AUTO_FREE char *text = malloc(len + 1);
    if (!text) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    for (size_t at = 0; at < len;) {
        la_ssize_t n = archive_read_data(j->archive, text + at, len - at);
        if (n <= 0) {
            return fail_archive(j, e);
        }
        at += (size_t)n;
    }
    enum aloft_err err = manifest_compare(&j->found, text, len, &why);
    if (err != ALOFT_ERR_OK) {
        return fail(e, err, "the backup '%s' is damaged: %s", j->file, why.sentence);
    }
    return archive_read_next_header(j->archive, &entry) == ARCHIVE_EOF
               ? ALOFT_ERR_OK
               : fail(e, ALOFT_ERR_SYNTAX, NOT_A_BACKUP "there is something behind its list",
                      j->file);
}

static enum aloft_err restore_entries(struct job *j, struct error *e)
{
    struct archive_entry *entry;
    int rc;

    while ((rc = archive_read_next_header(j->archive, &entry)) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(entry);
        if (!name || archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry)) {
            return fail(e, ALOFT_ERR_SYNTAX, NOT_A_BACKUP "it holds more than files", j->file);
        }
        if (strcmp(name, MANIFEST_NAME) == 0) {
            return check_manifest(j, archive_entry_size(entry), e);
        }
        if (!manifest_is_name(name)) {
            return fail(e, ALOFT_ERR_SYNTAX, NOT_A_BACKUP "'%.64s' has no place in one", j->file,
                        name);
        }
        enum aloft_err err = restore_file(j, name, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return rc == ARCHIVE_EOF ? fail(e, ALOFT_ERR_SYNTAX, NOT_A_BACKUP "its end is missing", j->file)
                             : fail_archive(j, e);
}

static enum aloft_err read_archive(struct job *j, struct error *e)
{
    struct stat st;
    AUTO_FD int fd = open(j->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot open '%s'", j->file);
    }
    if (!S_ISREG(st.st_mode)) {
        return fail(e, ALOFT_ERR_ARG, "'%s' is not a regular file", j->file);
    }
    j->file_bytes = (uint64_t)st.st_size;
    j->archive = archive_read_new();
    if (!j->archive) {
        return fail(e, ALOFT_ERR_IO, "out of memory");
    }
    enum aloft_err err = archive_read_support_format_tar(j->archive) == ARCHIVE_OK &&
                                 archive_read_open_fd(j->archive, fd, PIECE_BYTES) == ARCHIVE_OK
                             ? restore_entries(j, e)
                             : fail_archive(j, e);
    (void)archive_read_free(j->archive);
    return err;
}

static enum aloft_err check_blob(void *ctx, const char *sha256, int64_t size_bytes, struct error *e)
{
    return blobs_check(ctx, sha256, size_bytes, e);
}

/* As a start of the server will do it, so that it cannot fail there. */
static enum aloft_err check_database(const struct job *j, struct error *e)
{
    char path[PATH_MAX];
    AUTO_DB db = NULL;
    struct blobs *blobs = NULL;
    enum aloft_err err = join(j, DATA_DIR_DATABASE_FILE, path, e);

    if (err == ALOFT_ERR_OK && access(path, F_OK) != 0) {
        return fail(e, ALOFT_ERR_SYNTAX, NOT_A_BACKUP "it has no database", j->file);
    }
    if (err == ALOFT_ERR_OK) {
        err = db_open(path, &db, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = join(j, DATA_DIR_BLOBS, path, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = blobs_open(path, &blobs, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = blobs_needed_each(db, check_blob, blobs, e);
    }
    blobs_close(blobs);
    return err;
}

static int sync_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    return flag == FTW_DP && dir_sync(path, NULL) != ALOFT_ERR_OK ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static enum aloft_err publish(const struct job *j, const char *data, struct error *e)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(data, '/');

    if (nftw(j->folder, sync_one, WALK_FDS, FTW_DEPTH | FTW_PHYS) != 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot sync '%s'", j->folder);
    }
    if (rename(j->folder, data) != 0) { /* replaces an empty folder and no other */
        return fail_errno(e, errno == ENOTEMPTY || errno == EEXIST ? ALOFT_ERR_STATE : ALOFT_ERR_IO,
                          "cannot rename '%s' to '%s'", j->folder, data);
    }
    (void)snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - data) + 1 : 1,
                   slash ? data : ".");
    return dir_sync(parent, e);
}

static enum aloft_err refuse_content(const char *data, struct error *e)
{
    DIR *folder = opendir(data);
    size_t n = 0;

    if (!folder) {
        return errno == ENOENT ? ALOFT_ERR_OK
                               : fail_errno(e, ALOFT_ERR_IO, "cannot restore into '%s'", data);
    }
    while (readdir(folder)) {
        n++;
    }
    (void)closedir(folder);
    return n <= 2 ? ALOFT_ERR_OK /* "." and ".." */
                  : fail(e, ALOFT_ERR_STATE,
                         "the folder '%s' is not empty: restore into a new one, or move it away",
                         data);
}

enum aloft_err backup_restore(const char *file, const char *data,
                              const struct backup_progress *progress, struct error *e)
{
    struct job j = {.file = file, .progress = progress};
    char target[PATH_MAX];
    size_t len = strlen(data);

    while (len > 1 && data[len - 1] == '/') {
        len--;
    }
    if (len + sizeof ".restore" >= sizeof j.folder) {
        return fail(e, ALOFT_ERR_TOO_BIG, "the path '%.64s...' is too long", data);
    }
    (void)snprintf(target, sizeof target, "%.*s", (int)len, data);
    (void)snprintf(j.folder, sizeof j.folder, "%.*s.restore", (int)len, data);
    enum aloft_err err = refuse_content(target, e);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (mkdir(j.folder, FOLDER_MODE) != 0) {
        return errno == EEXIST ? fail(e, ALOFT_ERR_BUSY,
                                      "'%s' is there: wait for the other restore to end, or remove "
                                      "what a cut one left",
                                      j.folder)
                               : fail_errno(e, ALOFT_ERR_IO, "cannot create '%s'", j.folder);
    }
    err = read_archive(&j, e);
    if (err == ALOFT_ERR_OK) {
        err = check_database(&j, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = publish(&j, target, e);
    }
    if (err != ALOFT_ERR_OK) {
        (void)nftw(j.folder, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS);
    }
    manifest_free(&j.found);
    return err;
}
