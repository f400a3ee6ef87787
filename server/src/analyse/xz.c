/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/xz.h"

#include <stdlib.h>
#include <string.h>

#include <lzma.h>

#define OUT_BYTES 16384u

enum part {
    PART_HEADER,
    PART_BLOCK_HEADER,
    PART_BLOCK,
    PART_INDEX,
    PART_FOOTER,
    PART_END,
};

struct xz_reader {
    enum part part;
    enum xz_fault fault;
    xz_sink *sink;
    void *ctx;
    lzma_stream_flags flags;
    lzma_index_hash *index;
    lzma_stream stream;
    lzma_block block;
    uint32_t dict_bytes;
    uint8_t scratch[LZMA_BLOCK_HEADER_SIZE_MAX];
    size_t scratch_len;
    uint8_t out[OUT_BYTES];
};

struct input {
    const uint8_t *buf;
    size_t len;
    size_t used;
};

struct xz_reader *xz_new(xz_sink *sink, void *ctx)
{
    struct xz_reader *xz = calloc(1, sizeof *xz);

    if (!xz) {
        return NULL;
    }
    xz->stream = (lzma_stream)LZMA_STREAM_INIT;
    xz->sink = sink;
    xz->ctx = ctx;
    xz->index = lzma_index_hash_init(NULL, NULL);
    if (!xz->index) {
        free(xz);
        return NULL;
    }
    return xz;
}

void xz_free(struct xz_reader *xz)
{
    if (xz) {
        lzma_end(&xz->stream);
        lzma_index_hash_end(xz->index, NULL);
        free(xz);
    }
}

unsigned xz_check(const struct xz_reader *xz)
{
    return (unsigned)xz->flags.check;
}

uint32_t xz_dict_bytes(const struct xz_reader *xz)
{
    return xz->dict_bytes;
}

/* Gather `need` bytes in the scratch. @return They are all there. */
static bool gather(struct xz_reader *xz, struct input *in, size_t need)
{
    size_t n = need - xz->scratch_len;

    n = n > in->len - in->used ? in->len - in->used : n;
    memcpy(xz->scratch + xz->scratch_len, in->buf + in->used, n);
    xz->scratch_len += n;
    in->used += n;
    return xz->scratch_len == need;
}

static void begin(struct xz_reader *xz, enum part part)
{
    xz->part = part;
    xz->scratch_len = 0;
}

static enum xz_fault read_header(struct xz_reader *xz, struct input *in)
{
    if (!gather(xz, in, LZMA_STREAM_HEADER_SIZE)) {
        return XZ_GOOD;
    }
    if (lzma_stream_header_decode(&xz->flags, xz->scratch) != LZMA_OK) {
        return XZ_NO_STREAM;
    }
    begin(xz, PART_BLOCK_HEADER);
    return xz->flags.check > LZMA_CHECK_CRC32 ? XZ_CHECK : XZ_GOOD;
}

static enum xz_fault look_at_filters(struct xz_reader *xz, const lzma_filter *filters)
{
    if (filters[0].id != LZMA_FILTER_LZMA2 || filters[1].id != LZMA_VLI_UNKNOWN) {
        return XZ_FILTER;
    }
    const lzma_options_lzma *options = filters[0].options;
    xz->dict_bytes = options->dict_size;
    return xz->dict_bytes > XZ_DICT_MAX ? XZ_DICT : XZ_GOOD;
}

static enum xz_fault begin_block(struct xz_reader *xz)
{
    lzma_filter filters[LZMA_FILTERS_MAX + 1];

    xz->block.version = 1;
    xz->block.check = xz->flags.check;
    xz->block.filters = filters;
    lzma_ret ret = lzma_block_header_decode(&xz->block, NULL, xz->scratch);
    if (ret != LZMA_OK) {
        return ret == LZMA_OPTIONS_ERROR ? XZ_FILTER : ret == LZMA_MEM_ERROR ? XZ_MEMORY : XZ_DATA;
    }
    enum xz_fault fault = look_at_filters(xz, filters);
    if (fault == XZ_GOOD) {
        ret = lzma_block_decoder(&xz->stream, &xz->block);
        fault = ret == LZMA_OK ? XZ_GOOD : ret == LZMA_MEM_ERROR ? XZ_MEMORY : XZ_DATA;
    }
    lzma_filters_free(filters, NULL); /* the decoder has taken what it needs */
    xz->block.filters = NULL;
    begin(xz, PART_BLOCK);
    return fault;
}

