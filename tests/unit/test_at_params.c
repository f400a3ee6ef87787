/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "at/params.h"
#include "fake_port.h"

/* Expectations: facts/at-commands.md 1.3 (grammar) and 1.6 (error codes). */

static bool parse(const char *text, char *buf, size_t cap, struct aloft_params *ret_params)
{
    size_t len = strlen(text);

    assert_true(len < cap);
    memcpy(buf, text, len + 1);
    return aloft_params_parse(buf, len, ret_params);
}

static void parse__takes_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum aloft_param_kind kind;
        int32_t number;
    } rows[] = {
        {"0", ALOFT_PARAM_INTEGER, 0},
        {"+7", ALOFT_PARAM_INTEGER, 7},
        {"-1", ALOFT_PARAM_INTEGER, -1},
        {"-0", ALOFT_PARAM_INTEGER, 0},
        {"007", ALOFT_PARAM_INTEGER, 7},
        {"2147483647", ALOFT_PARAM_INTEGER, INT32_MAX},
        {"-2147483648", ALOFT_PARAM_INTEGER, INT32_MIN},
        {"0x10", ALOFT_PARAM_INTEGER, 16},
        {"0XaF", ALOFT_PARAM_INTEGER, 0xAF},
        {"0x7fffffff", ALOFT_PARAM_INTEGER, INT32_MAX},
        {"-0x80000000", ALOFT_PARAM_INTEGER, INT32_MIN},
        {"2147483648", ALOFT_PARAM_BAD, 0},
        {"-2147483649", ALOFT_PARAM_BAD, 0},
        {"4294967296", ALOFT_PARAM_BAD, 0},
        {"99999999999999999999", ALOFT_PARAM_BAD, 0},
        {"0x80000000", ALOFT_PARAM_BAD, 0},
        {"0x", ALOFT_PARAM_BAD, 0},
        {"0xg", ALOFT_PARAM_BAD, 0},
        {"1a", ALOFT_PARAM_BAD, 0},
        {"-", ALOFT_PARAM_BAD, 0},
        {"+-1", ALOFT_PARAM_BAD, 0},
        {" 1", ALOFT_PARAM_BAD, 0},
        {"1 ", ALOFT_PARAM_BAD, 0},
        {"abc", ALOFT_PARAM_BAD, 0},
        {"1.5", ALOFT_PARAM_BAD, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[64];
        struct aloft_params params;
        assert_true(parse(rows[i].text, buf, sizeof buf, &params));
        assert_int_equal(params.count, 1);
        assert_int_equal(params.items[0].kind, rows[i].kind);
        assert_int_equal(params.items[0].number, rows[i].number);
        assert_string_equal(params.items[0].text, "");
    }
}

static void parse__takes_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *value; /* NULL = bad. */
    } rows[] = {
        {"\"\"", ""},           {"\"abc\"", "abc"},
        {"\"a b\"", "a b"},     {"\"1\"", "1"},
        {"\"a\\,b\"", "a,b"},   {"\"a\\\\b\"", "a\\b"},
        {"\"a\\\"b\"", "a\"b"}, {"\"\\x\\n\"", "xn"},
        {"\"\\\\\"", "\\"},     {"\"\xc3\xa4\xff\"", "\xc3\xa4\xff"},
        {"\"a=?\"", "a=?"},     {"\"abc", NULL},
        {"\"", NULL},           {"\"abc\\\"", NULL},
        {"\"abc\\", NULL},      {"\"abc\"d", NULL},
        {"\"abc\" ", NULL},     {"abc\"", NULL},
        {"'abc'", NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[64];
        struct aloft_params params;
        assert_true(parse(rows[i].text, buf, sizeof buf, &params));
        assert_int_equal(params.count, 1);
        assert_int_equal(params.items[0].kind,
                         rows[i].value != NULL ? ALOFT_PARAM_STRING : ALOFT_PARAM_BAD);
        if (rows[i].value != NULL) {
            assert_string_equal(params.items[0].text, rows[i].value);
            assert_int_equal(params.items[0].text_len, strlen(rows[i].value));
        }
    }
}

