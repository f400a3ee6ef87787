/* SPDX-License-Identifier: Apache-2.0 */

/* Files of the catalog: one descriptor for all who send the file (serving.md rule 4), opened by the
 * first who needs it and shared without a lock. */

#include "catalog/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aloft/hash.h"
#include "host/auto.h"
#include "host/hashes.h"
#include "host/log.h"

struct catalog_file {
    atomic_uint n_refs;
    atomic_int fd; /* -1: not open yet */
    uint64_t size_bytes;
    struct catalog_answer answer; /* the head only; its bytes are below */
    char *path;
    char name[ALOFT_FILE_NAME_MAX + 1];
    char version[ALOFT_VERSION_MAX + 1];
    char sha256[HASH_HEX_BYTES];
    char head[FILE_HEAD_BYTES];
};

struct catalog_file *file_new(const struct catalog_file_facts *facts, const char *version)
{
    struct catalog_file *file = calloc(1, sizeof *file);

    if (!file || !(file->path = strdup(facts->path))) {
        free(file);
        return NULL;
    }
    atomic_init(&file->n_refs, 1);
    atomic_init(&file->fd, -1);
    file->size_bytes = facts->size_bytes;
    memcpy(file->name, facts->name, strlen(facts->name) + 1);
    memcpy(file->version, version, strlen(version) + 1);
    memcpy(file->sha256, facts->sha256_hex, sizeof file->sha256);
    size_t head_len = answers_file_head(facts->size_bytes, file->head);
    file->answer = (struct catalog_answer){file->head, head_len, head_len};
    return file;
}

struct catalog_file *catalog_file_hold(struct catalog_file *file)
{
    atomic_fetch_add_explicit(&file->n_refs, 1, memory_order_relaxed);
    return file;
}

void catalog_file_release(struct catalog_file *file)
{
    if (!file || atomic_fetch_sub_explicit(&file->n_refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    int fd = atomic_load(&file->fd);
    if (fd >= 0) {
        (void)close(fd);
    }
    free(file->path);
    free(file);
}

const char *catalog_file_name(const struct catalog_file *file)
{
    return file->name;
}

const char *catalog_file_version(const struct catalog_file *file)
{
    return file->version;
}

uint64_t catalog_file_size(const struct catalog_file *file)
{
    return file->size_bytes;
}

const char *catalog_file_sha256(const struct catalog_file *file)
{
    return file->sha256;
}

const struct catalog_answer *catalog_file_answer(const struct catalog_file *file)
{
    return &file->answer;
}

int catalog_file_fd(struct catalog_file *file)
{
    int shared = atomic_load_explicit(&file->fd, memory_order_acquire);
    struct stat st;

    if (shared >= 0) {
        return shared;
    }
    AUTO_FD int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        log_error("catalog.blob_unreadable", "path=\"%s\" errno=%d", file->path, errno);
        return -1;
    }
    if ((uint64_t)st.st_size != file->size_bytes) {
        log_error("catalog.blob_size", "path=\"%s\" size_bytes=%lld wanted_bytes=%llu", file->path,
                  (long long)st.st_size, (unsigned long long)file->size_bytes);
        return -1;
    }
    if (atomic_compare_exchange_strong(&file->fd, &shared, fd)) {
        return STEAL_FD(fd);
    }
    return shared; /* another loop was faster; ours is closed on return */
}
