/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/http_head.h"

#include "aloft/bytes.h"

/*
 * Chunked bodies (RFC 9112 7.1), a byte at a time but for the payload. `left` is the chunk size
 * while its digits arrive and what is left of the chunk afterwards.
 */

enum state {
    ST_SIZE_FIRST, /* Zero: the start. */
    ST_SIZE,
    ST_EXTENSION,
    ST_SIZE_LF,
    ST_DATA,
    ST_DATA_CR,
    ST_DATA_LF,
    ST_TRAILER_START,
    ST_TRAILER,
    ST_TRAILER_LF,
    ST_END_LF,
    ST_DONE,
    ST_BAD,
};

static enum state take_size(struct aloft_http_chunked *c, char byte, bool is_first)
{
    unsigned digit = aloft_hex_digit(byte);

    if (digit < 16 && c->left <= UINT64_MAX >> 4) {
        c->left = c->left << 4 | digit;
        return ST_SIZE;
    }
    if (is_first || digit < 16) {
        return ST_BAD;
    }
    return byte == ';' ? ST_EXTENSION : byte == '\r' ? ST_SIZE_LF : ST_BAD;
}

/** Bytes that are skipped: text up to CR; `lf_state` expects the LF. */
static enum state skip_text(char byte, enum state same, enum state lf_state)
{
    if (byte == '\r') {
        return lf_state;
    }
    return (unsigned char)byte >= 0x20 || byte == '\t' ? same : ST_BAD;
}

static enum state end_size_line(struct aloft_http_chunked *c)
{
    c->line_len = 0;
    return c->left != 0 ? ST_DATA : ST_TRAILER_START;
}

/** Take one byte that is not payload. */
static enum state step(struct aloft_http_chunked *c, char byte)
{
    if (++c->line_len > ALOFT_HTTP_CHUNK_LINE_MAX) {
        return ST_BAD;
    }
    switch ((enum state)c->state) {
    case ST_SIZE_FIRST:
    case ST_SIZE:
        return take_size(c, byte, c->state == ST_SIZE_FIRST);
    case ST_EXTENSION:
        return skip_text(byte, ST_EXTENSION, ST_SIZE_LF);
    case ST_SIZE_LF:
        return byte == '\n' ? end_size_line(c) : ST_BAD;
    case ST_DATA_CR:
        return byte == '\r' ? ST_DATA_LF : ST_BAD;
    case ST_DATA_LF:
        c->line_len = 0;
        return byte == '\n' ? ST_SIZE_FIRST : ST_BAD;
    case ST_TRAILER_START:
        return skip_text(byte, ST_TRAILER, ST_END_LF);
    case ST_TRAILER:
        return skip_text(byte, ST_TRAILER, ST_TRAILER_LF);
    case ST_TRAILER_LF:
        return byte == '\n' ? ST_TRAILER_START : ST_BAD;
    case ST_END_LF:
        return byte == '\n' ? ST_DONE : ST_BAD;
    case ST_DATA:
    case ST_DONE:
    case ST_BAD:
        break;
    }
    return ST_BAD;
}

static size_t take_data(struct aloft_http_chunked *c, size_t len)
{
    size_t n = c->left < len ? (size_t)c->left : len;

    c->left -= n;
    if (c->left == 0) {
        c->state = ST_DATA_CR;
    }
    return n;
}

enum aloft_err aloft_http_chunked_feed(struct aloft_http_chunked *c, const char *buf, size_t len,
                                       size_t *ret_used, size_t *ret_off, size_t *ret_len)
{
    size_t i = 0;

    *ret_off = 0;
    *ret_len = 0;
    while (i < len && c->state < ST_DONE) {
        if (c->state == ST_DATA) {
            *ret_off = i;
            *ret_len = take_data(c, len - i);
            i += *ret_len;
            break;
        }
        c->state = (uint8_t)step(c, buf[i]);
        i++;
    }
    *ret_used = i;
    if (c->state == ST_BAD) {
        return ALOFT_ERR_HTTP_FRAMING;
    }
    return c->state == ST_DONE ? ALOFT_ERR_CLOSED : ALOFT_ERR_OK;
}
