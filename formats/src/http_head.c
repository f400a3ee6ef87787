/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/http_head.h"

#include <string.h>

#include "http_text.h"

/*
 * Each call walks the new bytes up to a line end and hands whole lines on. Control bytes are
 * refused by that walk, so what follows sees only tab, 0x20..0x7E and 0x80..0xFF. A line is looked
 * at only once it is whole: that makes the result independent of how the bytes arrived.
 */

#define HEAD_MAX 65535u /* Offsets are 16 bits wide. */

enum seen {
    SEEN_HOST = 1,
    SEEN_TRANSFER_ENCODING = 2,
    SEEN_CLOSE = 4,
    SEEN_KEEP_ALIVE = 8,
};

/* RFC 9110 5.6.2, a bit for each of the 128 codes: !#$%&'*+-.^_`|~ digits letters. */
static const uint32_t token_bits[4] = {0x00000000, 0x03FF6CFA, 0xC7FFFFFE, 0x57FFFFFF};

static bool is_token_byte(unsigned char c)
{
    return c < 128 && (token_bits[c >> 5] >> (c & 31) & 1) != 0;
}

static size_t count_token(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && is_token_byte((unsigned char)text[n])) {
        n++;
    }
    return n;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct aloft_http_piece make_piece(size_t off, size_t len)
{
    struct aloft_http_piece piece;

    piece.off = (uint16_t)off; /* Both below HEAD_MAX. */
    piece.len = (uint16_t)len;
    return piece;
}

static struct aloft_http_piece trim(const char *buf, struct aloft_http_piece piece)
{
    while (piece.len > 0 && is_blank(buf[piece.off])) {
        piece.off++;
        piece.len--;
    }
    while (piece.len > 0 && is_blank(buf[piece.off + piece.len - 1])) {
        piece.len--;
    }
    return piece;
}

/** `HTTP/1.0` or `HTTP/1.1`, exactly these eight bytes (the name is case-sensitive). */
static bool parse_version(const char *text, uint8_t *ret_minor)
{
    if (memcmp(text, "HTTP/1.", 7) != 0 || (text[7] != '0' && text[7] != '1')) {
        return false;
    }
    *ret_minor = (uint8_t)(text[7] - '0');
    return true;
}

#define VERSION_LEN 8u

static bool is_target(const char *target, size_t len)
{
    static const char *const schemes[] = {"http://", "https://"};

    if (memchr(target, ' ', len) != NULL || memchr(target, '\t', len) != NULL) {
        return false;
    }
    if (target[0] == '/') {
        return true;
    }
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t n = strlen(schemes[i]);

        if (len > n && aloft_http_text_is(target, n, schemes[i])) {
            return true;
        }
    }
    return len == 1 && target[0] == '*';
}

/** `GET /path HTTP/1.0`, parted by single spaces (RFC 9112 3). */
static enum aloft_err parse_request_line(struct aloft_http_head *head, const char *buf,
                                         struct aloft_http_piece line)
{
    const char *text = buf + line.off;
    size_t method_len = count_token(text, line.len);
    size_t target_off = method_len + 1;
    size_t target_len;

    if (method_len == 0 || line.len < target_off + 1 + 1 + VERSION_LEN) {
        return ALOFT_ERR_SYNTAX;
    }
    target_len = line.len - target_off - 1 - VERSION_LEN;
    if (text[method_len] != ' ' || text[target_off + target_len] != ' ' ||
        !is_target(text + target_off, target_len) ||
        !parse_version(text + line.len - VERSION_LEN, &head->minor_version)) {
        return ALOFT_ERR_SYNTAX;
    }
    head->method = make_piece(line.off, method_len);
    head->target = make_piece(line.off + target_off, target_len);
    return ALOFT_ERR_OK;
}

/** `HTTP/1.1 200 OK`; the reason, and the space before it, may be missing (RFC 9112 4). */
static enum aloft_err parse_status_line(struct aloft_http_head *head, const char *buf,
                                        struct aloft_http_piece line)
{
    const char *text = buf + line.off;
    const size_t code_off = VERSION_LEN + 1;
    uint64_t code;

    if (line.len < code_off + 3 || !parse_version(text, &head->minor_version) ||
        text[VERSION_LEN] != ' ' || !aloft_http_text_number(text + code_off, 3, &code) ||
        code < 100 || code > 599 || (line.len > code_off + 3 && text[code_off + 3] != ' ')) {
        return ALOFT_ERR_SYNTAX;
    }
    head->status = (uint16_t)code;
    return ALOFT_ERR_OK;
}

