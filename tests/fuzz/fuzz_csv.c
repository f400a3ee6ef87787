/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "host/csv.h"

/* Parsers: host/src/csv.c */

#define CELLS_MAX 8

/* What was read is written, and read again as the same. */
static void check_round_trip(char *const *cells, size_t n, size_t size)
{
    size_t cap = 2 * size + 8 * CELLS_MAX + 8;
    char *text = malloc(cap + 1);
    struct csv_writer w = {text, cap, 0, false, true};
    char *again[CELLS_MAX + 1];
    size_t n_again = 0;

    MUST(text != NULL);
    csv_write_cell(&w, "-"); /* a row of one empty value would be an empty line */
    for (size_t i = 0; i < n; i++) {
        csv_write_cell(&w, cells[i]);
    }
    csv_write_number(&w, -1);
    csv_end_row(&w);
    MUST(!w.is_full);
    text[w.len] = '\0';
    struct csv_reader r = {.next = text, .end = text + w.len};
    MUST(csv_read_row(&r, again, CELLS_MAX + 1, &n_again, NULL) == ALOFT_ERR_OK ||
         n + 2 > CELLS_MAX + 1);
    for (size_t i = 0; n + 2 <= CELLS_MAX + 1 && i < n; i++) {
        MUST(n_again == n + 2 && strcmp(again[i + 1], cells[i]) == 0);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);
    char *cells[CELLS_MAX];
    size_t n = 0;
    struct error e = {0};
    enum aloft_err err;

    MUST(copy != NULL);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    copy[size] = '\0';
    struct csv_reader r = {.next = copy, .end = copy + size};
    unsigned long line = 0;
    while ((err = csv_read_row(&r, cells, CELLS_MAX, &n, &e)) == ALOFT_ERR_OK) {
        MUST(n >= 1 && n <= CELLS_MAX && r.line > line && r.line <= size + 1);
        line = r.line;
        for (size_t i = 0; i < n; i++) {
            MUST(cells[i] >= copy && cells[i] + strlen(cells[i]) <= copy + size);
        }
        check_round_trip(cells, n, size);
    }
    MUST(err == ALOFT_ERR_NOT_FOUND || (err == ALOFT_ERR_SYNTAX && e.sentence[0]));
    free(copy);
    return 0;
}
