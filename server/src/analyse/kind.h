/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_ANALYSE_KIND_H
#define ALOFT_SERVER_ANALYSE_KIND_H

#include "analyse/factory.h"

/**
 * Rows 1 to 4 of a firmware.
 *
 * @param head     First bytes of the file, ALOFT_SNIFF_BYTES or all.
 * @param factory  What was found of an app in a factory image.
 * @return         False if it is not worth looking further.
 */
bool judge_kind(struct subject *s, const uint8_t *head, size_t head_len,
                const struct factory *factory);

#endif
