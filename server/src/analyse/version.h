/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ANALYSE_VERSION_H
#define ALOFT_SERVER_ANALYSE_VERSION_H

#include <stdbool.h>

/**
 * Compare the leading numbers of two versions: `v4.1.1.0-dev` has 4, 1, 1, 0; missing ones count as
 * 0. What follows the numbers says nothing. False if one of them has no number in front.
 */
bool is_older_version(const char *version, const char *other);

#endif
