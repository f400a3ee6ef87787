/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_CHOICE_H
#define ALOFT_SERVER_CHOICE_H

#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"
#include "aloft/limits.h"
#include "aloft/module.h"

/*
 * Which update server a mode talks to: the compiled-in one of the configuration, changed where
 * AT+CIUPDATECFG said something. What it said is a setting, always stored and never kept in RAM:
 * the proof request after an upgrade must find the same server as the upgrade did.
 */

#define ALOFT_SERVER_MODES 2 /**< 0 plain, 1 TLS. */

/** What AT+CIUPDATECFG said. Empty texts and ports of 0: as compiled in. */
struct aloft_server_choice {
    char host[ALOFT_HOST_MAX + 1]; /**< Name, IPv4 or IPv6 literal without brackets. */
    uint16_t ports[ALOFT_SERVER_MODES];
    char tokens[ALOFT_SERVER_MODES][ALOFT_TOKEN_CHARS + 1];
};

/** All compiled in, if nothing was stored or a layout of the future. */
void aloft_server_choice_load(const struct aloft_module *m, struct aloft_server_choice *ret_choice);

/** Store as a whole. On an error the old choice stands. */
ALOFT_MUST_CHECK
enum aloft_err aloft_server_choice_save(const struct aloft_module *m,
                                        const struct aloft_server_choice *choice);

/** Back to all compiled in. On an error the old choice stands. */
ALOFT_MUST_CHECK
enum aloft_err aloft_server_choice_remove(const struct aloft_module *m);

/**
 * The server of a mode.
 *
 * @param choice      Filled; `*ret_server` may point into it.
 * @param ret_server  Its host is NULL if this mode is not built in: nothing changes that.
 */
void aloft_server_get(const struct aloft_module *m, uint8_t mode,
                      struct aloft_server_choice *choice, struct aloft_server *ret_server);

#endif
