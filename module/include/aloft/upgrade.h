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

/** Which images are taken, beyond those that fit chip and slot (facts/at-commands.md 6.1, row 21).
 * Judged by the app descriptor, before anything is erased. Zeroed it takes all, as stock does. */
struct aloft_upgrade_policy {
    const char *project_name; /**< The descriptor's, exactly; NULL = any. */
    /**
     * Dotted numbers, `v` in front or not: `v5.0.1.0`; NULL = any. Compared number by number, one
     * that is missing counts as 0, and what follows the numbers (`-dev`) does not count. A version
     * that begins with no number is below all.
     */
    const char *minimum_version;
};

/**
 * Begin an upgrade from a URL, as AT+USEROTA does; nothing is printed, and the module is not
 * restarted: when DONE was told, the new image is the next to boot.
 *
 * @param url   http or https, absolute, `url_len` bytes of printable ASCII, up to 8192; borrowed
 *              until DONE or FAILED was told.
 * @param tell  Called from steps of the module; DONE or FAILED is last.
 * @retval ALOFT_ERR_BUSY    An upgrade or another request of the HTTP client runs.
 * @retval ALOFT_ERR_SYNTAX  Not such a URL.
 * @retval ALOFT_ERR_TOO_BIG It is too long.
 * Refused, it was not begun, and `tell` is not called.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_upgrade_from_url(struct aloft_module *m, const char *url, size_t url_len,
                                      aloft_upgrade_fn *tell);

/** Bytes of the file in flash, and of the whole file (0 = the server did not say). Both are 0
 * before the file comes. */
void aloft_upgrade_progress(const struct aloft_module *m, uint32_t *ret_bytes, uint32_t *ret_total);

/** One runs. */
bool aloft_upgrade_is_running(const struct aloft_module *m);

/** Stop: FAILED is told to whoever started it, before this returns; does nothing if none runs. The
 * boot entry is as it was, the content of the spare slot is undefined. */
void aloft_upgrade_cancel(struct aloft_module *m);

#endif
