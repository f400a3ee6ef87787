/* SPDX-License-Identifier: Apache-2.0 */
#include "attempt/sentence.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_BYTES 24

static const char *text_of(const struct sentence_word *words, const char *name, size_t len,
                           char number[NUMBER_BYTES])
{
    for (const struct sentence_word *w = words; w->name; w++) {
        if (strlen(w->name) != len || memcmp(w->name, name, len) != 0) {
            continue;
        }
        if (w->text) {
            return w->text;
        }
        (void)snprintf(number, NUMBER_BYTES, "%" PRIu64, w->number);
        return number;
    }
    return "?";
}

static size_t append(char *out, size_t at, size_t cap, const char *text, size_t len)
{
    if (len > cap - 1 - at) {
        len = cap - 1 - at;
    }
    memcpy(out + at, text, len);
    return at + len;
}

void sentence_fill(const char *form, const struct sentence_word *words, char *out, size_t cap)
{
    size_t at = 0;

    if (cap == 0) {
        return;
    }
    while (*form) {
        size_t plain = strcspn(form, "{");
        at = append(out, at, cap, form, plain);
        form += plain;
        if (*form == '{') {
            char number[NUMBER_BYTES];
            size_t len = strcspn(form + 1, "}");
            const char *text = text_of(words, form + 1, len, number);
            at = append(out, at, cap, text, strlen(text));
            form += len + 2;
        }
    }
    out[at] = '\0';
}
