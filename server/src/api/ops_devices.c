/* SPDX-License-Identifier: Apache-2.0 */

/* Devices, one by one and in lists. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ops.h"
#include "api/ops_device_files.h"
#include "api/ops_tokens.h"
#include "host/clock.h"

static json_t *ms_or_null(int64_t ms)
{
    return ms ? json_integer(ms) : json_null();
}

json_t *device_to_json(const struct request *request, const struct device *d)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:s?, s:o, "
        "s:I, s:I, s:o, s:o, s:I}",
        "device", d->device, "origin", d->origin, "serial", d->serial, "note", d->note, "token",
        token_to_json(request, d->token), "own_token_prefix", prefix_to_json(d->token), "token_tls",
        token_to_json(request, d->token_tls), "own_token_tls_prefix", prefix_to_json(d->token_tls),
        "token_prefix", or_null(d->token_prefix), "address", or_null(d->address), "running_version",
        or_null(d->running_version), "boot", or_null(d->boot), "delivered_version",
        or_null(d->delivered_version), "delivered_ms", ms_or_null(d->delivered_ms),
        "proven_version", or_null(d->proven_version), "proven_ms", ms_or_null(d->proven_ms),
        "attempts", (json_int_t)d->n_attempts, "created_ms", (json_int_t)d->created_ms,
        "first_seen_ms", ms_or_null(d->first_seen_ms), "last_seen_ms", ms_or_null(d->last_seen_ms),
        "revision", (json_int_t)d->revision);
}

/* A page under way. */
struct listing {
    struct request *request;
    json_t *list;
    size_t limit;
    char key[PAGE_KEY_BYTES]; /* of the last one that stays */
};

static enum aloft_err append_device(void *ctx, const struct device *d,
                                    const struct device_cursor *at, struct error *e)
{
    struct listing *l = ctx;
    enum aloft_err err = append_json(l->list, device_to_json(l->request, d), e);

    if (err == ALOFT_ERR_OK && json_array_size(l->list) == l->limit) {
        (void)snprintf(l->key, sizeof l->key, "%u %" PRId64 " %s", at->source, at->id, at->key);
    }
    return err;
}

/* What append_device() has written; it has been outside meanwhile. */
static bool read_cursor(struct request *request, const char *text, struct device_cursor *ret)
{
    char *end = NULL;

    *ret = (struct device_cursor){0};
    if (!text[0]) {
        return true;
    }
    unsigned long source = strtoul(text, &end, 10);
    long long id = *end == ' ' ? strtoll(end + 1, &end, 10) : 0;
    if (source >= DEVICE_SOURCES || id <= 0 || *end != ' ' || strlen(end + 1) >= sizeof ret->key) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "the cursor is none that was given here; begin with the first page");
        return false;
    }
    ret->source = (unsigned)source;
    ret->id = id;
    (void)snprintf(ret->key, sizeof ret->key, "%s", end + 1);
    return true;
}

static bool read_text(struct request *request, const char *name, const char **ret_text)
{
    *ret_text = query_optional(request, name);
    if (!*ret_text) {
        return true;
    }
    json_t *checked = json_string(*ret_text); /* NULL: no UTF-8 */
    bool is_good = checked && strlen(*ret_text) <= DEVICE_NAME_MAX;
    json_decref(checked);
    if (!is_good) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "the query parameter '%s' is a text of %d bytes at most", name,
                     DEVICE_NAME_MAX);
    }
    return is_good;
}

static bool is_origin(const char *word)
{
    return strcmp(word, DEVICE_REGISTERED) == 0 || strcmp(word, DEVICE_REPORTED) == 0 ||
           strcmp(word, DEVICE_ADDRESS) == 0;
}

static bool read_filter(struct request *request, struct device_filter *f)
{
    const struct {
        const char *name;
        const char **text;
    } rows[] = {
        {"q", &f->any},
        {"device", &f->device},
        {"serial", &f->serial},
        {"token_prefix", &f->token},
        {"address", &f->address},
        {"running_version", &f->running_version},
        {"delivered_version", &f->delivered_version},
        {"proven_version", &f->proven_version},
        {"origin", &f->origin},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!read_text(request, rows[i].name, rows[i].text)) {
            return false;
        }
    }
    if (f->origin && f->origin[0] && !is_origin(f->origin)) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'origin' is one of registered, reported, address");
        return false;
    }
    return query_number(request, "seen_since_ms", 0, INT64_MAX, 0, &f->seen_since_ms) &&
           query_number(request, "seen_before_ms", 0, INT64_MAX, 0, &f->seen_before_ms);
}

