/* SPDX-License-Identifier: Apache-2.0 */
#include "http_text.h"

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool aloft_http_text_is(const char *text, size_t len, const char *wanted)
{
    for (size_t i = 0; i < len; i++) {
        if (wanted[i] == '\0' || fold(text[i]) != fold(wanted[i])) {
            return false;
        }
    }
    return wanted[len] == '\0';
}

bool aloft_http_text_number(const char *text, size_t len, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (len == 0) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned char)text[i] - (unsigned)'0';

        if (digit > 9 || number > (UINT64_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    *ret_number = number;
    return true;
}
