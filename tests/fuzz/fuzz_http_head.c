/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "aloft/http_head.h"

/* Parsers: formats/src/http_head.c formats/src/http_text.c */

static void check_piece(struct aloft_http_piece piece, size_t head_len)
{
    MUST((size_t)piece.off + piece.len <= head_len);
}

static void check_complete(const struct aloft_http_head *head, const char *buf, size_t len)
{
    const char *value;
    size_t value_len;

    MUST(head->head_len > 0 && head->head_len <= len && buf[head->head_len - 1] == '\n');
    MUST(head->n_fields <= ALOFT_HTTP_FIELDS_MAX);
    MUST(!(head->has_content_length && head->is_chunked));
    check_piece(head->method, head->head_len);
    check_piece(head->target, head->head_len);
    for (size_t i = 0; i < head->n_fields; i++) {
        check_piece(head->fields[i].name, head->head_len);
        check_piece(head->fields[i].value, head->head_len);
        MUST(head->fields[i].name.len > 0);
    }
    if (aloft_http_head_find(head, buf, "Authorization", &value, &value_len)) {
        MUST(value >= buf && value + value_len <= buf + head->head_len);
        MUST(memchr(value, '\n', value_len) == NULL && memchr(value, '\0', value_len) == NULL);
    }
}

/** The whole at once, and cut in two: the same result. */
static void try_kind(enum aloft_http_kind kind, const char *buf, size_t len, size_t cut)
{
    struct aloft_http_head whole;
    struct aloft_http_head parts;
    enum aloft_err err;

    aloft_http_head_init(&whole, kind);
    err = aloft_http_head_parse(&whole, buf, len);
    aloft_http_head_init(&parts, kind);
    if (aloft_http_head_parse(&parts, buf, cut) == ALOFT_ERR_AGAIN) {
        MUST(parts.head_len == 0);
    }
    MUST(aloft_http_head_parse(&parts, buf, len) == err);
    if (err == ALOFT_ERR_OK) {
        check_complete(&whole, buf, len);
        MUST(parts.head_len == whole.head_len && parts.n_fields == whole.n_fields);
        MUST(parts.content_length == whole.content_length);
        MUST(parts.is_keep_alive == whole.is_keep_alive);
    } else {
        MUST(whole.head_len == 0);
    }
}

/* The first byte says where to cut, in 256ths. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) {
        const char *buf = (const char *)data + 1;
        size_t cut = (size - 1) * data[0] / 256;

        try_kind(ALOFT_HTTP_REQUEST, buf, size - 1, cut);
        try_kind(ALOFT_HTTP_RESPONSE, buf, size - 1, cut);
    }
    return 0;
}
