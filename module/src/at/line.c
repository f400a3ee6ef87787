/* SPDX-License-Identifier: Apache-2.0 */
#include "at/line.h"

/* facts/at-commands.md 1.3: only CR LF ends a line; a lone CR or LF is a byte of it like any other,
 * so that `AT<CR>AT<CR><LF>` is one line, and an unknown command. */

static void append(struct aloft_at_line *line, char c)
{
    size_t at = (size_t)line->start + line->len;
    size_t end = line->start == 0 ? ALOFT_CONFIG_LINE_BYTES : sizeof line->text - 1;

    if (at >= end) {
        line->is_too_long = true;
        return;
    }
    line->text[at] = c;
    line->len++;
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
            line->text[line->start + line->len] = '\0';
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

void aloft_line_keep(struct aloft_at_line *line)
{
    line->start = (uint16_t)(line->len + 1);
    aloft_line_clear(line);
}

void aloft_line_drop(struct aloft_at_line *line)
{
    bool had_cr = line->has_cr;

    aloft_line_clear(line);
    line->start = 0;
    line->skips_lf = had_cr;
}
