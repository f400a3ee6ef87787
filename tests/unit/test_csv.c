/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "host/csv.h"

static void write__quotes_by_rfc_4180_and_disarms_formulas(void **state)
{
    static const struct {
        const char *text;
        const char *cell;
    } rows[] = {
        {"", ""},
        {"lamp-1", "lamp-1"},
        {"a b", "a b"},
        {"a,b", "\"a,b\""},
        {"say \"x\"", "\"say \"\"x\"\"\""},
        {"two\r\nlines", "\"two\r\nlines\""},
        {"=1+1", "'=1+1"},
        {"+1", "'+1"},
        {"-1", "'-1"},
        {"@SUM(A1)", "'@SUM(A1)"},
        {"\t=1", "'\t=1"},
        {"=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\""},
        {"'quoted", "''quoted"},
        {"a=b", "a=b"},
        {"<b>\xC3\xA4</b>", "<b>\xC3\xA4</b>"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[64];
        char wanted[80];
        struct csv_writer w = {buf, sizeof buf, 0, false, true};
        csv_write_cell(&w, rows[i].text);
        csv_write_number(&w, -7);
        csv_end_row(&w);
        (void)snprintf(wanted, sizeof wanted, "%s,-7\r\n", rows[i].cell);
        assert_int_equal(w.len, strlen(wanted));
        assert_memory_equal(buf, wanted, w.len);
        assert_true(w.len <= CSV_CELL_BYTES(strlen(rows[i].text)) + CSV_CELL_BYTES(20));
        assert_false(w.is_full);
    }
}

static void write__says_when_it_does_not_fit(void **state)
{
    char buf[4];
    struct csv_writer w = {buf, 3, 0, false, true};

    (void)state;
    buf[3] = '!';
    csv_write_cell(&w, "abc");
    assert_false(w.is_full);
    csv_end_row(&w);
    assert_true(w.is_full);
    assert_int_equal(w.len, 3);
    assert_int_equal(buf[3], '!');
}

/* The rows as text: `a|b` and a line end for each. */
static enum aloft_err read_all(const char *text, size_t len, char *out, size_t cap, struct error *e)
{
    char copy[256];
    char *cells[4];
    size_t n = 0;
    enum aloft_err err;

    memcpy(copy, text, len);
    copy[len] = '\0';
    struct csv_reader r = {.next = copy, .end = copy + len};
    out[0] = '\0';
    while ((err = csv_read_row(&r, cells, 4, &n, e)) == ALOFT_ERR_OK) {
        for (size_t i = 0; i < n; i++) {
            size_t used = strlen(out);
            (void)snprintf(out + used, cap - used, "%s%s", i ? "|" : "", cells[i]);
        }
        size_t used = strlen(out);
        (void)snprintf(out + used, cap - used, "@%lu;", r.line);
    }
    return err;
}

static void read__takes_what_spreadsheets_write(void **state)
{
    static const struct {
        const char *text;
        const char *rows; /* each with its line */
    } cases[] = {
        {"", ""},
        {"\n\r\n", ""},
        {"a,b\r\nc,d\r\n", "a|b@1;c|d@2;"},
        {"a,b\nc,d", "a|b@1;c|d@2;"},
        {"\xEF\xBB\xBF"
         "a\n",
         "a@1;"},
        {"a,\n,b\n", "a|@1;|b@2;"},
        {"\"a,\"\"b\"\"\",c\n", "a,\"b\"|c@1;"},
        {"\"two\nlines\",x\ny,z\n", "two\nlines|x@1;y|z@3;"},
        {"a\n\n\nb\n", "a@1;b@4;"},
        {"'=1+1,''q,'plain\n", "=1+1|'q|'plain@1;"},
        {"\"'=1,2\"\n", "=1,2@1;"},
        {"\"\",x\n", "|x@1;"},
    };
    char out[256];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_err(read_all(cases[i].text, strlen(cases[i].text), out, sizeof out, NULL),
                   ALOFT_ERR_NOT_FOUND);
        assert_string_equal(out, cases[i].rows);
    }
}

static void read__refuses_what_is_broken_with_its_line(void **state)
{
    static const struct {
        const char *text;
        size_t len; /* 0: up to the NUL */
        const char *sentence;
    } cases[] = {
        {"a\n\"b", 0, "line 2: a quote is not closed"},
        {"\"a\"b\n", 0, "line 1: something stands between a closing quote and the next comma"},
        {"a\nb\"c\n", 0, "line 2: a quote or a NUL stands within a value: quote the whole value"},
        {"a\0b\n", 4, "line 1: a quote or a NUL stands within a value: quote the whole value"},
        {"a,b,c,d,e\n", 0, "line 1: there are more values than columns"},
        {"a\rb\n", 0, "line 1: something stands between a closing quote and the next comma"},
    };
    char out[256];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error e = {0};
        size_t len = cases[i].len ? cases[i].len : strlen(cases[i].text);
        assert_err(read_all(cases[i].text, len, out, sizeof out, &e), ALOFT_ERR_SYNTAX);
        assert_string_equal(e.sentence, cases[i].sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write__quotes_by_rfc_4180_and_disarms_formulas),
        cmocka_unit_test(write__says_when_it_does_not_fit),
        cmocka_unit_test(read__takes_what_spreadsheets_write),
        cmocka_unit_test(read__refuses_what_is_broken_with_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
