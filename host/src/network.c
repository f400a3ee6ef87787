/* SPDX-License-Identifier: Apache-2.0 */
#include "host/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define V4_BYTES      4u
#define BITS          8u
#define SEPARATORS    ", \t"
#define ITEM_BYTES    64 /* the longest IPv6 text with a prefix has 50 */
#define PREFIX_DIGITS 3
#define FORM          "is not a network such as 192.0.2.0/24 or 2001:db8::/32, or an address"

static const uint8_t v4_in_v6[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

/* ::ffff:a.b.c.d is how a socket of both families shows an IPv4 peer. */
static const uint8_t *unmap(const uint8_t *bytes, bool *is_v6)
{
    if (*is_v6 && memcmp(bytes, v4_in_v6, sizeof v4_in_v6) == 0) {
        *is_v6 = false;
        return bytes + sizeof v4_in_v6;
    }
    return bytes;
}

/* Do the first `n_bits` agree? */
static bool is_equal(const uint8_t *a, const uint8_t *b, unsigned n_bits)
{
    size_t whole = n_bits / BITS;
    unsigned rest = n_bits % BITS;

    return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (BITS - rest) == 0);
}

static bool has_host_bits(const struct network *n)
{
    struct network masked = *n;

    for (size_t i = 0; i < sizeof masked.bytes; i++) {
        unsigned kept = n->prefix_bits > i * BITS ? n->prefix_bits - (unsigned)i * BITS : 0;
        masked.bytes[i] &= (uint8_t)(kept >= BITS ? 0xFF : 0xFF00 >> kept);
    }
    return memcmp(masked.bytes, n->bytes, sizeof n->bytes) != 0;
}

/* A socket shows such peers as IPv4: see unmap(). */
static void normalize(struct network *n)
{
    bool is_v6 = n->is_v6;
    const uint8_t *v4 = unmap(n->bytes, &is_v6);
    struct network mapped = {.is_v6 = false};

    if (is_v6 != n->is_v6 && n->prefix_bits >= sizeof v4_in_v6 * BITS) {
        memcpy(mapped.bytes, v4, V4_BYTES);
        mapped.prefix_bits = (uint8_t)(n->prefix_bits - sizeof v4_in_v6 * BITS);
        *n = mapped;
    }
}

static bool take_prefix(const char *text, unsigned max, uint8_t *ret_bits)
{
    unsigned bits = 0;
    size_t len = strlen(text);

    if (len == 0 || len > PREFIX_DIGITS || strspn(text, "0123456789") != len) {
        return false;
    }
    for (; *text; text++) {
        bits = bits * 10 + (unsigned)(*text - '0');
    }
    *ret_bits = (uint8_t)(bits <= max ? bits : 0);
    return bits <= max;
}

static enum aloft_err parse_one(const char *text, size_t len, struct network *ret_one,
                                struct error *e)
{
    char item[ITEM_BYTES];
    struct network n = {0};

    if (len >= sizeof item) {
        return fail(e, ALOFT_ERR_SYNTAX, "'%.*s...' " FORM, ITEM_BYTES, text);
    }
    memcpy(item, text, len);
    item[len] = '\0';
    char *slash = strchr(item, '/');
    if (slash) {
        *slash = '\0';
    }
    n.is_v6 = strchr(item, ':') != NULL;
    unsigned max = (n.is_v6 ? NETWORK_ADDRESS_BYTES : V4_BYTES) * BITS;
    n.prefix_bits = (uint8_t)max;
    if (inet_pton(n.is_v6 ? AF_INET6 : AF_INET, item, n.bytes) != 1 ||
        (slash && !take_prefix(slash + 1, max, &n.prefix_bits))) {
        return fail(e, ALOFT_ERR_SYNTAX, "'%.*s' " FORM, (int)len, text);
    }
    if (has_host_bits(&n)) {
        return fail(e, ALOFT_ERR_SYNTAX,
                    "'%.*s' has bits set behind its prefix: write the network's first address, or "
                    "/%u for this address alone",
                    (int)len, text, max);
    }
    normalize(&n);
    *ret_one = n;
    return ALOFT_ERR_OK;
}

enum aloft_err networks_parse(const char *text, struct networks *ret_list, struct error *e)
{
    struct networks list = {.n_items = 0};

    for (const char *p = text + strspn(text, SEPARATORS); *p; p += strspn(p, SEPARATORS)) {
        size_t len = strcspn(p, SEPARATORS);
        if (list.n_items == NETWORKS_MAX) {
            return fail(e, ALOFT_ERR_TOO_BIG, "more than %d networks", NETWORKS_MAX);
        }
        enum aloft_err err = parse_one(p, len, &list.items[list.n_items], e);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
        list.n_items++;
        p += len;
    }
    *ret_list = list;
    return ALOFT_ERR_OK;
}

void networks_format(const struct networks *list, char *out, size_t cap)
{
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < list->n_items && n < cap; i++) {
        const struct network *one = &list->items[i];
        unsigned max = (one->is_v6 ? NETWORK_ADDRESS_BYTES : V4_BYTES) * BITS;
        char address[INET6_ADDRSTRLEN] = "?";
        (void)inet_ntop(one->is_v6 ? AF_INET6 : AF_INET, one->bytes, address, sizeof address);
        n += (size_t)snprintf(out + n, cap - n, "%s%s", i ? "," : "", address);
        if (one->prefix_bits < max && n < cap) {
            n += (size_t)snprintf(out + n, cap - n, "/%u", one->prefix_bits);
        }
    }
}

bool networks_hold(const struct networks *list, const uint8_t *bytes, bool is_v6)
{
    bytes = unmap(bytes, &is_v6);
    for (size_t i = 0; i < list->n_items; i++) {
        const struct network *n = &list->items[i];
        if (n->is_v6 == is_v6 && is_equal(n->bytes, bytes, n->prefix_bits)) {
            return true;
        }
    }
    return false;
}

bool networks_hold_text(const struct networks *list, const char *address)
{
    uint8_t bytes[NETWORK_ADDRESS_BYTES];
    bool is_v6 = strchr(address, ':') != NULL;

    return inet_pton(is_v6 ? AF_INET6 : AF_INET, address, bytes) == 1 &&
           networks_hold(list, bytes, is_v6);
}
