/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_AUTO_JSON_H
#define ALOFT_CLI_AUTO_JSON_H

#include <jansson.h>

/** A JSON value that goes with its scope. */
static inline void auto_json_decref(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(auto_json_decref))) json_t *

#endif
