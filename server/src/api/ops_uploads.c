/* SPDX-License-Identifier: Apache-2.0 */

/* Files sent in one request, to be kept or only to be vetted. */

#include "api/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/vet.h"
#include "host/auto.h"
#include "store/roms.h"

#define APP_FILE "ota.bin"

static void op_upload_prepare(struct request *request)
{
    struct error e = {0};
    bool is_cut;

    request->file_name = query_text(request, "name");
    request->version = request->file_name ? query_text(request, "version") : NULL;
    if (!request->version || !vet_names(request, request->file_name, request->version) ||
        !vet_read_cut(request, &is_cut) || !vet_has_room(request)) {
        return;
    }
    request->analysis = vet_begin(request, request->file_name, request->version);
    if (request->analysis &&
        blob_writer_open(request->api->blobs, &request->writer, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
    }
}

static void op_upload_run(struct request *request)
{
    struct upload u = {.product_id = request->product.id};
    bool is_cut;

    if (!vet_read_cut(request, &is_cut) || !make_secret(request, UPLOAD_ID_CHARS / 2, u.id)) {
        return;
    }
    (void)snprintf(u.version, sizeof u.version, "%s", request->version);
    (void)snprintf(u.file.name, sizeof u.file.name, "%s", request->file_name);
    (void)vet_keep(request, &u, blob_writer_fd(request->writer), is_cut, NULL);
}

static void op_upload_get(struct request *request)
{
    struct db *db = request->api->db;
    struct upload u;
    AUTO_FREE char *findings = NULL;
    struct error e = {0};
    enum aloft_err err = uploads_get(db, request->product.id, request->names[1], &u, &e);

    if (err == ALOFT_ERR_OK) {
        err = uploads_get_findings(db, request->product.id, u.id, &findings, &e);
    }
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    answer_json(request, MHD_HTTP_OK, vet_upload_to_json(&u, json_loads(findings, 0, NULL)));
}

static void op_upload_remove(struct request *request)
{
    struct api *api = request->api;
    const struct product *p = &request->product;
    struct upload u;
    struct error e = {0};

    (void)pthread_mutex_lock(&api->blob_lock);
    enum aloft_err err = uploads_get(api->db, p->id, request->names[1], &u, &e);
    if (err == ALOFT_ERR_OK) {
        err = uploads_remove(api->db, p->id, u.id, &e);
    }
    if (err == ALOFT_ERR_OK) {
        drop_blob(api, u.file.sha256);
    }
    (void)pthread_mutex_unlock(&api->blob_lock);
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    answer_nothing(request);
}

static void op_check_prepare(struct request *request)
{
    request->file_name = query_optional(request, "name");
    request->version = query_optional(request, "version");
    if (!request->file_name) {
        request->file_name = APP_FILE;
    }
    if (vet_names(request, request->file_name, request->version)) {
        request->analysis = vet_begin(request, request->file_name, request->version);
    }
}

static void op_check_run(struct request *request)
{
    const struct analysis_report *report = analysis_finish(request->analysis);

    answer_json(request, MHD_HTTP_OK,
                json_pack("{s:s, s:I, s:o, s:o}", "verdict", analysis_verdict_text(report->verdict),
                          "size_bytes", (json_int_t)report->size_bytes, "app_bytes",
                          vet_app_bytes(report), "findings", vet_findings(report)));
}

static const char *const upload_query[] = {"name", "version", "cut", NULL};
static const char *const check_query_names[] = {"name", "version", NULL};

const struct api_route upload_routes[] = {
    {"POST", API_PRODUCT "/uploads", API_BODY_FILE, API_DEVELOPER, op_upload_run, upload_query,
     op_upload_prepare, 0, false},
    {"GET", API_PRODUCT "/uploads/{}", API_BODY_NONE, API_DEVELOPER, op_upload_get, NULL, NULL, 0,
     false},
    {"DELETE", API_PRODUCT "/uploads/{}", API_BODY_NONE, API_DEVELOPER, op_upload_remove, NULL,
     NULL, 0, false},
    {"POST", API_PRODUCT "/check", API_BODY_FILE, API_DEVELOPER, op_check_run, check_query_names,
     op_check_prepare, 0, false},
    API_ROUTES_END,
};
