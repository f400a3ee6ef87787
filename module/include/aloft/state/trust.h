/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_TRUST_H
#define ALOFT_STATE_TRUST_H

#include <stdint.h>

#include "aloft/port.h"

/* Private state of module/src/trust.c, complete only so that struct aloft_module can be allocated
 * statically. */

struct aloft_trust_state {
    uint8_t trust; /**< enum aloft_tls_trust. */
    uint8_t pin[ALOFT_TLS_PIN_BYTES];
};

#endif
