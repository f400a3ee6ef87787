/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_HOST_LOG_H
#define ALOFT_HOST_LOG_H

/*
 * One event per line on stderr: time, level, dotted event name, key=value pairs, unit in the key.
 * Values that may hold spaces stand in double quotes. Never secrets: of a token at most its
 * first 6 digits. Thread-safe; a line is one write.
 */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO };

__attribute__((format(printf, 3, 4))) void log_event(enum log_level level, const char *event,
                                                     const char *format, ...);

#define log_error(event, ...) log_event(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...)  log_event(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(event, ...)  log_event(LOG_LEVEL_INFO, event, __VA_ARGS__)

#endif
