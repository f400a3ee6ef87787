/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HOST_CSV_H
#define ALOFT_HOST_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "aloft/attr.h"
#include "host/error.h"

/*
 * Comma-separated values by RFC 4180, safe to open in a spreadsheet: a value that begins with
 * = + - @, a tab, a carriage return or an apostrophe gets an apostrophe in front, which keeps it
 * from being run as a formula; reading takes it away again, so that what goes out comes back.
 */

/** Writes into a buffer of the caller's. */
struct csv_writer {
    char *buf;
    size_t cap;
    size_t len;      /**< Written; no NUL. */
    bool is_full;    /**< Something did not fit: the text is not whole. */
    bool is_row_new; /**< Begin with true. */
};

void csv_write_cell(struct csv_writer *w, const char *text);
void csv_write_number(struct csv_writer *w, long long value); /**< As it is, also below 0. */
void csv_end_row(struct csv_writer *w);

#define CSV_CELL_BYTES(len) (2 * (len) + 4) /**< A text of `len` bytes takes this at most. */

/** Reads from a buffer of the caller's, which it changes. */
struct csv_reader {
    char *next;
    char *end;               /**< A NUL stands there. */
    unsigned long line;      /**< Of the row read last, from 1; begin with 0. */
    unsigned long next_line; /**< Private; begin with 0. */
};

/**
 * The next row that is not empty. A byte order mark before the first one is passed over.
 *
 * @param ret_cells  Point into the buffer, NUL behind each.
 * @retval ALOFT_ERR_NOT_FOUND  There is none left. No sentence.
 * @retval ALOFT_ERR_SYNTAX     Broken quotes, a NUL, or more than `cells_max` cells.
 */
ALOFT_MUST_CHECK
enum aloft_err csv_read_row(struct csv_reader *r, char **ret_cells, size_t cells_max,
                            size_t *ret_n_cells, struct error *e);

#endif
