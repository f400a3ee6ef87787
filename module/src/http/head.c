/* SPDX-License-Identifier: Apache-2.0 */
#include "http/head.h"

#include <string.h>

#include "aloft/bytes.h"

#include "http/request.h"

#define STATUS_OK                  200
#define STATUS_NO_CONTENT          204
#define STATUS_PARTIAL             206
#define STATUS_REDIRECTS           300
#define STATUS_SWITCHING_PROTOCOLS 101

static bool is_redirect(uint16_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void drop_front(struct aloft_http_state *h, size_t len)
{
    memmove(h->buf, h->buf + len, h->len - len);
    h->len = (uint16_t)(h->len - len);
}

static enum aloft_err take_sha256(struct aloft_http_state *h)
{
    const char *value;
    size_t len;

    if (h->is_partial) {
        return ALOFT_ERR_OK; /* That of the whole is known. */
    }
    h->has_sha256 = false;
    if (!aloft_http_head_find(&h->head, h->buf, "Aloft-Sha256", &value, &len)) {
        return ALOFT_ERR_OK;
    }
    if (len != 2 * sizeof h->sha256) {
        return ALOFT_ERR_HEADER;
    }
    for (size_t i = 0; i < sizeof h->sha256; i++) {
        unsigned high = aloft_hex_digit(value[2 * i]);
        unsigned low = aloft_hex_digit(value[2 * i + 1]);
        if (high >= 16 || low >= 16) {
            return ALOFT_ERR_HEADER;
        }
        h->sha256[i] = (uint8_t)(high << 4 | low);
    }
    h->has_sha256 = true;
    return ALOFT_ERR_OK;
}

/* The request says gzip because stock's does; no stock client could decode it. */
static bool has_coding(const struct aloft_http_state *h)
{
    const char *value;
    size_t len;

    return aloft_http_head_find(&h->head, h->buf, "Content-Encoding", &value, &len) &&
           !(len == strlen("identity") && memcmp(value, "identity", len) == 0);
}

/* A validator a range can be asked for by (RFC 9110 13.1.5): strong, and short enough. */
static void take_etag(struct aloft_http_state *h)
{
    const char *value;
    size_t len;
    bool is_there = aloft_http_head_find(&h->head, h->buf, "ETag", &value, &len);

    h->etag[0] = '\0';
    if (is_there && len > 2 && len < ALOFT_HTTP_ETAG_BYTES && value[0] == '"' &&
        memchr(value + 1, '"', len - 1) == value + len - 1) {
        memcpy(h->etag, value, len);
        h->etag[len] = '\0';
    }
}

static bool take_text(const char **at, const char *end, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(end - *at) < len || memcmp(*at, text, len) != 0) {
        return false;
    }
    *at += len;
    return true;
}

static bool take_number(const char **at, const char *end, uint32_t wanted)
{
    const char *start = *at;
    uint64_t number = 0;

    while (*at < end && **at >= '0' && **at <= '9' && number <= UINT32_MAX) {
        number = number * 10 + (uint64_t)(**at - '0');
        (*at)++;
    }
    return *at > start && number == wanted;
}

/* RFC 9110 14.4: what follows the bytes that are there, to the end, of the same whole. */
static bool is_range_wanted(const struct aloft_http_state *h)
{
    const char *at;
    size_t len;

    if (h->range_from == 0 || !aloft_http_head_find(&h->head, h->buf, "Content-Range", &at, &len)) {
        return false;
    }
    const char *end = at + len;
    bool is_range = take_text(&at, end, "bytes ") && take_number(&at, end, h->range_from) &&
                    take_text(&at, end, "-") && take_number(&at, end, h->range_total - 1) &&
                    take_text(&at, end, "/") && take_number(&at, end, h->range_total);
    return is_range && at == end &&
           (!h->head.has_content_length ||
            h->head.content_length == h->range_total - h->range_from);
}

static enum aloft_err judge_status(struct aloft_http_state *h)
{
    if (h->ask == ALOFT_HTTP_ASK_URL) {
        bool is_success = h->status >= STATUS_OK && h->status < STATUS_REDIRECTS;
        return is_success ? ALOFT_ERR_OK : ALOFT_ERR_HTTP_STATUS;
    }
    if (h->status == STATUS_PARTIAL && h->range_from > 0) {
        h->is_partial = is_range_wanted(h);
        return h->is_partial ? ALOFT_ERR_OK : ALOFT_ERR_HTTP_FRAMING;
    }
    return h->status == STATUS_OK ? ALOFT_ERR_OK : ALOFT_ERR_HTTP_STATUS;
}

