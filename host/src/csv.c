/* SPDX-License-Identifier: Apache-2.0 */
#include "host/csv.h"

#include <stdio.h>
#include <string.h>

#define FORMULA_CHARS "=+-@\t\r'"
#define QUOTED_CHARS  ",\"\r\n"
#define BOM           "\xEF\xBB\xBF"

static void put(struct csv_writer *w, char c)
{
    if (w->len < w->cap) {
        w->buf[w->len++] = c;
    } else {
        w->is_full = true;
    }
}

static void begin_cell(struct csv_writer *w)
{
    if (!w->is_row_new) {
        put(w, ',');
    }
    w->is_row_new = false;
}

static bool is_formula(const char *text)
{
    return text[0] && strchr(FORMULA_CHARS, text[0]);
}

void csv_write_cell(struct csv_writer *w, const char *text)
{
    bool is_quoted = text[strcspn(text, QUOTED_CHARS)] != '\0';

    begin_cell(w);
    if (is_quoted) {
        put(w, '"');
    }
    if (is_formula(text)) {
        put(w, '\'');
    }
    for (; *text; text++) {
        if (*text == '"') {
            put(w, '"');
        }
        put(w, *text);
    }
    if (is_quoted) {
        put(w, '"');
    }
}

void csv_write_number(struct csv_writer *w, long long value)
{
    char text[24];

    begin_cell(w);
    (void)snprintf(text, sizeof text, "%lld", value);
    for (const char *c = text; *c; c++) {
        put(w, *c);
    }
}

void csv_end_row(struct csv_writer *w)
{
    put(w, '\r');
    put(w, '\n');
    w->is_row_new = true;
}

static enum aloft_err broken(const struct csv_reader *r, const char *what, struct error *e)
{
    return fail(e, ALOFT_ERR_SYNTAX, "line %lu: %s", r->line, what);
}

/* After a cell: a comma (then there is another one), or the end of the row. */
static enum aloft_err take_end(struct csv_reader *r, bool *ret_has_more, struct error *e)
{
    *ret_has_more = false;
    if (r->next == r->end) {
        return ALOFT_ERR_OK;
    }
    if (*r->next == ',') {
        r->next++;
        *ret_has_more = true;
        return ALOFT_ERR_OK;
    }
    if (*r->next == '\r') {
        r->next++;
    }
    if (r->next < r->end && *r->next == '\n') {
        r->next++;
    } else if (r->next < r->end) {
        return broken(r, "something stands between a closing quote and the next comma", e);
    }
    r->next_line++;
    return ALOFT_ERR_OK;
}

/* Moves the text together over its doubled quotes; `*ret_end` gets where its NUL goes. */
static enum aloft_err take_quoted(struct csv_reader *r, char **ret_end, struct error *e)
{
    char *out = r->next++;

    for (;; r->next++) {
        if (r->next == r->end) {
            return broken(r, "a quote is not closed", e);
        }
        if (*r->next == '"' && r->next + 1 < r->end && r->next[1] == '"') {
            r->next++;
        } else if (*r->next == '"') {
            break;
        }
        r->next_line += *r->next == '\n';
        *out++ = *r->next;
    }
    r->next++;
    *ret_end = out;
    return ALOFT_ERR_OK;
}

static enum aloft_err take_cell(struct csv_reader *r, char **ret_cell, bool *ret_has_more,
                                struct error *e)
{
    char *cell = r->next;
    char *cell_end = cell; /* gcc -O2 cannot see that take_quoted() sets it */
    enum aloft_err err = ALOFT_ERR_OK;

    if (r->next < r->end && *r->next == '"') {
        err = take_quoted(r, &cell_end, e);
    } else {
        r->next += strcspn(r->next, QUOTED_CHARS);
        cell_end = r->next;
    }
    if (err == ALOFT_ERR_OK && r->next < r->end && (*r->next == '"' || *r->next == '\0')) {
        return broken(r, "a quote or a NUL stands within a value: quote the whole value", e);
    }
    if (err == ALOFT_ERR_OK) {
        err = take_end(r, ret_has_more, e); /* reads what the NUL may overwrite */
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    *cell_end = '\0';
    *ret_cell = cell[0] == '\'' && is_formula(cell + 1) ? cell + 1 : cell;
    return ALOFT_ERR_OK;
}

static void pass_empty_lines(struct csv_reader *r)
{
    if (r->next_line == 0) {
        size_t mark = strlen(BOM);
        if ((size_t)(r->end - r->next) >= mark && memcmp(r->next, BOM, mark) == 0) {
            r->next += mark;
        }
        r->next_line = 1;
    }
    for (;;) {
        bool has_return = r->next < r->end && *r->next == '\r';
        char *line_end = r->next + has_return;
        if (line_end >= r->end || *line_end != '\n') {
            return;
        }
        r->next = line_end + 1;
        r->next_line++;
    }
}

enum aloft_err csv_read_row(struct csv_reader *r, char **cells, size_t cells_max, size_t *ret_n,
                            struct error *e)
{
    bool has_more = true;
    size_t n = 0;

    pass_empty_lines(r);
    r->line = r->next_line;
    if (r->next >= r->end) {
        return ALOFT_ERR_NOT_FOUND;
    }
    while (has_more) {
        if (n == cells_max) {
            return broken(r, "there are more values than columns", e);
        }
        enum aloft_err err = take_cell(r, &cells[n++], &has_more, e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    *ret_n = n;
    return ALOFT_ERR_OK;
}
