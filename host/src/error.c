/* SPDX-License-Identifier: Apache-2.0 */
#include "host/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static void
fill(struct error *e, enum aloft_err code, int native_code, const char *format, va_list args)
{
    e->code = code;
    e->native_code = native_code;
    (void)vsnprintf(e->sentence, sizeof e->sentence, format, args); /* cut when too long */
}

enum aloft_err fail(struct error *e, enum aloft_err code, const char *format, ...)
{
    if (e) {
        va_list args;
        va_start(args, format);
        fill(e, code, 0, format, args);
        va_end(args);
    }
    return code;
}

enum aloft_err fail_errno(struct error *e, enum aloft_err code, const char *format, ...)
{
    int number = errno;

    if (e) {
        va_list args;
        va_start(args, format);
        fill(e, code, number, format, args);
        va_end(args);
        size_t used = strlen(e->sentence);
        char reason[128];
        (void)snprintf(e->sentence + used, sizeof e->sentence - used, ": %s",
                       strerror_r(number, reason, sizeof reason));
    }
    return code;
}
