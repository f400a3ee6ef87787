/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_PEM_H
#define ALOFT_PEM_H

#include <stdbool.h>
#include <stddef.h>

/**
 * The text is one or more certificates as PEM (RFC 7468), with or without explanations between
 * them, and nothing else: no private key by mistake, no half certificate. What is in the
 * certificates is not read. Not NUL-terminated; a NUL is refused.
 */
bool aloft_pem_is_certificates(const char *text, size_t len);

#endif
