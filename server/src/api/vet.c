/* SPDX-License-Identifier: Apache-2.0 */
#include "api/vet.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "aloft/layout.h"
#include "host/auto.h"
#include "host/clock.h"
#include "host/log.h"

#define FILE_SUFFIX ".bin"
#define COPY_BYTES  65536
#define WAITING_MAX 256 /* uploads of a product; what one may fill the disk with */

static bool is_file_name(const char *name)
{
    size_t len = strlen(name);

    return is_plain_name(name, ALOFT_FILE_NAME_MAX) && len > strlen(FILE_SUFFIX) &&
           strcmp(name + len - strlen(FILE_SUFFIX), FILE_SUFFIX) == 0;
}

bool vet_names(struct request *request, const char *name, const char *version)
{
    if (!is_file_name(name)) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "a file is named ota.bin or <user partition>.bin");
        return false;
    }
    if (version && !is_plain_name(version, ALOFT_VERSION_MAX)) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "a version is 1 to %d letters, digits, dots, dashes or underscores",
                     ALOFT_VERSION_MAX);
        return false;
    }
    return true;
}

bool vet_has_room(struct request *request)
{
    int64_t n = 0;
    struct error e = {0};

    if (uploads_count_waiting(request->api->db, request->product.id, &n, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return false;
    }
    if (n < WAITING_MAX) {
        return true;
    }
    answer_error(request, MHD_HTTP_CONFLICT, "too_many_uploads",
                 "%" PRId64 " uploads of this product wait to be made ROMs; deploy or remove some",
                 n);
    return false;
}

bool vet_read_cut(struct request *request, bool *ret_is_cut)
{
    const char *cut = query_optional(request, "cut");

    *ret_is_cut = cut != NULL;
    if (cut && strcmp(cut, UPLOAD_CUT_APP) != 0) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "the query parameter 'cut' is " UPLOAD_CUT_APP ", or left out");
        return false;
    }
    return true;
}

/* As the product has them: hex, a space between. */
static size_t read_keys(const char *text, uint8_t keys[PRODUCT_KEYS_MAX][ALOFT_SHA256_BYTES])
{
    size_t n = 0;

    while (n < PRODUCT_KEYS_MAX && strlen(text) >= PRODUCT_KEY_CHARS &&
           sodium_hex2bin(keys[n], ALOFT_SHA256_BYTES, text, PRODUCT_KEY_CHARS, NULL, NULL, NULL) ==
               0) {
        n++;
        text += PRODUCT_KEY_CHARS;
        text += strspn(text, " ");
    }
    return n;
}

struct analysis *vet_begin(struct request *request, const char *name, const char *version)
{
    const struct product *p = &request->product;
    uint8_t keys[PRODUCT_KEYS_MAX][ALOFT_SHA256_BYTES];
    struct address server;
    find_module_plane(request, &server);
    const char *hosts[] = {server.host};
    const char *tokens[] = {p->token, p->token_tls};
    struct analysis_rules rules = {.layout = aloft_layout_by_name(p->layout),
                                   .version = version,
                                   .file_name = name,
                                   .project_name = or_null(p->project_name),
                                   .refuses_downgrade = strcmp(p->downgrade, "refuse") == 0,
                                   .requires_signature = p->signing_keys[0] != '\0',
                                   .trusted_keys = (const uint8_t(*)[ALOFT_SHA256_BYTES])keys,
                                   .n_trusted_keys = read_keys(p->signing_keys, keys),
                                   .current_version = or_null(p->current_version),
                                   .hosts = hosts,
                                   .n_hosts = server.host[0] ? 1 : 0,
                                   .tokens = tokens,
                                   .n_tokens = sizeof tokens / sizeof tokens[0]};

    if (!rules.layout) {
        answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "unknown_layout",
                     "this program does not know the product's layout '%s'", p->layout);
        return NULL;
    }
    struct analysis *analysis = analysis_new(&rules);
    if (!analysis) {
        answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", "out of memory");
    }
    return analysis;
}

/* Row 32 judges the bytes too, of which there are none yet. */
static bool is_about_the_name(const char *code)
{
    return strcmp(code, "PART_NAME") == 0 || strcmp(code, "PART_WOULD_ERASE") == 0;
}

bool vet_file_name(struct request *request, const char *name, const char *version)
{
    AUTO_ANALYSIS analysis = vet_begin(request, name, version);

    if (!analysis) {
        return false;
    }
    const struct analysis_report *report = analysis_finish(analysis);
    for (size_t i = 0; i < report->n_findings; i++) {
        const struct analysis_finding *f = &report->findings[i];
        if (f->verdict == ANALYSIS_REFUSAL && is_about_the_name(f->code)) {
            vet_answer_refusal(request, name, report);
            return false;
        }
    }
    return true;
}

json_t *vet_findings(const struct analysis_report *report)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->n_findings; i++) {
        const struct analysis_finding *f = &report->findings[i];
        (void)json_array_append_new(list,
                                    json_pack("{s:i, s:s, s:s, s:o}", "row", (int)f->row, "code",
                                              f->code, "verdict", analysis_verdict_text(f->verdict),
                                              "sentence", sentence_json(f->sentence)));
    }
    return json_array_size(list) == report->n_findings ? list : NULL;
}

