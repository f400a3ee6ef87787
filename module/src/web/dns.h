/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_DNS_H
#define ALOFT_WEB_DNS_H

#include <stddef.h>
#include <stdint.h>

/** Bytes of the largest answer: a question with the longest name, and one address (RFC 1035). */
#define ALOFT_DNS_ANSWER_MAX (12 + 255 + 4 + 16)

/**
 * Turn a DNS query into its answer, in place: every name has the address `ip` (facts/at-commands.md
 * 3.6). IPv4 addresses are answered (also for ANY), all else with no records; EDNS and whatever
 * else stands behind the question is left out.
 *
 * @param packet  The query, in a buffer of at least ALOFT_DNS_ANSWER_MAX bytes.
 * @param len     Bytes of the query; the buffer holds them all.
 * @param ip      4 bytes.
 * @return Bytes of the answer; 0 = there is none, because it was no query.
 */
size_t aloft_dns_answer(uint8_t *packet, size_t len, const uint8_t *ip);

#endif
