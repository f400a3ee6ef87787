/* SPDX-License-Identifier: Apache-2.0 */
#include "api/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "host/auto.h"
#include "host/hashes.h"
#include "host/log.h"
#include "store/roms.h"

static void drop_answer(struct request *request)
{
    json_decref(STEAL(request->answer));
    free(STEAL(request->text));
    if (request->reader_free) {
        request->reader_free(request->reader_ctx);
    }
    request->reader = NULL;
    request->reader_free = NULL;
}

void answer_json(struct request *request, unsigned status, json_t *body)
{
    drop_answer(request);
    request->answer = body;
    request->content_type = "application/json";
    request->status = body ? status : MHD_HTTP_INTERNAL_SERVER_ERROR;
}

void answer_nothing(struct request *request)
{
    drop_answer(request);
    request->status = MHD_HTTP_NO_CONTENT;
}

void answer_text(struct request *request, unsigned status, const char *content_type, char *text)
{
    drop_answer(request);
    request->text = text;
    request->content_type = content_type;
    request->status = text ? status : MHD_HTTP_INTERNAL_SERVER_ERROR;
}

void answer_stream(struct request *request, const char *content_type, api_reader *reader, void *ctx,
                   void (*free_ctx)(void *ctx))
{
    drop_answer(request);
    request->reader = reader;
    request->reader_ctx = ctx;
    request->reader_free = free_ctx;
    request->content_type = content_type;
    request->status = MHD_HTTP_OK;
}

/* Sentences may quote what came from outside, and be cut inside a character. */
json_t *sentence_json(const char *sentence)
{
    json_t *text = json_string(sentence);
    AUTO_FREE char *copy = text ? NULL : strdup(sentence);

    for (char *c = copy; c && *c; c++) {
        if ((unsigned char)*c > '~') {
            *c = '?';
        }
    }
    return copy ? json_string(copy) : text;
}

void answer_error(struct request *request, unsigned status, const char *code, const char *format,
                  ...)
{
    char sentence[ERROR_SENTENCE_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    answer_json(request, status,
                json_pack("{s:s, s:s, s:i, s:s, s:o}", "type", "about:blank", "title",
                          MHD_get_reason_phrase_for(status), "status", (int)status, "code", code,
                          "detail", sentence_json(sentence)));
    request->content_type = "application/problem+json";
}

void answer_failure(struct request *request, const struct error *e)
{
    if (e->code == ALOFT_ERR_NOT_FOUND) {
        answer_error(request, MHD_HTTP_NOT_FOUND, "not_found", "%s", e->sentence);
    } else if (e->code == ALOFT_ERR_DUPLICATE) {
        answer_error(request, MHD_HTTP_CONFLICT, "conflict", "%s", e->sentence);
    } else if (e->code == ALOFT_ERR_BUSY) {
        answer_error(request, MHD_HTTP_CONFLICT, "in_use", "%s", e->sentence);
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

void find_module_plane(const struct request *request, struct address *ret_address)
{
    const struct api *api = request->api;
    const char *own = request->product.server_host;

    if (own[0] && address_parse(own, api->public_port, ret_address, NULL) == ALOFT_ERR_OK) {
        return;
    }
    memcpy(ret_address->host, api->public_host, sizeof ret_address->host);
    ret_address->port = api->public_port;
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

const char *query_optional(struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *query_text(struct request *request, const char *name)
{
    const char *value = query_optional(request, name);

    if (!value) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "the query parameter '%s' is missing", name);
    }
    return value;
}

bool query_number(struct request *request, const char *name, int64_t min, int64_t max,
                  int64_t preset, int64_t *ret_value)
{
    const char *text = query_optional(request, name);
    char *end;

    *ret_value = preset;
    if (!text) {
        return true;
    }
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno != 0 || value < min || value > max) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "the query parameter '%s' is a number from %lld to %lld", name, (long long)min,
                     (long long)max);
        return false;
    }
    *ret_value = value;
    return true;
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

static bool refuse_member(struct request *request, const char *member, size_t cap)
{
    answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                 "'%s' is at most %zu bytes without control characters", member, cap - 1);
    return false;
}

bool take_text(struct request *request, const char *member, char *buf, size_t cap)
{
    const char *text = json_string_value(json_object_get(request->json, member));

    if (!text) {
        return true;
    }
    size_t len = strlen(text);
    if (len >= cap) {
        return refuse_member(request, member, cap);
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool is_c1 = c == 0xC2 && (unsigned char)text[i + 1] < 0xA0; /* U+0080 to U+009F */
        if (c < ' ' || c == 0x7F || is_c1) {
            return refuse_member(request, member, cap);
        }
    }
    memcpy(buf, text, len + 1);
    return true;
}

bool take_word(struct request *request, const char *member, char *buf, size_t cap)
{
    const char *word = json_string_value(json_object_get(request->json, member));

    if (word && !is_plain_name(word, cap - 1)) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'%s' is 1 to %zu letters, digits, dots, dashes or underscores", member,
                     cap - 1);
        return false;
    }
    if (word) {
        (void)snprintf(buf, cap, "%s", word);
    }
    return true;
}

bool take_choice(struct request *request, const char *member, const char *const *words, char *buf,
                 size_t cap)
{
    const char *word = json_string_value(json_object_get(request->json, member));
    char known[128] = "";
    size_t used = 0;

    if (!word) {
        return true;
    }
    for (; *words; words++) {
        if (strcmp(*words, word) == 0) {
            (void)snprintf(buf, cap, "%s", word);
            return true;
        }
        if (used < sizeof known) {
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "",
                                     *words);
        }
    }
    answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request", "'%s' is one of: %s", member, known);
    return false;
}

const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

bool make_secret(struct request *request, size_t n, char *ret_hex)
{
    uint8_t random[64];

    if (n > sizeof random || RAND_bytes(random, (int)n) != 1) {
        answer_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal",
                     "the system gives no random numbers");
        return false;
    }
    hex_encode(random, n, ret_hex);
    return true;
}
