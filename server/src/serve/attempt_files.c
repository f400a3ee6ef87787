/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/attempt_files.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "blob/blobs.h"
#include "host/auto.h"
#include "host/clock.h"
#include "host/log.h"
#include "store/attempts.h"

#define EXPIRE_BATCH 500 /* rows in one transaction: nobody waits long for it */
#define MS_PER_DAY   INT64_C(86400000)

static void read_head(const struct blobs *blobs, const char *sha256, struct cause_file *file)
{
    char path[PATH_MAX];

    if (!sha256[0] || blobs_path(blobs, sha256, path, sizeof path, NULL) != ALOFT_ERR_OK) {
        return;
    }
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, file->head, sizeof file->head) : 0;
    file->head_len = n > 0 ? (size_t)n : 0;
}

enum aloft_err attempt_file_look_up(void *ctx, struct db *tx, const struct contact *contact,
                                    struct cause_file *ret_file, struct error *e)
{
    char layout[LAYOUT_NAME_MAX + 1] = "";
    char sha256[SHA256_HEX_CHARS + 1] = "";
    enum aloft_err err = attempts_find_file(tx, contact->product_id, contact->version,
                                            contact->file_name, layout, sha256, e);

    if (err != ALOFT_ERR_OK) {
        return err == ALOFT_ERR_NOT_FOUND ? ALOFT_ERR_OK : err;
    }
    ret_file->layout = aloft_layout_by_name(layout);
    read_head(ctx, sha256, ret_file);
    return ALOFT_ERR_OK;
}

static enum aloft_err expire_batch(struct db *db, int64_t before_ms, int64_t *ret_n,
                                   struct error *e)
{
    AUTO_TRANSACTION tx = NULL;
    enum aloft_err err = db_begin(db, &tx, e);

    if (err == ALOFT_ERR_OK) {
        err = attempts_remove_old(tx, before_ms, EXPIRE_BATCH, ret_n, e);
    }
    return err == ALOFT_ERR_OK ? db_commit(&tx, e) : err;
}

enum aloft_err attempts_expire(struct db *db, int64_t before_ms, struct error *e)
{
    int64_t n = EXPIRE_BATCH;
    enum aloft_err err = ALOFT_ERR_OK;

    while (err == ALOFT_ERR_OK && n == EXPIRE_BATCH) {
        err = expire_batch(db, before_ms, &n, e);
    }
    return err;
}

void attempts_tidy(struct tracker *tracker, struct db *db, unsigned keep_days)
{
    struct error e = {0};
    int64_t now_ms = clock_wall_ms();
    enum aloft_err err = tracker_sweep(tracker, now_ms, &e);

    if (err == ALOFT_ERR_OK) {
        err = attempts_expire(db, now_ms - keep_days * MS_PER_DAY, &e);
    }
    if (err != ALOFT_ERR_OK) {
        log_warn("attempts.not_tidied", "reason=\"%s\"", e.sentence);
    }
}