static void op_devices_list(struct request *request)
{
    struct device_filter filter;
    struct device_cursor after;
    struct listing l = {.request = request};
    struct page page;
    struct error e = {0};

    if (!page_read(request, &page) || !read_cursor(request, page.after, &after) ||
        !read_filter(request, &filter)) {
        return;
    }
    l.limit = page.limit;
    l.list = json_array();
    if (devices_list(request->api->db, request->product.id, &filter, &after, page.limit + 1,
                     append_device, &l, &e) != ALOFT_ERR_OK) {
        json_decref(l.list);
        answer_failure(request, &e);
        return;
    }
    page_answer_key(request, &page, "devices", l.list, l.key);
}

static void op_devices_get(struct request *request)
{
    struct device d;
    struct error e = {0};

    if (devices_get(request->api->db, request->product.id, request->names[1], &d, &e) !=
        ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    request->revision = d.revision;
    answer_json(request, MHD_HTTP_OK, device_to_json(request, &d));
}

const char *device_name_problem(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > DEVICE_NAME_MAX || strchr(name, '/') || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0) {
        return "a device's name has 1 to 64 bytes and no slash";
    }
    for (; *name; name++) {
        if ((unsigned char)*name < ' ' || *name == 0x7F) {
            return "a device's name has no control characters";
        }
    }
    return NULL;
}

static bool take_name(struct request *request, struct device *d)
{
    const char *name = json_string_value(json_object_get(request->json, "device"));
    const char *problem = name ? device_name_problem(name) : NULL;

    if (problem) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request", "%s", problem);
        return false;
    }
    if (name) {
        (void)snprintf(d->device, sizeof d->device, "%s", name);
    }
    return true;
}

static bool take_given(struct request *request, struct device *d)
{
    return take_name(request, d) && take_text(request, "serial", d->serial, sizeof d->serial) &&
           take_text(request, "note", d->note, sizeof d->note);
}

static bool read_device(struct request *request, struct device *d)
{
    static const struct json_member members[] = {
        {"device", JSON_STRING, true},     {"serial", JSON_STRING, false},
        {"note", JSON_STRING, false},      {"token", JSON_STRING, false},
        {"token_tls", JSON_STRING, false}, {"make_tokens", JSON_STRING, false},
        {NULL, JSON_NULL, false},
    };
    unsigned modes = MODES_BOTH;

    return check_members(request, request->json, members) && take_given(request, d) &&
           take_modes(request, "make_tokens", true, &modes) &&
           take_token(request, request->json, "token", modes & MODES_PLAIN, d->token) &&
           take_token(request, request->json, "token_tls", modes & MODES_TLS, d->token_tls);
}

enum aloft_err device_add_checked(struct db *tx, int64_t product_id, struct device *d,
                                  const char *who, struct error *e)
{
    enum aloft_err err = ALOFT_ERR_OK;

    if (d->token[0]) {
        err = tokens_refuse_taken(tx, 0, d->token, who, e);
    }
    if (err == ALOFT_ERR_OK && d->token_tls[0]) {
        err = tokens_refuse_taken(tx, 1, d->token_tls, who, e);
    }
    return err == ALOFT_ERR_OK ? devices_add(tx, product_id, d, e) : err;
}

static void op_devices_add(struct request *request)
{
    struct device d = {.created_ms = clock_wall_ms()};
    struct error e = {0};
    AUTO_TOUCHED touched = {0};

    if (!read_device(request, &d)) {
        return;
    }
    {
        AUTO_TRANSACTION tx = NULL;
        if (!change_begin(request, &tx)) {
            return;
        }
        if (device_add_checked(tx, request->product.id, &d, "", &e) != ALOFT_ERR_OK ||
            touch_tokens(&touched, d.token, d.token_tls, &e) != ALOFT_ERR_OK) {
            answer_failure(request, &e);
            return;
        }
        const struct change change = {.action = "device.added", .object = d.device};
        request->revision = d.revision;
        change_end(request, &tx, &change, MHD_HTTP_CREATED, device_to_json(request, &d));
    }
    publish_touched(request, &touched);
}

