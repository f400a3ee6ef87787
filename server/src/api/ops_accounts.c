/* SPDX-License-Identifier: Apache-2.0 */

/* Accounts: what an admin does with those of others, and everybody with their own password. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ops.h"
#include "api/session.h"
#include "store/grants.h"
#include "store/sessions.h"

static enum aloft_err append_grant(void *ctx, const char *product, enum role role, struct error *e)
{
    return append_json(ctx, json_pack("{s:s, s:s}", "product", product, "role", role_text(role)),
                       e);
}

/* NULL = failed. */
static json_t *account_to_json(struct db *db, const struct account *a, struct error *e)
{
    json_t *grants = json_array();

    if (grants_each(db, a->id, append_grant, grants, e) != ALOFT_ERR_OK) {
        json_decref(grants);
        return NULL;
    }
    return json_pack("{s:s, s:s, s:b, s:I, s:o?, s:I, s:o}", "name", a->name, "role",
                     role_text(a->role), "is_active", a->is_active, "created_ms",
                     (json_int_t)a->created_ms, "signed_in_ms",
                     a->signed_in_ms ? json_integer(a->signed_in_ms) : NULL, "revision",
                     (json_int_t)a->revision, "grants", grants);
}

/* -- look -------------------------------------------------------------------------------------- */

struct listing {
    struct db *db;
    json_t *list;
};

static enum aloft_err append_account(void *ctx, const struct account *a, struct error *e)
{
    struct listing *l = ctx;

    return append_json(l->list, account_to_json(l->db, a, e), e);
}

static void key_of_account(const json_t *item, char *key, size_t cap)
{
    (void)snprintf(key, cap, "%s", json_string_value(json_object_get(item, "name")));
}

static void op_accounts_list(struct request *request)
{
    struct listing l = {request->api->db, json_array()};
    struct page page;
    struct error e = {0};

    if (!page_read(request, &page)) {
        json_decref(l.list);
        return;
    }
    if (accounts_each(l.db, page.after, page.limit + 1, append_account, &l, &e) != ALOFT_ERR_OK) {
        json_decref(l.list);
        answer_failure(request, &e);
        return;
    }
    page_answer(request, &page, "accounts", l.list, key_of_account);
}

static void op_accounts_get(struct request *request)
{
    struct account a;
    struct error e = {0};

    if (accounts_get(request->api->db, request->names[0], &a, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    request->revision = a.revision;
    answer_json(request, MHD_HTTP_OK, account_to_json(request->api->db, &a, &e));
}

/* -- change ------------------------------------------------------------------------------------ */

/* Begin a change of the account the path names, as If-Match has it. False = answered. */
static bool begin_change(struct request *r, struct db **ret_tx, struct account *a)
{
    struct error e = {0};

    if (!change_begin(r, ret_tx)) {
        return false;
    }
    if (accounts_get(*ret_tx, r->names[0], a, &e) != ALOFT_ERR_OK) {
        answer_failure(r, &e);
        return false;
    }
    return change_matches(r, a->revision);
}

/* Answer with the account as it is now. */
static void end_change(struct request *r, struct db **tx, const struct account *a,
                       const struct change *change)
{
    struct error e = {0};

    r->revision = a->revision;
    change_end(r, tx, change, MHD_HTTP_OK, account_to_json(*tx, a, &e));
}

/* After a change within the transaction: somebody must be left who can do everything. */
static bool keeps_an_admin(struct request *r, struct db *tx, const struct account *before)
{
    int64_t n = 0;
    struct error e = {0};

    if (before->role != ROLE_ADMIN || !before->is_active) {
        return true;
    }
    if (accounts_count_admins(tx, &n, &e) != ALOFT_ERR_OK) {
        answer_failure(r, &e);
    } else if (n == 0) {
        answer_error(r, MHD_HTTP_CONFLICT, "last_admin",
                     "this is the last active admin; make another account an admin first");
    }
    return n > 0;
}

/* What a PATCH asks for. */
struct wanted {
    enum role role;
    const json_t *is_active; /* NULL = as it is */
    bool has_role;
    char password[ACCOUNT_PASSWORD_BYTES]; /* its hash; empty = as it is */
};

static bool read_wanted(struct request *r, struct wanted *w)
{
    static const struct json_member members[] = {
        {"role", JSON_STRING, false},
        {"is_active", JSON_TRUE, false},
        {"password", JSON_STRING, false},
        {NULL, JSON_NULL, false},
    };
    struct error e = {0};

    if (!check_members(r, r->json, members)) {
        return false;
    }
    const char *role = json_string_value(json_object_get(r->json, "role"));
    const char *password = json_string_value(json_object_get(r->json, "password"));
    w->has_role = role != NULL;
    w->is_active = json_object_get(r->json, "is_active");
    if (role && !role_parse(role, &w->role)) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'role' is one of: none, viewer, developer, operator, admin");
        return false;
    }
    if (password && password_check(password, &e) != ALOFT_ERR_OK) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_password", "%s", e.sentence);
        return false;
    }
    if (password && passwords_hash(r->api->passwords, password, w->password, &e) != ALOFT_ERR_OK) {
        answer_failure(r, &e);
        return false;
    }
    return true;
}

