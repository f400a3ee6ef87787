/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_SCREEN_H
#define ALOFT_CLI_SCREEN_H

#include <stddef.h>
#include <stdio.h>

/* Text for people. What comes from a server may hold what modules and other people wrote: it is
 * shown as text and never steers the terminal. */

/** Columns of the terminal that `out` is; `otherwise` if it is none. At least 40. */
size_t screen_width(FILE *out, size_t otherwise);

/** How many columns UTF-8 text takes: one for each character, two for the wide ones of East Asia,
 * none for those that combine with the one before. */
size_t screen_columns(const char *text);

/** Print text as it is, with '?' for each byte of a control character. */
void screen_print(FILE *out, const char *text);

/**
 * Print words with a space between them, and end the line. No line is wider than `width`, but for
 * a word that is.
 *
 * @param column  Where the cursor is.
 * @param indent  Where further lines begin.
 */
void screen_wrap(FILE *out, const char *text, size_t column, size_t indent, size_t width);

#endif
