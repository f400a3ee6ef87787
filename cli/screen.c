/* SPDX-License-Identifier: Apache-2.0 */
#include "screen.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_MIN 40

size_t screen_width(FILE *out, size_t otherwise)
{
    struct winsize size = {0};

    if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return otherwise;
    }
    return size.ws_col > WIDTH_MIN ? size.ws_col : WIDTH_MIN;
}

/* Unicode 15, East Asian Width W and F, and the marks common in languages of Europe and Asia;
 * coarse, because a wrong guess only costs a crooked table. */
static const struct range {
    uint32_t first;
    uint32_t last;
    size_t columns;
} ranges[] = {
    {0x0300, 0x036F, 0},   {0x200B, 0x200F, 0},   {0x20D0, 0x20FF, 0}, {0xFE00, 0xFE0F, 0},
    {0x1100, 0x115F, 2},   {0x2E80, 0x303E, 2},   {0x3041, 0xA4CF, 2}, {0xAC00, 0xD7A3, 2},
    {0xF900, 0xFAFF, 2},   {0xFE30, 0xFE6F, 2},   {0xFF00, 0xFF60, 2}, {0xFFE0, 0xFFE6, 2},
    {0x1F300, 0x1FAFF, 2}, {0x20000, 0x3FFFD, 2},
};

static size_t columns_of(uint32_t code)
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return ranges[i].columns;
        }
    }
    return 1;
}

/* One character; of bytes that are no UTF-8, one. @return Its length; 0 at the end. */
static size_t next_code(const char *text, uint32_t *ret_code)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : p[0] >= 0xC0 ? 2 : 1;

    *ret_code = len == 1 ? p[0] : p[0] & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 1;
        }
        *ret_code = *ret_code << 6 | (p[i] & 0x3F);
    }
    return p[0] ? len : 0;
}

static size_t columns_until(const char *text, size_t len)
{
    size_t columns = 0;
    size_t n = 0;
    uint32_t code;

    for (size_t i = 0; i < len && (n = next_code(text + i, &code)) > 0; i += n) {
        columns += columns_of(code);
    }
    return columns;
}

size_t screen_columns(const char *text)
{
    return columns_until(text, strlen(text));
}

static void print_until(FILE *out, const char *text, size_t len)
{
    size_t n = 0;
    uint32_t code;

    for (size_t i = 0; i < len && (n = next_code(text + i, &code)) > 0; i += n) {
        if (code < 0x20 || (code >= 0x7F && code <= 0x9F)) {
            (void)fputc('?', out);
        } else {
            (void)fwrite(text + i, 1, n, out);
        }
    }
}

void screen_print(FILE *out, const char *text)
{
    print_until(out, text, strlen(text));
}

void screen_wrap(FILE *out, const char *text, size_t column, size_t indent, size_t width)
{
    bool is_first = true; /* of its line */
    const char *p = text;

    while (*p) {
        size_t len = strcspn(p, " ");
        size_t columns = columns_until(p, len);
        if (!is_first && column + 1 + columns > width) {
            (void)fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!is_first) {
            (void)fputc(' ', out);
            column++;
        }
        print_until(out, p, len);
        column += columns;
        is_first = false;
        p += len;
        p += strspn(p, " ");
    }
    (void)fputc('\n', out);
}
