/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "host/config.h"
#include "host/network.h"

/* Parsers: host/src/config.c host/src/network.c */

static const uint8_t *s_end; /* of the input: no line is counted that is not there */
static const uint8_t *s_begin;

static unsigned count_lines(void)
{
    unsigned n = 1;

    for (const uint8_t *p = s_begin; p < s_end; p++) {
        n += *p == '\n';
    }
    return n;
}

/* What is taken is bounded and printable; a list of networks reads back as itself. */
static enum aloft_err take(void *ctx, const char *key, const char *value, unsigned line,
                           struct error *e)
{
    unsigned *last = ctx;
    struct networks list;
    struct networks again;
    char text[NETWORKS_TEXT_BYTES];

    (void)e;
    MUST(line > *last && line <= count_lines());
    *last = line;
    MUST(strlen(key) > 0 && strlen(key) < CONFIG_KEY_BYTES);
    MUST(strlen(value) < CONFIG_VALUE_BYTES && !strpbrk(value, "\r\n\x1B"));
    if (networks_parse(value, &list, NULL) == ALOFT_ERR_OK) {
        networks_format(&list, text, sizeof text);
        MUST(strlen(text) < NETWORKS_TEXT_BYTES - 1);
        MUST(networks_parse(text, &again, NULL) == ALOFT_ERR_OK);
        MUST(again.n_items == list.n_items);
        for (size_t i = 0; i < list.n_items; i++) {
            MUST(networks_hold(&again, list.items[i].bytes, list.items[i].is_v6));
        }
        (void)networks_hold_text(&list, key);
        (void)networks_hold_text(&list, "::ffff:192.0.2.9");
    }
    return ALOFT_ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned last = 0;
    struct error e = {0};

    s_begin = data;
    s_end = data + size;
    if (config_parse((const char *)data, size, "f", take, &last, &e) != ALOFT_ERR_OK) {
        MUST(strncmp(e.sentence, "f:", 2) == 0);
    }
    return 0;
}
