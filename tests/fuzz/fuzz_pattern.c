/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <regex.h>
#include <string.h>

#include "at/pattern.h"

/* Parsers: module/src/at/pattern.c */

/* The C library's regular expressions say what is right. First byte: length of the pattern, and
 * where the ring begins. */

#define TEXT_MAX 255

static bool has_nul(const uint8_t *bytes, size_t len)
{
    return len > 0 && memchr(bytes, '\0', len) != NULL;
}

/* False: the C library does not take it. POSIX leaves some to it, and `^*` it has wrong. */
static bool ask_library(const uint8_t *pattern, size_t pattern_len, const uint8_t *text, size_t len,
                        bool *ret_found, regmatch_t *ret_match)
{
    char expression[ALOFT_PATTERN_MAX + 1] = {0};
    char string[TEXT_MAX + 1] = {0};
    regex_t regex;

    memcpy(expression, pattern, pattern_len);
    memcpy(string, text, len);
    if (regcomp(&regex, expression, 0) != 0) {
        return false;
    }
    *ret_match = (regmatch_t){.rm_so = 0, .rm_eo = (regoff_t)len};
    *ret_found = regexec(&regex, string, 1, ret_match, REG_STARTEND) == 0;
    regfree(&regex);
    return true;
}

static void compare(const struct aloft_pattern *pattern, const uint8_t *text, size_t len,
                    size_t start, bool wants_found, const regmatch_t *wanted)
{
    static uint8_t s_ring[256];
    struct aloft_pattern_range range;

    for (size_t i = 0; i < len; i++) {
        s_ring[(start + i) % sizeof s_ring] = text[i];
    }
    const struct aloft_pattern_input input = {
        .bytes = s_ring, .cap = sizeof s_ring, .start = start, .len = len};
    MUST(aloft_pattern_find(pattern, &input, &range) == wants_found);
    if (wants_found) {
        MUST((regoff_t)range.from == wanted->rm_so && (regoff_t)range.to == wanted->rm_eo);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aloft_pattern pattern;
    regmatch_t wanted;
    bool wants_found;

    if (size < 2 || size > TEXT_MAX + 2) {
        return 0;
    }
    size_t pattern_len = 1 + data[0] % ALOFT_PATTERN_MAX;
    pattern_len = pattern_len < size - 1 ? pattern_len : size - 1;
    const uint8_t *text = data + 1 + pattern_len;
    size_t len = size - 1 - pattern_len;
    if (has_nul(data + 1, size - 1) || !aloft_pattern_parse(data + 1, pattern_len, &pattern)) {
        return 0;
    }
    if (ask_library(data + 1, pattern_len, text, len, &wants_found, &wanted)) {
        compare(&pattern, text, len, data[0], wants_found, &wanted);
    }
    return 0;
}
