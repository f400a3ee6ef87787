/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_LOOKUP_H
#define ALOFT_VIRTUAL_LOOKUP_H

#include <netinet/in.h>
#include <stddef.h>

#include "aloft/attr.h"
#include "aloft/port.h"
#include "host/error.h"

/*
 * Name look-up that does not block: getaddrinfo() in a thread per question, both families, in the
 * system's order (RFC 6724).
 *
 * Questions for different names run side by side. An answer waits for the one who asked, who is
 * woken by lookup_fd(): not fetched within LOOKUP_KEPT_MS it belonged to a question that was given
 * up, and the next question for that name begins anew.
 */

#define LOOKUP_JOBS_MAX 8 /**< When all are taken, the one asked longest ago is given up. */
#define LOOKUP_KEPT_MS  1000

#define LOOKUP_SERVERS_MAX 3

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

/** DNS servers of the questions that begin from now on; 0 = the system's. Names of the system's own
 * files (localhost) are found without any. @param n Up to LOOKUP_SERVERS_MAX. */
void lookup_set_servers(struct lookup *lookup, const struct sockaddr_in *servers, size_t n);

/** Forget all questions. */
void lookup_abandon(struct lookup *lookup);

#endif
