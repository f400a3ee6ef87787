/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_ACCOUNT_PASSWORDS_H
#define ALOFT_ACCOUNT_PASSWORDS_H

#include <stdbool.h>

#include "aloft/attr.h"
#include "host/error.h"
#include "store/accounts.h"

/*
 * Passwords as argon2id hashes (libsodium, the limits it calls interactive: 64 MiB and about a
 * tenth of a second each). At most PASSWORDS_AT_ONCE are worked on; others wait for their turn.
 * Safe to use from several threads.
 */

#define PASSWORD_MIN      8   /**< Bytes. */
#define PASSWORD_MAX      256 /**< Bytes. */
#define PASSWORDS_AT_ONCE 2

struct passwords;

/** Takes as long as one hash. @return NULL when memory is out. */
struct passwords *passwords_new(struct error *e);
void passwords_free(struct passwords *passwords);

/** @retval ALOFT_ERR_ARG  Too short or too long; any bytes in between are fine. */
ALOFT_MUST_CHECK
enum aloft_err password_check(const char *text, struct error *e);

/** @retval ALOFT_ERR_IO  Memory is out. */
ALOFT_MUST_CHECK
enum aloft_err passwords_hash(struct passwords *passwords, const char *text,
                              char ret_hash[ACCOUNT_PASSWORD_BYTES], struct error *e);

/**
 * Is it the password of this hash?
 *
 * @param hash  NULL: there is no such account. Takes as long as with one, and answers no.
 */
bool passwords_match(struct passwords *passwords, const char *hash, const char *text);

#endif
