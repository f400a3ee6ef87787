/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "host/log.h"

/* Standard error goes into a pipe while one line is logged. */
struct capture {
    int saved_fd;
    int pipe_fd;
    char line[4096];
};

static int set_up(void **state)
{
    struct capture *c = calloc(1, sizeof *c);
    int fds[2];

    if (!c || pipe(fds) != 0) {
        return -1;
    }
    c->saved_fd = dup(STDERR_FILENO);
    c->pipe_fd = fds[0];
    (void)dup2(fds[1], STDERR_FILENO);
    (void)close(fds[1]);
    *state = c;
    return 0;
}

static int tear_down(void **state)
{
    struct capture *c = *state;

    log_set_format(LOG_FORMAT_TEXT);
    (void)dup2(c->saved_fd, STDERR_FILENO);
    (void)close(c->saved_fd);
    (void)close(c->pipe_fd);
    free(c);
    return 0;
}

/* The line, without its time. */
static const char *take_line(struct capture *c)
{
    ssize_t n = read(c->pipe_fd, c->line, sizeof c->line - 1);

    assert_true(n > 0);
    c->line[n] = '\0';
    assert_int_equal(c->line[n - 1], '\n');
    assert_null(memchr(c->line, '\n', (size_t)n - 1));
    c->line[n - 1] = '\0';
    return c->line + strcspn(c->line, " ");
}

static json_t *take_json(struct capture *c)
{
    (void)take_line(c);
    json_error_t why;
    json_t *json = json_loads(c->line, JSON_REJECT_DUPLICATES, &why);
    if (!json) {
        fail_msg("not JSON (%s): %s", why.text, c->line);
    }
    return json;
}

static void text__is_level_event_and_pairs(void **state)
{
    struct capture *c = *state;

    log_info("a.b", "n=%d big=%" PRIu64 " size=%zu hex=0x%08x word=%s said=\"%s\" cut=%.3s c=%c",
             -1, UINT64_MAX, (size_t)7, 0xBEEFu, "x", "two words", "abcdef", '!');
    assert_string_equal(take_line(c), " info a.b n=-1 big=18446744073709551615 size=7 "
                                      "hex=0x0000beef word=x said=\"two words\" cut=abc c=!");
    log_warn("bare", "%s and %d%%", "a = \"b\"", 5);
    assert_string_equal(take_line(c), " warn bare a = \"b\" and 5%");
    assert_int_equal(strspn(c->line, "0123456789-T:.Z"), strlen("2026-01-01T00:00:00.000Z"));
}

static void text__a_value_cannot_forge_pairs_or_lines(void **state)
{
    struct capture *c = *state;

    log_error("e", "a=\"%s\" b=%s c=%s d=%s", "1\" x=\"2\\\n", "p q=r", "", "s\"t");
    assert_string_equal(take_line(c),
                        " error e a=\"1\\\" x=\\\"2\\\\?\" b=\"p q=r\" c=\"\" d=\"s\\\"t\"");
}

static void json__has_numbers_and_strings(void **state)
{
    struct capture *c = *state;

    log_set_format(LOG_FORMAT_JSON);
    log_info("a.b",
             "n=%d big=%" PRId64 " size=%zu hex=0x%x pad=%08u word=%s said=\"%u\" two=%u/%u none=",
             -1, INT64_MAX, (size_t)7, 0xBEEFu, 3u, "5", 6u, 1u, 2u);
    json_t *json = take_json(c);
    assert_string_equal(json_string_value(json_object_get(json, "level")), "info");
    assert_string_equal(json_string_value(json_object_get(json, "event")), "a.b");
    assert_int_equal(strlen(json_string_value(json_object_get(json, "time"))),
                     strlen("2026-01-01T00:00:00.000Z"));
    assert_int_equal(json_integer_value(json_object_get(json, "n")), -1);
    assert_int_equal(json_integer_value(json_object_get(json, "big")), INT64_MAX);
    assert_int_equal(json_integer_value(json_object_get(json, "size")), 7);
    assert_string_equal(json_string_value(json_object_get(json, "hex")), "0xbeef");
    assert_string_equal(json_string_value(json_object_get(json, "pad")), "00000003");
    assert_string_equal(json_string_value(json_object_get(json, "word")), "5");
    assert_string_equal(json_string_value(json_object_get(json, "said")), "6");
    assert_string_equal(json_string_value(json_object_get(json, "two")), "1/2");
    assert_string_equal(json_string_value(json_object_get(json, "none")), "");
    json_decref(json);
    log_info("bare", "%s", "all of it");
    json = take_json(c);
    assert_string_equal(json_string_value(json_object_get(json, "text")), "all of it");
    json_decref(json);
}

