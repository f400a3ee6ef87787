/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HOST_ERROR_H
#define ALOFT_HOST_ERROR_H

#include "aloft/err.h"

#define ERROR_SENTENCE_BYTES 512

/**
 * Why a host function failed, in one sentence for people. The caller owns it; functions take a
 * pointer as their last parameter (NULL = not wanted) and fill it only on failure.
 */
struct error {
    enum aloft_err code;
    int native_code; /**< errno, SQLite or OpenSSL number; 0 = none. */
    char sentence[ERROR_SENTENCE_BYTES];
};

/** Fill `e` (may be NULL) and return `code`: `return fail(e, ALOFT_ERR_IO, "...")`. Cut when too
 * long. */
__attribute__((format(printf, 3, 4))) enum aloft_err fail(struct error *e, enum aloft_err code,
                                                          const char *format, ...);

/** As fail(), with errno's text appended after ": " and kept as native code. */
__attribute__((format(printf, 3, 4))) enum aloft_err
fail_errno(struct error *e, enum aloft_err code, const char *format, ...);

#endif
