/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ATTEMPT_SENTENCE_H
#define ALOFT_ATTEMPT_SENTENCE_H

#include <stddef.h>
#include <stdint.h>

/* Sentences with placeholders: `closed after {acked} bytes`. */

/** What a placeholder stands for. A table of them ends with a NULL name. */
struct sentence_word {
    const char *name;
    const char *text; /**< Borrowed; NULL: the number. */
    uint64_t number;
};

/** Fill a template in; an unknown placeholder becomes `?`. Cut when `cap` is too small. */
void sentence_fill(const char *form, const struct sentence_word *words, char *out, size_t cap);

#endif
