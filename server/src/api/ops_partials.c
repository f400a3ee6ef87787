/* SPDX-License-Identifier: Apache-2.0 */

/* Files sent in parts, each of which may be cut off: the client asks how much has come and goes on
 * from there. */

#include "api/ops.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/receiving.h"
#include "api/vet.h"
#include "blob/partial.h"
#include "host/auto.h"
#include "host/clock.h"
#include "host/log.h"

static json_t *partial_to_json(const struct partial_upload *p)
{
    return json_pack("{s:n, s:s, s:s, s:s, s:s?, s:I, s:I}", "upload", "id", p->id, "name", p->name,
                     "version", p->version, "cut", or_null(p->cut), "size_bytes",
                     (json_int_t)p->size_bytes, "offset_bytes", (json_int_t)p->offset_bytes);
}

static bool read_partial(struct request *request, struct partial_upload *p)
{
    static const struct json_member members[] = {
        {"name", JSON_STRING, true},        {"version", JSON_STRING, true},
        {"size_bytes", JSON_INTEGER, true}, {"cut", JSON_STRING, false},
        {NULL, JSON_NULL, false},
    };
    static const char *const cuts[] = {UPLOAD_CUT_APP, NULL};
    uint64_t max = request->settings.upload_max_bytes;

    if (!check_members(request, request->json, members) ||
        !take_word(request, "name", p->name, sizeof p->name) ||
        !take_word(request, "version", p->version, sizeof p->version) ||
        !take_choice(request, "cut", cuts, p->cut, sizeof p->cut) ||
        !vet_names(request, p->name, p->version)) {
        return false;
    }
    p->size_bytes = json_integer_value(json_object_get(request->json, "size_bytes"));
    if (p->size_bytes < 0) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request", "'size_bytes' is at least 0");
        return false;
    }
    if ((uint64_t)p->size_bytes > max) {
        answer_error(request, MHD_HTTP_CONTENT_TOO_LARGE, "too_large",
                     "the file has %" PRId64 " bytes, the limit is %" PRIu64, p->size_bytes, max);
        return false;
    }
    return vet_file_name(request, p->name, p->version);
}

/* Its row; false = answered. */
static bool keep_partial(struct request *request, const struct partial_upload *p,
                         const json_t *body)
{
    AUTO_TRANSACTION tx = NULL;
    struct error e = {0};

    if (!change_begin(request, &tx)) {
        return false;
    }
    enum aloft_err err = partial_uploads_add(tx, p, &e);
    if (err == ALOFT_ERR_OK) {
        err = change_keep(request, tx, MHD_HTTP_CREATED, body, &e);
    }
    if (err == ALOFT_ERR_OK) {
        err = db_commit(&tx, &e);
    }
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
    }
    return err == ALOFT_ERR_OK;
}

static void op_partial_add(struct request *request)
{
    struct api *api = request->api;
    struct partial_upload p = {.product_id = request->product.id, .touched_ms = clock_wall_ms()};
    struct partial *file = NULL;
    struct error e = {0};

    if (!read_partial(request, &p) || !vet_has_room(request) ||
        !make_secret(request, UPLOAD_ID_CHARS / 2, p.id)) {
        return;
    }
    if (partial_open(api->blobs, p.id, 0, &file, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    partial_close(file);
    json_t *body = partial_to_json(&p);
    if (keep_partial(request, &p, body)) {
        answer_json(request, MHD_HTTP_CREATED, body);
        return;
    }
    json_decref(body);
    if (partial_remove(api->blobs, p.id, NULL) != ALOFT_ERR_OK) {
        log_warn("upload.part_not_removed", "id=%s", p.id); /* the next start removes it */
    }
}

/* It became an upload, and the answer that said so may have been lost. */
static json_t *upload_to_json(const struct upload *u)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:n, s:I, s:I}", "upload", u->id, "id", u->id, "name",
                     u->file.name, "version", u->version, "cut", "size_bytes",
                     (json_int_t)u->file.size_bytes, "offset_bytes",
                     (json_int_t)u->file.size_bytes);
}

