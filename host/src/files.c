/* SPDX-License-Identifier: Apache-2.0 */
#include "host/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/auto.h"

enum aloft_err file_load(const char *path, size_t max_bytes, uint8_t **ret_data, size_t *ret_len,
                         struct error *e)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* else a FIFO would hold us */
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot open '%s'", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return fail(e, ALOFT_ERR_ARG, "'%s' is not a regular file", path);
    }
    if ((uint64_t)st.st_size > max_bytes) {
        return fail(e, ALOFT_ERR_TOO_BIG, "'%s' has %lld bytes, the limit is %zu", path,
                    (long long)st.st_size, max_bytes);
    }
    size_t size = (size_t)st.st_size;
    AUTO_FREE uint8_t *data = malloc(size + 1);
    if (!data) {
        return fail(e, ALOFT_ERR_IO, "out of memory reading '%s'", path);
    }
    size_t got = 0;
    while (got < size) {
        ssize_t n = read(fd, data + got, size - got);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail_errno(e, ALOFT_ERR_IO, "cannot read '%s'", path);
        }
        if (n == 0) {
            break; /* it shrank meanwhile */
        }
        got += (size_t)n;
    }
    data[got] = 0;
    *ret_len = got;
    *ret_data = STEAL(data);
    return ALOFT_ERR_OK;
}

enum aloft_err file_write_all(int fd, const void *buf, size_t len, struct error *e)
{
    const uint8_t *p = buf;

    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail_errno(e, ALOFT_ERR_IO, "cannot write");
        }
        p += n;
        len -= (size_t)n;
    }
    return ALOFT_ERR_OK;
}

static enum aloft_err sync_parent(const char *path, struct error *e)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (!slash) {
        return dir_sync(".", e);
    }
    size_t len = slash == path ? 1 : (size_t)(slash - path);
    memcpy(folder, path, len);
    folder[len] = '\0';
    return dir_sync(folder, e);
}

enum aloft_err file_replace(const char *path, const void *buf, size_t len, mode_t mode,
                            struct error *e)
{
    char temporary[PATH_MAX];

    if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", path) >= sizeof temporary) {
        return fail(e, ALOFT_ERR_TOO_BIG, "the path '%s' is too long", path);
    }
    AUTO_FD int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot create '%s'", temporary);
    }
    enum aloft_err err = file_write_all(fd, buf, len, e);
    if (err == ALOFT_ERR_OK && fsync(fd) != 0) {
        err = fail_errno(e, ALOFT_ERR_IO, "cannot sync '%s'", temporary);
    }
    if (err == ALOFT_ERR_OK && rename(temporary, path) != 0) {
        err = fail_errno(e, ALOFT_ERR_IO, "cannot rename '%s' to '%s'", temporary, path);
    }
    if (err != ALOFT_ERR_OK) {
        (void)unlink(temporary); /* best effort: the first error is the one to report */
        return err;
    }
    return sync_parent(path, e);
}

enum aloft_err dir_make(const char *path, mode_t mode, struct error *e)
{
    char part[PATH_MAX];
    size_t len = strlen(path);

    if (len >= sizeof part) {
        return fail(e, ALOFT_ERR_TOO_BIG, "the path '%s' is too long", path);
    }
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, mode) == 0) {
            enum aloft_err err = sync_parent(part, e);
            if (err != ALOFT_ERR_OK) {
                return err;
            }
        } else if (errno != EEXIST) {
            return fail_errno(e, ALOFT_ERR_IO, "cannot create the folder '%s'", part);
        }
    }
    return ALOFT_ERR_OK;
}

enum aloft_err dir_sync(const char *path, struct error *e)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0) {
        return fail_errno(e, ALOFT_ERR_IO, "cannot sync the folder '%s'", path);
    }
    return ALOFT_ERR_OK;
}
