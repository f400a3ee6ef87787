/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_AT_PARAMS_H
#define ALOFT_AT_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/command.h"

/**
 * Split what follows `=` (facts/at-commands.md 1.3).
 *
 * @param text  `len` bytes and a NUL; escapes are resolved in place, the result points into it.
 * @return      False: more than ALOFT_CONFIG_PARAMS parameters; `*ret_params` holds the first ones.
 */
bool aloft_params_parse(char *text, size_t len, struct aloft_params *ret_params);

/** The parameter is on the line and not omitted. */
bool aloft_params_has(const struct aloft_params *params, uint8_t index);

/* The checks below note the error code of facts/at-commands.md 1.6 when they answer false; the
 * handler then returns ALOFT_REPLY_ERROR. */

struct aloft_int_range {
    int32_t min;
    int32_t max;
};

/** From `min` to `max` parameters are on the line, omitted ones counted. */
bool aloft_params_check_count(struct aloft_module *m, const struct aloft_params *params,
                              uint8_t min, uint8_t max);

/** An integer within `range`; `*ret_value` is set only on success. */
bool aloft_params_get_int(struct aloft_module *m, const struct aloft_params *params, uint8_t index,
                          const struct aloft_int_range *range, int32_t *ret_value);

/** A string of at most `max_len` bytes, borrowed like the parameter itself. */
bool aloft_params_get_text(struct aloft_module *m, const struct aloft_params *params, uint8_t index,
                           size_t max_len, const char **ret_text);

/** A string like `aa:bb:cc:dd:ee:ff`, either case; `ret_mac` gets 6 bytes, on success only. */
bool aloft_params_get_mac(struct aloft_module *m, const struct aloft_params *params, uint8_t index,
                          uint8_t *ret_mac);

/** A string like `192.168.4.1`, decimal without leading zeros; `ret_ip` gets 4 bytes, on success
 * only. */
bool aloft_params_get_ipv4(struct aloft_module *m, const struct aloft_params *params, uint8_t index,
                           uint8_t *ret_ip);

#endif
