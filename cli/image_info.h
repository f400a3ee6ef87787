/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CLI_IMAGE_INFO_H
#define ALOFT_CLI_IMAGE_INFO_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#define IMAGE_INFO_BYTES_MAX                                                                       \
    (64u * 1024 * 1024) /**< The largest flash there is a factory image of.                        \
                         */

/**
 * Describe a file of a build.
 *
 * @return A new object: `kind` and `size_bytes` always, `ok` (false = damaged) and `verdict` (a
 *         sentence) always, and what the kind offers. All texts are printable ASCII. NULL when
 *         memory is out.
 */
json_t *image_info_describe(const uint8_t *data, size_t len);

/** Print a description for people. */
void image_info_print(json_t *info, FILE *out);

#endif
