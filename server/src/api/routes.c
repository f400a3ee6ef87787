/* SPDX-License-Identifier: Apache-2.0 */
#include "api/routes.h"

#include <stdio.h>
#include <string.h>

#include "api/ops.h"

#define PRODUCTS "/api/v1/products"
#define PRODUCT  PRODUCTS "/{}"

static const char *const upload_query[] = {"name", "version", NULL};
static const char *const devices_query[] = {"after", NULL};

/* clang-format off */
static const struct api_route routes[] = {
    {"GET",    "/healthz",               API_BODY_NONE, true,  NULL,          NULL,              op_healthz},
    {"GET",    PRODUCTS,                 API_BODY_NONE, false, NULL,          NULL,              op_products_list},
    {"POST",   PRODUCTS,                 API_BODY_JSON, false, NULL,          NULL,              op_products_add},
    {"GET",    PRODUCT,                  API_BODY_NONE, false, NULL,          NULL,              op_products_get},
    {"POST",   PRODUCT "/uploads",       API_BODY_FILE, false, upload_query,  op_upload_prepare, op_upload_run},
    {"DELETE", PRODUCT "/uploads/{}",    API_BODY_NONE, false, NULL,          NULL,              op_upload_remove},
    {"GET",    PRODUCT "/roms",          API_BODY_NONE, false, NULL,          NULL,              op_roms_list},
    {"POST",   PRODUCT "/roms",          API_BODY_JSON, false, NULL,          NULL,              op_roms_add},
    {"PUT",    PRODUCT "/current",       API_BODY_JSON, false, NULL,          NULL,              op_current_set},
    {"GET",    PRODUCT "/devices",       API_BODY_NONE, false, devices_query, NULL,              op_devices_list},
};
/* clang-format on */
#define N_ROUTES (sizeof routes / sizeof routes[0])

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

const struct api_route *route_find(struct request *request, const char *method, const char *path)
{
    request->allow[0] = '\0';
    for (size_t i = 0; i < N_ROUTES; i++) {
        if (!match(routes[i].path, path, request->names)) {
            continue;
        }
        if (strcmp(routes[i].method, method) == 0) {
            request->allow[0] = '\0';
            return &routes[i];
        }
        append_method(request->allow, sizeof request->allow, routes[i].method);
    }
    if (request->allow[0]) {
        answer_error(request, MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed",
                     "here are only: %s", request->allow);
    } else {
        answer_error(request, MHD_HTTP_NOT_FOUND, "not_found", "there is nothing at this address");
    }
    return NULL;
}
