/* SPDX-License-Identifier: Apache-2.0 */
#include "api/receiving.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blob/partial.h"
#include "host/auto.h"
#include "host/clock.h"
#include "host/log.h"

#define SYNC_EVERY_BYTES (1024 * 1024) /* a killed server loses no more of a part */
#define PARTIAL_LIFE_MS  (24 * 60 * 60 * 1000)

struct receiving {
    struct partial_upload row; /* offset_bytes: on the disk, and the row says so */
    struct partial *file;
    bool is_superseded;
    struct receiving *next; /* of api->receiving; all of this under api->partial_lock */
};

static struct receiving *find(struct api *api, const char *id)
{
    struct receiving *r = api->receiving;

    while (r && strcmp(r->row.id, id) != 0) {
        r = r->next;
    }
    return r;
}

static void unlist(struct api *api, const struct receiving *gone)
{
    for (struct receiving **r = &api->receiving; *r; r = &(*r)->next) {
        if (*r == gone) {
            *r = gone->next;
            return;
        }
    }
}

static enum aloft_err sync_now(struct api *api, struct receiving *r, struct error *e)
{
    int64_t n_bytes = (int64_t)partial_bytes(r->file);

    if (n_bytes == r->row.offset_bytes) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err = partial_sync(r->file, e);
    if (err == ALOFT_ERR_OK) {
        err = partial_uploads_advance(api->db, r->row.id, n_bytes, clock_wall_ms(), e);
    }
    if (err == ALOFT_ERR_OK) {
        r->row.offset_bytes = n_bytes;
    }
    return err;
}

/* Nobody adds to it any more; what it has got is kept. */
static void supersede(struct api *api, const char *id)
{
    struct receiving *r = find(api, id);
    struct error e = {0};

    if (!r) {
        return;
    }
    if (sync_now(api, r, &e) != ALOFT_ERR_OK) {
        log_warn("upload.part_lost", "reason=\"%s\"", e.sentence);
    }
    r->is_superseded = true;
    unlist(api, r);
}

static void answer_offset(struct request *request, const struct partial_upload *row)
{
    answer_error(request, MHD_HTTP_CONFLICT, "wrong_offset",
                 "%lld bytes of the file are here: go on from there", (long long)row->offset_bytes);
    (void)json_object_set_new(request->answer, "offset_bytes", json_integer(row->offset_bytes));
}

/* The row stands, its bytes are gone: that comes of a full disk or of somebody's hand. */
static enum aloft_err open_file(struct api *api, struct receiving *r, struct error *e)
{
    enum aloft_err err =
        partial_open(api->blobs, r->row.id, (uint64_t)r->row.offset_bytes, &r->file, e);

    if (err == ALOFT_ERR_TRUNCATED) {
        err = partial_uploads_remove(api->db, r->row.product_id, r->row.id, e);
        return err == ALOFT_ERR_OK ? fail(e, ALOFT_ERR_NOT_FOUND,
                                          "the partial upload has lost bytes; begin it again")
                                   : err;
    }
    return err;
}

static bool begin_locked(struct request *request, const char *id, uint64_t offset)
{
    struct api *api = request->api;
    struct error e = {0};
    struct receiving *r = calloc(1, sizeof *r);

    if (!r) {
        answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", "out of memory");
        return false;
    }
    supersede(api, id);
    enum aloft_err err = partial_uploads_get(api->db, request->product.id, id, &r->row, &e);
    if (err == ALOFT_ERR_OK && (uint64_t)r->row.offset_bytes != offset) {
        answer_offset(request, &r->row);
        free(r);
        return false;
    }
    if (err == ALOFT_ERR_OK) {
        err = open_file(api, r, &e);
    }
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        free(r);
        return false;
    }
    r->next = api->receiving;
    api->receiving = r;
    request->receiving = r;
    return true;
}

bool receiving_begin(struct request *request, const char *id, uint64_t offset)
{
    (void)pthread_mutex_lock(&request->api->partial_lock);
    bool is_begun = begin_locked(request, id, offset);
    (void)pthread_mutex_unlock(&request->api->partial_lock);
    return is_begun;
}

static enum aloft_err append(struct api *api, struct receiving *r, const void *buf, size_t len,
                             struct error *e)
{
    enum aloft_err err = partial_append(r->file, buf, len, e);

    if (err == ALOFT_ERR_OK &&
        partial_bytes(r->file) - (uint64_t)r->row.offset_bytes >= SYNC_EVERY_BYTES) {
        err = sync_now(api, r, e);
    }
    return err;
}

