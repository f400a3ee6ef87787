/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_CONTROL_CLIENT_H
#define ALOFT_CLI_CONTROL_CLIENT_H

#include <jansson.h>

#include "aloft/attr.h"
#include "host/error.h"

/**
 * Ask the server that runs on a data folder, through its control socket (serve/control.h).
 *
 * @param data        The data folder.
 * @param request     An object with `command`. Consumed, also after an error.
 * @param ret_answer  The answer's members. Transferred: json_decref() it.
 * @retval ALOFT_ERR_NOT_FOUND  No server runs there, or it does not know the command.
 * @return  What the command gave; the sentence is the server's.
 */
ALOFT_MUST_CHECK
enum aloft_err control_call(const char *data, json_t *request, json_t **ret_answer,
                            struct error *e);

#endif
