/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "web/fields.h"

/* The readers of JSON and form bodies (facts/at-commands.md 3.4, 3.5, 6.3, 7). */

struct body {
    char ssid[33];
    char port[6];
    struct aloft_field fields[2];
};

static void init(struct body *b)
{
    memset(b, 0, sizeof *b);
    b->fields[0] = (struct aloft_field){.name = "ssid", .text = b->ssid, .cap = sizeof b->ssid};
    b->fields[1] = (struct aloft_field){
        .name = "udp_port", .text = b->port, .cap = sizeof b->port, .takes_number = true};
}

static enum aloft_err read_json(struct body *b, const char *text)
{
    size_t used = 0;

    init(b);
    enum aloft_err err = aloft_fields_read_json(text, strlen(text), b->fields, 2, &used);
    if (err == ALOFT_ERR_OK) {
        assert_int_equal(text[used - 1], '}');
    }
    return err;
}

static enum aloft_err read_form(struct body *b, const char *text)
{
    init(b);
    return aloft_fields_read_form(text, strlen(text), b->fields, 2);
}

/* -- JSON -------------------------------------------------------------------------------------- */

static void test_an_object_gives_its_wanted_members(void **state)
{
    struct body b;

    (void)state;
    assert_err(
        read_json(&b, "{\"ssid_len\":4,\"ssid\":\"home\",\"password_len\":0,\"password\":\"\"}"),
        ALOFT_ERR_OK);
    assert_string_equal(b.ssid, "home");
    assert_false(b.fields[1].is_present);
    assert_err(read_json(&b, " \r\n{ \"udp_port\" :\t8266 , \"x\":null,\"y\":true,\"z\":-1.5e+3,"
                             "\"v\":false,\"w\":0 }trailer"),
               ALOFT_ERR_OK);
    assert_string_equal(b.port, "8266");
    assert_err(read_json(&b, "{\"udp_port\":\"8266\"}"), ALOFT_ERR_OK);
    assert_string_equal(b.port, "8266");
    assert_err(read_json(&b, "{}"), ALOFT_ERR_OK);
    assert_false(b.fields[0].is_present);
}

static void test_names_are_compared_without_case(void **state)
{
    struct body b;

    (void)state;
    assert_err(read_json(&b, "{\"SsId\":\"Home\"}"), ALOFT_ERR_OK);
    assert_string_equal(b.ssid, "Home");
    assert_err(read_json(&b, "{\"ssid_\":\"a\",\"ssi\":\"b\"}"), ALOFT_ERR_OK);
    assert_false(b.fields[0].is_present);
}

static void test_escapes_become_utf_8(void **state)
{
    struct body b;

    (void)state;
    assert_err(
        read_json(&b,
                  "{\"ssid\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e4\\u20AC\\ud83d\\ude00\"}"),
        ALOFT_ERR_OK);
    assert_string_equal(b.ssid, "\"\\/\b\f\n\r\tA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_err(read_json(&b, "{\"ssid\":\"\xc3\xa4\xf0\x9f\x98\x80\"}"), ALOFT_ERR_OK);
    assert_string_equal(b.ssid, "\xc3\xa4\xf0\x9f\x98\x80");
}

static void test_row_39_what_is_no_flat_object_of_the_right_kinds_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "[]",
        "\"ssid\"",
        "{",
        "{\"ssid\"",
        "{\"ssid\":",
        "{\"ssid\":\"a\"",
        "{\"ssid\":\"a\",}",
        "{,}",
        "{\"ssid\" \"a\"}",
        "{ssid:\"a\"}",
        "{\"ssid\":a}",
        "{\"ssid\":1}",
        "{\"ssid\":null}",
        "{\"ssid\":true}",
        "{\"ssid\":[\"a\"]}",
        "{\"ssid\":{\"a\":1}}",
        "{\"x\":[1]}",
        "{\"x\":{}}",
        "{\"udp_port\":true}",
        "{\"x\":01}",
        "{\"x\":-}",
        "{\"x\":1.}",
        "{\"x\":1e}",
        "{\"x\":tru}",
        "{\"x\":nul",
        "{\"ssid\":\"a}",
        "{\"ssid\":\"\\x\"}",
        "{\"ssid\":\"\\",
        "{\"ssid\":\"\\u00\"}",
        "{\"ssid\":\"\\u00g0\"}",
        "{\"ssid\":\"\\u0000\"}",
        "{\"ssid\":\"\\ud83d\"}",
        "{\"ssid\":\"\\ud83d\\n\"}",
        "{\"ssid\":\"\\ud83d\\u0041\"}",
        "{\"ssid\":\"\\ude00\\ud83d\"}",
        "{\"ssid\":\"\\ude00\\ude00\"}",
        "{\"ssid\":\"a\nb\"}",
    };
    struct body b;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (read_json(&b, texts[i]) != ALOFT_ERR_SYNTAX) {
            fail_msg("not refused: %s", texts[i]);
        }
    }
    size_t used = 0;
    init(&b);
    assert_err(aloft_fields_read_json("{\"ssid\":\"a\0b\"}", 15, b.fields, 2, &used),
               ALOFT_ERR_SYNTAX);
}

