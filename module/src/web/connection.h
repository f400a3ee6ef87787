/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WEB_CONNECTION_H
#define ALOFT_WEB_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aloft/attr.h"
#include "aloft/err.h"

/*
 * The connections the web server holds, and what the current one says. The buffer holds, from its
 * start: the bytes received and not yet used (`n_in`; of them `n_body` belong to the request in
 * work, the others to the next one), then the window of the answer.
 */

struct aloft_module;

/** Take a connection that waits. @param may_replace  The one idle for longest may go for it.
 * @return False if none waits, or all places are taken. */
bool aloft_connection_accept(struct aloft_module *m, bool may_replace);

void aloft_connection_close(struct aloft_module *m, uint8_t index);

/** Read up to `limit` bytes behind those that are there. @return As the port's read(). */
ALOFT_MUST_CHECK
enum aloft_err aloft_connection_read(struct aloft_module *m, size_t limit);

/** Read what is left of the body, as far as there is room. */
ALOFT_MUST_CHECK
enum aloft_err aloft_connection_read_body(struct aloft_module *m);

/** The first `len` received bytes are done with. */
void aloft_connection_drop(struct aloft_module *m, size_t len);

/** All received bytes of the body are. */
void aloft_connection_drop_body(struct aloft_module *m);

/** Send more of the window. @return As the port's write(). */
ALOFT_MUST_CHECK
enum aloft_err aloft_connection_write(struct aloft_module *m);

#endif
