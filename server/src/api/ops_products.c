/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ops.h"

#include <stdio.h>
#include <string.h>

#include "aloft/layout.h"
#include "api/ops_tokens.h"
#include "host/clock.h"

/* "aa bb" becomes ["aa", "bb"]. */
static json_t *keys_to_json(const char *keys)
{
    json_t *list = json_array();

    for (; *keys; keys += strspn(keys, " ")) {
        size_t len = strcspn(keys, " ");
        (void)json_array_append_new(list, json_stringn(keys, len));
        keys += len;
    }
    return list;
}

json_t *product_to_json(struct request *request, const struct product *p, struct error *e)
{
    struct product_counts counts;

    if (products_count(request->api->db, p->id, &counts, e) != ALOFT_ERR_OK) {
        return NULL;
    }
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s?, s:I, s:I, s:I, "
        "s:I}",
        "name", p->name, "layout", p->layout, "serial", p->serial, "description", p->description,
        "status", p->status, "server_host", p->server_host, "project_name", p->project_name,
        "downgrade", p->downgrade, "signing_keys", keys_to_json(p->signing_keys), "token",
        token_to_json(request, p->token), "token_prefix", prefix_to_json(p->token), "token_tls",
        token_to_json(request, p->token_tls), "token_tls_prefix", prefix_to_json(p->token_tls),
        "current_version", or_null(p->current_version), "devices_total",
        (json_int_t)counts.n_devices, "devices_activated", (json_int_t)counts.n_activated,
        "created_ms", (json_int_t)p->created_ms, "revision", (json_int_t)p->revision);
}

struct listing {
    struct request *request;
    json_t *list;
    size_t limit;
};

/* Those the principal may see, one more than the page has. */
static enum aloft_err append_product(void *ctx, const struct product *p, struct error *e)
{
    struct listing *l = ctx;
    struct request *request = l->request;

    if (json_array_size(l->list) > l->limit) {
        return ALOFT_ERR_OK;
    }
    enum aloft_err err =
        principal_role(request->api->db, &request->principal, p->id, &request->role, e);

    if (err != ALOFT_ERR_OK || request->role == ROLE_NONE) {
        return err;
    }
    json_t *shown = product_to_json(request, p, e);
    return shown ? append_json(l->list, shown, e) : ALOFT_ERR_IO;
}

static void key_of_product(const json_t *item, char *key, size_t cap)
{
    (void)snprintf(key, cap, "%s", json_string_value(json_object_get(item, "name")));
}

static void op_products_list(struct request *request)
{
    struct error e = {0};
    struct page page;

    if (!page_read(request, &page)) {
        return;
    }
    struct listing l = {request, json_array(), page.limit};
    if (products_each(request->api->db, page.after, append_product, &l, &e) != ALOFT_ERR_OK) {
        json_decref(l.list);
        answer_failure(request, &e);
        return;
    }
    page_answer(request, &page, "products", l.list, key_of_product);
}

static void op_products_get(struct request *request)
{
    struct error e = {0};
    json_t *shown = product_to_json(request, &request->product, &e);

    if (!shown) {
        answer_failure(request, &e);
        return;
    }
    request->revision = request->product.revision;
    answer_json(request, MHD_HTTP_OK, shown);
}

static void answer_unknown_layout(struct request *request, const char *name)
{
    char known[ERROR_SENTENCE_BYTES] = "";
    size_t used = 0;

    for (size_t i = 0; aloft_layout_at(i) && used < sizeof known; i++) {
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                 aloft_layout_at(i)->name);
    }
    answer_error(request, MHD_HTTP_BAD_REQUEST, "unknown_layout",
                 "there is no layout '%.64s'; there are: %s", name, known);
}

/* HOST or HOST:PORT, as AT+CIUPDATECFG takes them; empty takes it away. */
static bool take_host(struct request *request, struct product *p)
{
    static const char chars[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]";

    if (!take_text(request, "server_host", p->server_host, sizeof p->server_host)) {
        return false;
    }
    if (p->server_host[strspn(p->server_host, chars)] != '\0') {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'server_host' is a host name or address, with a colon and a port if need be");
        return false;
    }
    return true;
}

