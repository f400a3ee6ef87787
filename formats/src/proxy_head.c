/* SPDX-License-Identifier: Apache-2.0 */
#include "aloft/proxy_head.h"

#include <string.h>

/* Version 1: one line of text. The longest is of two IPv6 addresses (section 2.1). */
#define LINE_MAX_BYTES 107

/* Version 2: signature, version and command, family and protocol, length, addresses (2.2). */
#define FIXED_BYTES    16
#define COMMAND_OFF    12
#define FAMILY_OFF     13
#define LENGTH_OFF     14
#define VERSION_2      0x20
#define COMMAND_LOCAL  0x00
#define COMMAND_PROXY  0x01
#define FAMILY_TCP4    0x11
#define FAMILY_TCP6    0x21
#define ADDRESSES_TCP4 12 /* source, destination, their ports */
#define ADDRESSES_TCP6 36

#define V4_BYTES  4
#define V6_BYTES  16
#define V6_GROUPS 8

static const uint8_t signature[COMMAND_OFF] = {0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D,
                                               0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};

/* What is left of a line; every reader below takes from its front and says whether it could. */
struct cursor {
    const char *p;
    const char *end;
};

static bool take(struct cursor *c, const char *wanted)
{
    size_t len = strlen(wanted);

    if ((size_t)(c->end - c->p) < len || memcmp(c->p, wanted, len) != 0) {
        return false;
    }
    c->p += len;
    return true;
}

/* Without signs and leading zeros. */
static bool take_decimal(struct cursor *c, unsigned max, unsigned *ret)
{
    const char *start = c->p;
    unsigned value = 0;

    while (c->p < c->end && *c->p >= '0' && *c->p <= '9' && value <= max) {
        value = value * 10 + (unsigned)(*c->p++ - '0');
    }
    *ret = value;
    return c->p > start && value <= max && (*start != '0' || c->p - start == 1);
}

static bool take_v4(struct cursor *c, uint8_t *out)
{
    for (int i = 0; i < V4_BYTES; i++) {
        unsigned byte;
        if ((i > 0 && !take(c, ".")) || !take_decimal(c, 255, &byte)) {
            return false;
        }
        out[i] = (uint8_t)byte;
    }
    return true;
}

static int digit_value(char d)
{
    if (d >= '0' && d <= '9') {
        return d - '0';
    }
    if (d >= 'a' && d <= 'f') {
        return d - 'a' + 10;
    }
    return d >= 'A' && d <= 'F' ? d - 'A' + 10 : -1;
}

static bool take_group(struct cursor *c, uint8_t *out)
{
    const char *start = c->p;
    unsigned value = 0;

    while (c->p < c->end && c->p - start < 4 && digit_value(*c->p) >= 0) {
        value = value << 4 | (unsigned)digit_value(*c->p++);
    }
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return c->p > start;
}

/* The last four bytes may be written as an IPv4 address (RFC 4291 2.2), and are by inet_ntop(). */
static bool take_v4_tail(struct cursor *c, uint8_t *out)
{
    struct cursor ahead = *c;

    if (!take_v4(&ahead, out)) {
        return false;
    }
    *c = ahead;
    return true;
}

/* Groups up to the end of the address or `::`; how many, -1: none can be read. */
static int take_groups(struct cursor *c, uint8_t *out, int max)
{
    int n = 0;

    while (n < max) {
        struct cursor before = *c;
        if (n > 0 && (!take(c, ":") || (c->p < c->end && *c->p == ':'))) {
            *c = before; /* the address ends, or `::` begins */
            return n;
        }
        if (n + 2 <= max && take_v4_tail(c, out + 2 * n)) {
            return n + 2;
        }
        if (!take_group(c, out + 2 * n)) {
            *c = before;
            return n > 0 ? -1 : 0;
        }
        n++;
    }
    return n;
}

static bool take_v6(struct cursor *c, uint8_t *out)
{
    uint8_t tail[V6_BYTES] = {0};
    int n_front = take_groups(c, out, V6_GROUPS);

    if (n_front < 0) {
        return false;
    }
    if (!take(c, "::")) {
        return n_front == V6_GROUPS;
    }
    int n_tail = take_groups(c, tail, V6_GROUPS - 1 - n_front);
    if (n_front == V6_GROUPS || n_tail < 0) {
        return false;
    }
    size_t front_len = 2 * (size_t)n_front;
    size_t tail_len = 2 * (size_t)n_tail;
    memset(out + front_len, 0, V6_BYTES - front_len);
    memcpy(out + V6_BYTES - tail_len, tail, tail_len);
    return true;
}