json_t *vet_app_bytes(const struct analysis_report *report)
{
    return report->has_app ? json_integer((json_int_t)report->app_bytes) : json_null();
}

static const struct analysis_finding *first_refusal(const struct analysis_report *report)
{
    for (size_t i = 0; i < report->n_findings; i++) {
        if (report->findings[i].verdict == ANALYSIS_REFUSAL) {
            return &report->findings[i];
        }
    }
    return NULL;
}

void vet_answer_refusal(struct request *request, const char *name,
                        const struct analysis_report *report)
{
    const struct analysis_finding *f = first_refusal(report); /* the verdict says there is one */

    log_info("upload.refused", "product=%s file=%s code=%s", request->product.name, name, f->code);
    answer_error(request, MHD_HTTP_UNPROCESSABLE_CONTENT, f->code, "%s", f->sentence);
    (void)json_object_set_new(request->answer, "findings", vet_findings(report));
    (void)json_object_set_new(request->answer, "app_bytes", vet_app_bytes(report));
}

json_t *vet_upload_to_json(const struct upload *u, json_t *findings)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:o}", "upload", u->id, "name", u->file.name,
                     "version", u->version, "sha256", u->file.sha256, "size_bytes",
                     (json_int_t)u->file.size_bytes, "findings", findings);
}

static bool begin_anew(struct request *request, const struct upload *u)
{
    struct error e = {0};

    analysis_free(request->analysis);
    blob_writer_free(STEAL(request->writer));
    request->analysis = vet_begin(request, u->file.name, u->version);
    if (!request->analysis) {
        return false;
    }
    if (blob_writer_open(request->api->blobs, &request->writer, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return false;
    }
    return true;
}

bool vet_copy(struct request *request, const struct upload *u, int fd, uint64_t off,
              uint64_t n_bytes)
{
    AUTO_FREE uint8_t *buf = malloc(COPY_BYTES);
    struct error e = {0};

    if (!buf || !begin_anew(request, u)) {
        answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", "out of memory");
        return false;
    }
    while (n_bytes > 0) {
        size_t want = n_bytes < COPY_BYTES ? (size_t)n_bytes : COPY_BYTES;
        ssize_t n = pread(fd, buf, want, (off_t)off);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        enum aloft_err err = n > 0 ? blob_writer_append(request->writer, buf, (size_t)n, &e)
                                   : fail_errno(&e, ALOFT_ERR_IO, "cannot read the upload back");
        if (err != ALOFT_ERR_OK) {
            answer_failure(request, &e);
            return false;
        }
        analysis_feed(request->analysis, buf, (size_t)n);
        off += (uint64_t)n;
        n_bytes -= (uint64_t)n;
    }
    return true;
}

static enum aloft_err add_rows(struct request *request, const struct upload *u,
                               const char *findings, const char *partial_id, struct error *e)
{
    AUTO_TRANSACTION tx = NULL;
    enum aloft_err err = db_begin(request->api->db, &tx, e);

    if (err == ALOFT_ERR_OK && partial_id) { /* not there: another request has finished it */
        err = partial_uploads_remove(tx, u->product_id, partial_id, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = uploads_add(tx, u, findings, e);
    }
    return err == ALOFT_ERR_OK ? db_commit(&tx, e) : err;
}

/* The blob under its name and the row that holds it, under one lock: nobody sweeps in between. */
static enum aloft_err keep(struct request *request, struct upload *u, const char *findings,
                           const char *partial_id, struct error *e)
{
    struct api *api = request->api;

    (void)pthread_mutex_lock(&api->blob_lock);
    enum aloft_err err = blob_writer_commit(request->writer, u->file.sha256, e);
    if (err == ALOFT_ERR_OK) {
        err = add_rows(request, u, findings, partial_id, e);
        if (err != ALOFT_ERR_OK) {
            drop_blob(api, u->file.sha256);
        }
    }
    (void)pthread_mutex_unlock(&api->blob_lock);
    return err;
}

bool vet_keep(struct request *request, struct upload *u, int fd, bool is_cut,
              const char *partial_id)
{
    struct error e = {0};
    const struct analysis_report *report = analysis_finish(request->analysis);
    AUTO_FD int source = -1;

    if (is_cut && report->has_app) {
        source = dup(fd); /* the writer it may be of goes away */
        if (source < 0 || !vet_copy(request, u, source, report->app_off, report->app_bytes)) {
            return false;
        }
        report = analysis_finish(request->analysis);
    }
    if (report->verdict == ANALYSIS_REFUSAL) {
        vet_answer_refusal(request, u->file.name, report);
        return false;
    }
    json_t *findings = vet_findings(report);
    AUTO_FREE char *text = findings ? json_dumps(findings, JSON_COMPACT) : NULL;
    u->file.size_bytes = (int64_t)report->size_bytes;
    u->created_ms = clock_wall_ms();
    enum aloft_err err =
        text ? keep(request, u, text, partial_id, &e) : fail(&e, ALOFT_ERR_IO, "out of memory");
    if (err != ALOFT_ERR_OK) {
        json_decref(findings);
        answer_failure(request, &e);
        return false;
    }
    answer_json(request, MHD_HTTP_CREATED, vet_upload_to_json(u, findings));
    return true;
}
