/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "aloft/http_head.h"

/* Parsers: formats/src/http_range.c */

/* The first byte is the total, squared. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) {
        uint64_t total = (uint64_t)data[0] * data[0];
        struct aloft_http_range range;
        enum aloft_err err =
            aloft_http_range_parse((const char *)data + 1, size - 1, total, &range);

        if (err == ALOFT_ERR_OK) {
            MUST(range.start < range.end && range.end <= total);
        } else {
            MUST(err == ALOFT_ERR_SYNTAX || err == ALOFT_ERR_RANGE);
        }
    }
    return 0;
}
