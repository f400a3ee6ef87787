/* SPDX-License-Identifier: Apache-2.0 */

/* The audit log. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ops.h"
#include "store/audit.h"

static enum aloft_err append_row(void *ctx, int64_t id, const struct audit_entry *a,
                                 const char *hash, struct error *e)
{
    json_t *detail = json_loads(a->detail, 0, NULL);

    return append_json(ctx,
                       json_pack("{s:I, s:I, s:s, s:s, s:s, s:s?, s:s, s:o, s:s}", "id",
                                 (json_int_t)id, "time_ms", (json_int_t)a->time_ms, "actor",
                                 a->actor, "address", a->address, "action", a->action, "product",
                                 or_null(a->product), "object", a->object, "detail",
                                 detail ? detail : json_object(), "hash", hash),
                       e);
}

static void key_of_row(const json_t *item, char *key, size_t cap)
{
    (void)snprintf(key, cap, "%" JSON_INTEGER_FORMAT,
                   json_integer_value(json_object_get(item, "id")));
}

/* Admins read all; an admin of one product what is of it. False = answered. */
static bool may_read(struct request *r, const char *product)
{
    struct product p;
    enum role role = r->role;
    struct error e = {0};

    if (role >= ROLE_ADMIN) {
        return true; /* also of products that are gone */
    }
    if (product) {
        enum aloft_err err = products_get(r->api->db, product, &p, &e);
        if (err == ALOFT_ERR_OK) {
            err = principal_role(r->api->db, &r->principal, p.id, &role, &e);
        }
        if (err == ALOFT_ERR_OK && role == ROLE_NONE) {
            err = fail(&e, ALOFT_ERR_NOT_FOUND, "there is no product of this name");
        }
        if (err != ALOFT_ERR_OK) {
            answer_failure(r, &e);
            return false;
        }
    }
    if (role >= ROLE_ADMIN) {
        return true;
    }
    answer_error(r, MHD_HTTP_FORBIDDEN, "forbidden",
                 "this needs the role admin; admins of one product name it by 'product'");
    return false;
}

static void op_audit_list(struct request *request)
{
    struct audit_filter f = {.actor = query_optional(request, "actor"),
                             .action = query_optional(request, "action"),
                             .product = query_optional(request, "product")};
    struct page page;
    struct error e = {0};

    if (!may_read(request, f.product) || !page_read(request, &page) ||
        !query_number(request, "since_ms", 0, INT64_MAX, 0, &f.since_ms) ||
        !query_number(request, "until_ms", 0, INT64_MAX, 0, &f.until_ms)) {
        return;
    }
    json_t *list = json_array();
    f.before = strtoll(page.after, NULL, 10);
    f.limit = page.limit + 1;
    if (audit_each(request->api->db, &f, append_row, list, &e) != ALOFT_ERR_OK) {
        json_decref(list);
        answer_failure(request, &e);
        return;
    }
    page_answer(request, &page, "audit", list, key_of_row);
}

static void op_audit_verify(struct request *request)
{
    const char *head = query_optional(request, "head");
    struct audit_verdict v;
    struct error e = {0};

    if (audit_verify(request->api->db, head, &v, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    answer_json(request, MHD_HTTP_OK,
                json_pack("{s:b, s:I, s:o?, s:s, s:s, s:o?}", "is_whole",
                          v.bad_id == 0 && (!head || v.has_kept_head), "rows", (json_int_t)v.n_rows,
                          "first_bad", v.bad_id ? json_integer(v.bad_id) : NULL, "reason", v.reason,
                          "head", v.head, "has_kept_head",
                          head ? json_boolean(v.has_kept_head) : NULL));
}

static const char *const list_query[] = {PAGE_QUERY, "actor",    "action", "product",
                                         "since_ms", "until_ms", NULL};
static const char *const verify_query[] = {"head", NULL};

/* clang-format off */
const struct api_route audit_routes[] = {
    {"GET", "/api/v1/audit",        API_BODY_NONE, API_SIGNED_IN, op_audit_list,   list_query,   NULL, 0, false},
    {"GET", "/api/v1/audit/verify", API_BODY_NONE, API_ADMIN,     op_audit_verify, verify_query, NULL, 0, false},
    API_ROUTES_END,
};
/* clang-format on */
