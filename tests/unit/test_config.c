/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "host/config.h"

/* What was taken, as one text: "1:key=value;". */
struct taken {
    char text[4096];
};

static enum aloft_err take(void *ctx, const char *key, const char *value, unsigned line,
                           struct error *e)
{
    struct taken *t = ctx;
    size_t n = strlen(t->text);

    (void)snprintf(t->text + n, sizeof t->text - n, "%u:%s=%s;", line, key, value);
    return strcmp(key, "bad") == 0 ? fail(e, ALOFT_ERR_ARG, "not this one") : ALOFT_ERR_OK;
}

static void parse__takes_pairs_and_passes_over_comments_and_blank_lines(void **state)
{
    static const char text[] =
        "# head\n\n \t\n  a = 1\nb_2=two words \r\n\t# c = 3\nd =\ne==#\nf=x#y";
    struct taken t = {""};

    (void)state;
    assert_err(config_parse(text, strlen(text), "f", take, &t, NULL), ALOFT_ERR_OK);
    assert_string_equal(t.text, "4:a=1;5:b_2=two words;7:d=;8:e==#;9:f=x#y;");
}

static void parse__refuses_a_line_with_its_place_and_the_remedy(void **state)
{
    static const struct {
        const char *text;
        size_t len; /* 0: up to the NUL */
        const char *sentence;
    } rows[] = {
        {"a = 1\nnonsense\n", 0, "f:2: a line is 'key = value' or begins with '#'"},
        {"\n\n[module]\n", 0, "f:3: there are no sections: remove this line"},
        {"A = 1", 0, "f:1: a key has lower-case letters, digits and '_', at most 63 of them"},
        {"a-b = 1", 0, "f:1: a key has lower-case letters, digits and '_', at most 63 of them"},
        {"= 1", 0, "f:1: a key has lower-case letters, digits and '_', at most 63 of them"},
        {"a = 1 # one", 0, "f:1: a comment needs a line of its own"},
        {"a = # one", 0, "f:1: a comment needs a line of its own"},
        {"a = \x01", 0, "f:1: the line holds control characters: is this a text file?"},
        {"a = \x7F", 0, "f:1: the line holds control characters: is this a text file?"},
        {"a = \0b", 6, "f:1: the line holds control characters: is this a text file?"},
        {"a = 1\rb = 2\n", 0, "f:1: the line holds control characters: is this a text file?"},
        {"a\0b = 1", 7, "f:1: the line holds control characters: is this a text file?"},
        {"bad = 1", 0, "f:1: not this one"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct taken t = {""};
        struct error e = {0};
        size_t len = rows[i].len ? rows[i].len : strlen(rows[i].text);
        assert_true(config_parse(rows[i].text, len, "f", take, &t, &e) != ALOFT_ERR_OK);
        assert_string_equal(e.sentence, rows[i].sentence);
    }
}

static void parse__bounds_keys_and_values(void **state)
{
    char text[CONFIG_KEY_BYTES + CONFIG_VALUE_BYTES + 8];
    struct taken t = {""};
    struct error e = {0};
    const int key = CONFIG_KEY_BYTES - 1;
    const int value = CONFIG_VALUE_BYTES - 1;

    (void)state;
    memset(text, 'v', sizeof text);
    memset(text, 'k', (size_t)key);
    text[key] = '=';
    assert_err(config_parse(text, (size_t)(key + 1 + value), "f", take, &t, &e), ALOFT_ERR_OK);
    assert_err(config_parse(text, (size_t)(key + 2 + value), "f", take, &t, &e), ALOFT_ERR_SYNTAX);
    assert_string_equal(e.sentence, "f:1: the value has 1024 bytes, the limit is 1023");
    text[key] = 'k';
    text[key + 1] = '=';
    assert_err(config_parse(text, (size_t)(key + 3), "f", take, &t, &e), ALOFT_ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__takes_pairs_and_passes_over_comments_and_blank_lines),
        cmocka_unit_test(parse__refuses_a_line_with_its_place_and_the_remedy),
        cmocka_unit_test(parse__bounds_keys_and_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
