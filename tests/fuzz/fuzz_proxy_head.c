/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "aloft/proxy_head.h"

/* Parsers: formats/src/proxy_head.c */

/* A head that is complete is the same without what follows, and incomplete without its end. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aloft_proxy_head head;
    enum aloft_err err = aloft_proxy_head_parse(data, size, &head);

    if (err == ALOFT_ERR_OK) {
        size_t len = head.head_len;
        MUST(len > 0 && len <= size && len <= ALOFT_PROXY_HEAD_MAX);
        MUST(aloft_proxy_head_parse(data, len, &head) == ALOFT_ERR_OK && head.head_len == len);
        MUST(aloft_proxy_head_parse(data, len - 1, &head) == ALOFT_ERR_AGAIN);
    } else {
        MUST(err == ALOFT_ERR_AGAIN || err == ALOFT_ERR_SYNTAX || err == ALOFT_ERR_TOO_BIG);
    }
    return 0;
}
