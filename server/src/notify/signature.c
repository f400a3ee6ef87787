/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/signature.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "host/hashes.h"

void signature_make(const char *secret, int64_t time_s, const char *body,
                    char ret_value[SIGNATURE_BYTES])
{
    crypto_auth_hmacsha256_state state;
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    char hex[2 * sizeof mac + 1];
    char time[32];
    int time_len = snprintf(time, sizeof time, "%" PRId64 ".", time_s);

    (void)crypto_auth_hmacsha256_init(&state, (const uint8_t *)secret, strlen(secret));
    (void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)time, (size_t)time_len);
    (void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)body, strlen(body));
    (void)crypto_auth_hmacsha256_final(&state, mac);
    hex_encode(mac, sizeof mac, hex);
    (void)snprintf(ret_value, SIGNATURE_BYTES, "t=%" PRId64 ",v1=%s", time_s, hex);
    sodium_memzero(&state, sizeof state);
}
