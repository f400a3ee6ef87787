/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ANALYSE_PARTITION_CONTENT_H
#define ALOFT_SERVER_ANALYSE_PARTITION_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Private to analyse: what AT up to v3.0 keeps in its user partitions, by label
 * (facts/esp-formats.md 6.2 to 6.5). */

struct partition_content {
    const char *words;  /**< With article: "a PKI container". */
    const char *begins; /**< What a module looks at: "f1f1 at its start". */
    const char *remedy; /**< How it is made; constant text. */
    uint8_t magic[2];
    size_t magic_off;

    /** Whole files with the magic only. @return false: `why` continues "…, but …". */
    bool (*check)(const uint8_t *buf, size_t len, char *why, size_t cap);
};

/** NULL: a stock module knows no magic for this label, and so refuses every file for it. */
const struct partition_content *partition_content_find(const char *label);

bool partition_content_has_magic(const struct partition_content *content, const uint8_t *buf,
                                 size_t len);

#endif
