/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_ANSWER_H
#define ALOFT_WEB_ANSWER_H

#include <stdbool.h>

#include "web/out.h"

/* All answers of the module's web server (facts/at-commands.md 3). */

struct aloft_module;

/** Kept in a byte of the state. */
enum aloft_answer {
    ALOFT_ANSWER_NONE, /**< Not yet decided. */
    ALOFT_ANSWER_PAGE,
    ALOFT_ANSWER_VERSION,
    ALOFT_ANSWER_OTA,
    ALOFT_ANSWER_APS,
    ALOFT_ANSWER_STATION,
    ALOFT_ANSWER_DONE,         /**< `{"state": 0}` */
    ALOFT_ANSWER_BAD,          /**< 400 `{"state": 1}` */
    ALOFT_ANSWER_FAILED,       /**< 500 `{"state": 1}` */
    ALOFT_ANSWER_NOT_HTTP,     /**< 400 as text: the request cannot be read. */
    ALOFT_ANSWER_PORTAL,       /**< 302 */
    ALOFT_ANSWER_UNAUTHORIZED, /**< 401 */
    ALOFT_ANSWER_FORBIDDEN,    /**< 403 */
    ALOFT_ANSWER_NOT_FOUND,    /**< 404 */
    ALOFT_ANSWER_METHOD,       /**< 405 */
    ALOFT_ANSWER_TARGET_LONG,  /**< 414 */
    ALOFT_ANSWER_FIELDS_LONG,  /**< 431 */
    ALOFT_ANSWER_BODY_LONG,    /**< 500 as text. */
    ALOFT_N_ANSWERS
};

/** The whole answer, from its status line on. The same bytes each time as long as the module's
 * state does not change. */
void aloft_answer_write(const struct aloft_module *m, enum aloft_answer answer,
                        struct aloft_out *out);

/** An error: the connection ends with it. */
bool aloft_answer_is_error(enum aloft_answer answer);

#endif
