/* SPDX-License-Identifier: Apache-2.0 */
#include "web/guard.h"

#include <string.h>

#include "aloft/module.h"

#define SCHEME_END "://"

/* In a time that does not tell how much of it is right. */
static bool is_secret(const char *given, size_t len, const char *wanted)
{
    size_t wanted_len = strlen(wanted);
    unsigned char differs = len != wanted_len;

    for (size_t i = 0; i < len; i++) {
        differs =
            (unsigned char)(differs | (given[i] ^ wanted[wanted_len > 0 ? i % wanted_len : 0]));
    }
    return differs == 0;
}

static bool is_authorized(const struct aloft_module *m, const struct aloft_web_request *request)
{
    const char *given = NULL;
    size_t len = 0;

    return m->config.web_authorization == NULL ||
           (aloft_http_head_find(request->head, request->buf, "Authorization", &given, &len) &&
            is_secret(given, len, m->config.web_authorization));
}

static bool is_text(const char *text, size_t len, const char *wanted)
{
    return len == strlen(wanted) && memcmp(text, wanted, len) == 0;
}

bool aloft_guard_is_same_origin(const struct aloft_web_request *request)
{
    const char *site = NULL;
    const char *origin = NULL;
    const char *host = NULL;
    size_t site_len = 0;
    size_t origin_len = 0;
    size_t host_len = 0;
    const struct aloft_http_head *head = request->head;

    if (aloft_http_head_find(head, request->buf, "Sec-Fetch-Site", &site, &site_len) &&
        !is_text(site, site_len, "same-origin") && !is_text(site, site_len, "none")) {
        return false;
    }
    if (!aloft_http_head_find(head, request->buf, "Origin", &origin, &origin_len)) {
        return true;
    }
    if (!aloft_http_head_find(head, request->buf, "Host", &host, &host_len) ||
        origin_len < host_len + strlen(SCHEME_END)) {
        return false;
    }
    const char *tail = origin + origin_len - host_len - strlen(SCHEME_END);
    return memcmp(tail, SCHEME_END, strlen(SCHEME_END)) == 0 &&
           memcmp(tail + strlen(SCHEME_END), host, host_len) == 0;
}

enum aloft_answer aloft_guard_check(const struct aloft_module *m,
                                    const struct aloft_web_request *request)
{
    bool is_post = aloft_http_piece_is(request->buf, request->head->method, "POST");

    if (!is_authorized(m, request)) {
        return ALOFT_ANSWER_UNAUTHORIZED;
    }
    if (is_post && m->config.web_checks_origin && !aloft_guard_is_same_origin(request)) {
        return ALOFT_ANSWER_FORBIDDEN;
    }
    return ALOFT_ANSWER_NONE;
}
