/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_AT_PATTERN_H
#define ALOFT_AT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Basic regular expressions of POSIX for AT+SYSMSGFILTERCFG, without what would need a stack:
 * literals, `.`, `[...]` with ranges and `^`, `*`, `^` at the start, `$` at the end, and `\` before
 * a character that is not a letter or digit. Groups, intervals, back references and classes like
 * `[[:digit:]]` are refused.
 */

#define ALOFT_PATTERN_MAX 64 /**< Bytes of one. */

struct aloft_pattern {
    const uint8_t *text; /**< Borrowed. */
    uint8_t n_atoms;
    bool is_at_start; /**< `^` */
    bool is_at_end;   /**< `$` */
    struct aloft_pattern_atom {
        uint8_t off; /**< In the text. */
        uint8_t len;
        bool is_repeated; /**< `*` */
    } atoms[ALOFT_PATTERN_MAX];
};

/** Bytes of a ring. */
struct aloft_pattern_input {
    const uint8_t *bytes;
    size_t cap;
    size_t start; /**< Index of the first; below `cap`. */
    size_t len;   /**< Up to 65534, and to `cap`. */
};

struct aloft_pattern_range {
    size_t from;
    size_t to; /**< Behind the last byte. */
};

/** @param len 1 to ALOFT_PATTERN_MAX. @return False: it is none, or has what is refused. */
bool aloft_pattern_parse(const uint8_t *text, size_t len, struct aloft_pattern *ret_pattern);

/** The first place that matches, as long as it can be. Takes time in proportion to the product of
 * both lengths, whatever they hold. @return False: there is none. */
bool aloft_pattern_find(const struct aloft_pattern *pattern,
                        const struct aloft_pattern_input *input,
                        struct aloft_pattern_range *ret_range);

#endif