static void op_partial_get(struct request *request)
{
    const char *id = request->names[1];
    struct partial_upload p;
    struct upload u;
    struct error e = {0};
    enum aloft_err err = receiving_look(request->api, request->product.id, id, &p, &e);

    if (err == ALOFT_ERR_OK) {
        answer_json(request, MHD_HTTP_OK, partial_to_json(&p));
    } else if (err == ALOFT_ERR_NOT_FOUND &&
               uploads_get(request->api->db, request->product.id, id, &u, NULL) == ALOFT_ERR_OK) {
        answer_json(request, MHD_HTTP_OK, upload_to_json(&u));
    } else {
        answer_failure(request, &e);
    }
}

static void op_partial_remove(struct request *request)
{
    struct error e = {0};

    if (receiving_remove(request->api, request->product.id, request->names[1], &e) !=
        ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    answer_nothing(request);
}

static void op_partial_prepare(struct request *request)
{
    int64_t offset;

    if (!query_text(request, "offset") ||
        !query_number(request, "offset", 0, INT64_MAX, 0, &offset) ||
        !receiving_begin(request, request->names[1], (uint64_t)offset)) {
        return;
    }
    const struct partial_upload *p = receiving_partial(request->receiving);
    if (request->body_bytes > (uint64_t)(p->size_bytes - p->offset_bytes)) {
        answer_error(request, MHD_HTTP_CONTENT_TOO_LARGE, "too_large",
                     "the file was announced with %" PRId64 " bytes and %" PRId64
                     " are here: this part has %" PRIu64 ", which is too much",
                     p->size_bytes, p->offset_bytes, request->body_bytes);
    }
}

/* All bytes are there. A file that is refused would be refused again: it goes. */
static void finish(struct request *request)
{
    struct api *api = request->api;
    const struct partial_upload *p = receiving_partial(request->receiving);
    struct upload u = {.product_id = p->product_id};
    int fd = receiving_fd(request->receiving);
    struct error e = {0};
    enum aloft_err err = ALOFT_ERR_OK;

    memcpy(u.id, p->id, sizeof u.id);
    memcpy(u.version, p->version, sizeof u.version);
    memcpy(u.file.name, p->name, sizeof u.file.name);
    if (!vet_copy(request, &u, fd, 0, (uint64_t)p->size_bytes)) {
        return;
    }
    if (vet_keep(request, &u, fd, p->cut[0] != '\0', p->id)) {
        err = partial_remove(api->blobs, p->id, &e);
    } else if (request->status == MHD_HTTP_UNPROCESSABLE_CONTENT) {
        err = receiving_remove(api, p->product_id, p->id, &e);
    }
    if (err != ALOFT_ERR_OK) { /* the next start removes it */
        log_warn("upload.part_not_removed", "reason=\"%s\"", e.sentence);
    }
}

static void op_partial_append(struct request *request)
{
    const struct partial_upload *p = receiving_partial(request->receiving);

    if (!receiving_sync(request)) {
        return;
    }
    if (p->offset_bytes < p->size_bytes) {
        answer_json(request, MHD_HTTP_OK, partial_to_json(p));
    } else {
        finish(request);
    }
}

static const char *const append_query[] = {"offset", NULL};

const struct api_route partial_routes[] = {
    {"POST", API_PRODUCT "/partial-uploads", API_BODY_JSON, API_DEVELOPER, op_partial_add, NULL,
     NULL, 0, false},
    {"GET", API_PRODUCT "/partial-uploads/{}", API_BODY_NONE, API_DEVELOPER, op_partial_get, NULL,
     NULL, 0, false},
    {"PATCH", API_PRODUCT "/partial-uploads/{}", API_BODY_FILE, API_DEVELOPER, op_partial_append,
     append_query, op_partial_prepare, 0, false},
    {"DELETE", API_PRODUCT "/partial-uploads/{}", API_BODY_NONE, API_DEVELOPER, op_partial_remove,
     NULL, NULL, 0, false},
    API_ROUTES_END,
};
