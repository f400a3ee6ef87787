/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_VIRTUAL_UART_H
#define ALOFT_VIRTUAL_UART_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "host/error.h"

/*
 * The UART of the virtual module: a PTY, a TCP listener or standard input and output. Nothing here
 * blocks. With a peer no byte is lost: what it does not read waits here and then in the module.
 */

#define UART_POLL_MAX    2
#define UART_QUEUE_BYTES 8192 /**< TX buffer of a module (facts/at-commands.md 1.1). */
#define UART_FIRST_BYTES 4096 /**< Kept for the first TCP connection; then nobody listens. */

struct uart;

/**
 * Open `pty:LINK`, `tcp:HOST:PORT` or `stdio`, and say on stderr where it is.
 *
 * @param ret_uart  Free with uart_close().
 * @retval ALOFT_ERR_SYNTAX  None of the three forms.
 * @retval ALOFT_ERR_IO      It could not be opened.
 */
ALOFT_MUST_CHECK
enum aloft_err uart_open(const char *text, struct uart **ret_uart, struct error *e);

/** Remove the link of a PTY, give a terminal its settings back, free. NULL is fine. */
void uart_close(struct uart *uart);

/** Fill up to UART_POLL_MAX entries for poll(); returns how many. */
size_t uart_poll_set(const struct uart *uart, struct pollfd *out);

/** After poll(): take a connection, write what waits. */
void uart_serve(struct uart *uart);

/** Bytes from the host MCU, 0 if there are none now (or it has much to read first). */
size_t uart_read(struct uart *uart, uint8_t *buf, size_t cap);

/** Take up to `len` bytes for the host MCU; returns how many. */
size_t uart_write(struct uart *uart, const uint8_t *buf, size_t len);

bool uart_is_drained(const struct uart *uart);

/** The module has nothing to do at once: part with a peer that sent its last byte and has read its
 * answers. */
void uart_rest(struct uart *uart);

/** Standard input came to its end, or nobody reads standard output: the process is to end. */
bool uart_has_ended(const struct uart *uart);

#endif
