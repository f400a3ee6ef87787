/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/http_head.h"

#include <string.h>

#include "http_text.h"

static enum aloft_err set_suffix(const char *text, size_t len, uint64_t total,
                                 struct aloft_http_range *ret_range)
{
    uint64_t n;

    if (!aloft_http_text_number(text, len, &n)) {
        return ALOFT_ERR_SYNTAX;
    }
    if (n == 0 || total == 0) {
        return ALOFT_ERR_RANGE;
    }
    ret_range->start = n < total ? total - n : 0;
    ret_range->end = total;
    return ALOFT_ERR_OK;
}

/* RFC 9110 14.1.2. A number of more than 64 bits counts as no range at all. */
enum aloft_err aloft_http_range_parse(const char *value, size_t len, uint64_t total,
                                      struct aloft_http_range *ret_range)
{
    static const char unit[] = "bytes=";
    const size_t unit_len = sizeof unit - 1;
    const char *text;
    const char *dash;
    size_t first_len;
    size_t last_len;
    uint64_t first;
    uint64_t last = UINT64_MAX;

    if (len <= unit_len || !aloft_http_text_is(value, unit_len, unit)) {
        return ALOFT_ERR_SYNTAX;
    }
    text = value + unit_len;
    dash = memchr(text, '-', len - unit_len);
    if (dash == NULL) {
        return ALOFT_ERR_SYNTAX;
    }
    first_len = (size_t)(dash - text);
    last_len = len - unit_len - first_len - 1;
    if (first_len == 0) {
        return set_suffix(dash + 1, last_len, total, ret_range);
    }
    if (!aloft_http_text_number(text, first_len, &first) ||
        (last_len != 0 && !aloft_http_text_number(dash + 1, last_len, &last)) || last < first) {
        return ALOFT_ERR_SYNTAX;
    }
    if (first >= total) {
        return ALOFT_ERR_RANGE;
    }
    ret_range->start = first;
    ret_range->end = last < total ? last + 1 : total;
    return ALOFT_ERR_OK;
}
