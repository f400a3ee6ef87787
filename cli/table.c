/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "screen.h"

#define GAP             2
#define LAST_COLUMN_MIN 24
#define LAST_INDENT     4

struct table {
    const char *const *headings;
    size_t n_columns;
    size_t widths[TABLE_COLUMNS_MAX];
    char **cells; /* row after row */
    size_t n_cells;
    bool has_failed;
};

static void widen(struct table *t, size_t column, const char *text)
{
    size_t width = screen_columns(text);

    if (width > t->widths[column]) {
        t->widths[column] = width;
    }
}

struct table *table_new(const char *const *headings)
{
    struct table *t = calloc(1, sizeof *t);

    if (!t) {
        return NULL;
    }
    t->headings = headings;
    while (headings[t->n_columns] && t->n_columns < TABLE_COLUMNS_MAX) {
        widen(t, t->n_columns, headings[t->n_columns]);
        t->n_columns++;
    }
    return t;
}

void table_add(struct table *t, const char *const *cells)
{
    if (!t) {
        return;
    }
    char **more = realloc(t->cells, (t->n_cells + t->n_columns) * sizeof *more);
    if (!more) {
        t->has_failed = true;
        return;
    }
    t->cells = more;
    for (size_t i = 0; i < t->n_columns; i++) {
        const char *text = cells[i][0] ? cells[i] : "-";
        char *copy = strdup(text);
        t->has_failed |= !copy;
        t->cells[t->n_cells++] = copy;
        widen(t, i, text);
    }
}

/* The last column goes on below itself where the terminal ends, or on lines of its own if there is
 * no room for it. */
static void print_last(size_t column, const char *text, size_t width, FILE *out)
{
    if (column + LAST_COLUMN_MIN > width && column + screen_columns(text) > width) {
        (void)fprintf(out, "\n%*s", LAST_INDENT, "");
        column = LAST_INDENT;
    }
    screen_wrap(out, text, column, column, width);
}

static void print_row(const struct table *t, const char *const *cells, size_t width, FILE *out)
{
    size_t column = 0;

    for (size_t i = 0; i < t->n_columns; i++) {
        const char *text = cells[i] ? cells[i] : "";
        if (i + 1 == t->n_columns) {
            print_last(column, text, width, out);
            return;
        }
        screen_print(out, text);
        (void)fprintf(out, "%*s", (int)(t->widths[i] + GAP - screen_columns(text)), "");
        column += t->widths[i] + GAP;
    }
}

void table_free(struct table *t)
{
    for (size_t i = 0; t && i < t->n_cells; i++) {
        free(t->cells[i]);
    }
    if (t) {
        free(t->cells);
    }
    free(t);
}

int table_print(struct table *t, FILE *out)
{
    if (!t) {
        return -1;
    }
    bool has_failed = t->has_failed;
    size_t width = screen_width(out, SIZE_MAX);

    print_row(t, t->headings, width, out);
    for (size_t i = 0; i < t->n_cells; i += t->n_columns) {
        print_row(t, (const char *const *)t->cells + i, width, out);
    }
    table_free(t);
    return has_failed || ferror(out) ? -1 : 0;
}
