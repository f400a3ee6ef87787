/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct table {
    const char *const *headings;
    size_t n_columns;
    int widths[TABLE_COLUMNS_MAX];
    char **cells; /* row after row */
    size_t n_cells;
    bool has_failed;
};

static void widen(struct table *t, size_t column, const char *text)
{
    int width = (int)strlen(text);

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

static void print_row(const struct table *t, const char *const *cells, FILE *out)
{
    for (size_t i = 0; i < t->n_columns; i++) {
        bool is_last = i + 1 == t->n_columns;
        (void)fprintf(out, "%-*s%s", is_last ? 0 : t->widths[i], cells[i] ? cells[i] : "",
                      is_last ? "\n" : "  ");
    }
}

int table_print(struct table *t, FILE *out)
{
    if (!t) {
        return -1;
    }
    bool has_failed = t->has_failed;
    print_row(t, t->headings, out);
    for (size_t i = 0; i < t->n_cells; i += t->n_columns) {
        print_row(t, (const char *const *)t->cells + i, out);
    }
    for (size_t i = 0; i < t->n_cells; i++) {
        free(t->cells[i]);
    }
    free(t->cells);
    free(t);
    return has_failed || ferror(out) ? -1 : 0;
}
