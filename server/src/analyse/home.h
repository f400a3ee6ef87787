/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ANALYSE_HOME_H
#define ALOFT_SERVER_ANALYSE_HOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/limits.h"

/*
 * Where would this firmware call for its next upgrade? The server's name and the token are text
 * constants of an image (facts/ciupdate-wire.md 1), and the linker puts those of one source file
 * close together. So: words that look like a host name or an address, near a word of 40 hex digits.
 */

#define HOME_WORDS_KEPT 16u /**< Of each kind; older ones are too far away in practice. */
#define HOME_VENDOR     "iot.espressif.cn"

/** What is ours; borrowed. */
struct home_rules {
    const char *const *hosts;
    size_t n_hosts;
    const char *const *tokens;
    size_t n_tokens; /**< 0 = tokens are not compared. */
};

/** How sure it is that modules will call there. */
enum home_rank {
    HOME_NONE,
    HOME_VENDOR_ALONE,   /**< The vendor's name, no token near it. */
    HOME_NEAR,           /**< Some host near a token. */
    HOME_OURS_ALONE,     /**< Our host, no token near it. */
    HOME_VENDOR_NEAR,    /**< The vendor's name near a token. */
    HOME_OURS_NOT_TOKEN, /**< Our host near a token that is not the product's. */
    HOME_OURS,
};

struct home {
    enum home_rank rank;
    char host[ALOFT_HOST_MAX + 1];
    char token[ALOFT_TOKEN_CHARS + 1]; /**< Empty if the host is alone. */
};

/** A word that was seen; private. */
struct home_word {
    uint64_t off;
    char text[ALOFT_HOST_MAX + 1];
};

/** Private but for `best`. */
struct home_scan {
    struct home best;
    uint64_t best_distance;
    struct home_rules rules;
    uint64_t off;
    char word[ALOFT_HOST_MAX + 1];
    size_t word_len; /**< Counts on behind the end of `word`: it is too long then. */
    struct home_word hosts[HOME_WORDS_KEPT];
    size_t n_hosts; /**< Ever seen. */
    struct home_word tokens[HOME_WORDS_KEPT];
    size_t n_tokens;
};

void home_init(struct home_scan *scan, const struct home_rules *rules);

/** The next bytes of an image, in any portions. */
void home_feed(struct home_scan *scan, const uint8_t *buf, size_t len);

/** No more bytes come. @return Borrowed from `scan`. */
const struct home *home_finish(struct home_scan *scan);

#endif