static void test_a_value_of_32_bytes_fits_and_a_longer_one_is_refused(void **state)
{
    struct body b;

    (void)state;
    assert_err(read_json(&b, "{\"ssid\":\"0123456789abcdef0123456789abcdef\"}"), ALOFT_ERR_OK);
    assert_int_equal(strlen(b.ssid), 32);
    assert_err(read_json(&b, "{\"ssid\":\"0123456789abcdef0123456789abcdefg\"}"),
               ALOFT_ERR_TOO_BIG);
    assert_err(read_form(&b, "ssid=0123456789abcdef0123456789abcdefg"), ALOFT_ERR_TOO_BIG);
    assert_err(read_json(&b, "{\"udp_port\":1000000}"), ALOFT_ERR_TOO_BIG);
    assert_err(read_json(&b, "{\"a name nobody wants to have because it is so long\":\"a value that"
                             " is passed over whatever its length may be\"}"),
               ALOFT_ERR_OK);
}

static void test_a_field_that_stands_there_twice_is_refused(void **state)
{
    struct body b;

    (void)state;
    assert_err(read_json(&b, "{\"ssid\":\"a\",\"SSID\":\"a\"}"), ALOFT_ERR_DUPLICATE);
    assert_err(read_form(&b, "ssid=a&ssid=a"), ALOFT_ERR_DUPLICATE);
    assert_err(read_json(&b, "{\"x\":1,\"x\":2}"), ALOFT_ERR_OK);
}

static void test_a_name_that_only_begins_like_a_wanted_one_is_anothers(void **state)
{
    char text[8] = "";
    struct aloft_field field = {
        .name = "0123456789abcdef0123456789abcde", .text = text, .cap = sizeof text};
    static const char body[] = "{\"0123456789abcdef0123456789abcdef\":\"x\"}";
    size_t used = 0;

    (void)state;
    assert_err(aloft_fields_read_json(body, sizeof body - 1, &field, 1, &used), ALOFT_ERR_OK);
    assert_false(field.is_present);
}

/* -- forms ------------------------------------------------------------------------------------- */

static void test_a_form_gives_its_wanted_pairs_decoded(void **state)
{
    struct body b;

    (void)state;
    assert_err(read_form(&b, "x=1&ssid=a%20b%26%c3%A4+c=d&&udp_port=8266&y"), ALOFT_ERR_OK);
    assert_string_equal(b.ssid, "a b&\xc3\xa4+c=d");
    assert_string_equal(b.port, "8266");
    assert_err(read_form(&b, "ssid="), ALOFT_ERR_OK);
    assert_true(b.fields[0].is_present);
    assert_string_equal(b.ssid, "");
    assert_err(read_form(&b, ""), ALOFT_ERR_OK);
    assert_false(b.fields[0].is_present);
    assert_err(read_form(&b, "ssid"), ALOFT_ERR_OK);
    assert_false(b.fields[0].is_present);
}

static void test_a_broken_escape_of_a_wanted_value_is_refused(void **state)
{
    static const char *const texts[] = {"ssid=%",   "ssid=%4",    "ssid=%4g",
                                        "ssid=%g4", "ssid=a%00b", "ssid=%4&x=1"};
    struct body b;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (read_form(&b, texts[i]) != ALOFT_ERR_SYNTAX) {
            fail_msg("not refused: %s", texts[i]);
        }
    }
    assert_err(read_form(&b, "x=%zz&ssid=a"), ALOFT_ERR_OK);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_object_gives_its_wanted_members),
        cmocka_unit_test(test_names_are_compared_without_case),
        cmocka_unit_test(test_escapes_become_utf_8),
        cmocka_unit_test(test_row_39_what_is_no_flat_object_of_the_right_kinds_is_refused),
        cmocka_unit_test(test_a_value_of_32_bytes_fits_and_a_longer_one_is_refused),
        cmocka_unit_test(test_a_field_that_stands_there_twice_is_refused),
        cmocka_unit_test(test_a_name_that_only_begins_like_a_wanted_one_is_anothers),
        cmocka_unit_test(test_a_form_gives_its_wanted_pairs_decoded),
        cmocka_unit_test(test_a_broken_escape_of_a_wanted_value_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
