/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "at/line.h"

/* Expectations: facts/at-commands.md 1.3. */

static enum aloft_line_event add_text(struct aloft_at_line *line, const char *text)
{
    enum aloft_line_event event = ALOFT_LINE_MORE;

    for (; *text != '\0'; text++) {
        assert_int_equal(event, ALOFT_LINE_MORE);
        event = aloft_line_add(line, (uint8_t)*text);
    }
    return event;
}

static void line__ends_with_cr_lf_only(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        const char *line; /* NULL = not ended. */
    } rows[] = {
        {"AT\r\n", "AT"},
        {"\r\n", ""},
        {"AT\r", NULL},
        {"AT\n", NULL},
        {"AT\n\r", NULL},
        {"AT\rAT\r\n", "AT\rAT"},
        {"AT\nAT\r\n", "AT\nAT"},
        {"AT\r\r\n", "AT\r"},
        {"\nAT\r\n", "\nAT"},
        {"AT \r\n", "AT "},
        {"AT\x80\xff\r\n", "AT\x80\xff"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct aloft_at_line line = {.len = 0};
        enum aloft_line_event event = add_text(&line, rows[i].input);
        assert_int_equal(event, rows[i].line != NULL ? ALOFT_LINE_WHOLE : ALOFT_LINE_MORE);
        if (rows[i].line != NULL) {
            assert_string_equal(line.text, rows[i].line);
            assert_int_equal(line.len, strlen(rows[i].line));
        }
    }
}

static enum aloft_line_event add_long(struct aloft_at_line *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(aloft_line_add(line, 'x'), ALOFT_LINE_MORE);
    }
    return add_text(line, "\r\n");
}

static void line__holds_256_bytes_and_swallows_longer_ones(void **state)
{
    (void)state;
    struct aloft_at_line line = {.len = 0};

    assert_int_equal(add_long(&line, 256), ALOFT_LINE_WHOLE);
    assert_int_equal(line.len, 256);
    aloft_line_clear(&line);
    assert_int_equal(add_long(&line, 257), ALOFT_LINE_TOO_LONG);
    aloft_line_clear(&line);
    assert_int_equal(add_long(&line, 100000), ALOFT_LINE_TOO_LONG);
    aloft_line_clear(&line);
    assert_int_equal(add_text(&line, "AT\r\n"), ALOFT_LINE_WHOLE);
    assert_string_equal(line.text, "AT");
}

static void line__keeps_nul_bytes(void **state)
{
    (void)state;
    struct aloft_at_line line = {.len = 0};

    (void)add_text(&line, "AT");
    assert_int_equal(aloft_line_add(&line, 0), ALOFT_LINE_MORE);
    assert_int_equal(add_text(&line, "\r\n"), ALOFT_LINE_WHOLE);
    assert_int_equal(line.len, 3);
}

static void drop__forgets_the_lf_of_a_dropped_cr(void **state)
{
    (void)state;
    struct aloft_at_line line = {.len = 0};

    (void)add_text(&line, "surplus\r");
    aloft_line_drop(&line);
    assert_int_equal(add_text(&line, "\nAT\r\n"), ALOFT_LINE_WHOLE);
    assert_string_equal(line.text, "AT");
}

static void drop__forgets_no_lf_without_a_cr(void **state)
{
    (void)state;
    struct aloft_at_line line = {.len = 0};

    (void)add_text(&line, "surplus");
    aloft_line_drop(&line);
    assert_int_equal(add_text(&line, "\nAT\r\n"), ALOFT_LINE_WHOLE);
    assert_string_equal(line.text, "\nAT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line__ends_with_cr_lf_only),
        cmocka_unit_test(line__holds_256_bytes_and_swallows_longer_ones),
        cmocka_unit_test(line__keeps_nul_bytes),
        cmocka_unit_test(drop__forgets_the_lf_of_a_dropped_cr),
        cmocka_unit_test(drop__forgets_no_lf_without_a_cr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
