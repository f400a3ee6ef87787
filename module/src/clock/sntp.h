/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SNTP_H
#define ALOFT_SNTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/err.h"

struct aloft_module;

/*
 * The SNTP client (RFC 4330) of AT+CIPSNTPCFG. It asks one server after the other until one
 * answers; then it rests for the interval, or, if none did, for 15 seconds and twice as long after
 * each further failure. No server is asked more often than every 15 seconds (RFC 4330 10).
 */

#define ALOFT_SNTP_SERVERS    3
#define ALOFT_SNTP_NAME_BYTES 65 /**< With its NUL. */

/** Names one behind the other, each with its NUL. */
struct aloft_sntp_names {
    char text[ALOFT_SNTP_SERVERS * ALOFT_SNTP_NAME_BYTES];
    size_t len; /**< 0 = none: the defaults are asked. */
};

/**
 * Keep the names. They lie among the settings because there is no room for them elsewhere, and are
 * written only if they changed; nobody sees them before the next AT+CIPSNTPCFG=1 replaces them.
 */
enum aloft_err aloft_sntp_set_servers(struct aloft_module *m, const struct aloft_sntp_names *names);

/** The n-th server, 0 to 2. @param ret_name ALOFT_SNTP_NAME_BYTES. @return False behind the last.
 */
bool aloft_sntp_get_server(const struct aloft_module *m, uint8_t n, char *ret_name);

/** The port can do UDP. */
bool aloft_sntp_is_possible(const struct aloft_module *m);

/** Ask at the next step, with all servers welcome again. */
void aloft_sntp_start(struct aloft_module *m);
void aloft_sntp_stop(struct aloft_module *m);
bool aloft_sntp_is_running(const struct aloft_module *m);

/** A new interval; the rest that goes on becomes no longer than it. */
void aloft_sntp_set_interval(struct aloft_module *m, uint32_t interval_s);

/** Milliseconds until the next call. */
uint32_t aloft_sntp_step(struct aloft_module *m);

#endif
