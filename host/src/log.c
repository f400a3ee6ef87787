/* SPDX-License-Identifier: Apache-2.0 */
#include "host/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 2048

static const char *const level_words[] = {"error", "warn", "info"};

static size_t write_stamp(char *line, size_t cap, enum log_level level, const char *event)
{
    struct timespec now;
    struct tm t;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &t);
    size_t n = strftime(line, cap, "%Y-%m-%dT%H:%M:%S", &t);
    return n + (size_t)snprintf(line + n, cap - n, ".%03ldZ %s %s ", now.tv_nsec / 1000000,
                                level_words[level], event);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    char line[LINE_BYTES];
    size_t n = write_stamp(line, sizeof line, level, event);
    va_list args;
    va_start(args, format);
    int body = vsnprintf(line + n, sizeof line - n, format, args);
    va_end(args);
    n += body > 0 ? (size_t)body : 0;
    if (n > sizeof line - 1) {
        n = sizeof line - 1;
    }
    for (size_t i = 0; i < n;
         i++) { /* one event, one line: text from outside cannot forge another */
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7F) {
            line[i] = '?';
        }
    }
    line[n++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, n); /* nobody to tell if stderr is gone */
    (void)ignored;
}
