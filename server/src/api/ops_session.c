/* SPDX-License-Identifier: Apache-2.0 */

/* Coming and going: join, sign in, who am I, sign out. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "account/setup.h"
#include "api/authorize.h"
#include "api/ops.h"
#include "api/session.h"
#include "host/auto.h"
#include "host/clock.h"
#include "host/log.h"
#include "store/grants.h"
#include "store/sessions.h"

static void op_session_get(struct request *request)
{
    answer_json(request, MHD_HTTP_OK, session_to_json(request));
}

/* The end of joining and signing in: all is in the transaction but the session. */
static void answer_session(struct request *r, struct db **tx, const struct account *account,
                           const struct change *change)
{
    AUTO_FREE char *cookie = NULL;

    if (!session_begin(r, *tx, account, &cookie)) {
        json_decref(change->detail);
        return;
    }
    change_end(r, tx, change, MHD_HTTP_CREATED, session_to_json(r));
    if (r->status == MHD_HTTP_CREATED) {
        r->cookie = STEAL(cookie);
    }
}

/* -- sign in ----------------------------------------------------------------------------------- */

/* As it was when the password was compared? It may have been changed or deactivated meanwhile. */
static bool is_unchanged(struct db *tx, const struct account *account)
{
    struct account now;

    return accounts_get(tx, account->name, &now, NULL) == ALOFT_ERR_OK && now.id == account->id &&
           now.is_active && strcmp(now.password, account->password) == 0;
}

static void refuse_sign_in(struct request *r, const char *name, bool is_known)
{
    note_refused(r, "session.refused", name, is_known);
    answer_error(r, MHD_HTTP_UNAUTHORIZED, "bad_sign_in",
                 "the name or the password is wrong, or the account may not sign in");
}

static void op_session_add(struct request *request)
{
    static const struct json_member members[] = {
        {"name", JSON_STRING, true},
        {"password", JSON_STRING, true},
        {NULL, JSON_NULL, false},
    };
    char name[ACCOUNT_NAME_MAX + 1];
    struct account account = {0};
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    if (!check_members(request, request->json, members) ||
        !take_text(request, "name", name, sizeof name) || !attempt_begin(request, name)) {
        return;
    }
    enum aloft_err err = accounts_get(request->api->db, name, &account, &e);
    if (err != ALOFT_ERR_OK && err != ALOFT_ERR_NOT_FOUND) {
        answer_failure(request, &e);
        return;
    }
    bool is_known = err == ALOFT_ERR_OK;
    bool is_right = passwords_match(request->api->passwords, is_known ? account.password : NULL,
                                    json_string_value(json_object_get(request->json, "password")));
    if (!is_right || !account.is_active) {
        refuse_sign_in(request, name, is_known);
        return;
    }
    attempt_undo(request, name);
    if (!change_begin(request, &tx)) {
        return;
    }
    if (!is_unchanged(tx, &account)) {
        auto_db_rollback(&tx);
        refuse_sign_in(request, name, is_known);
        return;
    }
    const struct change change = {.action = "session.begun", .object = account.name};
    answer_session(request, &tx, &account, &change);
}

/* -- join -------------------------------------------------------------------------------------- */

struct joining {
    struct account account;
    struct invitation invitation; /* id 0 = none */
    bool is_setup;                /* by the set-up code */
};

/* What the code, or having none, allows. In `db`, which may be a transaction.
 * NOT_FOUND = nothing. */
static enum aloft_err find_right(struct request *r, struct db *db, const char *code,
                                 struct joining *j, struct error *e)
{
    enum aloft_err err = code ? setup_check(db, code, e) : ALOFT_ERR_NOT_FOUND;

    j->is_setup = err == ALOFT_ERR_OK;
    if (err == ALOFT_ERR_NOT_FOUND && code) {
        err = invitations_find(db, code, clock_wall_ms(), &j->invitation, e);
    }
    if (err != ALOFT_ERR_OK && err != ALOFT_ERR_NOT_FOUND) {
        return err;
    }
    bool is_invited = err == ALOFT_ERR_OK && !j->is_setup;
    return j->is_setup || (is_invited && r->settings.join != JOIN_CLOSED) ||
                   (!code && r->settings.join == JOIN_OPEN)
               ? ALOFT_ERR_OK
               : ALOFT_ERR_NOT_FOUND;
}

/* find_right() found none, or failed. Outside of a transaction: it has one of its own. */
static void refuse_join(struct request *r, const struct joining *j, const char *code,
                        enum aloft_err err, const struct error *e)
{
    if (err != ALOFT_ERR_NOT_FOUND) {
        answer_failure(r, e);
        return;
    }
    note_refused(r, "join.refused", j->account.name, false);
    if (r->settings.join == JOIN_CLOSED) {
        answer_error(r, MHD_HTTP_FORBIDDEN, "join_closed", "nobody may join this server");
    } else {
        answer_error(r, MHD_HTTP_FORBIDDEN, "bad_code", "%s",
                     code ? "this code is wrong, used, or over: ask an admin for a new one"
                          : "joining needs a code: ask an admin for an invitation");
    }
}

