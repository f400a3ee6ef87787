/* SPDX-License-Identifier: Apache-2.0 */

/* API tokens: how programs sign in. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/expiry.h"
#include "api/ops.h"
#include "host/clock.h"
#include "store/api_tokens.h"
#include "store/grants.h"

#define DAYS_MAX   3650
#define MS_PER_DAY 86400000

static json_t *token_to_json(const struct api_token *t)
{
    return json_pack("{s:I, s:s, s:s?, s:s, s:s?, s:I, s:o?, s:o?}", "id", (json_int_t)t->id,
                     "name", t->name, "account", t->account_id ? t->account_name : NULL, "role",
                     role_text(t->role), "product", or_null(t->product_name), "created_ms",
                     (json_int_t)t->created_ms, "expires_ms",
                     t->expires_ms ? json_integer(t->expires_ms) : NULL, "used_ms",
                     t->used_ms ? json_integer(t->used_ms) : NULL);
}

/* -- list -------------------------------------------------------------------------------------- */

static enum aloft_err append_token(void *ctx, const struct api_token *t, struct error *e)
{
    return append_json(ctx, token_to_json(t), e);
}

static void key_of_token(const json_t *item, char *key, size_t cap)
{
    (void)snprintf(key, cap, "%" JSON_INTEGER_FORMAT,
                   json_integer_value(json_object_get(item, "id")));
}

/* One's own; an admin's are all. */
static void op_api_tokens_list(struct request *request)
{
    const struct principal *p = &request->principal;
    int64_t account_id = request->role >= ROLE_ADMIN ? 0 : p->account_id;
    json_t *list = json_array();
    struct page page;
    struct error e = {0};

    if (!page_read(request, &page)) {
        json_decref(list);
        return;
    }
    if (api_tokens_each(request->api->db, account_id, strtoll(page.after, NULL, 10), page.limit + 1,
                        append_token, list, &e) != ALOFT_ERR_OK) {
        json_decref(list);
        answer_failure(request, &e);
        return;
    }
    page_answer(request, &page, "api_tokens", list, key_of_token);
}

/* -- add --------------------------------------------------------------------------------------- */

static enum aloft_err greatest(void *ctx, const char *product, enum role role, struct error *e)
{
    enum role *greatest = ctx;

    (void)product;
    (void)e;
    *greatest = role_greater(*greatest, role);
    return ALOFT_ERR_OK;
}

/* The most a new token of this principal may be given: what it has itself, there. */
static enum aloft_err find_limit(struct request *r, const struct api_token *t, enum role *ret_limit,
                                 struct error *e)
{
    const struct principal *p = &r->principal;
    enum role granted = ROLE_NONE;

    if (t->product_id != 0) {
        return principal_role(r->api->db, p, t->product_id, ret_limit, e);
    }
    enum aloft_err err = grants_each(r->api->db, p->account_id, greatest, &granted, e);
    *ret_limit = role_greater(p->role, role_lesser(granted, p->cap));
    return err;
}

static bool read_product(struct request *r, struct api_token *t)
{
    const char *name = json_string_value(json_object_get(r->json, "product"));
    struct product product;
    enum role role = ROLE_NONE;
    struct error e = {0};

    if (!name) {
        return true;
    }
    enum aloft_err err = products_get(r->api->db, name, &product, &e);
    if (err == ALOFT_ERR_OK) {
        err = principal_role(r->api->db, &r->principal, product.id, &role, &e);
    }
    if (err == ALOFT_ERR_OK && role == ROLE_NONE) {
        err = fail(&e, ALOFT_ERR_NOT_FOUND, "there is no product of this name");
    }
    if (err != ALOFT_ERR_OK) {
        answer_failure(r, &e);
        return false;
    }
    t->product_id = product.id;
    (void)snprintf(t->product_name, sizeof t->product_name, "%s", product.name);
    return true;
}

static bool read_token(struct request *r, struct api_token *t)
{
    static const struct json_member members[] = {
        {"name", JSON_STRING, true},     {"role", JSON_STRING, true},
        {"product", JSON_STRING, false}, {"expires_ms", JSON_INTEGER, false},
        {"days", JSON_INTEGER, false},   {NULL, JSON_NULL, false},
    };

    if (!check_members(r, r->json, members) || !take_text(r, "name", t->name, sizeof t->name)) {
        return false;
    }
    if (!t->name[0]) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_request", "'name' is empty");
        return false;
    }
    if (!role_parse(json_string_value(json_object_get(r->json, "role")), &t->role) ||
        t->role == ROLE_NONE) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'role' is one of: viewer, developer, operator, admin");
        return false;
    }
    return read_product(r, t) && take_expiry(r, t->created_ms, DAYS_MAX, &t->expires_ms);
}