/* A new password, and no longer being active, end the sessions. */
static enum aloft_err update(struct db *tx, struct account *a, bool ends_sessions, struct error *e)
{
    enum aloft_err err = accounts_update(tx, a, e);

    return err == ALOFT_ERR_OK && ends_sessions ? sessions_remove_all(tx, a->id, e) : err;
}

static void op_accounts_change(struct request *request)
{
    struct wanted w = {0};
    struct account before;
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    if (!read_wanted(request, &w) || !begin_change(request, &tx, &before)) {
        return;
    }
    struct account a = before;
    a.role = w.has_role ? w.role : a.role;
    a.is_active = w.is_active ? json_is_true(w.is_active) : a.is_active;
    if (w.password[0]) {
        memcpy(a.password, w.password, sizeof a.password);
    }
    if (update(tx, &a, w.password[0] || !a.is_active, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    if (!keeps_an_admin(request, tx, &before)) {
        return;
    }
    const struct change change = {.action = "account.changed",
                                  .object = a.name,
                                  .detail = json_pack("{s:s, s:b, s:b}", "role", role_text(a.role),
                                                      "is_active", a.is_active, "is_new_password",
                                                      w.password[0] != '\0')};
    end_change(request, &tx, &a, &change);
}

static void op_accounts_remove(struct request *request)
{
    struct account a;
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    if (!begin_change(request, &tx, &a)) {
        return;
    }
    if (accounts_remove(tx, a.id, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    if (!keeps_an_admin(request, tx, &a)) {
        return;
    }
    const struct change change = {.action = "account.removed", .object = a.name};
    change_end(request, &tx, &change, MHD_HTTP_NO_CONTENT, NULL);
}

/* -- grants ------------------------------------------------------------------------------------ */

/* Begin a change of a grant: the second name of the path is the product's. False = answered. */
static bool begin_grant(struct request *r, struct db **ret_tx, struct account *a,
                        struct product *ret_product)
{
    struct error e = {0};

    if (!begin_change(r, ret_tx, a)) {
        return false;
    }
    if (products_get(*ret_tx, r->names[1], ret_product, &e) != ALOFT_ERR_OK) {
        answer_failure(r, &e);
        return false;
    }
    return true;
}

static void op_grants_set(struct request *request)
{
    static const struct json_member members[] = {
        {"role", JSON_STRING, true},
        {NULL, JSON_NULL, false},
    };
    enum role role = ROLE_NONE;
    struct account a;
    struct product product;
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    if (!check_members(request, request->json, members)) {
        return;
    }
    if (!role_parse(json_string_value(json_object_get(request->json, "role")), &role) ||
        role == ROLE_NONE) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "'role' is one of: viewer, developer, operator, admin");
        return;
    }
    if (!begin_grant(request, &tx, &a, &product)) {
        return;
    }
    if (grants_set(tx, a.id, product.id, role, &e) != ALOFT_ERR_OK ||
        accounts_touch(tx, &a, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    const struct change change = {.action = "grant.set",
                                  .object = a.name,
                                  .product = &product,
                                  .detail = json_pack("{s:s}", "role", role_text(role))};
    end_change(request, &tx, &a, &change);
}

static void op_grants_remove(struct request *request)
{
    struct account a;
    struct product product;
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    if (!begin_grant(request, &tx, &a, &product)) {
        return;
    }
    if (grants_remove(tx, a.id, product.id, &e) != ALOFT_ERR_OK ||
        accounts_touch(tx, &a, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    const struct change change = {.action = "grant.removed", .object = a.name, .product = &product};
    end_change(request, &tx, &a, &change);
}

/* -- one's own password ------------------------------------------------------------------------ */

static bool check_old_password(struct request *r, const char *old, struct account *a)
{
    const char *name = r->principal.name;
    struct error e = {0};

    if (r->principal.account_id == 0) {
        answer_error(r, MHD_HTTP_FORBIDDEN, "no_account",
                     "this API token belongs to no account, so it has no password");
        return false;
    }
    if (!attempt_begin(r, name)) {
        return false;
    }
    if (accounts_get(r->api->db, name, a, &e) != ALOFT_ERR_OK) {
        answer_failure(r, &e);
        return false;
    }
    if (!passwords_match(r->api->passwords, a->password, old)) {
        note_refused(r, "password.refused", name, true);
        answer_error(r, MHD_HTTP_FORBIDDEN, "bad_password", "the old password is wrong");
        return false;
    }
    attempt_undo(r, name);
    return true;
}

static void op_password_change(struct request *request)
{
    static const struct json_member members[] = {
        {"password", JSON_STRING, true},
        {"new_password", JSON_STRING, true},
        {NULL, JSON_NULL, false},
    };
    char hash[ACCOUNT_PASSWORD_BYTES];
    struct account checked;
    struct account a;
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    if (!check_members(request, request->json, members)) {
        return;
    }
    const char *old = json_string_value(json_object_get(request->json, "password"));
    const char *fresh = json_string_value(json_object_get(request->json, "new_password"));
    if (password_check(fresh, &e) != ALOFT_ERR_OK) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_password", "%s", e.sentence);
        return;
    }
    if (!check_old_password(request, old, &checked)) {
        return;
    }
    if (passwords_hash(request->api->passwords, fresh, hash, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    if (!change_begin(request, &tx)) {
        return;
    }
    enum aloft_err err = accounts_get(tx, request->principal.name, &a, &e);
    if (err == ALOFT_ERR_OK && strcmp(a.password, checked.password) != 0) {
        answer_error(request, MHD_HTTP_FORBIDDEN, "bad_password",
                     "the password was changed meanwhile");
        return;
    }
    if (err == ALOFT_ERR_OK) {
        memcpy(a.password, hash, sizeof a.password);
        err = update(tx, &a, true, &e);
    }
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    request->idempotency.key[0] = '\0'; /* the hash of a body with passwords is not kept */
    const struct change change = {.action = "account.password_changed", .object = a.name};
    change_end(request, &tx, &change, MHD_HTTP_NO_CONTENT, NULL);
}

static const char *const list_query[] = {PAGE_QUERY, NULL};

/* clang-format off */
const struct api_route account_routes[] = {
    {"GET",    "/api/v1/accounts",              API_BODY_NONE, API_ADMIN,     op_accounts_list,   list_query, NULL, 0, false},
    {"GET",    "/api/v1/accounts/{}",           API_BODY_NONE, API_ADMIN,     op_accounts_get,    NULL, NULL, 0, false},
    {"PATCH",  "/api/v1/accounts/{}",           API_BODY_JSON, API_ADMIN,     op_accounts_change, NULL, NULL, 0, false},
    {"DELETE", "/api/v1/accounts/{}",           API_BODY_NONE, API_ADMIN,     op_accounts_remove, NULL, NULL, 0, false},
    {"PUT",    "/api/v1/accounts/{}/grants/{}", API_BODY_JSON, API_ADMIN,     op_grants_set,      NULL, NULL, 0, false},
    {"DELETE", "/api/v1/accounts/{}/grants/{}", API_BODY_NONE, API_ADMIN,     op_grants_remove,   NULL, NULL, 0, false},
    {"POST",   "/api/v1/session/password",      API_BODY_JSON, API_SIGNED_IN, op_password_change, NULL, NULL, 0, false},
    API_ROUTES_END,
};
/* clang-format on */
