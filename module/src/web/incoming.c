/* SPDX-License-Identifier: Apache-2.0 */
#include "web/incoming.h"

#include <string.h>

/* Beside its target a request line has a method, a version, two spaces and its end; methods longer
 * than this count as target. */
#define LINE_BYTES (ALOFT_INCOMING_TARGET_BYTES + 28)

/* NONE: the limits hold, for a head of which `len` bytes have come. */
static enum aloft_answer check_limits(const struct aloft_http_head *head, const char *buf,
                                      size_t len)
{
    const char *line_end = memchr(buf, '\n', len);
    size_t line_len = line_end != NULL ? (size_t)(line_end - buf) + 1 : len;

    if (head->target.len > ALOFT_INCOMING_TARGET_BYTES || line_len > LINE_BYTES) {
        return ALOFT_ANSWER_TARGET_LONG;
    }
    return len - line_len > ALOFT_INCOMING_FIELDS_BYTES ? ALOFT_ANSWER_FIELDS_LONG
                                                        : ALOFT_ANSWER_NONE;
}

enum aloft_err aloft_incoming_look(const char *buf, size_t len, struct aloft_http_head *ret_head,
                                   enum aloft_answer *ret_answer)
{
    aloft_http_head_init(ret_head, ALOFT_HTTP_REQUEST);
    enum aloft_err err = aloft_http_head_parse(ret_head, buf, len);

    switch (err) {
    case ALOFT_ERR_OK:
    case ALOFT_ERR_AGAIN:
        *ret_answer = check_limits(ret_head, buf, err == ALOFT_ERR_OK ? ret_head->head_len : len);
        return *ret_answer == ALOFT_ANSWER_NONE ? err : ALOFT_ERR_OK;
    case ALOFT_ERR_TOO_BIG:
        *ret_answer = ALOFT_ANSWER_FIELDS_LONG;
        return ALOFT_ERR_OK;
    default:
        *ret_answer = ALOFT_ANSWER_NOT_HTTP;
        return ALOFT_ERR_OK;
    }
}