/** One only; empty is legal; no byte that would make it a list or a path (RFC 9112 3.2). */
static enum aloft_err take_host(struct aloft_http_head *head, const char *value, size_t len)
{
    if ((head->seen & SEEN_HOST) != 0) {
        return ALOFT_ERR_HTTP_FRAMING;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_token_byte((unsigned char)value[i]) && strchr(":[]", value[i]) == NULL) {
            return ALOFT_ERR_HTTP_FRAMING;
        }
    }
    head->seen |= SEEN_HOST;
    return ALOFT_ERR_OK;
}

static enum aloft_err take_content_length(struct aloft_http_head *head, const char *value,
                                          size_t len)
{
    if (head->has_content_length || (head->seen & SEEN_TRANSFER_ENCODING) != 0 ||
        !aloft_http_text_number(value, len, &head->content_length)) {
        return ALOFT_ERR_HTTP_FRAMING;
    }
    head->has_content_length = true;
    return ALOFT_ERR_OK;
}

/** HTTP/1.0 does not know it: whoever sends it there may mean another end (RFC 9112 6.1). */
static enum aloft_err take_transfer_encoding(struct aloft_http_head *head, const char *value,
                                             size_t len)
{
    if (head->has_content_length || (head->seen & SEEN_TRANSFER_ENCODING) != 0 ||
        head->minor_version == 0 || !aloft_http_text_is(value, len, "chunked")) {
        return ALOFT_ERR_HTTP_FRAMING;
    }
    head->seen |= SEEN_TRANSFER_ENCODING;
    head->is_chunked = true;
    return ALOFT_ERR_OK;
}

static enum aloft_err take_connection(struct aloft_http_head *head, const char *value, size_t len)
{
    size_t i = 0;

    while (i < len) {
        size_t n = count_token(value + i, len - i);

        if (aloft_http_text_is(value + i, n, "close")) {
            head->seen |= SEEN_CLOSE;
        } else if (aloft_http_text_is(value + i, n, "keep-alive")) {
            head->seen |= SEEN_KEEP_ALIVE;
        }
        i += n + 1; /* Behind the comma or blank. */
    }
    return ALOFT_ERR_OK;
}

/* The fields that decide where the message ends, and for whom it is. */
static const struct {
    const char *name;
    size_t len;
    enum aloft_err (*take)(struct aloft_http_head *head, const char *value, size_t len);
} framing_fields[] = {
    {"host", 4, take_host},
    {"connection", 10, take_connection},
    {"content-length", 14, take_content_length},
    {"transfer-encoding", 17, take_transfer_encoding},
};

static enum aloft_err parse_field(struct aloft_http_head *head, const char *buf,
                                  struct aloft_http_piece line)
{
    const char *text = buf + line.off;
    size_t name_len = count_token(text, line.len);
    struct aloft_http_field *field = &head->fields[head->n_fields];

    if (is_blank(text[0]) || (name_len < line.len && is_blank(text[name_len]))) {
        return ALOFT_ERR_HTTP_FRAMING; /* A folded line, or a blank before the colon. */
    }
    if (name_len == 0 || name_len == line.len || text[name_len] != ':') {
        return ALOFT_ERR_SYNTAX;
    }
    if (head->n_fields == ALOFT_HTTP_FIELDS_MAX) {
        return ALOFT_ERR_TOO_BIG;
    }
    field->name = make_piece(line.off, name_len);
    field->value = trim(buf, make_piece(line.off + name_len + 1, line.len - name_len - 1));
    head->n_fields++;
    for (size_t i = 0; i < sizeof framing_fields / sizeof framing_fields[0]; i++) {
        if (name_len == framing_fields[i].len &&
            aloft_http_text_is(text, name_len, framing_fields[i].name)) {
            return framing_fields[i].take(head, buf + field->value.off, field->value.len);
        }
    }
    return ALOFT_ERR_OK;
}

/** The blank line: judge the head as a whole. */
static enum aloft_err finish(struct aloft_http_head *head)
{
    bool is_request = head->kind == ALOFT_HTTP_REQUEST;

    if (is_request && head->minor_version == 1 && (head->seen & SEEN_HOST) == 0) {
        return ALOFT_ERR_HTTP_FRAMING;
    }
    head->is_keep_alive = (head->seen & SEEN_CLOSE) == 0 &&
                          (head->minor_version == 1 || (head->seen & SEEN_KEEP_ALIVE) != 0);
    head->head_len = head->line_start;
    return ALOFT_ERR_OK;
}

