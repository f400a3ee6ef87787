/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_TABLE_H
#define ALOFT_CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 8

/* Rows of text with aligned columns. On a terminal a long last column goes on below itself. */

struct table;

/** @param headings  Constant texts, kept; NULL behind the last. @return NULL when memory is out. */
struct table *table_new(const char *const *headings);

/** Texts are copied; an empty one shows as "-". Without memory (also: `table` is NULL) the row is
 * missing and table_print() fails. */
void table_add(struct table *table, const char *const *cells);

/** Print it and free it. @return 0, or -1 if a row is missing, `table` is NULL or the stream
 * failed. */
int table_print(struct table *table, FILE *out);

/** Without printing; NULL is fine. */
void table_free(struct table *table);

#endif
