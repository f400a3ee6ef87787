/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "http/url.h"

/* Parsers: module/src/http/url.c */

/* What a URL and a Location value promise to who puts their pieces into requests and look-ups. */

static bool is_inside(const char *piece, size_t len, const char *text, size_t text_len)
{
    return piece >= text && len <= text_len && (size_t)(piece - text) <= text_len - len;
}

static bool has_any(const char *piece, size_t len, const char *bytes)
{
    for (size_t i = 0; i < len; i++) {
        if (strchr(bytes, piece[i]) != NULL) {
            return true;
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of its own size: a byte read behind it is found. */
    char *text = malloc(size > 0 ? size : 1);
    struct aloft_url url;

    MUST(text != NULL);
    memcpy(text, data, size);
    memset(&url, 0x5A, sizeof url);
    if (aloft_url_parse(text, size, &url) == ALOFT_ERR_OK) {
        MUST(is_inside(url.target, url.target_len, text, size));
        MUST(!has_any(url.target, url.target_len, "\r\n #"));
        MUST(!url.has_scheme || url.host != NULL);
        if (url.host != NULL) {
            MUST(is_inside(url.host, url.host_len, text, size));
            MUST(url.host_len > 0 && !has_any(url.host, url.host_len, "@/?[]\\%"));
            MUST(url.target_len == 0 || url.target[0] == '/' || url.target[0] == '?');
        }
        if (url.userinfo != NULL) {
            MUST(is_inside(url.userinfo, url.userinfo_len, text, size));
            MUST(url.host != NULL && !has_any(url.userinfo, url.userinfo_len, "@/?"));
        }
    }
    free(text);
    return 0;
}