static bool is_key(const char *text)
{
    return text && strspn(text, "0123456789abcdef") == PRODUCT_KEY_CHARS &&
           text[PRODUCT_KEY_CHARS] == '\0';
}

static bool take_keys(struct request *request, struct product *p)
{
    const json_t *keys = json_object_get(request->json, "signing_keys");
    size_t used = 0;

    if (!keys) {
        return true;
    }
    if (json_array_size(keys) > PRODUCT_KEYS_MAX) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request", "'signing_keys' are %d at most",
                     PRODUCT_KEYS_MAX);
        return false;
    }
    p->signing_keys[0] = '\0';
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const char *key = json_string_value(json_array_get(keys, i));
        if (!is_key(key)) {
            answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                         "each of 'signing_keys' is a SHA-256: 64 lower-case hex digits");
            return false;
        }
        used += (size_t)snprintf(p->signing_keys + used, sizeof p->signing_keys - used, "%s%s",
                                 i ? " " : "", key);
    }
    return true;
}

/* What may be given at the beginning and changed later. */
#define CHANGEABLE                                                                                 \
    {"serial", JSON_STRING, false}, {"description", JSON_STRING, false},                           \
        {"status", JSON_STRING, false}, {"server_host", JSON_STRING, false},                       \
        {"project_name", JSON_STRING, false}, {"downgrade", JSON_STRING, false},                   \
    {                                                                                              \
        "signing_keys", JSON_ARRAY, false                                                          \
    }

static bool take_changeable(struct request *request, struct product *p)
{
    static const char *const statuses[] = {"developing", "released", NULL};
    static const char *const downgrades[] = {"warn", "refuse", NULL};

    return take_text(request, "serial", p->serial, sizeof p->serial) &&
           take_text(request, "description", p->description, sizeof p->description) &&
           take_text(request, "project_name", p->project_name, sizeof p->project_name) &&
           take_choice(request, "status", statuses, p->status, sizeof p->status) &&
           take_choice(request, "downgrade", downgrades, p->downgrade, sizeof p->downgrade) &&
           take_host(request, p) && take_keys(request, p);
}

static bool read_product(struct request *request, struct product *p)
{
    static const struct json_member members[] = {
        {"name", JSON_STRING, true},
        {"layout", JSON_STRING, true},
        {"token", JSON_STRING, false},
        {"token_tls", JSON_STRING, false},
        CHANGEABLE,
        {NULL, JSON_NULL, false},
    };

    if (!check_members(request, request->json, members)) {
        return false;
    }
    const char *name = json_string_value(json_object_get(request->json, "name"));
    const char *layout = json_string_value(json_object_get(request->json, "layout"));
    if (!is_plain_name(name, PRODUCT_NAME_MAX)) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "a product's name is 1 to %d letters, digits, dots, dashes or underscores",
                     PRODUCT_NAME_MAX);
        return false;
    }
    if (!aloft_layout_by_name(layout)) {
        answer_unknown_layout(request, layout);
        return false;
    }
    (void)snprintf(p->name, sizeof p->name, "%s", name);
    (void)snprintf(p->layout, sizeof p->layout, "%s", layout);
    return take_changeable(request, p) &&
           take_token(request, request->json, "token", true, p->token) &&
           take_token(request, request->json, "token_tls", true, p->token_tls);
}

static void op_products_add(struct request *request)
{
    struct product p = {.created_ms = clock_wall_ms()};
    struct error e = {0};
    AUTO_TOUCHED touched = {0};

    if (!read_product(request, &p)) {
        return;
    }
    {
        AUTO_TRANSACTION tx = NULL;
        if (!change_begin(request, &tx)) {
            return;
        }
        if (products_add(tx, &p, &e) != ALOFT_ERR_OK ||
            touch_tokens(&touched, p.token, p.token_tls, &e) != ALOFT_ERR_OK) {
            answer_failure(request, &e);
            return;
        }
        const struct change change = {
            .action = "product.added", .object = p.name, .product = &p, .is_catalog = true};
        request->revision = p.revision;
        change_end(request, &tx, &change, MHD_HTTP_CREATED, product_to_json(request, &p, &e));
    }
    publish_touched(request, &touched);
}

