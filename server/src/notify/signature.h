/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_NOTIFY_SIGNATURE_H
#define ALOFT_NOTIFY_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#define SIGNATURE_BYTES 96

/**
 * The value of Aloft-Signature: `t=<seconds since 1970>,v1=<hex>`, where hex is
 * HMAC-SHA256(secret, "<seconds>.<body>"). With the time in it a receiver can refuse old ones.
 */
void signature_make(const char *secret, int64_t time_s, const char *body,
                    char ret_value[SIGNATURE_BYTES]);

#endif