/* The bytes first: that makes room for the row's end. */
static enum aloft_err remove_locked(struct api *api, int64_t product_id, const char *id,
                                    struct error *e)
{
    struct receiving *r = find(api, id);
    struct partial_upload row;
    enum aloft_err err = partial_uploads_get(api->db, product_id, id, &row, e);

    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (r) {
        r->is_superseded = true;
        unlist(api, r);
    }
    err = partial_remove(api->blobs, id, e);
    return err == ALOFT_ERR_OK ? partial_uploads_remove(api->db, product_id, id, e) : err;
}

static void give_up_if_full(struct request *request, const struct receiving *r,
                            const struct error *why)
{
    struct error e = {0};

    if ((why->native_code == ENOSPC || why->native_code == EDQUOT) &&
        remove_locked(request->api, r->row.product_id, r->row.id, &e) != ALOFT_ERR_OK) {
        log_warn("upload.part_not_removed", "reason=\"%s\"", e.sentence);
    }
}

void receiving_take(struct request *request, const void *buf, size_t len)
{
    struct receiving *r = request->receiving;
    struct error e = {0};

    (void)pthread_mutex_lock(&request->api->partial_lock);
    if (r->is_superseded) {
        answer_error(request, MHD_HTTP_CONFLICT, "superseded",
                     "another request goes on with this upload, or it was removed");
    } else if (append(request->api, r, buf, len, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        give_up_if_full(request, r, &e);
    }
    (void)pthread_mutex_unlock(&request->api->partial_lock);
}

bool receiving_sync(struct request *request)
{
    struct receiving *r = request->receiving;
    struct error e = {0};

    (void)pthread_mutex_lock(&request->api->partial_lock);
    enum aloft_err err = r->is_superseded ? fail(&e, ALOFT_ERR_BUSY,
                                                 "another request goes on with this upload, or it "
                                                 "was removed")
                                          : sync_now(request->api, r, &e);
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        give_up_if_full(request, r, &e);
    }
    (void)pthread_mutex_unlock(&request->api->partial_lock);
    return err == ALOFT_ERR_OK;
}

const struct partial_upload *receiving_partial(const struct receiving *receiving)
{
    return &receiving->row;
}

int receiving_fd(const struct receiving *receiving)
{
    return partial_fd(receiving->file);
}

void receiving_end(struct api *api, struct receiving *receiving)
{
    if (!receiving) {
        return;
    }
    (void)pthread_mutex_lock(&api->partial_lock);
    if (!receiving->is_superseded) {
        supersede(api, receiving->row.id);
    }
    (void)pthread_mutex_unlock(&api->partial_lock);
    partial_close(receiving->file);
    free(receiving);
}

/* Nobody receives it: are its bytes there? */
static enum aloft_err look_at_file(struct api *api, const struct partial_upload *row,
                                   struct error *e)
{
    struct receiving r = {.row = *row};
    enum aloft_err err = open_file(api, &r, e);

    partial_close(r.file);
    return err;
}

enum aloft_err receiving_look(struct api *api, int64_t product_id, const char *id,
                              struct partial_upload *ret_partial, struct error *e)
{
    (void)pthread_mutex_lock(&api->partial_lock);
    struct receiving *r = find(api, id);
    enum aloft_err err = r ? sync_now(api, r, e) : ALOFT_ERR_OK;
    if (err == ALOFT_ERR_OK) {
        err = partial_uploads_get(api->db, product_id, id, ret_partial, e);
    }
    if (err == ALOFT_ERR_OK && !r) {
        err = look_at_file(api, ret_partial, e);
    }
    (void)pthread_mutex_unlock(&api->partial_lock);
    return err;
}

enum aloft_err receiving_remove(struct api *api, int64_t product_id, const char *id,
                                struct error *e)
{
    (void)pthread_mutex_lock(&api->partial_lock);
    enum aloft_err err = remove_locked(api, product_id, id, e);
    (void)pthread_mutex_unlock(&api->partial_lock);
    return err;
}

void receiving_expire(struct api *api, int64_t now_ms)
{
    struct partial_upload row;
    struct error e = {0};
    enum aloft_err err;

    (void)pthread_mutex_lock(&api->partial_lock);
    while ((err = partial_uploads_find_expired(api->db, now_ms - PARTIAL_LIFE_MS, &row, &e)) ==
           ALOFT_ERR_OK) {
        err = remove_locked(api, row.product_id, row.id, &e);
        if (err != ALOFT_ERR_OK) {
            break;
        }
        log_info("upload.part_expired", "file=%s version=%s", row.name, row.version);
    }
    (void)pthread_mutex_unlock(&api->partial_lock);
    if (err != ALOFT_ERR_NOT_FOUND) {
        log_warn("upload.part_not_expired", "reason=\"%s\"", e.sentence);
    }
}
