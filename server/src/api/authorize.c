/* SPDX-License-Identifier: Apache-2.0 */
#include "api/authorize.h"

#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "host/clock.h"

#define BEARER      "Bearer "
#define CSRF_HEADER "Aloft-Csrf"
#define MS_PER_HOUR (60 * 60 * INT64_C(1000))

/* What each access needs of a role. */
static const enum role needs[] = {
    [API_OPEN] = ROLE_NONE,           [API_SIGNED_IN] = ROLE_NONE,    [API_VIEWER] = ROLE_VIEWER,
    [API_DEVELOPER] = ROLE_DEVELOPER, [API_OPERATOR] = ROLE_OPERATOR, [API_ADMIN] = ROLE_ADMIN,
};

static enum aloft_err find_principal(struct request *r, int64_t session_life_ms, struct error *e)
{
    const char *value =
        MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    const char *cookie =
        MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, API_SESSION_COOKIE);

    if (!value && cookie) {
        return principal_by_session(r->api->db, cookie, clock_wall_ms(), session_life_ms,
                                    &r->principal, e);
    }
    if (!value || strncasecmp(value, BEARER, strlen(BEARER)) != 0) {
        return ALOFT_ERR_NOT_FOUND;
    }
    return principal_by_api_token(r->api->db, value + strlen(BEARER), clock_wall_ms(),
                                  &r->principal, e);
}

static bool refuse(struct request *r, enum role need)
{
    answer_error(r, MHD_HTTP_FORBIDDEN, "forbidden",
                 "this needs the role %s; yours here is %s: ask an admin for a grant",
                 role_text(need), role_text(r->role));
    return false;
}

/* A browser sends the cookie along with what another site makes it ask; the token only our own page
 * knows. */
static bool check_csrf(struct request *r)
{
    const char *shown = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, CSRF_HEADER);
    bool is_change = strcmp(r->method, MHD_HTTP_METHOD_GET) != 0;

    if (r->principal.kind != PRINCIPAL_SESSION || !is_change) {
        return true;
    }
    size_t len = strlen(r->principal.csrf);
    if (shown && strlen(shown) == len && len > 0 &&
        sodium_memcmp(shown, r->principal.csrf, len) == 0) {
        return true;
    }
    answer_error(r, MHD_HTTP_FORBIDDEN, "csrf",
                 "changes in a session need the header " CSRF_HEADER
                 " with the session's token: read it from GET /api/v1/session");
    return false;
}

/* Products somebody may not see answer like those that are not there. */
static bool find_product(struct request *r, const char *name, struct product *ret_product,
                         enum role *ret_role)
{
    struct error e = {0};
    enum aloft_err err = products_get(r->api->db, name, ret_product, &e);

    if (err == ALOFT_ERR_OK) {
        err = principal_role(r->api->db, &r->principal, ret_product->id, ret_role, &e);
    }
    if (err == ALOFT_ERR_OK && *ret_role == ROLE_NONE) {
        err = fail(&e, ALOFT_ERR_NOT_FOUND, "there is no product of this name");
    }
    if (err != ALOFT_ERR_OK) {
        answer_failure(r, &e);
    }
    return err == ALOFT_ERR_OK;
}

bool authorize(struct request *r)
{
    struct error e = {0};
    enum role need = needs[r->route->access];

    r->principal = (struct principal){.kind = PRINCIPAL_NOBODY};
    r->role = ROLE_NONE;
    enum aloft_err err = find_principal(r, r->settings.session_hours * MS_PER_HOUR, &e);
    if (err != ALOFT_ERR_OK && err != ALOFT_ERR_NOT_FOUND) {
        answer_failure(r, &e);
        return false;
    }
    if (r->route->access == API_OPEN) {
        return true;
    }
    if (r->principal.kind == PRINCIPAL_NOBODY) {
        answer_error(r, MHD_HTTP_UNAUTHORIZED, "unauthorized",
                     "this needs a session, or 'Authorization: Bearer <API token>'");
        return false;
    }
    if (!check_csrf(r)) {
        return false;
    }
    if (strncmp(r->route->path, API_PRODUCT, strlen(API_PRODUCT)) == 0) {
        return find_product(r, r->names[0], &r->product, &r->role) &&
               (r->role >= need || refuse(r, need));
    }
    r->role = r->principal.only_product ? ROLE_NONE : r->principal.role;
    return r->role >= need || refuse(r, need);
}

bool query_product(struct request *request, int64_t *ret_id)
{
    const char *name = query_optional(request, "product");
    struct product product;
    enum role role = ROLE_NONE;

    if (!name) {
        return true;
    }
    if (!find_product(request, name, &product, &role)) {
        return false;
    }
    *ret_id = product.id;
    return true;
}

bool is_still_known(struct request *request)
{
    struct error e = {0};

    return find_principal(request, 0, &e) == ALOFT_ERR_OK;
}
