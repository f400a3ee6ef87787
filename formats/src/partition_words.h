/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_PARTITION_WORDS_H
#define ALOFT_PARTITION_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/* Words and numbers of the partition CSV, shared by its reader and its writer. */

/** A piece of somebody else's text; not NUL-terminated. */
struct aloft_span {
    const char *text;
    size_t len;
};

/** Without the white space at both ends. */
struct aloft_span aloft_span_trim(struct aloft_span span);

/** Keyword of a type in any case; false if it is none. */
bool aloft_partition_words_find_type(struct aloft_span word, uint8_t *ret_type);

/** Keyword of a subtype of `type` in any case; false if it is none. */
bool aloft_partition_words_find_subtype(uint8_t type, struct aloft_span word, uint8_t *ret_subtype);

/** NULL if the number has no keyword. */
const char *aloft_partition_words_type(uint8_t type);
const char *aloft_partition_words_subtype(uint8_t type, uint8_t subtype);

/** The word, exact in case, is a keyword of a type or subtype, but not of this partition's own. */
bool aloft_partition_words_mislead(struct aloft_span name, uint8_t type, uint8_t subtype);

/** Numbers up to this size are told apart; larger ones are out of range wherever they stand. */
#define ALOFT_PARTITION_NUMBER_MAX ((int64_t)1 << 40)

/**
 * Read a number as Python's int(text, 0) does, with stacked k and m suffixes.
 *
 * @retval ALOFT_ERR_SYNTAX  It is not a number.
 * @retval ALOFT_ERR_RANGE   It is one, beyond ALOFT_PARTITION_NUMBER_MAX.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_partition_words_number(struct aloft_span word, int64_t *ret_value);

#endif
