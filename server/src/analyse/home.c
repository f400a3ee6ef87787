/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/home.h"

#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "aloft/bytes.h"

#define NEAR_BYTES    1024u /* between the beginnings of host and token */
#define TOP_LEVEL_MIN 2u
#define ADDRESS_PARTS 4u
#define ADDRESS_MIN   7u /* 1.2.3.4 */
#define PART_MAX      255u

/* Names of files and sources end so too, and firmware is full of them. */
static const char *const file_endings[] = {"bin", "cc",  "conf", "cpp", "crt",  "css", "csv",
                                           "der", "gz",  "hpp",  "htm", "html", "ico", "img",
                                           "ini", "js",  "json", "key", "lib",  "log", "pem",
                                           "png", "svg", "txt",  "xml", "xz",   "yml", "zip"};

void home_init(struct home_scan *scan, const struct home_rules *rules)
{
    memset(scan, 0, sizeof *scan);
    scan->rules = *rules;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word_char(char c)
{
    return is_digit(c) || is_letter(c) || c == '.' || c == '-';
}

static bool is_token(const char *word, size_t len)
{
    if (len != ALOFT_TOKEN_CHARS) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (aloft_hex_digit(word[i]) > 15) {
            return false;
        }
    }
    return true;
}

/* 4 numbers up to 255: versions like 30.0.1599.101 are none. */
static bool is_address(const char *word, size_t len)
{
    unsigned n_parts = 1;
    unsigned value = 0;

    for (size_t i = 0; i < len; i++) {
        if (word[i] == '.') {
            n_parts++;
            value = 0;
        } else if (is_digit(word[i])) {
            value = value * 10 + (unsigned)(word[i] - '0');
        } else {
            return false;
        }
        if (value > PART_MAX) {
            return false;
        }
    }
    return n_parts == ADDRESS_PARTS && len >= ADDRESS_MIN && word[len - 1] != '.';
}

static bool is_file_ending(const char *text)
{
    for (size_t i = 0; i < sizeof file_endings / sizeof file_endings[0]; i++) {
        if (strcasecmp(text, file_endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Labels with letters, digits and inner dashes, and a top level of letters. */
static bool is_host_name(const char *word)
{
    const char *top = strrchr(word, '.');
    char before = '.';

    if (!top || strlen(top + 1) < TOP_LEVEL_MIN || is_file_ending(top + 1)) {
        return false;
    }
    for (const char *p = top + 1; *p; p++) {
        if (!is_letter(*p)) {
            return false;
        }
    }
    for (const char *p = word; *p; p++) {
        bool is_edge = before == '.' || p[1] == '.';
        if ((*p == '.' && before == '.') || (*p == '-' && is_edge)) {
            return false;
        }
        before = *p;
    }
    return true;
}

static bool is_our_host(const struct home_rules *rules, const char *host)
{
    for (size_t i = 0; i < rules->n_hosts; i++) {
        if (strcasecmp(rules->hosts[i], host) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_our_token(const struct home_rules *rules, const char *token)
{
    bool is_ours = rules->n_tokens == 0;

    for (size_t i = 0; i < rules->n_tokens; i++) {
        is_ours |= strlen(rules->tokens[i]) == ALOFT_TOKEN_CHARS &&
                   sodium_memcmp(rules->tokens[i], token, ALOFT_TOKEN_CHARS) == 0;
    }
    return is_ours;
}

static enum home_rank rank_of(const struct home_rules *rules, const char *host, const char *token)
{
    if (is_our_host(rules, host)) {
        if (!*token) {
            return HOME_OURS_ALONE;
        }
        return is_our_token(rules, token) ? HOME_OURS : HOME_OURS_NOT_TOKEN;
    }
    if (strcasecmp(host, HOME_VENDOR) == 0) {
        return *token ? HOME_VENDOR_NEAR : HOME_VENDOR_ALONE;
    }
    return *token ? HOME_NEAR : HOME_NONE;
}

/* Keep the best: the surest, and of those the closest. */
static void consider(struct home_scan *scan, const char *host, const char *token, uint64_t distance)
{
    enum home_rank rank = rank_of(&scan->rules, host, token);
    struct home *best = &scan->best;

    if (rank == HOME_NONE || rank < best->rank ||
        (rank == best->rank && distance >= scan->best_distance)) {
        return;
    }
    best->rank = rank;
    memcpy(best->host, host, strlen(host) + 1);
    memcpy(best->token, token, strlen(token) + 1);
    scan->best_distance = distance;
}

static const struct home_word *keep(struct home_word *words, size_t *n, const char *text,
                                    uint64_t off)
{
    struct home_word *word = &words[*n % HOME_WORDS_KEPT];

    word->off = off;
    memcpy(word->text, text, strlen(text) + 1);
    (*n)++;
    return word;
}

static size_t n_kept(size_t n)
{
    return n < HOME_WORDS_KEPT ? n : HOME_WORDS_KEPT;
}

static void take_token(struct home_scan *scan, uint64_t off)
{
    const struct home_word *token = keep(scan->tokens, &scan->n_tokens, scan->word, off);

    for (size_t i = 0; i < n_kept(scan->n_hosts); i++) {
        const struct home_word *host = &scan->hosts[i];
        if (off - host->off <= NEAR_BYTES) {
            consider(scan, host->text, token->text, off - host->off);
        }
    }
}

static void take_host(struct home_scan *scan, uint64_t off)
{
    const struct home_word *host = keep(scan->hosts, &scan->n_hosts, scan->word, off);

    consider(scan, host->text, "", 0);
    for (size_t i = 0; i < n_kept(scan->n_tokens); i++) {
        const struct home_word *token = &scan->tokens[i];
        if (off - token->off <= NEAR_BYTES) {
            consider(scan, host->text, token->text, off - token->off);
        }
    }
}

static void end_word(struct home_scan *scan)
{
    size_t len = scan->word_len;

    scan->word_len = 0;
    if (len < ADDRESS_MIN || len >= sizeof scan->word) {
        return; /* a token and a host are longer, and no host is that long */
    }
    scan->word[len] = '\0';
    uint64_t off = scan->off - len;
    if (is_token(scan->word, len)) {
        take_token(scan, off);
    } else if (is_address(scan->word, len) || is_host_name(scan->word)) {
        take_host(scan, off);
    }
}

void home_feed(struct home_scan *scan, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = (char)buf[i];
        if (is_word_char(c)) {
            if (scan->word_len < sizeof scan->word) {
                scan->word[scan->word_len] = c;
            }
            scan->word_len++;
        } else if (scan->word_len > 0) {
            end_word(scan);
        }
        scan->off++;
    }
}

const struct home *home_finish(struct home_scan *scan)
{
    if (scan->word_len > 0) {
        end_word(scan);
    }
    return &scan->best;
}
