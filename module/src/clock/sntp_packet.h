/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SNTP_PACKET_H
#define ALOFT_SNTP_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/err.h"

/* The packet of SNTP version 4 (RFC 4330 4), without authentication. */

#define ALOFT_SNTP_PORT         123
#define ALOFT_SNTP_BYTES        48
#define ALOFT_SNTP_COOKIE_BYTES 8

struct aloft_sntp_time {
    uint32_t unix_s; /**< From 1970 to 2104. */
    uint16_t ms;
};

/** A request. `cookie` stands where the time of the client may: a server hands it back as it is. */
void aloft_sntp_encode(const uint8_t *cookie, uint8_t *ret_packet);

/**
 * Judge a datagram (RFC 4330 5).
 *
 * @param packet  Its bytes; only the first ALOFT_SNTP_BYTES count.
 * @param cookie  Of the request.
 * @retval ALOFT_ERR_OK           `*ret_time` is what the server says it is.
 * @retval ALOFT_ERR_HEADER       No answer to this request: as if it had not come.
 * @retval ALOFT_ERR_UNSUPPORTED  The server does not know the time (it is not synchronised).
 * @retval ALOFT_ERR_STATE        It wants no further requests (RFC 4330 8, kiss-o'-death).
 */
enum aloft_err aloft_sntp_parse(const uint8_t *packet, size_t len, const uint8_t *cookie,
                                struct aloft_sntp_time *ret_time);

#endif
