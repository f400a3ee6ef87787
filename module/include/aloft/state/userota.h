/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_USEROTA_H
#define ALOFT_STATE_USEROTA_H

#include <stdbool.h>
#include <stdint.h>

/* Private state of module/src, complete only so that struct aloft_module can be allocated
 * statically. */

struct aloft_userota_state {
    bool is_running;
    bool is_refused;        /**< The URL was: ERROR is due. */
    uint32_t printed_bytes; /**< The progress that was printed. */
};

#endif
