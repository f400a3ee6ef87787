/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HTTP_JSON_H
#define ALOFT_HTTP_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"
#include "aloft/state/http.h"

/* A streaming reader for the two documents an update server sends: any spacing, any order of
 * members, any portions, no memory but its state (facts/ciupdate-wire.md 2.3, 4.3). */

#define ALOFT_JSON_DEPTH_MAX 15

enum aloft_json_want {
    ALOFT_JSON_RECOMMENDED, /**< Members `...rom_version` of the outermost object. */
    ALOFT_JSON_VERSIONS,    /**< Members `version` of the objects in an outer array. */
};

void aloft_json_init(struct aloft_json *json, enum aloft_json_want want);

/**
 * Take bytes until something is found or all are taken.
 *
 * @param ret_used  Bytes done with; call again with the rest.
 * @retval ALOFT_ERR_OK      `json->text` holds a wanted string, NUL-terminated. Characters beyond
 *                           ASCII in escapes are replaced by 0x7F; a string too long is empty.
 * @retval ALOFT_ERR_AGAIN   All bytes were taken and nothing was found.
 * @retval ALOFT_ERR_CLOSED  The document is complete; what follows is not looked at.
 * @retval ALOFT_ERR_SYNTAX  Not JSON, or nested deeper than ALOFT_JSON_DEPTH_MAX.
 * The last two are sticky.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_json_feed(struct aloft_json *json, const uint8_t *buf, size_t len,
                               size_t *ret_used);

#endif
