/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "http/json.h"

/* All that is found, separated by `|`, with the final result behind it; fed in portions. */
static const char *read_all(enum aloft_json_want want, const char *text, size_t portion)
{
    static char out[512];
    struct aloft_json json;
    size_t len = strlen(text);
    size_t at = 0;
    enum aloft_err err = ALOFT_ERR_AGAIN;

    out[0] = '\0';
    aloft_json_init(&json, want);
    while (at < len && (err == ALOFT_ERR_OK || err == ALOFT_ERR_AGAIN)) {
        size_t used = 0;
        size_t n = len - at < portion ? len - at : portion;
        err = aloft_json_feed(&json, (const uint8_t *)text + at, n, &used);
        assert_true(used <= n);
        at += used;
        if (err == ALOFT_ERR_OK) {
            strncat(out, json.text, 200);
            strncat(out, "|", 2);
        }
    }
    strncat(out, aloft_err_name(err == ALOFT_ERR_OK ? ALOFT_ERR_AGAIN : err), 20);
    return out;
}

struct row {
    const char *text;
    const char *found;
};

static void check(enum aloft_json_want want, const struct row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        for (size_t portion = 1; portion < 70; portion += portion < 4 ? 1 : 13) {
            assert_string_equal(read_all(want, rows[i].text, portion), rows[i].found);
        }
    }
}

static void recommended__is_any_member_of_the_outermost_object_that_ends_so(void **state)
{
    static const struct row rows[] = {
        {"{\"recommended_rom_version\": \"v5.0.1.0\", \"status\": 200}", "v5.0.1.0|CLOSED"},
        {"{\"rom_version\":\"v1\"}", "v1|CLOSED"},
        {" \r\n\t{ \"rom_version\" \n:\t\"v1\" }", "v1|CLOSED"},
        {"{\"status\": 200, \"a\": [1, {\"b\": []}], \"rom_version\": \"v1\"}", "v1|CLOSED"},
        {"{\"rom_version\": \"a\", \"x_rom_version\": \"b\"}", "a|b|CLOSED"},
        {"{\"rom_version\": \"v\\u0031\\/\\\\\\\"\\n\"}", "v1/\\\"\n|CLOSED"},
        {"{\"rom_version\": \"\\u00e4\\ud83d\\u0000\"}", "\x7f\x7f\x7f|CLOSED"},
        {"{\"rom\\u005fversion\": \"v1\"}", "v1|CLOSED"},
        {"{\"rom_versions\": \"v1\", \"version\": \"v2\"}", "CLOSED"},
        {"{\"a\": {\"rom_version\": \"v1\"}}", "CLOSED"},
        {"[{\"rom_version\": \"v1\"}]", "CLOSED"},
        {"{\"rom_version\": 1, \"a\": \"b\"}", "CLOSED"},
        {"{\"rom_version\": null, \"a\": \"b\"}", "CLOSED"},
        {"{\"rom_version\": [\"v1\"], \"a\": \"b\"}", "CLOSED"},
        {"{\"rom_version\": {\"a\": \"v1\"}, \"a\": \"b\"}", "CLOSED"},
        {"{\"a\": \"rom_version\", \"b\": \"v1\"}", "CLOSED"},
        {"{}", "CLOSED"},
        {"{\"rom_version\": \"v1\"} trailing", "v1|CLOSED"},
    };
    (void)state;

    check(ALOFT_JSON_RECOMMENDED, rows, sizeof rows / sizeof rows[0]);
}

