/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_LOOKUP_H
#define ALOFT_VIRTUAL_LOOKUP_H

#include "aloft/attr.h"
#include "aloft/port.h"
#include "host/error.h"

/* Name look-up that does not block: getaddrinfo() in a thread of its own, IPv4 only. One at a
 * time; a question for another name abandons the one before. */

struct lookup;

/** @param ret_lookup Free with lookup_free(). */
ALOFT_MUST_CHECK
enum aloft_err lookup_new(struct lookup **ret_lookup, struct error *e);

void lookup_free(struct lookup *lookup);

/** For poll(): readable when an answer may be there, until lookup_drain(). */
int lookup_fd(const struct lookup *lookup);
void lookup_drain(struct lookup *lookup);

/** As resolve() of struct aloft_port_net. */
ALOFT_MUST_CHECK
enum aloft_err lookup_ask(struct lookup *lookup, const char *host, struct aloft_addrs *ret_addrs);

/** Forget a running question. */
void lookup_abandon(struct lookup *lookup);

#endif
