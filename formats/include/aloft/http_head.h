/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HTTP_HEAD_H
#define ALOFT_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/*
 * HTTP/1 heads (RFC 9112), strict and bounded. The caller collects bytes in its own buffer; the
 * parser looks at each byte once and keeps offsets into that buffer, so nothing is copied and the
 * buffer may grow or move between calls as long as its content stays. Bare LF line ends are
 * tolerated (RFC 9112 2.2; old modules send them); everything ambiguous is refused
 * (facts/serving.md 6): two Content-Length, Content-Length with Transfer-Encoding, space before the
 * colon, a transfer coding other than chunked, signs, NUL, folded lines, HTTP/1.1 without Host.
 */

#define ALOFT_HTTP_FIELDS_MAX 32

/** A piece of the caller's buffer: `len` bytes at `off`. */
struct aloft_http_piece {
    uint16_t off;
    uint16_t len;
};

struct aloft_http_field {
    struct aloft_http_piece name;
    struct aloft_http_piece value; /**< Without surrounding white space. */
};

enum aloft_http_kind { ALOFT_HTTP_REQUEST, ALOFT_HTTP_RESPONSE };

/** Parsing state and result; complete for static allocation. Members below the line are private. */
struct aloft_http_head {
    uint8_t minor_version;          /**< 0 or 1. */
    struct aloft_http_piece method; /**< Request. */
    struct aloft_http_piece
        target; /**< Request; origin form `/...`, absolute form, or `*`; no spaces or controls. */
    uint16_t status; /**< Response, 100..599. */
    struct aloft_http_field fields[ALOFT_HTTP_FIELDS_MAX];
    uint16_t n_fields;
    bool has_content_length;
    uint64_t content_length;
    bool is_chunked;
    bool is_keep_alive; /**< By version and Connection. */
    size_t head_len;    /**< Bytes up to and including the blank line; 0 until complete. */
    /* private */
    enum aloft_http_kind kind;
    size_t scanned;    /* First byte not looked at yet. */
    size_t line_start; /* First byte of the line in work. */
    uint8_t seen;      /* What the fields said so far, as bits. */
    bool has_start_line;
    enum aloft_err err;
};

void aloft_http_head_init(struct aloft_http_head *head, enum aloft_http_kind kind);

/**
 * Look at what has arrived.
 *
 * @param buf  All bytes so far, from the first byte of the head.
 * @param len  How many; may include bytes after the head.
 * @retval ALOFT_ERR_OK            The head is complete, `head_len` says where it ends.
 * @retval ALOFT_ERR_AGAIN         More bytes are needed.
 * @retval ALOFT_ERR_HTTP_FRAMING  Ambiguous framing (as listed above).
 * @retval ALOFT_ERR_SYNTAX        Not HTTP/1.0 or 1.1.
 * @retval ALOFT_ERR_TOO_BIG       More than ALOFT_HTTP_FIELDS_MAX fields or 65535 bytes.
 * Errors, and the end, are sticky. How the bytes were cut into calls makes no difference.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_http_head_parse(struct aloft_http_head *head, const char *buf, size_t len);

/**
 * First field of this name, case-insensitive.
 *
 * @param ret_value  Points into `buf`; not NUL-terminated.
 * @return False if there is none.
 */
bool aloft_http_head_find(const struct aloft_http_head *head, const char *buf, const char *name,
                          const char **ret_value, size_t *ret_len);

/** Compare a piece with text, exactly. */
bool aloft_http_piece_is(const char *buf, struct aloft_http_piece piece, const char *text);

/** Bytes of a chunk-size line, and of all trailer fields together, line ends included. */
#define ALOFT_HTTP_CHUNK_LINE_MAX 256

/** Decoder of a chunked body; a zeroed struct is its start. */
struct aloft_http_chunked {
    uint64_t left; /* private, all three */
    uint8_t state;
    uint16_t line_len;
};

/**
 * Take the next bytes of a chunked body and say which of them are payload. Chunk extensions and
 * trailer fields are skipped. Bare LF is refused here: a proxy that reads it otherwise would see
 * another end of the message.
 *
 * One call yields at most one payload run: `buf[*ret_off .. *ret_off + *ret_len)`. `*ret_used`
 * bytes are done with; call again with the rest.
 *
 * @retval ALOFT_ERR_OK            More may follow (also when `*ret_len` is 0).
 * @retval ALOFT_ERR_CLOSED        The body is complete; `*ret_used` counts its last byte.
 * @retval ALOFT_ERR_HTTP_FRAMING  Bad chunk size, line too long (ALOFT_HTTP_CHUNK_LINE_MAX), or
 * missing line end. Sticky, as the end is.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_http_chunked_feed(struct aloft_http_chunked *c, const char *buf, size_t len,
                                       size_t *ret_used, size_t *ret_off, size_t *ret_len);

/** One `Range: bytes=...` of the forms N-, N-M and -N; several ranges are refused. */
struct aloft_http_range {
    uint64_t start; /**< First byte. */
    uint64_t end;   /**< Behind the last byte. */
};

/**
 * @param total  Size of the whole in bytes.
 * @retval ALOFT_ERR_SYNTAX  Not one byte range: ignore the header (RFC 9110 14.2).
 * @retval ALOFT_ERR_RANGE   Not satisfiable: answer 416.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_http_range_parse(const char *value, size_t len, uint64_t total,
                                      struct aloft_http_range *ret_range);

#endif
