/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_UPLOAD_H
#define ALOFT_WEB_UPLOAD_H

#include <stdbool.h>

#include "web/answer.h"
#include "web/routes.h"

/* POST /setotadata: the body is the image, and the engine stores it (facts/at-commands.md 3.3). */

struct aloft_module;

/** Prints `+WEBSERVERRSP:3` if the request names what to upgrade; NONE: the engine runs and wants
 * the body. */
enum aloft_answer aloft_upload_check(struct aloft_module *m,
                                     const struct aloft_web_request *request);

/** NONE while the engine runs. */
enum aloft_answer aloft_upload_answer(struct aloft_module *m);

/** The body ends here. */
void aloft_upload_fail(struct aloft_module *m, enum aloft_err err);

/** Prints `+WEBSERVERRSP:4` or `:5`. */
void aloft_upload_after(struct aloft_module *m, enum aloft_answer answer);

/** Stop an upload that runs, and print how it ended. */
void aloft_upload_cancel(struct aloft_module *m);

#endif