static void versions__are_members_of_objects_in_an_outer_array(void **state)
{
    static const struct row rows[] = {
        /* facts/ciupdate-wire.md 4.4 */
        {"{\"recommended_rom_version\": \"v5.0.1.0\", \"status\": 200, \"productRoms\": [{"
         "\"version\": \"v5.0.1.0\", \"recommended\": 1, \"life_cycle\": \"release\"}, {"
         "\"version\": \"v5.0.0.0\", \"recommended\": 0, \"life_cycle\": \"release\"}]}",
         "v5.0.1.0|v5.0.0.0|CLOSED"},
        {"[{\"version\":\"a\"},{\"x\":1,\"version\":\"b\"}]", "a|b|CLOSED"},
        {"{\"r\":[{\"files\":[{\"version\":\"no\"}],\"version\":\"a\"}]}", "a|CLOSED"},
        {"{\"version\": \"no\"}", "CLOSED"},
        {"{\"a\": {\"version\": \"no\"}}", "CLOSED"},
        {"{\"r\":[{\"rom_version\":\"no\",\"Version\":\"no\"}]}", "CLOSED"},
        {"{\"r\":[]}", "CLOSED"},
    };
    (void)state;

    check(ALOFT_JSON_VERSIONS, rows, sizeof rows / sizeof rows[0]);
}

static void text__that_is_not_json_is_refused(void **state)
{
    static const struct row rows[] = {
        {"<html>", "SYNTAX"},
        {"\"rom_version\"", "SYNTAX"},
        {"12", "SYNTAX"},
        {"{\"rom_version\" \"v1\"}", "SYNTAX"},
        {"{rom_version: \"v1\"}", "SYNTAX"},
        {"{\"a\": 1,}", "SYNTAX"},
        {"{,\"a\": 1}", "SYNTAX"},
        {"{\"a\": 1]", "SYNTAX"},
        {"[1}", "SYNTAX"},
        {"[1 2]", "SYNTAX"},
        {"[\"a\nb\"]", "SYNTAX"},
        {"[\"\\x\"]", "SYNTAX"},
        {"[\"\\u12g4\"]", "SYNTAX"},
        {"[#]", "SYNTAX"},
        {"[[[[[[[[[[[[[[[", "AGAIN"},
        {"[[[[[[[[[[[[[[[[", "SYNTAX"},
        {"{\"rom_version\": \"v1", "AGAIN"},
        {"{\"rom_version\": \"v1\"", "v1|AGAIN"},
    };
    (void)state;

    check(ALOFT_JSON_RECOMMENDED, rows, sizeof rows / sizeof rows[0]);
}

static void long_strings__are_passed_over_or_come_out_empty(void **state)
{
    char text[400];
    (void)state;

    memset(text, 0, sizeof text);
    memcpy(text, "{\"rom_version\": \"", 17);
    memset(text + 17, 'v', 113);
    memcpy(text + 130, "\"}", 3);
    assert_int_equal(strlen(read_all(ALOFT_JSON_RECOMMENDED, text, 400)), 113 + 7);
    memcpy(text + 130, "v\"}", 4);
    assert_string_equal(read_all(ALOFT_JSON_RECOMMENDED, text, 400), "|CLOSED");
    memcpy(text, "{\"vvvvvvvvvvvvvvv", 17);
    memcpy(text + 130, "rom_version\": \"x\"}", 19);
    assert_string_equal(read_all(ALOFT_JSON_RECOMMENDED, text, 400), "CLOSED");
}

static void results__are_sticky(void **state)
{
    struct aloft_json json;
    size_t used = 0;
    (void)state;

    aloft_json_init(&json, ALOFT_JSON_RECOMMENDED);
    assert_err(aloft_json_feed(&json, (const uint8_t *)"{}x", 3, &used), ALOFT_ERR_CLOSED);
    assert_int_equal(used, 2);
    assert_err(aloft_json_feed(&json, (const uint8_t *)"{", 1, &used), ALOFT_ERR_CLOSED);
    assert_int_equal(used, 0);
    aloft_json_init(&json, ALOFT_JSON_RECOMMENDED);
    assert_err(aloft_json_feed(&json, (const uint8_t *)"x", 1, &used), ALOFT_ERR_SYNTAX);
    assert_err(aloft_json_feed(&json, (const uint8_t *)"{}", 2, &used), ALOFT_ERR_SYNTAX);
    assert_int_equal(used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recommended__is_any_member_of_the_outermost_object_that_ends_so),
        cmocka_unit_test(versions__are_members_of_objects_in_an_outer_array),
        cmocka_unit_test(text__that_is_not_json_is_refused),
        cmocka_unit_test(long_strings__are_passed_over_or_come_out_empty),
        cmocka_unit_test(results__are_sticky),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