static bool find_device(struct request *request, struct db *tx, struct device *d)
{
    struct error e = {0};

    if (devices_get(tx, request->product.id, request->names[1], d, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return false;
    }
    return change_matches(request, d->revision);
}

static void op_devices_set(struct request *request)
{
    static const struct json_member members[] = {
        {"device", JSON_STRING, false},
        {"serial", JSON_STRING, false},
        {"note", JSON_STRING, false},
        {NULL, JSON_NULL, false},
    };
    struct device d;
    AUTO_TRANSACTION tx = NULL;
    struct error e = {0};

    if (!check_members(request, request->json, members) || !change_begin(request, &tx) ||
        !find_device(request, tx, &d) || !take_given(request, &d)) {
        return;
    }
    (void)snprintf(d.origin, sizeof d.origin, DEVICE_REGISTERED);
    if (devices_update(tx, request->product.id, &d, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    const struct change change = {.action = "device.changed",
                                  .object = request->names[1],
                                  .detail = json_pack("{s:s}", "device", d.device)};
    request->revision = d.revision;
    change_end(request, &tx, &change, MHD_HTTP_OK, device_to_json(request, &d));
}

static void op_devices_remove(struct request *request)
{
    struct device d;
    struct error e = {0};
    AUTO_TOUCHED touched = {0};
    {
        AUTO_TRANSACTION tx = NULL;
        if (!change_begin(request, &tx) || !find_device(request, tx, &d)) {
            return;
        }
        enum aloft_err err = touch_tokens(&touched, d.token, d.token_tls, &e);
        if (err == ALOFT_ERR_OK) {
            err = old_tokens_each(tx, request->product.id, d.id, touch_token, &touched, &e);
        }
        if (err == ALOFT_ERR_OK) {
            err = devices_remove(tx, d.id, &e);
        }
        if (err != ALOFT_ERR_OK) {
            answer_failure(request, &e);
            return;
        }
        const struct change change = {.action = "device.removed", .object = d.device};
        change_end(request, &tx, &change, MHD_HTTP_NO_CONTENT, NULL);
    }
    publish_touched(request, &touched);
}

static const char *const list_query[] = {
    PAGE_QUERY,
    "q",
    "device",
    "serial",
    "token_prefix",
    "address",
    "origin",
    "seen_since_ms",
    "seen_before_ms",
    "running_version",
    "delivered_version",
    "proven_version",
    NULL,
};

#define JSON_IMPORT_MAX (4 * 1024 * 1024)

/* clang-format off */
const struct api_route device_routes[] = {
    {"GET",    API_PRODUCT "/devices",        API_BODY_NONE, API_VIEWER,   op_devices_list,   list_query, NULL, 0, false},
    {"POST",   API_PRODUCT "/devices",        API_BODY_JSON, API_OPERATOR, op_devices_add,    NULL, NULL, 0, false},
    {"GET",    API_PRODUCT "/devices.csv",    API_BODY_NONE, API_VIEWER,   op_devices_export, NULL, NULL, 0, false},
    {"POST",   API_PRODUCT "/devices/batch",  API_BODY_JSON, API_OPERATOR, op_devices_batch,  NULL, NULL, 0, true},
    {"POST",   API_PRODUCT "/devices/import", API_BODY_JSON, API_OPERATOR, op_devices_import, NULL, NULL, JSON_IMPORT_MAX, false},
    {"GET",    API_PRODUCT "/devices/{}",     API_BODY_NONE, API_VIEWER,   op_devices_get,    NULL, NULL, 0, false},
    {"PATCH",  API_PRODUCT "/devices/{}",     API_BODY_JSON, API_OPERATOR, op_devices_set,    NULL, NULL, 0, false},
    {"DELETE", API_PRODUCT "/devices/{}",     API_BODY_NONE, API_OPERATOR, op_devices_remove, NULL, NULL, 0, false},
    {"GET",    API_PRODUCT "/devices/{}/token-rotation", API_BODY_NONE, API_VIEWER,   op_device_rotation_get,    NULL, NULL, 0, false},
    {"POST",   API_PRODUCT "/devices/{}/token-rotation", API_BODY_JSON, API_OPERATOR, op_device_rotation_add,    NULL, NULL, 0, false},
    {"DELETE", API_PRODUCT "/devices/{}/token-rotation", API_BODY_NONE, API_OPERATOR, op_device_rotation_remove, NULL, NULL, 0, false},
    API_ROUTES_END,
};
/* clang-format on */