static bool has_no_body(const struct aloft_http_state *h)
{
    return h->is_head || h->status == STATUS_NO_CONTENT;
}

static enum aloft_err begin_body(struct aloft_http_state *h)
{
    h->framing = ALOFT_HEAD_UNTIL_CLOSE;
    if (has_no_body(h)) {
        h->framing = ALOFT_HEAD_LENGTH;
    } else if (h->head.is_chunked) {
        h->framing = ALOFT_HEAD_CHUNKED;
    } else if (h->head.has_content_length) {
        h->framing = ALOFT_HEAD_LENGTH;
    } else if (h->ask == ALOFT_HTTP_ASK_FILE) {
        return ALOFT_ERR_HTTP_FRAMING;
    }
    h->body_bytes = h->head.content_length;
    h->has_body_bytes = h->head.has_content_length;
    h->body_left = has_no_body(h) ? 0 : h->body_bytes;
    h->chunked = (struct aloft_http_chunked){0};
    h->n_body = 0;
    drop_front(h, h->head.head_len);
    if (h->framing == ALOFT_HEAD_LENGTH && h->len > h->body_left) {
        h->len = (uint16_t)h->body_left;
    }
    return aloft_head_take_body(h, h->len);
}

enum aloft_err aloft_head_judge(struct aloft_http_state *h)
{
    h->status = h->head.status;
    if (h->status < STATUS_OK && h->status != STATUS_SWITCHING_PROTOCOLS) {
        drop_front(h, h->head.head_len);
        aloft_http_head_init(&h->head, ALOFT_HTTP_RESPONSE);
        return ALOFT_ERR_AGAIN;
    }
    if (is_redirect(h->status)) {
        return ALOFT_ERR_REDIRECT;
    }
    enum aloft_err err = judge_status(h);
    if (err == ALOFT_ERR_OK && h->ask != ALOFT_HTTP_ASK_URL) {
        err = has_coding(h) ? ALOFT_ERR_UNSUPPORTED : take_sha256(h);
    }
    if (err != ALOFT_ERR_OK) {
        return err;
    }
    if (h->etag != NULL && !h->is_partial) {
        take_etag(h);
    }
    return begin_body(h);
}

/* Decode in place: payload moves down behind the body, what is not decoded yet stays behind it. */
static enum aloft_err decode_chunks(struct aloft_http_state *h)
{
    size_t in = h->n_body;
    enum aloft_err err = ALOFT_ERR_OK;

    while (in < h->len && err == ALOFT_ERR_OK) {
        size_t used = 0;
        size_t off = 0;
        size_t len = 0;
        err = aloft_http_chunked_feed(&h->chunked, h->buf + in, h->len - in, &used, &off, &len);
        memmove(h->buf + h->n_body, h->buf + in + off, len);
        h->n_body = (uint16_t)(h->n_body + len);
        if (err == ALOFT_ERR_OK && used == 0) {
            break;
        }
        in += used;
    }
    if (err == ALOFT_ERR_CLOSED) {
        h->framing = ALOFT_HEAD_CHUNKED_OVER;
        h->len = h->n_body;
        return ALOFT_ERR_OK;
    }
    memmove(h->buf + h->n_body, h->buf + in, h->len - in);
    h->len = (uint16_t)(h->n_body + (h->len - in));
    return err;
}

enum aloft_err aloft_head_take_body(struct aloft_http_state *h, size_t n_new)
{
    if (h->framing == ALOFT_HEAD_CHUNKED) {
        return decode_chunks(h);
    }
    if (h->framing == ALOFT_HEAD_LENGTH) {
        h->body_left -= n_new;
    }
    h->n_body = h->len;
    return ALOFT_ERR_OK;
}

bool aloft_head_body_is_over(const struct aloft_http_state *h)
{
    return h->framing == ALOFT_HEAD_CHUNKED_OVER ||
           (h->framing == ALOFT_HEAD_LENGTH && h->body_left == 0);
}
