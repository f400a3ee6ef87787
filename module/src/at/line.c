/* SPDX-License-Identifier: Apache-2.0 */
#include "at/line.h"

/* facts/at-commands.md 1.3: only CR LF ends a line; a lone CR or LF is a byte of it like any other,
 * so that `AT<CR>AT<CR><LF>` is one line, and an unknown command. */

static void append(struct aloft_at_line *line, char c)
{
    if (line->len == ALOFT_CONFIG_LINE_BYTES) {
        line->is_too_long = true;
        return;
    }
    line->text[line->len++] = c;
}

enum aloft_line_event aloft_line_add(struct aloft_at_line *line, uint8_t byte)
{
    if (line->skips_lf) {
        line->skips_lf = false;
        if (byte == '\n') {
            return ALOFT_LINE_MORE;
        }
    }
    if (line->has_cr) {
        line->has_cr = false;
        if (byte == '\n') {
            line->text[line->len] = '\0';
            return line->is_too_long ? ALOFT_LINE_TOO_LONG : ALOFT_LINE_WHOLE;
        }
        append(line, '\r');
    }
    if (byte == '\r') {
        line->has_cr = true;
    } else {
        append(line, (char)byte);
    }
    return ALOFT_LINE_MORE;
}

void aloft_line_clear(struct aloft_at_line *line)
{
    line->len = 0;
    line->is_too_long = false;
    line->has_cr = false;
    line->skips_lf = false;
}

void aloft_line_drop(struct aloft_at_line *line)
{
    bool had_cr = line->has_cr;

    aloft_line_clear(line);
    line->skips_lf = had_cr;
}
