/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_CIUPDATE_H
#define ALOFT_STATE_CIUPDATE_H

#include <stdint.h>

/* Private state of module/src, complete only so that struct aloft_module can be allocated
 * statically. */

struct aloft_ciupdate_state {
    uint8_t state;
};

#endif
