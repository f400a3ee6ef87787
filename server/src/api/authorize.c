/* SPDX-License-Identifier: Apache-2.0 */
#include "api/authorize.h"

#include <string.h>
#include <strings.h>

#include "host/clock.h"

#define BEARER "Bearer "

/* What each access needs of a role. */
static const enum role needs[] = {
    [API_OPEN] = ROLE_NONE,           [API_SIGNED_IN] = ROLE_NONE,    [API_VIEWER] = ROLE_VIEWER,
    [API_DEVELOPER] = ROLE_DEVELOPER, [API_OPERATOR] = ROLE_OPERATOR, [API_ADMIN] = ROLE_ADMIN,
};

static enum aloft_err find_principal(struct request *r, struct error *e)
{
    const char *value =
        MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);

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

/* Products somebody may not see answer like those that are not there. */
static bool find_product(struct request *r)
{
    struct error e = {0};
    enum aloft_err err = products_get(r->api->db, r->names[0], &r->product, &e);

    if (err == ALOFT_ERR_OK) {
        err = principal_role(r->api->db, &r->principal, r->product.id, &r->role, &e);
    }
    if (err == ALOFT_ERR_OK && r->role == ROLE_NONE) {
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
    enum aloft_err err = find_principal(r, &e);

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
    if (strncmp(r->route->path, API_PRODUCT, strlen(API_PRODUCT)) == 0) {
        return find_product(r) && (r->role >= need || refuse(r, need));
    }
    r->role = r->principal.only_product ? ROLE_NONE : r->principal.role;
    return r->role >= need || refuse(r, need);
}
