/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "screen.h"
#include "table.h"

#define CAP 512

static char shown[CAP];

static FILE *begin(void)
{
    memset(shown, 0, sizeof shown);
    return fmemopen(shown, sizeof shown - 1, "w");
}

static const char *wrapped(const char *text, size_t column, size_t indent, size_t width)
{
    FILE *out = begin();

    screen_wrap(out, text, column, indent, width);
    (void)fclose(out);
    return shown;
}

static void columns__counts_what_is_seen(void **state)
{
    (void)state;
    assert_int_equal(screen_columns("kettle"), 6);
    assert_int_equal(screen_columns("K\xC3\xBC"
                                    "che"),
                     5);
    assert_int_equal(screen_columns("\xE8\x8C\xB6"), 2);     /* U+8336 */
    assert_int_equal(screen_columns("e\xCC\x81"), 1);        /* e and U+0301 */
    assert_int_equal(screen_columns("\xFF\xC3"), 2);         /* no UTF-8 */
    assert_int_equal(screen_columns("\xF0\x9F\x8D\xB5"), 2); /* U+1F375 */
}

static void print__never_steers_the_terminal(void **state)
{
    FILE *out = begin();

    (void)state;
    screen_print(out, "a\x1B[31mb\rc\xC2\x9B"
                      "d\x7F");
    (void)fclose(out);
    assert_string_equal(shown, "a?[31mb?c?d?");
}

static void wrap__breaks_between_words_only(void **state)
{
    (void)state;
    assert_string_equal(wrapped("one two three", 0, 0, 8), "one two\nthree\n");
    assert_string_equal(wrapped("one two", 4, 4, 8), "one\n    two\n");
    assert_string_equal(wrapped("extraordinary", 0, 0, 8), "extraordinary\n");
    assert_string_equal(wrapped("exactly8", 0, 0, 8), "exactly8\n");
    assert_string_equal(wrapped("", 0, 0, 8), "\n");
}

static void width__is_as_given_where_there_is_no_terminal(void **state)
{
    FILE *out = tmpfile();

    (void)state;
    assert_int_equal(screen_width(out, 77), 77);
    (void)fclose(out);
}

static void table__is_straight_with_every_script(void **state)
{
    static const char *const headings[] = {"name", "note", NULL};
    struct table *table = table_new(headings);
    FILE *file = tmpfile();
    char text[CAP] = "";

    (void)state;
    table_add(table, (const char *const[]){"K\xC3\xBC"
                                           "che",
                                           "x"});
    table_add(table, (const char *const[]){"\xE8\x8C\xB6", "a\x1B"
                                                           "c"});
    table_add(table, (const char *const[]){"", ""});
    assert_int_equal(table_print(table, file), 0);
    rewind(file);
    (void)fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    assert_string_equal(text, "name   note\n"
                              "K\xC3\xBC"
                              "che  x\n"
                              "\xE8\x8C\xB6     a?c\n"
                              "-      -\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns__counts_what_is_seen),
        cmocka_unit_test(print__never_steers_the_terminal),
        cmocka_unit_test(wrap__breaks_between_words_only),
        cmocka_unit_test(width__is_as_given_where_there_is_no_terminal),
        cmocka_unit_test(table__is_straight_with_every_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
