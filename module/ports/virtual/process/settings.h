/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_SETTINGS_H
#define ALOFT_VIRTUAL_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "host/error.h"

/*
 * Small values in a text file, one `key=hex` per line. Every change replaces the file as a whole,
 * so that a killed process leaves the old or the new values. What a module keeps in its nvs
 * partition stands in FILE.settings (mode 0600: the Wi-Fi password is among it), what belongs to
 * the part itself (layout, MAC) in FILE.module.
 */

#define SETTINGS_MAX         64
#define SETTINGS_KEY_BYTES   16   /**< With its NUL. */
#define SETTINGS_VALUE_BYTES 8192 /**< Longest value: CA certificates. */

struct settings;

/**
 * Load the file; one that does not exist is empty.
 *
 * @param ret_settings  Free with settings_free().
 * @retval ALOFT_ERR_SYNTAX  The file is not one of ours; the sentence names the line.
 * @retval ALOFT_ERR_IO      It could not be read.
 */
ALOFT_MUST_CHECK
enum aloft_err settings_load(const char *path, struct settings **ret_settings, struct error *e);

void settings_free(struct settings *settings);

/** @param ret_len In: capacity of `buf`; out: bytes.
 * @retval ALOFT_ERR_NOT_FOUND Never set. @retval ALOFT_ERR_TOO_BIG It is longer than `buf`. */
ALOFT_MUST_CHECK
enum aloft_err settings_get(const struct settings *settings, const char *key, void *buf,
                            size_t *ret_len);

/** Set one and save. @retval ALOFT_ERR_TOO_BIG Key, value or their number is over the limit. */
ALOFT_MUST_CHECK
enum aloft_err settings_set(struct settings *settings, const char *key, const void *buf, size_t len,
                            struct error *e);

/** Remove one and save; OK if it was not there. */
ALOFT_MUST_CHECK
enum aloft_err settings_remove(struct settings *settings, const char *key, struct error *e);

/** Remove all and save. */
ALOFT_MUST_CHECK
enum aloft_err settings_clear(struct settings *settings, struct error *e);

#endif