/* Spend the code and add the account. */
static enum aloft_err add_account(struct db *tx, struct joining *j, struct error *e)
{
    const struct invitation *i = &j->invitation;
    bool is_for_all = i->id != 0 && i->product_id == 0;
    enum aloft_err err = ALOFT_ERR_OK;

    j->account.role = j->is_setup ? ROLE_ADMIN : is_for_all ? i->role : ROLE_NONE;
    if (j->is_setup) {
        err = setup_finish(tx, e);
    } else if (i->id != 0) {
        err = invitations_remove(tx, i->id, e);
    }
    if (err == ALOFT_ERR_OK) {
        err = accounts_add(tx, &j->account, e);
    }
    if (err == ALOFT_ERR_OK && i->product_id != 0) {
        err = grants_set(tx, j->account.id, i->product_id, i->role, e);
    }
    return err;
}

static bool read_joining(struct request *r, struct joining *j, const char **ret_password,
                         const char **ret_code)
{
    static const struct json_member members[] = {
        {"name", JSON_STRING, true},
        {"password", JSON_STRING, true},
        {"code", JSON_STRING, false},
        {NULL, JSON_NULL, false},
    };
    struct error e = {0};

    if (!check_members(r, r->json, members) ||
        !take_word(r, "name", j->account.name, sizeof j->account.name)) {
        return false;
    }
    *ret_password = json_string_value(json_object_get(r->json, "password"));
    *ret_code = json_string_value(json_object_get(r->json, "code"));
    if (password_check(*ret_password, &e) != ALOFT_ERR_OK) {
        answer_error(r, MHD_HTTP_BAD_REQUEST, "bad_password", "%s", e.sentence);
        return false;
    }
    return true;
}

static void op_join(struct request *request)
{
    struct joining j = {.account = {.is_active = true, .created_ms = clock_wall_ms()}};
    struct joining again;
    const char *password;
    const char *code;
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    if (!read_joining(request, &j, &password, &code) || !attempt_begin(request, NULL)) {
        return;
    }
    enum aloft_err err = find_right(request, request->api->db, code, &j, &e);
    if (err != ALOFT_ERR_OK) {
        refuse_join(request, &j, code, err, &e);
        return;
    }
    if (passwords_hash(request->api->passwords, password, j.account.password, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    if (code) {
        attempt_undo(request, NULL); /* without one, many accounts are many attempts */
    }
    again = j;
    if (!change_begin(request, &tx)) {
        return;
    }
    err = find_right(request, tx, code, &again, &e); /* somebody else may have spent the code */
    if (err != ALOFT_ERR_OK) {
        auto_db_rollback(&tx);
        refuse_join(request, &j, code, err, &e);
        return;
    }
    if (add_account(tx, &again, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    const struct change change = {.action = "account.joined",
                                  .object = again.account.name,
                                  .detail = json_pack("{s:s, s:s}", "role",
                                                      role_text(again.account.role), "by",
                                                      again.is_setup ? "set-up code"
                                                      : code         ? "invitation"
                                                                     : "open join")};
    answer_session(request, &tx, &again.account, &change);
    if (request->status == MHD_HTTP_CREATED && again.is_setup) {
        (void)unlink(request->api->setup_code_path); /* void anyway; the next start tries again */
    }
}

/* -- sign out ---------------------------------------------------------------------------------- */

static void op_session_delete(struct request *request)
{
    const char *secret =
        MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, API_SESSION_COOKIE);
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    if (request->principal.kind != PRINCIPAL_SESSION || !secret) {
        answer_error(request, MHD_HTTP_CONFLICT, "no_session",
                     "this is no session; an API token ends by DELETE /api/v1/api-tokens/{id}");
        return;
    }
    if (!change_begin(request, &tx)) {
        return;
    }
    if (sessions_remove(tx, secret, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    const struct change change = {.action = "session.ended", .object = request->principal.name};
    change_end(request, &tx, &change, MHD_HTTP_NO_CONTENT, NULL);
    if (request->status == MHD_HTTP_NO_CONTENT) {
        request->cookie = session_cookie(request, "");
    }
}

/* clang-format off */
const struct api_route session_routes[] = {
    {"POST",   "/api/v1/join",    API_BODY_JSON, API_OPEN,      op_join,           NULL, NULL, 0, true},
    {"POST",   "/api/v1/session", API_BODY_JSON, API_OPEN,      op_session_add,    NULL, NULL, 0, true},
    {"GET",    "/api/v1/session", API_BODY_NONE, API_SIGNED_IN, op_session_get,    NULL, NULL, 0, false},
    {"DELETE", "/api/v1/session", API_BODY_NONE, API_SIGNED_IN, op_session_delete, NULL, NULL, 0, false},
    API_ROUTES_END,
};
/* clang-format on */
