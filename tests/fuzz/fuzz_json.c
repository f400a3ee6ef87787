/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "http/json.h"

/* Parsers: module/src/http/json.c */

#define FOUND_MAX 64

struct result {
    enum aloft_err err;
    size_t n_found;
    char first[ALOFT_JSON_TEXT_BYTES];
};

static void feed(struct aloft_json *json, const uint8_t *data, size_t len, struct result *result)
{
    size_t at = 0;

    do {
        size_t used = 0;
        result->err = aloft_json_feed(json, data + at, len - at, &used);
        MUST(used <= len - at);
        at += used;
        if (result->err == ALOFT_ERR_OK) {
            MUST(strlen(json->text) < sizeof json->text && used > 0);
            if (result->n_found++ == 0) {
                memcpy(result->first, json->text, sizeof result->first);
            }
        }
    } while (result->err == ALOFT_ERR_OK);
    MUST(result->err != ALOFT_ERR_AGAIN || at == len);
}

/* The whole at once, and cut in two: the same result. */
static void try_want(enum aloft_json_want want, const uint8_t *data, size_t len, size_t cut)
{
    struct aloft_json json;
    struct result whole = {.err = ALOFT_ERR_OK};
    struct result parts = {.err = ALOFT_ERR_OK};

    aloft_json_init(&json, want);
    feed(&json, data, len, &whole);
    aloft_json_init(&json, want);
    feed(&json, data, cut, &parts);
    if (parts.err == ALOFT_ERR_AGAIN) {
        feed(&json, data + cut, len - cut, &parts);
    }
    MUST(whole.err == parts.err && whole.n_found == parts.n_found);
    MUST(strcmp(whole.first, parts.first) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t cut = size > 0 ? data[0] % size : 0;

    try_want(ALOFT_JSON_RECOMMENDED, data, size, cut);
    try_want(ALOFT_JSON_VERSIONS, data, size, cut);
    return 0;
}
