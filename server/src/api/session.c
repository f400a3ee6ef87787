/* SPDX-License-Identifier: Apache-2.0 */
#include "api/session.h"

#include <stdio.h>
#include <string.h>

#include "api/authorize.h"
#include "host/auto.h"
#include "host/clock.h"
#include "host/log.h"
#include "store/audit.h"
#include "store/grants.h"
#include "store/sessions.h"

#define MS_PER_HOUR         (60 * 60 * INT64_C(1000))
#define REFUSED_INTERVAL_MS 60000
#define KEY_BYTES           (ACCOUNT_NAME_MAX + THROTTLE_ADDRESS_BYTES + 2)

struct granted {
    const struct principal *principal;
    json_t *list;
};

/* An API token of one product does not tell the names of others. */
static enum aloft_err append_grant(void *ctx, const char *product, enum role role, struct error *e)
{
    const struct granted *g = ctx;
    const struct principal *p = g->principal;

    if (p->only_product != 0 && strcmp(product, p->only_product_name) != 0) {
        return ALOFT_ERR_OK;
    }
    return append_json(g->list,
                       json_pack("{s:s, s:s}", "product", product, "role", role_text(role)), e);
}

json_t *session_to_json(struct request *r)
{
    const struct principal *p = &r->principal;
    struct error e = {0};
    json_t *grants = json_array();
    struct granted granted = {p, grants};

    if (p->account_id != 0 &&
        grants_each(r->api->db, p->account_id, append_grant, &granted, &e) != ALOFT_ERR_OK) {
        log_error("api.failed", "reason=\"%s\"", e.sentence);
        json_decref(grants);
        return NULL;
    }
    return json_pack(
        "{s:s, s:s, s:s, s:s?, s:o?, s:s?, s:o?, s:o}", "name", p->name, "role", role_text(p->role),
        "kind", p->kind == PRINCIPAL_SESSION ? "session" : "api_token", "csrf", or_null(p->csrf),
        "api_token", p->api_token_id ? json_integer(p->api_token_id) : NULL, "product",
        or_null(p->only_product_name), "expires_ms",
        p->expires_ms ? json_integer(p->expires_ms) : NULL, "grants", grants);
}

char *session_cookie(const struct request *r, const char *secret)
{
    char *text = NULL;
    int n = asprintf(&text, API_SESSION_COOKIE "=%s; HttpOnly; SameSite=Strict; Path=/%s%s", secret,
                     secret[0] ? "" : "; Max-Age=0", r->is_secure ? "; Secure" : "");

    return n < 0 ? NULL : text;
}

static void take_user_agent(struct request *r, char out[SESSION_USER_AGENT_MAX + 1])
{
    const char *text =
        MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_USER_AGENT);
    size_t n = 0;

    for (; text && *text && n < SESSION_USER_AGENT_MAX; text++) {
        out[n++] = *text;
        out[n - 1] = *text >= ' ' && *text <= '~' ? *text : '?';
    }
    out[n] = '\0';
}

bool session_begin(struct request *r, struct db *tx, const struct account *account,
                   char **ret_cookie)
{
    int64_t now_ms = clock_wall_ms();
    struct session s = {.account_id = account->id,
                        .created_ms = now_ms,
                        .expires_ms = now_ms + r->settings.session_hours * MS_PER_HOUR};
    char secret[SESSION_SECRET_CHARS + 1];
    struct error e = {0};

    if (!make_secret(r, SESSION_SECRET_CHARS / 2, secret) ||
        !make_secret(r, SESSION_CSRF_CHARS / 2, s.csrf)) {
        return false;
    }
    (void)snprintf(s.address, sizeof s.address, "%s", r->address);
    take_user_agent(r, s.user_agent);
    enum aloft_err err = sessions_add(tx, &s, secret, &e);
    if (err == ALOFT_ERR_OK) {
        err = accounts_note_sign_in(tx, account->id, now_ms, &e);
    }
    *ret_cookie = session_cookie(r, secret);
    if (err == ALOFT_ERR_OK && !*ret_cookie) {
        err = fail(&e, ALOFT_ERR_IO, "out of memory");
    }
    if (err != ALOFT_ERR_OK) {
        answer_failure(r, &e);
        return false;
    }
    r->principal = (struct principal){.kind = PRINCIPAL_SESSION,
                                      .account_id = account->id,
                                      .role = account->role,
                                      .cap = ROLE_ADMIN,
                                      .expires_ms = s.expires_ms};
    (void)snprintf(r->principal.name, sizeof r->principal.name, "%s", account->name);
    (void)snprintf(r->principal.csrf, sizeof r->principal.csrf, "%s", s.csrf);
    return true;
}

static size_t attempt_keys(struct request *r, const char *name, char *address,
                           struct throttle_key keys[2])
{
    throttle_address(r->address, address);
    keys[0] = (struct throttle_key){"address", address, THROTTLE_ADDRESS_MAX_S};
    keys[1] = (struct throttle_key){"account", name, THROTTLE_ACCOUNT_MAX_S};
    return name ? 2 : 1;
}

bool attempt_begin(struct request *r, const char *name)
{
    char address[THROTTLE_ADDRESS_BYTES];
    struct throttle_key keys[2];
    size_t n_keys = attempt_keys(r, name, address, keys);
    unsigned wait_s = throttle_begin(r->api->throttle, keys, n_keys, clock_monotonic_ms());

    if (wait_s == 0) {
        return true;
    }
    r->retry_after_s = wait_s;
    answer_error(r, MHD_HTTP_TOO_MANY_REQUESTS, "too_many_attempts",
                 "too many attempts have failed; try again in %u s", wait_s);
    return false;
}

void attempt_undo(struct request *r, const char *name)
{
    char address[THROTTLE_ADDRESS_BYTES];
    struct throttle_key keys[2];
    size_t n_keys = attempt_keys(r, name, address, keys);

    throttle_undo(r->api->throttle, &keys[0]);
    if (n_keys == 2) {
        throttle_forget(r->api->throttle, &keys[1]);
    }
}

void note_refused(struct request *r, const char *action, const char *name, bool is_known)
{
    char address[THROTTLE_ADDRESS_BYTES];
    char text[KEY_BYTES];
    struct error e = {0};
    AUTO_TRANSACTION tx = NULL;

    throttle_address(r->address, address);
    (void)snprintf(text, sizeof text, "%s %s", name, address);
    const struct throttle_key key = {action, text, 0};
    if (!throttle_is_first(r->api->throttle, &key, REFUSED_INTERVAL_MS, clock_monotonic_ms())) {
        return;
    }
    /* A name nobody has may be a password in the wrong field. */
    const struct audit_entry entry = {.time_ms = clock_wall_ms(),
                                      .actor = AUDIT_ACTOR_NOBODY,
                                      .address = r->address,
                                      .action = action,
                                      .product = "",
                                      .object = is_known ? name : "(unknown)",
                                      .detail = "{}"};
    enum aloft_err err = db_begin(r->api->db, &tx, &e);
    if (err == ALOFT_ERR_OK) {
        err = audit_add(tx, &entry, &e);
    }
    if (err == ALOFT_ERR_OK) {
        err = db_commit(&tx, &e);
    }
    if (err != ALOFT_ERR_OK) {
        log_error("audit.lost", "action=%s reason=\"%s\"", action, e.sentence);
    }
    log_info(action, "address=%s", r->address);
}
