/* SPDX-License-Identifier: Apache-2.0 */

/* Invitations: what an admin gives to somebody who shall join. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/expiry.h"
#include "api/ops.h"
#include "host/clock.h"
#include "store/invitations.h"

#define MS_PER_DAY   (24 * 60 * 60 * INT64_C(1000))
#define DAYS_DEFAULT 7
#define DAYS_MAX     365

static json_t *invitation_to_json(const struct invitation *i)
{
    return json_pack("{s:I, s:s, s:s?, s:s, s:s, s:I, s:I}", "id", (json_int_t)i->id, "role",
                     role_text(i->role), "product", or_null(i->product_name), "note", i->note,
                     "created_by", i->created_by, "created_ms", (json_int_t)i->created_ms,
                     "expires_ms", (json_int_t)i->expires_ms);
}

static enum aloft_err append_invitation(void *ctx, const struct invitation *i, struct error *e)
{
    return append_json(ctx, invitation_to_json(i), e);
}

static void key_of_invitation(const json_t *item, char *key, size_t cap)
{
    (void)snprintf(key, cap, "%" JSON_INTEGER_FORMAT,
                   json_integer_value(json_object_get(item, "id")));
}

static void op_invitations_list(struct request *request)
{
    json_t *list = json_array();
    struct page page;
    struct error e = {0};

    if (!page_read(request, &page)) {
        json_decref(list);
        return;
    }
    if (invitations_each(request->api->db, strtoll(page.after, NULL, 10), page.limit + 1,
                         append_invitation, list, &e) != ALOFT_ERR_OK) {
        json_decref(list);
        answer_failure(request, &e);
        return;
    }
    page_answer(request, &page, "invitations", list, key_of_invitation);
}

static bool read_invitation(struct request *r, struct invitation *i, struct product *p)
{
    static const struct json_member members[] = {
        {"role", JSON_STRING, true},   {"product", JSON_STRING, false},
        {"note", JSON_STRING, false},  {"expires_ms", JSON_INTEGER, false},
        {"days", JSON_INTEGER, false}, {NULL, JSON_NULL, false},
    };
    struct error e = {0};

    if (!check_members(r, r->json, members) || !take_text(r, "note", i->note, sizeof i->note) ||
        !take_expiry(r, i->created_ms, DAYS_MAX, &i->expires_ms)) {
        return false;
    }
    const char *product = json_string_value(json_object_get(r->json, "product"));
    if (!role_parse(json_string_value(json_object_get(r->json, "role")), &i->role) ||
        (product && i->role == ROLE_NONE)) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'role' is one of: viewer, developer, operator, admin; without a product also "
                     "none");
        return false;
    }
    if (product && products_get(r->api->db, product, p, &e) != ALOFT_ERR_OK) {
        answer_failure(r, &e);
        return false;
    }
    i->product_id = p->id;
    (void)snprintf(i->product_name, sizeof i->product_name, "%s", p->name);
    return true;
}

static void op_invitations_add(struct request *request)
{
    int64_t now_ms = clock_wall_ms();
    struct invitation i = {.created_ms = now_ms, .expires_ms = now_ms + DAYS_DEFAULT * MS_PER_DAY};
    struct product product = {0};
    char code[JOIN_CODE_CHARS + 1];
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    (void)snprintf(i.created_by, sizeof i.created_by, "%s", request->principal.name);
    if (!read_invitation(request, &i, &product) ||
        !make_secret(request, JOIN_CODE_CHARS / 2, code) || !change_begin(request, &tx)) {
        return;
    }
    if (invitations_add(tx, &i, code, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    json_t *body = invitation_to_json(&i);
    (void)json_object_set_new(body, "code", json_string(code));
    const struct change change = {
        .action = "invitation.added",
        .object = i.note,
        .product = &product,
        .detail = json_pack("{s:I, s:s}", "id", (json_int_t)i.id, "role", role_text(i.role))};
    change_end(request, &tx, &change, MHD_HTTP_CREATED, body);
}

static void op_invitations_remove(struct request *request)
{
    char *end;
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    errno = 0;
    int64_t id = strtoll(request->names[0], &end, 10);
    if (!change_begin(request, &tx)) {
        return;
    }
    if (invitations_remove(tx, *end || errno ? 0 : id, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    const struct change change = {.action = "invitation.removed",
                                  .object = "",
                                  .detail = json_pack("{s:I}", "id", (json_int_t)id)};
    change_end(request, &tx, &change, MHD_HTTP_NO_CONTENT, NULL);
}

static const char *const list_query[] = {PAGE_QUERY, NULL};

/* clang-format off */
const struct api_route invitation_routes[] = {
    {"GET",    "/api/v1/invitations",    API_BODY_NONE, API_ADMIN, op_invitations_list,   list_query, NULL, 0, false},
    {"POST",   "/api/v1/invitations",    API_BODY_JSON, API_ADMIN, op_invitations_add,    NULL, NULL, 0, true},
    {"DELETE", "/api/v1/invitations/{}", API_BODY_NONE, API_ADMIN, op_invitations_remove, NULL, NULL, 0, false},
    API_ROUTES_END,
};
/* clang-format on */
