/* SPDX-License-Identifier: Apache-2.0 */
#include "http/head.h"

#include <string.h>

#include "aloft/bytes.h"

#include "http/request.h"

#define STATUS_OK                  200
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

static enum aloft_err begin_body(struct aloft_http_state *h)
{
    h->framing = ALOFT_HEAD_UNTIL_CLOSE;
    if (h->head.is_chunked) {
        h->framing = ALOFT_HEAD_CHUNKED;
    } else if (h->head.has_content_length) {
        h->framing = ALOFT_HEAD_LENGTH;
    } else if (h->ask == ALOFT_HTTP_ASK_FILE) {
        return ALOFT_ERR_HTTP_FRAMING;
    }
    h->body_left = h->head.content_length;
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
    if (h->status != STATUS_OK) {
        return ALOFT_ERR_HTTP_STATUS;
    }
    if (has_coding(h)) {
        return ALOFT_ERR_UNSUPPORTED;
    }
    enum aloft_err err = take_sha256(h);
    return err == ALOFT_ERR_OK ? begin_body(h) : err;
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