/** AGAIN while the head goes on, OK at its end. */
static enum aloft_err take_line(struct aloft_http_head *head, const char *buf,
                                struct aloft_http_piece line)
{
    enum aloft_err err;

    if (head->has_start_line) {
        if (line.len == 0) {
            return finish(head);
        }
        err = parse_field(head, buf, line);
    } else if (line.len == 0 && line.off == 0 && head->kind == ALOFT_HTTP_REQUEST) {
        return ALOFT_ERR_AGAIN; /* One empty line before a request is passed over (RFC 9112 2.2). */
    } else {
        head->has_start_line = true;
        err = head->kind == ALOFT_HTTP_REQUEST ? parse_request_line(head, buf, line)
                                               : parse_status_line(head, buf, line);
    }
    return err == ALOFT_ERR_OK ? ALOFT_ERR_AGAIN : err;
}

static bool is_text(char c)
{
    return (unsigned char)(c - 0x20) < 0x7F - 0x20 || (unsigned char)c >= 0x80 || c == '\t';
}

#define EACH_BYTE(value) (UINT64_MAX / 0xFF * (value))

/** Whether one of eight bytes is below space or DEL; bytes from 0x80 on are neither. */
static bool has_control(uint64_t eight)
{
    uint64_t del = eight ^ EACH_BYTE(0x7F);
    uint64_t below_space = (eight - EACH_BYTE(0x20)) & ~eight;
    uint64_t is_del = (del - EACH_BYTE(0x01)) & ~del;

    return ((below_space | is_del) & EACH_BYTE(0x80)) != 0;
}

/** Offset of the first control byte other than tab, or `end`; most text passes in eights. */
static size_t skip_text(const char *buf, size_t i, size_t end)
{
    uint64_t eight;

    while (end - i >= sizeof eight) {
        memcpy(&eight, buf + i, sizeof eight);
        if (has_control(eight)) {
            break;
        }
        i += sizeof eight;
    }
    while (i < end && is_text(buf[i])) {
        i++;
    }
    return i;
}

/** Walk to the next line end. OK: `ret_line` is a line without its end, and the next one is next.
 */
static enum aloft_err next_line(struct aloft_http_head *head, const char *buf, size_t end,
                                struct aloft_http_piece *ret_line)
{
    size_t line_end = skip_text(buf, head->scanned, end);
    size_t i = line_end;

    head->scanned = line_end;
    if (i < end && buf[i] == '\r') {
        i++;
    }
    if (i == end) {
        return ALOFT_ERR_AGAIN;
    }
    if (buf[i] != '\n') {
        return head->has_start_line ? ALOFT_ERR_HTTP_FRAMING : ALOFT_ERR_SYNTAX;
    }
    *ret_line = make_piece(head->line_start, line_end - head->line_start);
    head->line_start = i + 1;
    head->scanned = i + 1;
    return ALOFT_ERR_OK;
}

void aloft_http_head_init(struct aloft_http_head *head, enum aloft_http_kind kind)
{
    memset(head, 0, sizeof *head);
    head->kind = kind;
    head->err = ALOFT_ERR_AGAIN;
}

enum aloft_err aloft_http_head_parse(struct aloft_http_head *head, const char *buf, size_t len)
{
    size_t end = len < HEAD_MAX ? len : HEAD_MAX;

    while (head->err == ALOFT_ERR_AGAIN) {
        struct aloft_http_piece line;
        enum aloft_err err = next_line(head, buf, end, &line);

        if (err == ALOFT_ERR_AGAIN && len < HEAD_MAX) {
            return err;
        }
        if (err == ALOFT_ERR_AGAIN) {
            head->err = ALOFT_ERR_TOO_BIG;
        } else {
            head->err = err == ALOFT_ERR_OK ? take_line(head, buf, line) : err;
        }
    }
    return head->err;
}

bool aloft_http_head_find(const struct aloft_http_head *head, const char *buf, const char *name,
                          const char **ret_value, size_t *ret_len)
{
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct aloft_http_field *field = &head->fields[i];

        if (aloft_http_text_is(buf + field->name.off, field->name.len, name)) {
            *ret_value = buf + field->value.off;
            *ret_len = field->value.len;
            return true;
        }
    }
    return false;
}

bool aloft_http_piece_is(const char *buf, struct aloft_http_piece piece, const char *text)
{
    return strlen(text) == piece.len && memcmp(buf + piece.off, text, piece.len) == 0;
}
