/* SPDX-License-Identifier: Apache-2.0 */
#include "partition_words.h"

#include <string.h>

#include "aloft/bytes.h"

struct keyword {
    uint8_t type;
    uint8_t subtype;
    const char *text;
};

/* facts/esp-formats.md 2.1. 0x22 of data has no keyword. */
static const struct keyword types[] = {
    {0x00, 0, "app"},
    {0x01, 0, "data"},
    {0x02, 0, "bootloader"},
    {0x03, 0, "partition_table"},
};

/* clang-format off */
static const struct keyword subtypes[] = {
    {0x00, 0x00, "factory"},  {0x00, 0x10, "ota_0"},    {0x00, 0x11, "ota_1"},
    {0x00, 0x12, "ota_2"},    {0x00, 0x13, "ota_3"},    {0x00, 0x14, "ota_4"},
    {0x00, 0x15, "ota_5"},    {0x00, 0x16, "ota_6"},    {0x00, 0x17, "ota_7"},
    {0x00, 0x18, "ota_8"},    {0x00, 0x19, "ota_9"},    {0x00, 0x1A, "ota_10"},
    {0x00, 0x1B, "ota_11"},   {0x00, 0x1C, "ota_12"},   {0x00, 0x1D, "ota_13"},
    {0x00, 0x1E, "ota_14"},   {0x00, 0x1F, "ota_15"},   {0x00, 0x20, "test"},
    {0x00, 0x30, "tee_0"},    {0x00, 0x31, "tee_1"},
    {0x01, 0x00, "ota"},      {0x01, 0x01, "phy"},      {0x01, 0x02, "nvs"},
    {0x01, 0x03, "coredump"}, {0x01, 0x04, "nvs_keys"}, {0x01, 0x05, "efuse"},
    {0x01, 0x06, "undefined"},
    {0x01, 0x80, "esphttpd"}, {0x01, 0x81, "fat"},      {0x01, 0x82, "spiffs"},
    {0x01, 0x83, "littlefs"}, {0x01, 0x90, "tee_ota"},
    {0x02, 0x00, "primary"},  {0x02, 0x01, "ota"},      {0x02, 0x02, "recovery"},
    {0x03, 0x00, "primary"},  {0x03, 0x01, "ota"},
};
/* clang-format on */

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct aloft_span aloft_span_trim(struct aloft_span span)
{
    while (span.len > 0 && is_space(span.text[0])) {
        span.text++;
        span.len--;
    }
    while (span.len > 0 && is_space(span.text[span.len - 1])) {
        span.len--;
    }
    return span;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_word(struct aloft_span span, const char *text)
{
    size_t i = 0;

    while (i < span.len && text[i] != '\0' && lower(span.text[i]) == text[i]) {
        i++;
    }
    return i == span.len && text[i] == '\0';
}

bool aloft_partition_words_find_type(struct aloft_span word, uint8_t *ret_type)
{
    for (size_t i = 0; i < N_OF(types); i++) {
        if (is_word(word, types[i].text)) {
            *ret_type = types[i].type;
            return true;
        }
    }
    return false;
}

bool aloft_partition_words_find_subtype(uint8_t type, struct aloft_span word, uint8_t *ret_subtype)
{
    for (size_t i = 0; i < N_OF(subtypes); i++) {
        if (subtypes[i].type == type && is_word(word, subtypes[i].text)) {
            *ret_subtype = subtypes[i].subtype;
            return true;
        }
    }
    return false;
}

const char *aloft_partition_words_type(uint8_t type)
{
    for (size_t i = 0; i < N_OF(types); i++) {
        if (types[i].type == type) {
            return types[i].text;
        }
    }
    return NULL;
}

const char *aloft_partition_words_subtype(uint8_t type, uint8_t subtype)
{
    for (size_t i = 0; i < N_OF(subtypes); i++) {
        if (subtypes[i].type == type && subtypes[i].subtype == subtype) {
            return subtypes[i].text;
        }
    }
    return NULL;
}

static bool is_exactly(struct aloft_span span, const char *text)
{
    return strlen(text) == span.len && memcmp(span.text, text, span.len) == 0;
}

bool aloft_partition_words_mislead(struct aloft_span name, uint8_t type, uint8_t subtype)
{
    const char *own = aloft_partition_words_subtype(type, subtype);
    bool is_subtype = false;

    for (size_t i = 0; i < N_OF(types); i++) {
        if (is_exactly(name, types[i].text) && types[i].type != type) {
            return true;
        }
    }
    for (size_t i = 0; i < N_OF(subtypes); i++) {
        is_subtype = is_subtype || is_exactly(name, subtypes[i].text);
    }
    return is_subtype && !(own && is_exactly(name, own));
}

/* 16, 8 or 2 for 0x, 0o and 0b; 10 for none. */
static unsigned base_of(struct aloft_span word)
{
    if (word.len < 2 || word.text[0] != '0') {
        return 10;
    }
    switch (lower(word.text[1])) {
    case 'x':
        return 16;
    case 'o':
        return 8;
    case 'b':
        return 2;
    default:
        return 10;
    }
}

/* Takes the suffixes off the end; their product, kept small, since 0 times anything is 0. */
static int64_t take_suffixes(struct aloft_span *word)
{
    int64_t factor = 1;

    while (word->len > 0) {
        char last = lower(word->text[word->len - 1]);
        if (last != 'k' && last != 'm') {
            break;
        }
        word->len--;
        factor *= last == 'k' ? 1024 : 1024 * 1024;
        if (factor > ALOFT_PARTITION_NUMBER_MAX) {
            factor = ALOFT_PARTITION_NUMBER_MAX;
        }
    }
    return factor;
}

/* Digits with single underscores between them; sticks at the largest number. */
static enum aloft_err read_digits(struct aloft_span word, unsigned base, int64_t *ret_value)
{
    bool may_end = false; /* the last character was a digit */
    int64_t value = 0;

    for (size_t i = 0; i < word.len; i++) {
        if (word.text[i] == '_' && may_end) {
            may_end = false;
            continue;
        }
        unsigned digit = aloft_hex_digit(word.text[i]);
        if (digit >= base) {
            return ALOFT_ERR_SYNTAX;
        }
        may_end = true;
        value = value * base + digit;
        if (value > ALOFT_PARTITION_NUMBER_MAX) {
            value = ALOFT_PARTITION_NUMBER_MAX + 1;
        }
    }
    *ret_value = value;
    return may_end ? ALOFT_ERR_OK : ALOFT_ERR_SYNTAX;
}

enum aloft_err aloft_partition_words_number(struct aloft_span word, int64_t *ret_value)
{
    bool is_negative = false;
    int64_t factor = take_suffixes(&word);
    int64_t value = 0;

    word = aloft_span_trim(word);
    if (word.len > 0 && (word.text[0] == '-' || word.text[0] == '+')) {
        is_negative = word.text[0] == '-';
        word.text++;
        word.len--;
    }
    unsigned base = base_of(word);
    if (base != 10) {
        word.text += 2;
        word.len -= 2;
        if (word.len > 0 && word.text[0] == '_') { /* 0x_1 is a number to Python */
            word.text++;
            word.len--;
        }
    }
    enum aloft_err err = read_digits(word, base, &value);
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (base == 10 && word.text[0] == '0' && value != 0) {
        return ALOFT_ERR_SYNTAX; /* 010 might be meant octal */
    }
    if (value > ALOFT_PARTITION_NUMBER_MAX / factor) {
        return ALOFT_ERR_RANGE;
    }
    value *= factor;
    *ret_value = is_negative ? -value : value;
    return ALOFT_ERR_OK;
}
