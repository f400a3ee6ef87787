/* SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/source.h"

#include "aloft/module.h"

#include "http/client.h"

static enum aloft_source_state state(const struct aloft_module *m)
{
    switch (m->http.phase) {
    case ALOFT_HTTP_BODY:
        return ALOFT_SOURCE_OPEN;
    case ALOFT_HTTP_DONE:
        return ALOFT_SOURCE_DONE;
    case ALOFT_HTTP_FAILED:
        return ALOFT_SOURCE_FAILED;
    default:
        return ALOFT_SOURCE_WAITING;
    }
}

static enum aloft_err err(const struct aloft_module *m)
{
    return m->http.err;
}

static const uint8_t *sha256(const struct aloft_module *m)
{
    return m->http.has_sha256 ? m->http.sha256 : NULL;
}

const struct aloft_source aloft_http_source = {
    .state = state,
    .err = err,
    .body = aloft_http_body,
    .consume = aloft_http_consume,
    .body_bytes = aloft_http_body_bytes,
    .sha256 = sha256,
    .scratch = aloft_http_scratch,
    .end = aloft_http_end,
};