/* One letter per parameter: omitted, integer, string, bad. */
static void parse__tells_how_each_parameter_stood(void **state)
{
    (void)state;
    static const char letters[] = {'o', 'i', 's', 'b'};
    static const struct {
        const char *text;
        const char *kinds;
    } rows[] = {
        {"", "o"},
        {",", "oo"},
        {"1,", "io"},
        {"1,,,1", "iooi"},
        {"0,\"v\",\"ota\",", "isso"},
        {"0,\"\"", "is"},
        {"1,\"a\\,b\",2", "isi"},
        {"1,\"a,b\",2", "ibbi"}, /* A comma inside quotes must be escaped. */
        {"\"a\"b,1", "bi"},
        {"x,\"y\",,3", "bsoi"},
        {",,,,,,,,,,,", "oooooooooooo"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[64];
        struct aloft_params params;
        assert_true(parse(rows[i].text, buf, sizeof buf, &params));
        assert_int_equal(params.count, strlen(rows[i].kinds));
        for (size_t p = 0; p < params.count; p++) {
            assert_int_equal(letters[params.items[p].kind], rows[i].kinds[p]);
        }
    }
}

static void parse__refuses_more_parameters_than_there_is_room_for(void **state)
{
    (void)state;
    char buf[64];
    struct aloft_params params;

    assert_false(parse("1,2,3,4,5,6,7,8,9,10,11,12,13", buf, sizeof buf, &params));
    assert_false(parse("1,2,3,4,5,6,7,8,9,10,11,12,", buf, sizeof buf, &params));
    assert_true(parse("1,2,3,4,5,6,7,8,9,10,11,12", buf, sizeof buf, &params));
}

static void parse__takes_a_nul_inside_a_string_for_bad(void **state)
{
    (void)state;
    char text[] = "\"a\0b\",1";
    char escaped[] = "\"a\\\0b\"";
    struct aloft_params params;

    assert_true(aloft_params_parse(text, sizeof text - 1, &params));
    assert_int_equal(params.count, 2);
    assert_int_equal(params.items[0].kind, ALOFT_PARAM_BAD);
    assert_int_equal(params.items[1].number, 1);
    assert_true(aloft_params_parse(escaped, sizeof escaped - 1, &params));
    assert_int_equal(params.items[0].kind, ALOFT_PARAM_BAD);
}

static int set_up(void **state)
{
    struct fake_port *f = fake_port_new();
    struct aloft_module_config config = fake_port_config();

    fake_port_boot(f, &config);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fake_port_free(*state);
    return 0;
}

static void checks__note_why_they_refuse(void **state)
{
    struct fake_port *f = *state;
    struct aloft_module *m = &f->module;
    const struct aloft_int_range range = {0, 2};
    char buf[64];
    struct aloft_params params;
    const char *text;
    int32_t number = 77;
    uint8_t mac[6];

    assert_true(parse("3,\"abcd\",,bad", buf, sizeof buf, &params));
    assert_false(aloft_params_check_count(m, &params, 5, 6));
    assert_int_equal(m->at.fail_code, 0x01060504);
    assert_false(aloft_params_check_count(m, &params, 1, 3));
    assert_int_equal(m->at.fail_code, 0x01060304);
    assert_true(aloft_params_check_count(m, &params, 4, 4));
    assert_false(aloft_params_get_int(m, &params, 0, &range, &number));
    assert_int_equal(m->at.fail_code, 0x01070000);
    assert_false(aloft_params_get_int(m, &params, 1, &range, &number));
    assert_int_equal(m->at.fail_code, 0x01050001);
    assert_false(aloft_params_get_int(m, &params, 2, &range, &number));
    assert_int_equal(m->at.fail_code, 0x01050002);
    assert_false(aloft_params_get_int(m, &params, 3, &range, &number));
    assert_int_equal(m->at.fail_code, 0x01080003);
    assert_false(aloft_params_get_int(m, &params, 4, &range, &number));
    assert_int_equal(m->at.fail_code, 0x01050004);
    assert_int_equal(number, 77);
    assert_false(aloft_params_get_text(m, &params, 1, 3, &text));
    assert_int_equal(m->at.fail_code, 0x01040001);
    assert_true(aloft_params_get_text(m, &params, 1, 4, &text));
    assert_string_equal(text, "abcd");
    assert_false(aloft_params_get_mac(m, &params, 1, mac));
    assert_int_equal(m->at.fail_code, 0x01070001);
}

static void get_mac__takes_colons_and_both_cases(void **state)
{
    struct fake_port *f = *state;
    static const struct {
        const char *text;
        bool is_good;
    } rows[] = {
        {"\"7c:DF:a1:00:01:fF\"", true},  {"\"7c-df-a1-00-01-ff\"", false},
        {"\"7c:df:a1:00:01:f\"", false},  {"\"7c:df:a1:00:01:ff0\"", false},
        {"\"7c:df:a1:00:01:fg\"", false}, {"\"\"", false},
        {"\"7cdfa10001ff00000\"", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[64];
        struct aloft_params params;
        uint8_t mac[6];
        assert_true(parse(rows[i].text, buf, sizeof buf, &params));
        assert_int_equal(aloft_params_get_mac(&f->module, &params, 0, mac), rows[i].is_good);
        if (rows[i].is_good) {
            assert_memory_equal(mac, "\x7c\xdf\xa1\x00\x01\xff", 6);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__takes_integers),
        cmocka_unit_test(parse__takes_strings),
        cmocka_unit_test(parse__tells_how_each_parameter_stood),
        cmocka_unit_test(parse__refuses_more_parameters_than_there_is_room_for),
        cmocka_unit_test(parse__takes_a_nul_inside_a_string_for_bad),
        cmocka_unit_test_setup_teardown(checks__note_why_they_refuse, set_up, tear_down),
        cmocka_unit_test_setup_teardown(get_mac__takes_colons_and_both_cases, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
