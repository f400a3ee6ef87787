/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HOST_LOG_H
#define ALOFT_HOST_LOG_H

/*
 * One event per line on stderr: time, level, dotted event name, key=value pairs, unit in the key.
 * Values that may hold spaces stand in double quotes. Never secrets: of a token at most its
 * first 6 digits. Thread-safe; a line is one write.
 *
 * `format` is a row of `key=%u` and `key="%s"` parted by blanks, with the conversions
 * d i u x c s, the lengths l ll z, a width, and a precision for s. Each value is made for itself,
 * so whatever bytes it holds it stays one value: in a text line controls become '?', and quotes and
 * backslashes of a quoted value get a backslash; in a JSON line all is as RFC 8259 wants it, and
 * bytes that are no UTF-8 become U+FFFD. A line too long is cut in a value; a JSON one is still
 * whole then and ends with "is_cut":true.
 */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO };

enum log_format {
    LOG_FORMAT_TEXT, /**< The start. */
    LOG_FORMAT_JSON, /**< {"time":"...","level":"info","event":"...","key":1,"other":"..."} */
};

/** Of all lines from now on. */
void log_set_format(enum log_format format);

__attribute__((format(printf, 3, 4))) void log_event(enum log_level level, const char *event,
                                                     const char *format, ...);

#define log_error(event, ...) log_event(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...)  log_event(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(event, ...)  log_event(LOG_LEVEL_INFO, event, __VA_ARGS__)

#endif
