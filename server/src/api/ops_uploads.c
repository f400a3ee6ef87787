/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ops.h"

#include <stdio.h>
#include <string.h>

#include "aloft/layout.h"
#include "host/clock.h"
#include "host/log.h"
#include "store/roms.h"

#define FILE_SUFFIX ".bin"

static bool is_file_name(const char *name)
{
    size_t len = strlen(name);

    return is_plain_name(name, ALOFT_FILE_NAME_MAX) && len > strlen(FILE_SUFFIX) &&
           strcmp(name + len - strlen(FILE_SUFFIX), FILE_SUFFIX) == 0;
}

static bool read_query(struct request *request)
{
    request->file_name = query_text(request, "name");
    request->version = request->file_name ? query_text(request, "version") : NULL;
    if (!request->version) {
        return false;
    }
    if (!is_file_name(request->file_name)) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "a file is named ota.bin or <user partition>.bin");
        return false;
    }
    if (!is_plain_name(request->version, ALOFT_VERSION_MAX)) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "a version is 1 to %d letters, digits, dots, dashes or underscores",
                     ALOFT_VERSION_MAX);
        return false;
    }
    return true;
}

static void op_upload_prepare(struct request *request)
{
    struct error e = {0};

    if (!read_query(request)) {
        return;
    }
    struct analysis_rules rules = {.layout = aloft_layout_by_name(request->product.layout),
                                   .version = request->version,
                                   .file_name = request->file_name};
    if (!rules.layout) {
        answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "unknown_layout",
                     "this program does not know the product's layout '%s'",
                     request->product.layout);
        return;
    }
    request->analysis = analysis_new(&rules);
    if (!request->analysis) {
        answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", "out of memory");
        return;
    }
    if (blob_writer_open(request->api->blobs, &request->writer, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
    }
}

static json_t *findings_to_json(const struct analysis_report *report)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->n_findings; i++) {
        const struct analysis_finding *f = &report->findings[i];
        (void)json_array_append_new(
            list, json_pack("{s:i, s:s, s:s, s:s}", "row", (int)f->row, "code", f->code, "verdict",
                            analysis_verdict_text(f->verdict), "sentence", f->sentence));
    }
    return list;
}

static void answer_refusal(struct request *request, const struct analysis_report *report)
{
    for (size_t i = 0; i < report->n_findings; i++) {
        const struct analysis_finding *f = &report->findings[i];
        if (f->verdict == ANALYSIS_REFUSAL) {
            log_info("upload.refused", "product=%s file=%s code=%s", request->product.name,
                     request->file_name, f->code);
            answer_error(request, MHD_HTTP_UNPROCESSABLE_CONTENT, f->code, "%s", f->sentence);
            return;
        }
    }
    answer_error(request, MHD_HTTP_UNPROCESSABLE_CONTENT, "refused", "the file was refused");
}

/* The blob under its name and the row that holds it, under one lock: nobody sweeps in between. */
static enum aloft_err keep(struct request *request, struct upload *u, struct error *e)
{
    struct api *api = request->api;

    (void)pthread_mutex_lock(&api->blob_lock);
    enum aloft_err err = blob_writer_commit(request->writer, u->file.sha256, e);
    if (err == ALOFT_ERR_OK) {
        err = uploads_add(api->db, u, e);
        if (err != ALOFT_ERR_OK) {
            drop_blob(api, u->file.sha256);
        }
    }
    (void)pthread_mutex_unlock(&api->blob_lock);
    return err;
}

static void op_upload_run(struct request *request)
{
    struct upload u = {.product_id = request->product.id, .created_ms = clock_wall_ms()};
    struct error e = {0};
    const struct analysis_report *report = analysis_finish(request->analysis);

    if (report->verdict == ANALYSIS_REFUSAL) {
        answer_refusal(request, report);
        return;
    }
    if (!make_secret(request, UPLOAD_ID_CHARS / 2, u.id)) {
        return;
    }
    (void)snprintf(u.version, sizeof u.version, "%s", request->version);
    (void)snprintf(u.file.name, sizeof u.file.name, "%s", request->file_name);
    u.file.size_bytes = (int64_t)request->got_bytes;
    if (keep(request, &u, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    answer_json(request, MHD_HTTP_CREATED,
                json_pack("{s:s, s:s, s:I, s:o}", "upload", u.id, "sha256", u.file.sha256,
                          "size_bytes", (json_int_t)u.file.size_bytes, "findings",
                          findings_to_json(report)));
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

static const char *const upload_query[] = {"name", "version", NULL};

const struct api_route upload_routes[] = {
    {"POST", API_PRODUCT "/uploads", API_BODY_FILE, API_DEVELOPER, op_upload_run, upload_query,
     op_upload_prepare, 0, false},
    {"DELETE", API_PRODUCT "/uploads/{}", API_BODY_NONE, API_DEVELOPER, op_upload_remove, NULL,
     NULL, 0, false},
    API_ROUTES_END,
};