static json_t *member_names(const json_t *object)
{
    json_t *list = json_array();
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    { /* only read */
        (void)json_array_append_new(list, json_string(name));
    }
    return json_pack("{s:o}", "members", list);
}

static void op_products_set(struct request *request)
{
    static const struct json_member members[] = {CHANGEABLE, {NULL, JSON_NULL, false}};
    struct product p;
    AUTO_TRANSACTION tx = NULL;
    struct error e = {0};

    if (!check_members(request, request->json, members) || !change_begin(request, &tx)) {
        return;
    }
    if (products_get(tx, request->product.name, &p, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    if (!change_matches(request, p.revision) || !take_changeable(request, &p)) {
        return;
    }
    if (products_update(tx, &p, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    const struct change change = {
        .action = "product.changed", .object = p.name, .detail = member_names(request->json)};
    request->revision = p.revision;
    change_end(request, &tx, &change, MHD_HTTP_OK, product_to_json(request, &p, &e));
}

static void op_products_remove(struct request *request)
{
    struct product p;
    struct error e = {0};
    AUTO_TOUCHED touched = {0};
    {
        AUTO_TRANSACTION tx = NULL;
        if (!change_begin(request, &tx)) {
            return;
        }
        enum aloft_err err = products_get(tx, request->product.name, &p, &e);
        if (err == ALOFT_ERR_OK && !change_matches(request, p.revision)) {
            return;
        }
        if (err == ALOFT_ERR_OK) {
            err = touch_tokens(&touched, p.token, p.token_tls, &e);
        }
        if (err == ALOFT_ERR_OK) {
            err = old_tokens_each_of_product(tx, p.id, touch_token, &touched, &e);
        }
        if (err == ALOFT_ERR_OK) {
            err = products_remove(tx, &p, &e);
        }
        if (err != ALOFT_ERR_OK) {
            answer_failure(request, &e);
            return;
        }
        const struct change change = {
            .action = "product.removed", .object = p.name, .is_catalog = true};
        change_end(request, &tx, &change, MHD_HTTP_NO_CONTENT, NULL);
    }
    publish_touched(request, &touched);
}

static const char *const list_query[] = {PAGE_QUERY, NULL};

/* clang-format off */
const struct api_route product_routes[] = {
    {"GET",    "/api/v1/products", API_BODY_NONE, API_SIGNED_IN, op_products_list,           list_query, NULL, 0, false},
    {"POST",   "/api/v1/products", API_BODY_JSON, API_ADMIN,     op_products_add,            NULL, NULL, 0, false},
    {"GET",    API_PRODUCT,        API_BODY_NONE, API_VIEWER,    op_products_get,            NULL, NULL, 0, false},
    {"PATCH",  API_PRODUCT,        API_BODY_JSON, API_OPERATOR,  op_products_set,            NULL, NULL, 0, false},
    {"DELETE", API_PRODUCT,        API_BODY_NONE, API_ADMIN,     op_products_remove,         NULL, NULL, 0, false},
    {"GET",    API_PRODUCT "/token-rotation", API_BODY_NONE, API_VIEWER,   op_product_rotation_get,    NULL, NULL, 0, false},
    {"POST",   API_PRODUCT "/token-rotation", API_BODY_JSON, API_OPERATOR, op_product_rotation_add,    NULL, NULL, 0, false},
    {"DELETE", API_PRODUCT "/token-rotation", API_BODY_NONE, API_OPERATOR, op_product_rotation_remove, NULL, NULL, 0, false},
    API_ROUTES_END,
};
/* clang-format on */
