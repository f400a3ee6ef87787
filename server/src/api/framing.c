/* SPDX-License-Identifier: Apache-2.0 */
#include "api/framing.h"

#include <string.h>
#include <strings.h>

#define LENGTH_DIGITS_MAX 18 /* fits 64 bits */

struct seen {
    struct framing framing;
    unsigned n_hosts;
    unsigned n_lengths;
    unsigned n_codings;
};

static const char token_chars[] =
    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"; /* RFC 9110
                                                                                        5.6.2 */

static bool read_length(const char *text, uint64_t *ret_length)
{
    size_t n = strspn(text, "0123456789");
    uint64_t length = 0;

    if (n == 0 || n > LENGTH_DIGITS_MAX || text[n] != '\0') {
        return false;
    }
    for (; *text; text++) {
        length = length * 10 + (uint64_t)(*text - '0');
    }
    *ret_length = length;
    return true;
}

static void look_at(struct seen *s, const char *name, const char *value)
{
    if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
        s->n_hosts++;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        s->n_lengths++;
        if (!read_length(value, &s->framing.body_bytes)) {
            s->framing.problem = "Content-Length is not a number";
        }
    } else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        s->n_codings++;
        s->framing.is_chunked = true;
        if (strcasecmp(value, "chunked") != 0) {
            s->framing.problem = "the transfer coding is not known";
        }
    } else if (strcasecmp(name, MHD_HTTP_HEADER_EXPECT) == 0) {
        s->framing.expects_continue = true;
    }
}

static enum MHD_Result each_header(void *ctx, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    struct seen *s = ctx;

    (void)kind;
    (void)value_len;
    if (name_len == 0 || strspn(name, token_chars) != name_len) {
        s->framing.problem = "a header name has characters that do not belong there";
    } else {
        look_at(s, name, value ? value : "");
    }
    return s->framing.problem ? MHD_NO : MHD_YES;
}

struct framing framing_check(struct MHD_Connection *connection, const char *http_version)
{
    struct seen s = {0};

    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, each_header, &s);
    if (s.framing.problem) {
        return s.framing;
    }
    bool is_11 = strcmp(http_version, MHD_HTTP_VERSION_1_1) == 0;
    if (s.n_hosts > 1 || (is_11 && s.n_hosts == 0)) {
        s.framing.problem = "there must be one Host header";
    } else if (s.n_lengths > 1) {
        s.framing.problem = "there is more than one Content-Length";
    } else if (s.n_codings > 1 || (s.n_codings == 1 && s.n_lengths == 1)) {
        s.framing.problem = "there must be a Content-Length or a Transfer-Encoding, not both";
    } else if (s.n_codings == 1 && !is_11) {
        s.framing.problem = "HTTP/1.0 has no transfer codings";
    }
    return s.framing;
}
