/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "aloft/bytes.h"

#include "analysis_world.h"

/* Row 34: where do modules call after this upgrade? The constants are in the RAM segment. */

#define LAYOUT     "esp32c3_default"
#define DATA_BYTES 0x1000u
#define DATA_END   (WORLD_RAM_DATA + DATA_BYTES)
#define OURS       "0123456789abcdef0123456789abcdef01234567"
#define FOREIGN    "fedcba9876543210fedcba9876543210fedcba98"

/* An image without hash whose second segment holds `text` at `off`, and `more` at `more_off`. */
struct text {
    size_t off;
    const char *bytes;
    size_t n;
};

#define TEXT(off, literal)                                                                         \
    {                                                                                              \
        off, literal, sizeof(literal)                                                              \
    }

static size_t make_image(const struct text *texts, size_t n_texts, uint8_t *file)
{
    size_t end = (DATA_END + 16) & ~(size_t)15;
    uint8_t sum = 0xEF;

    memset(file, 0, end);
    world_image("esp32c3", file);
    aloft_put_le32(file + WORLD_RAM_HEAD + 4, DATA_BYTES);
    memset(file + WORLD_RAM_DATA, 0, DATA_BYTES);
    for (size_t i = 0; i < n_texts; i++) {
        memcpy(file + WORLD_RAM_DATA + texts[i].off, texts[i].bytes, texts[i].n);
    }
    file[23] = 0;
    for (size_t i = 0x20; i < DATA_END; i++) {
        bool is_head = i >= WORLD_RAM_HEAD && i < WORLD_RAM_DATA;
        sum ^= is_head ? 0 : file[i];
    }
    file[end - 1] = sum;
    return end;
}

/* `words` NULL = a pass. Also byte for byte. */
static void expect(const struct analysis_rules *rules, const struct text *texts, size_t n_texts,
                   const char *words)
{
    static uint8_t file[DATA_END + 32];
    size_t len = make_image(texts, n_texts, file);

    for (size_t portion = 1; portion <= len; portion += len - 1) {
        AUTO_ANALYSIS a = analysis_new(rules);
        for (size_t off = 0; off < len; off += portion) {
            analysis_feed(a, file + off, portion);
        }
        const struct analysis_report *report = analysis_finish(a);
        if (words) {
            world_expect(report, 34, "OTA_LEAVES_US", ANALYSIS_WARNING, words);
        } else {
            world_expect_pass(report, 34);
        }
    }
}

static const char *const hosts[] = {"ota.example.org", "192.0.2.7"};
static const char *const tokens[] = {OURS};

static struct analysis_rules our_rules(void)
{
    struct analysis_rules rules = world_rules(LAYOUT);

    rules.hosts = hosts;
    rules.n_hosts = 2;
    rules.tokens = tokens;
    rules.n_tokens = 1;
    return rules;
}

#define N(texts) texts, sizeof texts / sizeof texts[0]

static void row_34_warns__that_modules_will_call_the_vendor(void **state)
{
    (void)state;
    static const struct text near[] = {TEXT(8, "iot.espressif.cn"), TEXT(40, FOREIGN)};
    static const struct text alone[] = {TEXT(8, "iot.espressif.cn")};
    static const struct text among_others[] = {TEXT(8, FOREIGN), TEXT(60, "pool.ntp.org"),
                                               TEXT(200, "iot.espressif.cn")};
    struct analysis_rules rules = our_rules();

    expect(&rules, N(near),
           "after this upgrade modules will call iot.espressif.cn, not you: build the image with "
           "your own server's name (you are ota.example.org and others)");
    expect(&rules, N(alone), "modules will call iot.espressif.cn, not you");
    expect(&rules, N(among_others), "modules will call iot.espressif.cn, not you");
}

static void row_34_warns__that_modules_will_call_somebody_else(void **state)
{
    (void)state;
    static const struct text before[] = {TEXT(8, "ota.example.com"), TEXT(40, FOREIGN)};
    static const struct text behind[] = {TEXT(8, FOREIGN), TEXT(1000, "ota.example.com")};
    static const struct text address[] = {TEXT(8, "198.51.100.3"), TEXT(40, FOREIGN)};
    static const struct text closest[] = {TEXT(8, "far.example.com"), TEXT(400, FOREIGN),
                                          TEXT(500, "near.example.com")};
    static const struct text url[] = {TEXT(8, "https://ota.example.com:8443/x"), TEXT(90, FOREIGN)};
    struct analysis_rules rules = our_rules();

    expect(&rules, N(before), "after this upgrade modules will call ota.example.com, not you");
    expect(&rules, N(behind), "modules will call ota.example.com, not you");
    expect(&rules, N(address), "modules will call 198.51.100.3, not you");
    expect(&rules, N(closest), "modules will call near.example.com, not you");
    expect(&rules, N(url), "modules will call ota.example.com, not you");
}

