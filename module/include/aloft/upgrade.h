/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_UPGRADE_H
#define ALOFT_UPGRADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/* Upgrades as an integrator starts them from code of his own. One runs at a time, whoever started
 * it: AT+CIUPDATE, AT+USEROTA, the module's page, or a call of this header. */

struct aloft_module;

/** What is told to whoever started an upgrade. */
enum aloft_upgrade_news {
    ALOFT_UPGRADE_FOUND = 1,     /**< The server's name is resolved. */
    ALOFT_UPGRADE_CONNECTED = 2, /**< Only if the server is asked for the version. */
    ALOFT_UPGRADE_VERSION = 3,   /**< Only if the server is asked for the version. */
    ALOFT_UPGRADE_DONE = 4,      /**< Verified and selected; nothing follows. */
    ALOFT_UPGRADE_FAILED = -1,   /**< Nothing follows; the boot entry is as it was. */
};

typedef void aloft_upgrade_fn(struct aloft_module *m, enum aloft_upgrade_news news);

/** One runs. */
bool aloft_upgrade_is_running(const struct aloft_module *m);

/** Stop without a word to whoever started it; does nothing if none runs. The boot entry is as it
 * was, the content of the spare slot is undefined. */
void aloft_upgrade_cancel(struct aloft_module *m);

#endif
