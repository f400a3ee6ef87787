/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_UPGRADE_WRITER_H
#define ALOFT_UPGRADE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"
#include "aloft/port.h"
#include "aloft/state/upgrade.h"

/** @param total_bytes  Of the whole file; 0 = not known. */
void aloft_writer_init(struct aloft_writer *w, const struct aloft_slot *slot, uint32_t total_bytes);

/**
 * Do at most one flash operation towards storing `buf`. Erasing runs ahead of the write in 64 KiB
 * blocks where the rest of the file fills one, otherwise in sectors.
 *
 * @param is_last   No bytes follow: the last 1 to 3 are padded with FF.
 * @param ret_used  Bytes stored; 0 after an erase, and when fewer than 4 wait and more follow.
 * @retval ALOFT_ERR_TOO_BIG  The slot is full.
 * @retval ALOFT_ERR_FLASH    The port failed; the slot's content is undefined.
 */
ALOFT_MUST_CHECK
enum aloft_err aloft_writer_put(struct aloft_writer *w, const struct aloft_port *port,
                                const uint8_t *buf, size_t len, bool is_last, size_t *ret_used);

#endif
