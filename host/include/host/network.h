/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HOST_NETWORK_H
#define ALOFT_HOST_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "host/error.h"

#define NETWORK_ADDRESS_BYTES 16
#define NETWORKS_MAX          32
#define NETWORKS_TEXT_BYTES   2048 /**< Of the longest list as text; one has at most 50. */

/** `192.0.2.0/24`, `2001:db8::/32`, or one address without the prefix. */
struct network {
    uint8_t bytes[NETWORK_ADDRESS_BYTES]; /**< Network order; an IPv4 one has 4, then zeros. */
    bool is_v6;
    uint8_t prefix_bits; /**< Leading bits that count. */
};

struct networks {
    struct network items[NETWORKS_MAX];
    size_t n_items;
};

/**
 * Parse a list, parted by commas and blanks; an empty text is an empty list.
 *
 * @param ret_list  Untouched after an error.
 * @retval ALOFT_ERR_SYNTAX   One is not of that form, or has bits behind its prefix.
 * @retval ALOFT_ERR_TOO_BIG  More than NETWORKS_MAX.
 */
ALOFT_MUST_CHECK
enum aloft_err networks_parse(const char *text, struct networks *ret_list, struct error *e);

/**
 * Does one of them hold this address? IPv4 in IPv6 (::ffff:a.b.c.d) counts as IPv4.
 *
 * @param bytes  4 bytes, 16 with `is_v6`, in network order.
 */
bool networks_hold(const struct networks *list, const uint8_t *bytes, bool is_v6);

/** As text that networks_parse() reads, under NETWORKS_TEXT_BYTES. Cut when it does not fit. */
void networks_format(const struct networks *list, char *out, size_t cap);

/** The same as networks_hold() for an address as text, without a port; what is no address is in no
 * network. */
bool networks_hold_text(const struct networks *list, const char *address);

#endif
