/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ops.h"

#include <stdio.h>
#include <string.h>

#include "aloft/layout.h"
#include "host/clock.h"

static json_t *product_to_json(const struct product *p)
{
    const char *current = p->current_version[0] ? p->current_version : NULL;

    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:I}", "name", p->name, "layout", p->layout,
                     "token", p->token, "token_tls", p->token_tls, "current_version", current,
                     "created_ms", (json_int_t)p->created_ms);
}

struct listing {
    struct request *request;
    json_t *list;
};

/* Those the principal may see. */
static enum aloft_err append_product(void *ctx, const struct product *p, struct error *e)
{
    struct listing *l = ctx;
    enum role role = ROLE_NONE;
    enum aloft_err err =
        principal_role(l->request->api->db, &l->request->principal, p->id, &role, e);

    if (err != ALOFT_ERR_OK || role == ROLE_NONE) {
        return err;
    }
    return append_json(l->list, product_to_json(p), e);
}

static void op_products_list(struct request *request)
{
    struct error e = {0};
    struct listing l = {request, json_array()};

    if (products_each(request->api->db, append_product, &l, &e) != ALOFT_ERR_OK) {
        json_decref(l.list);
        answer_failure(request, &e);
        return;
    }
    answer_json(request, MHD_HTTP_OK, json_pack("{s:o}", "products", l.list));
}

static void op_products_get(struct request *request)
{
    answer_json(request, MHD_HTTP_OK, product_to_json(&request->product));
}

/* Bring the token given, or make one. */
static bool take_token(struct request *request, const char *member,
                       char ret_token[ALOFT_TOKEN_CHARS + 1])
{
    const char *given = json_string_value(json_object_get(request->json, member));

    if (!given) {
        return make_secret(request, ALOFT_TOKEN_CHARS / 2, ret_token);
    }
    if (!is_token(given)) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'%s' must be 40 lower-case hex digits", member);
        return false;
    }
    memcpy(ret_token, given, ALOFT_TOKEN_CHARS + 1);
    return true;
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

static bool read_product(struct request *request, struct product *p)
{
    static const struct json_member members[] = {
        {"name", JSON_STRING, true},   {"layout", JSON_STRING, true},
        {"token", JSON_STRING, false}, {"token_tls", JSON_STRING, false},
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
    return take_token(request, "token", p->token) && take_token(request, "token_tls", p->token_tls);
}

static void op_products_add(struct request *request)
{
    struct product p = {.created_ms = clock_wall_ms()};
    AUTO_TRANSACTION tx = NULL;
    struct error e = {0};

    if (!read_product(request, &p) || !change_begin(request, &tx)) {
        return;
    }
    if (products_add(tx, &p, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    const struct change change = {
        .action = "product.added", .object = p.name, .product = &p, .is_catalog = true};
    change_end(request, &tx, &change, MHD_HTTP_CREATED, product_to_json(&p));
}

/* clang-format off */
const struct api_route product_routes[] = {
    {"GET",  "/api/v1/products", API_BODY_NONE, API_SIGNED_IN, op_products_list, NULL, NULL, 0, false},
    {"POST", "/api/v1/products", API_BODY_JSON, API_ADMIN,     op_products_add,  NULL, NULL, 0, false},
    {"GET",  API_PRODUCT,        API_BODY_NONE, API_VIEWER,    op_products_get,  NULL, NULL, 0, false},
    API_ROUTES_END,
};
/* clang-format on */