static bool take_address(struct cursor *c, bool is_v6, uint8_t *out)
{
    return is_v6 ? take_v6(c, out) : take_v4(c, out);
}

static bool parse_line(const char *line, size_t len, struct aloft_proxy_head *head)
{
    struct cursor c = {line, line + len - 2};
    uint8_t destination[V6_BYTES];
    unsigned port;
    unsigned destination_port;

    if (!take(&c, "PROXY ")) {
        return false;
    }
    if (take(&c, "UNKNOWN")) { /* whatever follows is to be ignored */
        return c.p == c.end || *c.p == ' ';
    }
    head->is_v6 = take(&c, "TCP6 ");
    if ((!head->is_v6 && !take(&c, "TCP4 ")) || !take_address(&c, head->is_v6, head->source) ||
        !take(&c, " ") || !take_address(&c, head->is_v6, destination) || !take(&c, " ") ||
        !take_decimal(&c, UINT16_MAX, &port) || !take(&c, " ") ||
        !take_decimal(&c, UINT16_MAX, &destination_port)) {
        return false;
    }
    head->has_source = true;
    head->source_port = (uint16_t)port;
    return c.p == c.end;
}

static enum aloft_err parse_v1(const uint8_t *buf, size_t len, struct aloft_proxy_head *ret_head)
{
    struct aloft_proxy_head head = {0};
    size_t seen = len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES;
    const uint8_t *lf = memchr(buf, '\n', seen);

    if (!lf) {
        return len < LINE_MAX_BYTES ? ALOFT_ERR_AGAIN : ALOFT_ERR_SYNTAX;
    }
    head.head_len = (size_t)(lf - buf) + 1;
    if (head.head_len < 2 || lf[-1] != '\r' ||
        !parse_line((const char *)buf, head.head_len, &head)) {
        return ALOFT_ERR_SYNTAX;
    }
    *ret_head = head;
    return ALOFT_ERR_OK;
}

static uint16_t get_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static enum aloft_err parse_v2(const uint8_t *buf, size_t len, struct aloft_proxy_head *ret_head)
{
    if (len < FIXED_BYTES) {
        return ALOFT_ERR_AGAIN;
    }
    struct aloft_proxy_head head = {.head_len = FIXED_BYTES + (size_t)get_be16(buf + LENGTH_OFF),
                                    .is_v6 = buf[FAMILY_OFF] == FAMILY_TCP6};
    size_t needed = FIXED_BYTES + (head.is_v6 ? ADDRESSES_TCP6 : ADDRESSES_TCP4);
    size_t address_len = head.is_v6 ? V6_BYTES : V4_BYTES;
    int command = buf[COMMAND_OFF] - VERSION_2;

    if (command != COMMAND_LOCAL && command != COMMAND_PROXY) {
        return ALOFT_ERR_SYNTAX;
    }
    if (head.head_len > ALOFT_PROXY_HEAD_MAX) {
        return ALOFT_ERR_TOO_BIG;
    }
    if (len < head.head_len) {
        return ALOFT_ERR_AGAIN;
    }
    if (command == COMMAND_PROXY && (head.is_v6 || buf[FAMILY_OFF] == FAMILY_TCP4)) {
        if (head.head_len < needed) {
            return ALOFT_ERR_SYNTAX;
        }
        head.has_source = true;
        memcpy(head.source, buf + FIXED_BYTES, address_len);
        head.source_port = get_be16(buf + FIXED_BYTES + 2 * address_len);
    }
    *ret_head = head;
    return ALOFT_ERR_OK;
}

enum aloft_err aloft_proxy_head_parse(const uint8_t *buf, size_t len,
                                      struct aloft_proxy_head *ret_head)
{
    static const char v1[] = "PROXY ";
    size_t v1_len = len < sizeof v1 - 1 ? len : sizeof v1 - 1;
    size_t v2_len = len < sizeof signature ? len : sizeof signature;

    if (len == 0) {
        return ALOFT_ERR_AGAIN;
    }
    if (memcmp(buf, v1, v1_len) == 0) {
        return parse_v1(buf, len, ret_head);
    }
    if (memcmp(buf, signature, v2_len) == 0) {
        return v2_len < sizeof signature ? ALOFT_ERR_AGAIN : parse_v2(buf, len, ret_head);
    }
    return ALOFT_ERR_SYNTAX;
}
