/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <string.h>

#define UINT32_DIGITS 10
#define HEX_DIGITS    8

static const char hex_digits[] = "0123456789abcdef";

void aloft_text_init(struct aloft_text *t, char *buf, size_t cap)
{
    t->buf = buf;
    t->cap = cap;
    t->len = 0;
    t->is_cut = false;
    buf[0] = '\0';
}

void aloft_text_add_bytes(struct aloft_text *t, const void *bytes, size_t len)
{
    if (t->is_cut || len > t->cap - 1 - t->len) {
        t->is_cut = true;
        return;
    }
    if (len > 0) {
        memcpy(t->buf + t->len, bytes, len);
    }
    t->len += len;
    t->buf[t->len] = '\0';
}

void aloft_text_add(struct aloft_text *t, const char *text)
{
    aloft_text_add_bytes(t, text, strlen(text));
}

void aloft_text_add_char(struct aloft_text *t, char c)
{
    aloft_text_add_bytes(t, &c, 1);
}

void aloft_text_add_uint(struct aloft_text *t, uint32_t value)
{
    char digits[UINT32_DIGITS];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    aloft_text_add_bytes(t, digits + at, sizeof digits - at);
}

void aloft_text_add_int(struct aloft_text *t, int32_t value)
{
    if (value < 0) {
        aloft_text_add_char(t, '-');
    }
    /* Unsigned negation: INT32_MIN has no positive counterpart. */
    aloft_text_add_uint(t, value < 0 ? 0u - (uint32_t)value : (uint32_t)value);
}

void aloft_text_add_hex(struct aloft_text *t, uint32_t value, uint8_t min_digits)
{
    char digits[HEX_DIGITS];
    size_t at = sizeof digits;

    do {
        digits[--at] = hex_digits[value & 0xF];
        value >>= 4;
    } while (at > 0 && (value != 0 || sizeof digits - at < min_digits));
    aloft_text_add_bytes(t, digits + at, sizeof digits - at);
}

void aloft_text_add_ipv4(struct aloft_text *t, const uint8_t *ip)
{
    for (size_t i = 0; i < 4; i++) {
        if (i > 0) {
            aloft_text_add_char(t, '.');
        }
        aloft_text_add_uint(t, ip[i]);
    }
}

#define IPV6_GROUPS 8

static uint16_t ipv6_group(const uint8_t *ip, uint8_t n)
{
    return (uint16_t)(ip[2 * n] << 8 | ip[2 * n + 1]);
}

/* The longest run of two or more groups of zeros, the first of equal ones; 0 = there is none. */
static uint8_t find_zeros(const uint8_t *ip, uint8_t *ret_start)
{
    uint8_t longest = 1;
    uint8_t run = 0;

    for (uint8_t i = 0; i < IPV6_GROUPS; i++) {
        run = ipv6_group(ip, i) == 0 ? (uint8_t)(run + 1) : 0;
        if (run > longest) {
            longest = run;
            *ret_start = (uint8_t)(i + 1 - run);
        }
    }
    return longest > 1 ? longest : 0;
}

void aloft_text_add_ipv6(struct aloft_text *t, const uint8_t *ip)
{
    uint8_t start = IPV6_GROUPS;
    uint8_t n_zeros = find_zeros(ip, &start);

    for (uint8_t i = 0; i < IPV6_GROUPS; i++) {
        if (i == start) {
            aloft_text_add(t, "::");
            i = (uint8_t)(i + n_zeros - 1);
            continue;
        }
        if (i > 0 && i != start + n_zeros) {
            aloft_text_add_char(t, ':');
        }
        aloft_text_add_hex(t, ipv6_group(ip, i), 1);
    }
}

void aloft_text_add_hex_bytes(struct aloft_text *t, const uint8_t *bytes, size_t len,
                              char separator)
{
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && separator != '\0') {
            aloft_text_add_char(t, separator);
        }
        aloft_text_add_hex(t, bytes[i], 2);
    }
}
