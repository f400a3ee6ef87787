/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HTTP_TEXT_H
#define ALOFT_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the HTTP parsers share; private to formats. */

/** Compare `len` bytes with a NUL-terminated text, ASCII case ignored. */
bool aloft_http_text_is(const char *text, size_t len, const char *wanted);

/** Decimal digits and nothing else. False for no digit, another byte, or more than 64 bits. */
bool aloft_http_text_number(const char *text, size_t len, uint64_t *ret_number);

#endif
