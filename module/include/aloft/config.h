/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CONFIG_H
#define ALOFT_CONFIG_H

/* Build options of the module library. Define one before (for example with -D) to change it;
 * ranges are asserted in module/src/config_check.c. Server, tokens and names are run-time
 * configuration: struct aloft_module_config in aloft/module.h. */

/** Bytes of one command line without its CRLF (facts/at-commands.md 1.3); longer ones answer ERROR.
 */
#ifndef ALOFT_CONFIG_LINE_BYTES
#define ALOFT_CONFIG_LINE_BYTES 256
#endif

/** Reply bytes that may wait for the UART. */
#ifndef ALOFT_CONFIG_TX_BYTES
#define ALOFT_CONFIG_TX_BYTES 1024
#endif

/** Parameters of one command. */
#ifndef ALOFT_CONFIG_PARAMS
#define ALOFT_CONFIG_PARAMS 12
#endif

/** Buffer of the HTTP client for request, response head and body portions. */
#ifndef ALOFT_CONFIG_HTTP_BYTES
#define ALOFT_CONFIG_HTTP_BYTES 2048
#endif

/** Silence of the host MCU that ends the data phase of AT+USEROTA, ms; 0 = never, as stock does
 * (facts/at-commands.md 6.2, row 23). */
#ifndef ALOFT_CONFIG_URL_IDLE_MS
#define ALOFT_CONFIG_URL_IDLE_MS 60000
#endif

/** Bytes between two progress lines of AT+USEROTA. */
#ifndef ALOFT_CONFIG_PROGRESS_BYTES
#define ALOFT_CONFIG_PROGRESS_BYTES 65536
#endif

/** Silence of a peer that ends a transfer, ms (facts/at-commands.md 6.1, row 10). */
#ifndef ALOFT_CONFIG_STALL_MS
#define ALOFT_CONFIG_STALL_MS 20000
#endif

/** Whole time of one upgrade, ms. Generous: a slow link is not an error, a dead one shows as a
 * stall. */
#ifndef ALOFT_CONFIG_TOTAL_MS
#define ALOFT_CONFIG_TOTAL_MS 900000
#endif

/** Buffer of the web server: at least a request head of the longest kind (facts/at-commands.md
 * 3.1); uploads are written to flash in portions of this size. */
#ifndef ALOFT_CONFIG_WEB_BYTES
#define ALOFT_CONFIG_WEB_BYTES 4096
#endif

#endif