/* A block header, or the index, which begins with a 0 that belongs to it. */
static enum xz_fault read_block_header(struct xz_reader *xz, struct input *in)
{
    if (xz->scratch_len == 0) {
        if (in->buf[in->used] == 0) {
            begin(xz, PART_INDEX);
            return XZ_GOOD;
        }
        xz->block.header_size = lzma_block_header_size_decode(in->buf[in->used]);
    }
    return gather(xz, in, xz->block.header_size) ? begin_block(xz) : XZ_GOOD;
}

static enum xz_fault end_block(struct xz_reader *xz)
{
    lzma_ret ret = lzma_index_hash_append(xz->index, lzma_block_unpadded_size(&xz->block),
                                          xz->block.uncompressed_size);

    begin(xz, PART_BLOCK_HEADER);
    return ret == LZMA_OK ? XZ_GOOD : XZ_DATA;
}

static enum xz_fault read_block(struct xz_reader *xz, struct input *in)
{
    lzma_ret ret;

    xz->stream.next_in = in->buf + in->used;
    xz->stream.avail_in = in->len - in->used;
    do {
        xz->stream.next_out = xz->out;
        xz->stream.avail_out = sizeof xz->out;
        ret = lzma_code(&xz->stream, LZMA_RUN);
        size_t n = sizeof xz->out - xz->stream.avail_out;
        if (n > 0 && !xz->sink(xz->ctx, xz->out, n)) {
            return XZ_STOPPED;
        }
    } while (ret == LZMA_OK && xz->stream.avail_out == 0);
    in->used = in->len - xz->stream.avail_in;
    if (ret == LZMA_STREAM_END) {
        return end_block(xz);
    }
    /* LZMA_BUF_ERROR: all input is used up, and all output of it is out. */
    return ret == LZMA_OK || ret == LZMA_BUF_ERROR ? XZ_GOOD
           : ret == LZMA_MEM_ERROR                 ? XZ_MEMORY
                                                   : XZ_DATA;
}

static enum xz_fault read_index(struct xz_reader *xz, struct input *in)
{
    lzma_ret ret = lzma_index_hash_decode(xz->index, in->buf, &in->used, in->len);

    if (ret == LZMA_STREAM_END) {
        begin(xz, PART_FOOTER);
        return XZ_GOOD;
    }
    return ret == LZMA_OK ? XZ_GOOD : XZ_DATA;
}

static enum xz_fault read_footer(struct xz_reader *xz, struct input *in)
{
    lzma_stream_flags footer;

    if (!gather(xz, in, LZMA_STREAM_HEADER_SIZE)) {
        return XZ_GOOD;
    }
    begin(xz, PART_END);
    bool is_good = lzma_stream_footer_decode(&footer, xz->scratch) == LZMA_OK &&
                   footer.backward_size == lzma_index_hash_size(xz->index) &&
                   lzma_stream_flags_compare(&xz->flags, &footer) == LZMA_OK;
    return is_good ? XZ_GOOD : XZ_DATA;
}

static enum xz_fault read_end(struct xz_reader *xz, struct input *in)
{
    (void)xz;
    (void)in;
    return XZ_TRAILING;
}

void xz_feed(struct xz_reader *xz, const uint8_t *buf, size_t len)
{
    static enum xz_fault (*const readers[])(struct xz_reader * xz, struct input * in) = {
        [PART_HEADER] = read_header, [PART_BLOCK_HEADER] = read_block_header,
        [PART_BLOCK] = read_block,   [PART_INDEX] = read_index,
        [PART_FOOTER] = read_footer, [PART_END] = read_end,
    };
    struct input in = {buf, len, 0};

    while (xz->fault == XZ_GOOD && in.used < in.len) {
        xz->fault = readers[xz->part](xz, &in);
    }
}

enum xz_fault xz_finish(struct xz_reader *xz)
{
    if (xz->fault == XZ_GOOD && xz->part != PART_END) {
        xz->fault = xz->part == PART_HEADER ? XZ_NO_STREAM : XZ_TRUNCATED;
    }
    return xz->fault;
}
