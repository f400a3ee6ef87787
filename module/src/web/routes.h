/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_ROUTES_H
#define ALOFT_WEB_ROUTES_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/http_head.h"

#include "web/answer.h"

/* Method and path to what happens (facts/at-commands.md 3.1). */

struct aloft_module;

/** The longest form or JSON body (facts/at-commands.md 3.1). */
#define ALOFT_ROUTES_FORM_BYTES 319

/** What follows a request's head. */
enum aloft_route_kind {
    ALOFT_ROUTE_INFO,   /**< An answer. */
    ALOFT_ROUTE_SCAN,   /**< A look at the air, then an answer. */
    ALOFT_ROUTE_FORM,   /**< A small body, then an answer. */
    ALOFT_ROUTE_UPLOAD, /**< The body goes to the engine, which says what the answer is. */
};

/** A request's head and the buffer it stands in. */
struct aloft_web_request {
    const struct aloft_http_head *head;
    const char *buf;
};

struct aloft_route {
    const char *method;
    const char *path;
    enum aloft_route_kind kind;
    enum aloft_answer answer; /**< INFO, SCAN: the answer. */
    /** Called with the head, before anything else; NONE = go on. NULL = nothing to check. */
    enum aloft_answer (*check)(struct aloft_module *m, const struct aloft_web_request *request);
    /** FORM: called with the whole body. */
    enum aloft_answer (*take)(struct aloft_module *m, const char *body, size_t len);
    /** Called when the answer has left, or could not. NULL = nothing is due. */
    void (*after)(struct aloft_module *m, enum aloft_answer answer);
};

#define ALOFT_ROUTES_NONE UINT8_MAX

const struct aloft_route *aloft_routes_at(uint8_t index);

/**
 * The route of a request.
 *
 * @param ret_index  ALOFT_ROUTES_NONE with an error answer.
 * @return NONE, or the error answer.
 */
enum aloft_answer aloft_routes_find(const struct aloft_module *m,
                                    const struct aloft_web_request *request, uint8_t *ret_index);

#endif
