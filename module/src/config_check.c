/* SPDX-License-Identifier: Apache-2.0 */

/* Ranges of the build options in aloft/config.h. */

#include <stdint.h>

#include "aloft/config.h"

_Static_assert(ALOFT_CONFIG_LINE_BYTES >= 256,
               "facts/at-commands.md 1.3: a command has up to 256 bytes");
_Static_assert(ALOFT_CONFIG_TX_BYTES >= 512, "one AT+GMR answer must fit");
_Static_assert(ALOFT_CONFIG_LINE_BYTES <= UINT16_MAX && ALOFT_CONFIG_TX_BYTES <= UINT16_MAX &&
                   ALOFT_CONFIG_HTTP_BYTES <= UINT16_MAX,
               "bytes in these buffers are counted in 16 bits");
_Static_assert(ALOFT_CONFIG_PARAMS >= 9 && ALOFT_CONFIG_PARAMS <= 32, "AT+CWJAP has nine");
_Static_assert(ALOFT_CONFIG_HTTP_BYTES >= 1536, "a request of ours and a response head must fit");
_Static_assert(ALOFT_CONFIG_STALL_MS >= 1000, "a stall below a second is ordinary Wi-Fi");
_Static_assert(ALOFT_CONFIG_PROGRESS_BYTES >= 4096, "a line per sector is plenty");
_Static_assert(ALOFT_CONFIG_TOTAL_MS > ALOFT_CONFIG_STALL_MS, "the whole is longer than a part");
_Static_assert(ALOFT_CONFIG_WEB_BYTES >= 2304 && ALOFT_CONFIG_WEB_BYTES <= UINT16_MAX,
               "a request head and one portion behind it must fit, counted in 16 bits");
