/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_AT_LINE_H
#define ALOFT_AT_LINE_H

#include <stdint.h>

#include "aloft/state/at.h"

enum aloft_line_event {
    ALOFT_LINE_MORE,
    ALOFT_LINE_WHOLE,    /**< `len` bytes and a NUL from `text + start` on; without CR LF. */
    ALOFT_LINE_TOO_LONG, /**< Its CR LF came, its bytes are lost. */
};

/** Take one byte. After WHOLE and TOO_LONG the line must be cleared before the next byte. */
enum aloft_line_event aloft_line_add(struct aloft_at_line *line, uint8_t byte);

void aloft_line_clear(struct aloft_at_line *line);

/** Leave the line where it is, because its command still runs: what comes stands behind it. There
 * is not always room for more than the few bytes of a forced restart. */
void aloft_line_keep(struct aloft_at_line *line);

/** Forget an unfinished line and the kept one; if it ended in CR, the LF that may follow is
 * forgotten too. */
void aloft_line_drop(struct aloft_at_line *line);

#endif
