/* SPDX-License-Identifier: Apache-2.0 */
#include "api/routes.h"

#include <stdio.h>
#include <string.h>

#include "api/ops.h"

/* clang-format off */
static const struct api_route *const tables[] = {
    health_routes,
    metrics_routes,
    session_routes,
    account_routes,
    api_token_routes,
    invitation_routes,
    audit_routes,
    product_routes,
    upload_routes,
    partial_routes,
    rom_routes,
    current_routes,
    link_routes,
    device_routes,
    attempt_routes, event_routes,
    webhook_routes,
};
/* clang-format on */
#define N_TABLES (sizeof tables / sizeof tables[0])

/* `{}` takes one whole path segment, which must not be empty nor longer than any name. */
static bool match(const char *pattern, const char *path, char names[][API_NAME_BYTES])
{
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *path++) {
                return false;
            }
            continue;
        }
        size_t len = strcspn(path, "/");
        if (len == 0 || len >= API_NAME_BYTES) {
            return false;
        }
        memcpy(*names, path, len);
        (*names++)[len] = '\0';
        path += len;
        pattern += strlen("{}");
    }
    return *path == '\0';
}

static void append_method(char *list, size_t cap, const char *method)
{
    size_t used = strlen(list);

    (void)snprintf(list + used, cap - used, "%s%s", used ? ", " : "", method);
}

/* A path may match the pattern of another one, which has a word where this one has a parameter:
 * what is written out goes before. */
static bool is_plainer(const struct api_route *a, const struct api_route *b)
{
    for (const char *x = a->path, *y = b->path; *x && *y; x++, y++) {
        if (*x != *y) {
            return *x != '{';
        }
    }
    return false;
}

const struct api_route *route_find(struct request *request, const char *method, const char *path)
{
    const struct api_route *found = NULL;
    char names[API_NAMES_MAX][API_NAME_BYTES] = {{0}};

    request->allow[0] = '\0';
    for (size_t i = 0; i < N_TABLES; i++) {
        for (const struct api_route *r = tables[i]; r->method; r++) {
            if (!match(r->path, path, names)) {
                continue;
            }
            append_method(request->allow, sizeof request->allow, r->method);
            if (strcmp(r->method, method) == 0 && (!found || is_plainer(r, found))) {
                found = r;
                memcpy(request->names, names, sizeof names);
            }
        }
    }
    if (found) {
        request->allow[0] = '\0';
    } else if (request->allow[0]) {
        answer_error(request, MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed",
                     "here are only: %s", request->allow);
    } else {
        answer_error(request, MHD_HTTP_NOT_FOUND, "not_found", "there is nothing at this address");
    }
    return found;
}
