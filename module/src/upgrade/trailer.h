/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_UPGRADE_TRAILER_H
#define ALOFT_UPGRADE_TRAILER_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"
#include "aloft/state/upgrade.h"

/* Behind an image may stand nothing, FF only, or an FF gap and one signature sector
 * (facts/esp-formats.md 1.5, 1.8, and 7 row 19). The sector's form and CRC are judged; the
 * signature itself is the boot loader's to verify. */

/** @param image_bytes  Where the image ends. */
void aloft_trailer_init(struct aloft_trailer *t, uint32_t image_bytes);

/** Feed what follows, in any portions. @retval ALOFT_ERR_TRAILING Something else stands there. */
ALOFT_MUST_CHECK
enum aloft_err aloft_trailer_feed(struct aloft_trailer *t, const uint8_t *buf, size_t len);

/** No more bytes come. @retval ALOFT_ERR_TRAILING A signature sector that is not whole. */
ALOFT_MUST_CHECK
enum aloft_err aloft_trailer_finish(const struct aloft_trailer *t);

#endif
