/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_NOTIFY_TARGET_H
#define ALOFT_NOTIFY_TARGET_H

#include <stdbool.h>
#include <sys/socket.h>

#include "aloft/attr.h"
#include "host/error.h"

/* Where webhooks may go. Whoever may make one could otherwise have the server ask things that only
 * the server can reach. */

/**
 * Is this an address for a webhook? http or https, a host, no user or password, no fragment.
 *
 * @param allows_http  Without it http is for this machine only: what is sent could be read on the
 *                     way.
 * @retval ALOFT_ERR_SYNTAX  With a sentence.
 */
ALOFT_MUST_CHECK
enum aloft_err target_check(const char *url, bool allows_http, struct error *e);

/**
 * May a webhook be sent to this address, which its host was resolved to? Never to link-local ones
 * (169.254.169.254 gives the keys of a cloud machine), to those of metadata services elsewhere, to
 * all or many at once; to this machine and to private networks as `allows_private` says.
 */
bool target_allows(const struct sockaddr *address, bool allows_private);

#endif