static void json__is_whole_for_any_bytes(void **state)
{
    static const struct {
        const char *value;
        const char *wanted;
    } rows[] = {
        {"a\"b\\c", "a\"b\\c"},
        {"\",\"level\":\"x", "\",\"level\":\"x"},
        {"\x01\n\r\t\x1f\x7f", "\x01\n\r\t\x1f\x7f"},
        {"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x94\xA5",
         "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x94\xA5"},
        {"\x80", "\xEF\xBF\xBD"},
        {"\xC3", "\xEF\xBF\xBD"},
        {"\xC3(", "\xEF\xBF\xBD("},
        {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xE0\x80\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xF0\x8F\xBF\xBF", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xF8\x88\x80\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xFF\xFE", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"%s%n", "%s%n"},
    };
    struct capture *c = *state;

    log_set_format(LOG_FORMAT_JSON);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        log_info("e", "a=\"%s\" b=%s n=%d", rows[i].value, rows[i].value, 1);
        json_t *json = take_json(c);
        assert_string_equal(json_string_value(json_object_get(json, "a")), rows[i].wanted);
        assert_string_equal(json_string_value(json_object_get(json, "b")), rows[i].wanted);
        assert_int_equal(json_object_size(json), 6);
        json_decref(json);
    }
}

/* Whatever the length, and whatever stands where the line ends. */
static void json__is_whole_when_it_is_cut(void **state)
{
    static const char *const units[] = {"a", "\"", "\x01", "\xE2\x82\xAC", "\xFF"};
    struct capture *c = *state;
    char value[3000];

    log_set_format(LOG_FORMAT_JSON);
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        for (size_t len = 200; len < sizeof value - 4; len++) {
            size_t n = 0;
            while (n < len) {
                n += (size_t)snprintf(value + n, sizeof value - n, "%s", units[u]);
            }
            log_info("e", "first=%d v=\"%s\" n=%zu", 1, value, len);
            json_t *json = take_json(c);
            assert_int_equal(json_integer_value(json_object_get(json, "first")), 1);
            bool is_cut = json_is_true(json_object_get(json, "is_cut"));
            assert_int_equal(is_cut, json_object_get(json, "n") == NULL);
            json_decref(json);
        }
        assert_non_null(strstr(c->line, "\"is_cut\":true}"));
    }
}

static void json__a_value_that_just_fills_the_line_leaves_no_room_for_more(void **state)
{
    struct capture *c = *state;
    char value[2048];
    char next[600];

    log_set_format(LOG_FORMAT_JSON);
    memset(next, 'y', sizeof next - 1);
    next[sizeof next - 1] = '\0';
    for (size_t len = 1900; len < sizeof value; len++) {
        memset(value, 'x', len);
        value[len] = '\0';
        log_info("e", "v=\"%s\" next=\"%s\" more=\"%s\"", value, next, next);
        json_t *json = take_json(c);
        assert_true(strlen(c->line) < 2048);
        assert_true(json_is_true(json_object_get(json, "is_cut")));
        json_decref(json);
    }
}

static void text__a_line_too_long_is_cut_and_still_one_line(void **state)
{
    struct capture *c = *state;
    char value[5000];

    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    log_info("e", "v=\"%s\" n=%d", value, 1);
    assert_null(strstr(take_line(c), "n=1"));
    assert_true(strlen(c->line) < 2048);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(text__is_level_event_and_pairs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(text__a_value_cannot_forge_pairs_or_lines, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(json__has_numbers_and_strings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(json__is_whole_for_any_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(json__is_whole_when_it_is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            json__a_value_that_just_fills_the_line_leaves_no_room_for_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(text__a_line_too_long_is_cut_and_still_one_line, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
