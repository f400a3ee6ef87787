/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/pem.h"

#include <stdint.h>
#include <string.h>

static const char begin_line[] = "-----BEGIN CERTIFICATE-----";
static const char end_line[] = "-----END CERTIFICATE-----";
static const char dashes[] = "-----";

struct line {
    const char *text;
    size_t len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cut the first line off, without its line end and the white space in front of that. */
static struct line take_line(const char **at, const char *end)
{
    const char *lf = memchr(*at, '\n', (size_t)(end - *at));
    struct line line = {.text = *at, .len = (size_t)((lf != NULL ? lf : end) - *at)};

    *at = lf != NULL ? lf + 1 : end;
    while (line.len > 0 && is_blank(line.text[line.len - 1])) {
        line.len--;
    }
    return line;
}

static bool is_same(struct line line, const char *wanted)
{
    return line.len == strlen(wanted) && memcmp(line.text, wanted, line.len) == 0;
}

static bool is_boundary(struct line line)
{
    return line.len >= sizeof dashes - 1 && memcmp(line.text, dashes, sizeof dashes - 1) == 0;
}

static bool is_explanation(struct line line)
{
    for (size_t i = 0; i < line.len; i++) {
        uint8_t byte = (uint8_t)line.text[i];
        if (byte == 0x7F || (byte < ' ' && byte != '\t' && byte != '\r')) {
            return false;
        }
    }
    return !is_boundary(line);
}

static bool is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

/* What stands between the two boundaries so far. */
struct body {
    size_t n_chars;
    size_t n_pads;
};

static bool add_body(struct body *body, struct line line)
{
    /* DER of a certificate begins with 0x30, and so its base64 with M. */
    if (body->n_chars == 0 && (line.len == 0 || line.text[0] != 'M')) {
        return false;
    }
    for (size_t i = 0; i < line.len; i++) {
        bool is_pad = line.text[i] == '=';
        if (!is_pad && (body->n_pads > 0 || !is_base64(line.text[i]))) {
            return false;
        }
        body->n_pads += is_pad ? 1 : 0;
        body->n_chars++;
    }
    return body->n_pads <= 2;
}

static bool take_certificate(const char **at, const char *end)
{
    struct body body = {0};

    while (*at < end) {
        struct line line = take_line(at, end);
        if (is_same(line, end_line)) {
            return body.n_chars > 0 && body.n_chars % 4 == 0;
        }
        if (!add_body(&body, line)) {
            return false;
        }
    }
    return false;
}

bool aloft_pem_is_certificates(const char *text, size_t len)
{
    const char *at = text;
    const char *end = text + len;
    size_t n_certificates = 0;

    while (at < end) {
        struct line line = take_line(&at, end);
        if (is_same(line, begin_line)) {
            if (!take_certificate(&at, end)) {
                return false;
            }
            n_certificates++;
        } else if (!is_explanation(line)) {
            return false;
        }
    }
    return n_certificates > 0;
}