static void row_34_warns__of_a_token_of_another_product(void **state)
{
    (void)state;
    static const struct text texts[] = {TEXT(8, "OTA.example.org"), TEXT(40, FOREIGN)};
    struct analysis_rules rules = our_rules();

    expect(&rules, N(texts),
           "after this upgrade modules will call you (OTA.example.org), but with the token "
           "fedcba..., which is none of this product");
}

static void row_34_warns__where_our_own_name_is_not_known(void **state)
{
    (void)state;
    static const struct text texts[] = {TEXT(8, "ota.example.org"), TEXT(40, OURS)};
    struct analysis_rules rules = world_rules(LAYOUT);

    expect(&rules, N(texts),
           "after this upgrade modules will call ota.example.org: check that this is you");
}

static void row_34_passes__an_image_that_calls_us(void **state)
{
    (void)state;
    static const struct text name[] = {TEXT(8, "ota.example.org"), TEXT(40, OURS)};
    static const struct text address[] = {TEXT(8, OURS), TEXT(60, "192.0.2.7")};
    static const struct text no_token[] = {TEXT(8, "ota.example.org"), TEXT(60, "(null)")};
    static const struct text beside[] = {TEXT(8, "iot.espressif.cn"), TEXT(60, "ota.example.org"),
                                         TEXT(90, OURS)};
    struct analysis_rules rules = our_rules();

    expect(&rules, N(name), NULL);
    expect(&rules, N(address), NULL);
    expect(&rules, N(no_token), NULL);
    expect(&rules, N(beside), NULL);
    rules.n_tokens = 0; /* then any token is ours */
    static const struct text foreign[] = {TEXT(8, "ota.example.org"), TEXT(40, FOREIGN)};
    expect(&rules, N(foreign), NULL);
}

/* Firmware is full of dots, and of hex digits. */
static void row_34_passes__what_is_no_host_or_no_token(void **state)
{
    (void)state;
    static const struct text cases[][2] = {
        {TEXT(8, "main.c"), TEXT(60, FOREIGN)},
        {TEXT(8, "esp-at.bin"), TEXT(60, FOREIGN)},
        {TEXT(8, "30.0.1599.101"), TEXT(60, FOREIGN)},
        {TEXT(8, "192.0.2"), TEXT(60, FOREIGN)},
        {TEXT(8, "192.0.2.7.9"), TEXT(60, FOREIGN)},
        {TEXT(8, "v4.1.1.0-dirty"), TEXT(60, FOREIGN)},
        {TEXT(8, "a..example"), TEXT(60, FOREIGN)},
        {TEXT(8, ".example.com"), TEXT(60, FOREIGN)},
        {TEXT(8, "-a.example.com"), TEXT(60, FOREIGN)},
        {TEXT(8, "a-.example.com"), TEXT(60, FOREIGN)},
        {TEXT(8, "example.c0m"), TEXT(60, FOREIGN)},
        {TEXT(8, "localhost"), TEXT(60, FOREIGN)},
        {TEXT(8, "ota.example.com"), TEXT(60, FOREIGN "0")},
        {TEXT(8, "ota.example.com"), TEXT(60, "g123456789abcdef0123456789abcdef01234567")},
        {TEXT(8, "ota.example.com"), TEXT(2000, FOREIGN)}, /* too far away */
        {TEXT(8, FOREIGN), TEXT(2000, "ota.example.com")},
    };
    struct analysis_rules rules = our_rules();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect(&rules, N(cases[i]), NULL);
    }
}

/* A word longer than any host name, many hosts before the token, a word at the very end. */
static void row_34_warns__whatever_stands_around(void **state)
{
    (void)state;
    char long_word[300];
    struct analysis_rules rules = our_rules();

    memset(long_word, 'a', sizeof long_word);
    const struct text texts[] = {{8, long_word, sizeof long_word},
                                 TEXT(8 + 150, ".example.com"),
                                 TEXT(400, "ota.example.com"),
                                 TEXT(440, FOREIGN)};
    expect(&rules, N(texts), "modules will call ota.example.com, not you");
    struct text many[40];
    for (size_t i = 0; i < 39; i++) {
        many[i] = (struct text){8 + i * 20, "www.example.net", 16};
    }
    many[38].bytes = "ota.example.com";
    many[39] = (struct text)TEXT(8 + 39 * 20, FOREIGN);
    expect(&rules, N(many), "modules will call ota.example.com, not you");
    static const struct text at_end[] = {TEXT(3500, FOREIGN),
                                         {DATA_BYTES - 15, "ota.example.com", 15}};
    expect(&rules, N(at_end), "modules will call ota.example.com, not you");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_34_warns__that_modules_will_call_the_vendor),
        cmocka_unit_test(row_34_warns__that_modules_will_call_somebody_else),
        cmocka_unit_test(row_34_warns__of_a_token_of_another_product),
        cmocka_unit_test(row_34_warns__where_our_own_name_is_not_known),
        cmocka_unit_test(row_34_passes__an_image_that_calls_us),
        cmocka_unit_test(row_34_passes__what_is_no_host_or_no_token),
        cmocka_unit_test(row_34_warns__whatever_stands_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