/* A token made by a token is within its maker's scope, and does not outlive it. */
static bool is_within(struct request *r, const struct api_token *t)
{
    const struct principal *p = &r->principal;
    bool is_token = p->kind == PRINCIPAL_API_TOKEN;
    enum role limit = ROLE_NONE;
    struct error e = {0};

    if (p->account_id == 0) {
        answer_error(r, MHD_HTTP_FORBIDDEN, "no_account",
                     "this API token belongs to no account: join with the set-up code first");
        return false;
    }
    if (find_limit(r, t, &limit, &e) != ALOFT_ERR_OK) {
        answer_failure(r, &e);
        return false;
    }
    bool is_wider = p->only_product != 0 && t->product_id != p->only_product;
    if (t->role > limit || is_wider) {
        answer_error(r, MHD_HTTP_FORBIDDEN, "forbidden",
                     "a new API token can do at most what you can yourself here: your role is %s",
                     role_text(limit));
        return false;
    }
    if (is_token && p->expires_ms != 0 && (t->expires_ms == 0 || t->expires_ms > p->expires_ms)) {
        answer_error(
            r, MHD_HTTP_FORBIDDEN, "forbidden",
            "an API token makes none that lasts longer than itself, %lld days: say how many "
            "'days', or sign in with a password to make it (api-token add --account)",
            (long long)((p->expires_ms - t->created_ms) / MS_PER_DAY));
        return false;
    }
    return true;
}

static void op_api_tokens_add(struct request *request)
{
    const struct principal *p = &request->principal;
    struct api_token t = {.account_id = p->account_id, .created_ms = clock_wall_ms()};
    char secret[API_TOKEN_CHARS + 1];
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    (void)snprintf(t.account_name, sizeof t.account_name, "%s", p->name);
    if (!read_token(request, &t) || !is_within(request, &t) ||
        !make_secret(request, API_TOKEN_CHARS / 2, secret) || !change_begin(request, &tx)) {
        return;
    }
    if (api_tokens_add(tx, &t, secret, &t.id, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    json_t *body = token_to_json(&t);
    (void)json_object_set_new(body, "secret", json_string(secret));
    struct product product = {.id = t.product_id};
    (void)snprintf(product.name, sizeof product.name, "%s", t.product_name);
    const struct change change = {
        .action = "api_token.added",
        .object = t.name,
        .product = &product,
        .detail = json_pack("{s:I, s:s}", "id", (json_int_t)t.id, "role", role_text(t.role))};
    change_end(request, &tx, &change, MHD_HTTP_CREATED, body);
}

/* -- remove ------------------------------------------------------------------------------------ */

/* Its own, itself, and what is not above its scope; an admin any. Those of others are not there. */
static bool may_remove(struct request *r, const struct api_token *t)
{
    const struct principal *p = &r->principal;
    bool is_own = t->account_id == p->account_id && p->account_id != 0;
    bool is_within =
        t->role <= p->cap && (p->only_product == 0 || p->only_product == t->product_id);

    if (r->role >= ROLE_ADMIN || t->id == p->api_token_id || (is_own && is_within)) {
        return true;
    }
    if (is_own) {
        answer_error(r, MHD_HTTP_FORBIDDEN, "forbidden",
                     "this API token can do more than the one you show: sign in to remove it");
    } else {
        answer_error(r, MHD_HTTP_NOT_FOUND, "not_found", "there is no such API token");
    }
    return false;
}

static void op_api_tokens_remove(struct request *request)
{
    struct api_token t = {0};
    char *end;
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    errno = 0;
    int64_t id = strtoll(request->names[0], &end, 10);
    if (!change_begin(request, &tx)) {
        return;
    }
    if (api_tokens_get(tx, *end || errno ? 0 : id, &t, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    if (!may_remove(request, &t)) {
        return;
    }
    if (api_tokens_remove(tx, t.id, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    const struct change change = {.action = "api_token.removed",
                                  .object = t.name,
                                  .detail =
                                      json_pack("{s:I, s:s?}", "id", (json_int_t)t.id, "account",
                                                t.account_id ? t.account_name : NULL)};
    change_end(request, &tx, &change, MHD_HTTP_NO_CONTENT, NULL);
}

static const char *const list_query[] = {PAGE_QUERY, NULL};

/* clang-format off */
const struct api_route api_token_routes[] = {
    {"GET",    "/api/v1/api-tokens",    API_BODY_NONE, API_SIGNED_IN, op_api_tokens_list,   list_query, NULL, 0, false},
    {"POST",   "/api/v1/api-tokens",    API_BODY_JSON, API_SIGNED_IN, op_api_tokens_add,    NULL, NULL, 0, true},
    {"DELETE", "/api/v1/api-tokens/{}", API_BODY_NONE, API_SIGNED_IN, op_api_tokens_remove, NULL, NULL, 0, false},
    API_ROUTES_END,
};
/* clang-format on */
