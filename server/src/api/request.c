/* SPDX-License-Identifier: Apache-2.0 */
#include "api/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/publish.h"
#include "host/log.h"
#include "store/roms.h"

void answer_json(struct request *request, unsigned status, json_t *body)
{
    json_decref(request->answer);
    request->answer = body;
    request->status = body ? status : MHD_HTTP_INTERNAL_SERVER_ERROR;
}

void answer_nothing(struct request *request)
{
    json_decref(request->answer);
    request->answer = NULL;
    request->status = MHD_HTTP_NO_CONTENT;
}

/* Sentences may quote what came from outside, and be cut inside a character. */
static json_t *sentence_to_json(char *sentence)
{
    json_t *text = json_string(sentence);

    if (text) {
        return text;
    }
    for (char *c = sentence; *c; c++) {
        if ((unsigned char)*c > '~') {
            *c = '?';
        }
    }
    return json_string(sentence);
}

void answer_error(struct request *request, unsigned status, const char *code, const char *format,
                  ...)
{
    char sentence[ERROR_SENTENCE_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    answer_json(
        request, status,
        json_pack("{s:{s:s, s:o}}", "error", "code", code, "message", sentence_to_json(sentence)));
}

void answer_failure(struct request *request, const struct error *e)
{
    if (e->code == ALOFT_ERR_NOT_FOUND) {
        answer_error(request, MHD_HTTP_NOT_FOUND, "not_found", "%s", e->sentence);
    } else if (e->code == ALOFT_ERR_DUPLICATE) {
        answer_error(request, MHD_HTTP_CONFLICT, "conflict", "%s", e->sentence);
    } else if (e->native_code == ENOSPC || e->native_code == EDQUOT) {
        log_error("api.disk_full", "reason=\"%s\"", e->sentence);
        answer_error(request, MHD_HTTP_INSUFFICIENT_STORAGE, "disk_full",
                     "the server's disk is full; nothing was kept: free some space and try again");
    } else {
        log_error("api.failed", "reason=\"%s\"", e->sentence);
        answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", "%s", e->sentence);
    }
}

enum aloft_err append_json(json_t *array, json_t *item, struct error *e)
{
    return json_array_append_new(array, item) == 0 ? ALOFT_ERR_OK
                                                   : fail(e, ALOFT_ERR_IO, "out of memory");
}

bool publish_change(struct request *request)
{
    struct api *api = request->api;
    struct error e = {0};

    (void)pthread_mutex_lock(&api->publish_lock);
    enum aloft_err err = publish_catalog(api->db, api->blobs, api->catalog, &e);
    (void)pthread_mutex_unlock(&api->publish_lock);
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
    }
    return err == ALOFT_ERR_OK;
}

void drop_blob(struct api *api, const char *sha256)
{
    struct error e = {0};
    bool is_needed = true;
    enum aloft_err err = blob_is_needed(api->db, sha256, &is_needed, &e);

    if (err == ALOFT_ERR_OK && !is_needed) {
        err = blobs_remove(api->blobs, sha256, &e);
    }
    if (err != ALOFT_ERR_OK) { /* the next start sweeps it up */
        log_warn("blob.not_removed", "reason=\"%s\"", e.sentence);
    }
}

bool find_product(struct request *request, struct product *ret_product)
{
    struct error e = {0};
    enum aloft_err err = products_get(request->api->db, request->names[0], ret_product, &e);

    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
    }
    return err == ALOFT_ERR_OK;
}

struct query_check {
    struct request *request;
    const char *const *names;
    unsigned seen; /* bit i: names[i] was there */
};

static enum MHD_Result check_parameter(void *ctx, enum MHD_ValueKind kind, const char *name,
                                       size_t name_len, const char *value, size_t value_len)
{
    struct query_check *check = ctx;

    (void)kind;
    for (unsigned i = 0; check->names[i]; i++) {
        bool is_it = strlen(check->names[i]) == name_len && strcmp(check->names[i], name) == 0;
        if (is_it && value && strlen(value) == value_len && !(check->seen & (1u << i))) {
            check->seen |= 1u << i;
            return MHD_YES;
        }
    }
    answer_error(check->request, MHD_HTTP_BAD_REQUEST, "bad_request",
                 "the query parameter '%s' is unknown, has no value, or is there twice", name);
    return MHD_NO;
}

bool check_query(struct request *request)
{
    static const char *const none[] = {NULL};
    const char *const *known = request->route->query;
    struct query_check check = {request, known ? known : none, 0};

    (void)MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, check_parameter,
                                      &check);
    return request->status == 0;
}

const char *query_text(struct request *request, const char *name)
{
    const char *value =
        MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);

    if (!value) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "the query parameter '%s' is missing", name);
    }
    return value;
}

static const struct json_member *find_member(const struct json_member *members, const char *name)
{
    for (; members->name; members++) {
        if (strcmp(members->name, name) == 0) {
            return members;
        }
    }
    return NULL;
}

static bool is_of_type(const json_t *value, json_type type)
{
    return type == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == type;
}

bool check_members(struct request *request, const json_t *object, const struct json_member *members)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    { /* only read */
        const struct json_member *m = find_member(members, name);
        if (!m) {
            answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                         "the member '%s' is not known here", name);
            return false;
        }
        if (!is_of_type(value, m->type)) {
            answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                         "the member '%s' has the wrong type", name);
            return false;
        }
    }
    for (; members->name; members++) {
        if (members->is_required && !json_object_get(object, members->name)) {
            answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request", "the member '%s' is missing",
                         members->name);
            return false;
        }
    }
    return true;
}
