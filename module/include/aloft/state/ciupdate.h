/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_CIUPDATE_H
#define ALOFT_STATE_CIUPDATE_H

#include <stdbool.h>
#include <stdint.h>

/* Private state of module/src, complete only so that struct aloft_module can be allocated
 * statically. */

struct aloft_ciupdate_state {
    int8_t news; /**< What AT+CIUPDATE? answers: 0 until the first run, then the last news. */
    bool is_nonblocking;
    bool is_listing; /**< AT+CIPFWVER? runs. */
};

#endif
