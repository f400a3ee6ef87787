/* SPDX-License-Identifier: Apache-2.0 */
#include "web/routes.h"

#include <string.h>

#include "aloft/module.h"

#include "web/guard.h"
#include "web/provision.h"
#include "web/restart.h"
#include "web/upload.h"

static const struct aloft_route routes[] = {
    {"GET", "/", ALOFT_ROUTE_INFO, ALOFT_ANSWER_PAGE, NULL, NULL, NULL},
    {"GET", "/getversion", ALOFT_ROUTE_INFO, ALOFT_ANSWER_VERSION, NULL, NULL, NULL},
    {"GET", "/getstainfo", ALOFT_ROUTE_INFO, ALOFT_ANSWER_STATION, NULL, NULL, NULL},
    {"POST", "/setstainfo", ALOFT_ROUTE_FORM, ALOFT_ANSWER_NONE, aloft_provision_check,
     aloft_provision_take, aloft_provision_after},
    {"POST", "/getresult", ALOFT_ROUTE_FORM, ALOFT_ANSWER_NONE, NULL, aloft_provision_take_result,
     NULL},
    {"GET", "/getaprecord", ALOFT_ROUTE_SCAN, ALOFT_ANSWER_APS, NULL, NULL, NULL},
    {"GET", "/getotainfo", ALOFT_ROUTE_INFO, ALOFT_ANSWER_OTA, NULL, NULL, NULL},
    {"POST", "/setotadata", ALOFT_ROUTE_UPLOAD, ALOFT_ANSWER_NONE, aloft_upload_check, NULL,
     aloft_upload_after},
    {"POST", "/restart", ALOFT_ROUTE_INFO, ALOFT_ANSWER_DONE, aloft_restart_check, NULL,
     aloft_restart_after},
};

#define N_ROUTES (sizeof routes / sizeof routes[0])

const struct aloft_route *aloft_routes_at(uint8_t index)
{
    return &routes[index];
}

/* The path of the target: without a query, and without the authority of the absolute form
 * (RFC 9112 3.2.2). */
static struct aloft_http_piece find_path(const struct aloft_web_request *request)
{
    struct aloft_http_piece path = request->head->target;
    const char *text = request->buf + path.off;

    if (text[0] != '/' && text[0] != '*') {
        const char *authority = memchr(text, '/', path.len); /* There is one: the head is good. */
        const char *end = text + path.len;
        const char *start = memchr(authority + 2, '/', (size_t)(end - authority) - 2);
        start = start != NULL ? start : end;
        path.off = (uint16_t)(path.off + (start - text));
        path.len = (uint16_t)(end - start);
        text = start;
    }
    const char *query = memchr(text, '?', path.len);
    if (query != NULL) {
        path.len = (uint16_t)(query - text);
    }
    return path;
}

enum aloft_answer aloft_routes_find(const struct aloft_module *m,
                                    const struct aloft_web_request *request, uint8_t *ret_index)
{
    struct aloft_http_piece path = find_path(request);
    enum aloft_answer refusal = aloft_guard_check(m, request);

    *ret_index = ALOFT_ROUTES_NONE;
    if (refusal != ALOFT_ANSWER_NONE) {
        return refusal;
    }
    for (uint8_t i = 0; i < N_ROUTES; i++) {
        if (!aloft_http_piece_is(request->buf, path, routes[i].path)) {
            continue;
        }
        if (!aloft_http_piece_is(request->buf, request->head->method, routes[i].method)) {
            return ALOFT_ANSWER_METHOD;
        }
        *ret_index = i;
        return ALOFT_ANSWER_NONE;
    }
    return ALOFT_ANSWER_NOT_FOUND;
}
