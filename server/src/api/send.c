/* SPDX-License-Identifier: Apache-2.0 */
#include "api/send.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/auto.h"

#define STREAM_BLOCK_BYTES 16384

struct stream {
    api_reader *reader;
    void (*free_ctx)(void *ctx);
    void *ctx;
};

static ssize_t read_stream(void *ctx, uint64_t at, char *buf, size_t cap)
{
    struct stream *s = ctx;
    long n = s->reader(s->ctx, buf, cap);

    (void)at;
    if (n == API_READ_LATER) {
        return 0;
    }
    if (n < 0) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    return n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static void free_stream(void *ctx)
{
    struct stream *s = ctx;

    if (s->free_ctx) {
        s->free_ctx(s->ctx);
    }
    free(s);
}

static struct MHD_Response *stream_response(struct request *r)
{
    struct stream *s = calloc(1, sizeof *s);

    if (!s) {
        return NULL;
    }
    *s = (struct stream){r->reader, r->reader_free, r->reader_ctx};
    r->reader_free = NULL; /* the response's now */
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream, s, free_stream);
    if (!response) {
        free_stream(s);
    }
    return response;
}

static struct MHD_Response *text_response(struct request *r)
{
    AUTO_FREE char *made = r->answer ? json_dumps(r->answer, JSON_COMPACT) : NULL;
    char *text = made ? made : r->text;

    return MHD_create_response_from_buffer(text ? strlen(text) : 0, text, MHD_RESPMEM_MUST_COPY);
}

static void add(struct MHD_Response *response, const char *name, const char *value)
{
    if (value) { /* refused only without memory, or with line ends, which no value of ours has */
        (void)MHD_add_response_header(response, name, value);
    }
}

static void add_headers(const struct request *r, struct MHD_Response *response)
{
    char number[32];
    bool has_body = r->answer || r->text || r->reader;

    add(response, MHD_HTTP_HEADER_CONTENT_TYPE, has_body ? r->content_type : NULL);
    /* Answers hold tokens: no cache may keep them. */
    add(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    add(response, MHD_HTTP_HEADER_CONNECTION, "close"); /* front.c looks at one head only */
    add(response, MHD_HTTP_HEADER_X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(response, MHD_HTTP_HEADER_LOCATION, r->location);
    add(response, MHD_HTTP_HEADER_SET_COOKIE, r->cookie);
    if (r->revision != 0) {
        (void)snprintf(number, sizeof number, "\"%" PRId64 "\"", r->revision);
        add(response, MHD_HTTP_HEADER_ETAG, number);
    }
    if (r->retry_after_s != 0) {
        (void)snprintf(number, sizeof number, "%u", r->retry_after_s);
        add(response, MHD_HTTP_HEADER_RETRY_AFTER, number);
    }
    if (r->status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        add(response, MHD_HTTP_HEADER_ALLOW, r->allow);
    }
    if (r->status == MHD_HTTP_UNAUTHORIZED) {
        add(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    }
}

enum MHD_Result send_answer(struct request *r)
{
    blob_writer_free(STEAL(r->writer)); /* a file not kept is gone before anybody is told */
    struct MHD_Response *response = r->reader ? stream_response(r) : text_response(r);

    if (!response) {
        return MHD_NO;
    }
    add_headers(r, response);
    (void)atomic_fetch_add_explicit(&r->api->n_answers[r->status / 100 - 1], 1,
                                    memory_order_relaxed);
    enum MHD_Result result = MHD_queue_response(r->connection, r->status, response);
    MHD_destroy_response(response);
    return result;
}
