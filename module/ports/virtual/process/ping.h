/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_PING_H
#define ALOFT_VIRTUAL_PING_H

#include <stdbool.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "process/endpoint.h"

/*
 * One ICMP echo at a time (RFC 792, RFC 4443 4), without blocking. The system's own kind of socket
 * for it needs no rights where the administrator allows it (net.ipv4.ping_group_range); else a raw
 * one is tried.
 */

#define PING_TIMEOUT_MS  1000 /**< As the ping of ESP-IDF. */
#define PING_KEPT_MS     1000 /**< An outcome not fetched so long after is nobody's any more. */
#define PING_TOKEN_BYTES 8

/** Zeroed by ping_init(); its members are private. */
struct ping {
    int fd; /**< -1 = none runs. */
    bool is_raw;
    bool is_watched;
    struct aloft_addr to;
    uint16_t id;
    uint16_t seq;
    uint8_t token[PING_TOKEN_BYTES]; /**< By which the answer is known. */
    uint64_t sent_ms;
};

void ping_init(struct ping *ping);

/** Give up what runs. */
void ping_stop(struct ping *ping);

/**
 * As ping() of struct aloft_port_net; another `to` gives up the one before.
 *
 * @param to  Where it really goes.
 */
ALOFT_MUST_CHECK
enum aloft_err ping_ask(struct ping *ping, const struct aloft_addr *to, uint32_t *ret_ms);

/** For poll(), to read; -1 = nothing to wait for. */
int ping_fd(const struct ping *ping);

/** Something came: not watched until asked again. */
void ping_wake(struct ping *ping);

/** Milliseconds until it is given up; UINT32_MAX = none runs. */
uint32_t ping_wait_ms(const struct ping *ping);

#endif
