/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HOST_CONFIG_H
#define ALOFT_HOST_CONFIG_H

#include <stddef.h>

#include "aloft/attr.h"
#include "host/error.h"

/*
 * A configuration file: lines of `key = value`, blank lines, and lines that begin with `#`. Blanks
 * around key and value do not count; a line may end with CR LF. There are no sections, quotes or
 * escapes: what could be meant in two ways is refused with its line number.
 */

#define CONFIG_KEY_BYTES   64
#define CONFIG_VALUE_BYTES 1024
#define CONFIG_FILE_MAX    65536

/**
 * Takes one pair. An error ends the parsing; its sentence gets `FILE:LINE: ` in front.
 *
 * @param key    [a-z0-9_], under CONFIG_KEY_BYTES.
 * @param value  Printable bytes, under CONFIG_VALUE_BYTES; may be empty. Both are borrowed.
 */
typedef enum aloft_err config_take_fn(void *ctx, const char *key, const char *value, unsigned line,
                                      struct error *e);

/**
 * Parse a file's text from the first line to the last, or to the first error.
 *
 * @param name  Of the file, for sentences.
 * @retval ALOFT_ERR_SYNTAX  A line is neither of the three kinds; the pairs before it were taken.
 */
ALOFT_MUST_CHECK
enum aloft_err config_parse(const char *text, size_t len, const char *name, config_take_fn *take,
                            void *ctx, struct error *e);

#endif
