/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_STATE_HTTP_COMMAND_H
#define ALOFT_STATE_HTTP_COMMAND_H

#include <stdint.h>

/* Private state of module/src/command/http*.c, complete only so that struct aloft_module can be
 * allocated statically. */

struct aloft_http_command_state {
    uint8_t job;       /**< Which preset is being listed. */
    uint8_t fetch;     /**< What is being fetched. */
    uint8_t n_listed;  /**< Headers AT+HTTPCHEAD? has printed. */
    uint16_t piece;    /**< Most bytes of one `+HTTPCGET:`. */
    uint16_t url_len;  /**< Of the preset URL in `config.url_buf`; 0 = none. */
    uint16_t head_len; /**< Of the preset headers in `config.head_buf`. */
    uint16_t list_at;  /**< The next of them that AT+HTTPCHEAD? prints. */
};

#endif
