/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_CONTROL_H
#define ALOFT_SERVER_CONTROL_H

#include <stddef.h>

#include <jansson.h>

#include "aloft/attr.h"
#include "host/error.h"

/*
 * What a person on the machine itself asks a running server: a Unix stream socket in the data
 * folder (0600), for the server's own user and root. A request is one line, a JSON object with
 * `command` and the command's own members; the answer is one line, an object with `"ok": true` and
 * what the command says, or `"ok": false`, `code` (a name of err.h) and `sentence`.
 *
 * Requests are worked on one after the other, by one thread.
 */

#define CONTROL_SOCKET   "control.sock" /**< In the data folder. */
#define CONTROL_LINE_MAX 65536          /**< Bytes of a line, its end included; both ways. */

/**
 * One command. Runs in the control thread.
 *
 * @param ctx  As given to control_add().
 * @param in   The request. Borrowed. Check it strictly: json_unpack_ex() with "!".
 * @param out  An empty object: put the answer's members in. Borrowed. Dropped after an error.
 */
typedef enum aloft_err control_fn(void *ctx, json_t *in, json_t *out, struct error *e);

struct control_command {
    const char *name; /**< `account.reset`: the room, a dot, what to do. */
    control_fn *run;
};

struct control;

/** NULL with a sentence when memory is out. control_stop() it. */
struct control *control_new(struct error *e);

/**
 * Add a room's commands; before control_start().
 *
 * @param commands  Kept: a static table.
 * @param ctx       Kept, for control_fn, until control_stop().
 */
void control_add(struct control *control, const struct control_command *commands, size_t n_commands,
                 void *ctx);

/**
 * Listen and answer. The data folder must be locked: a socket left there is removed.
 *
 * @param dir  The data folder; of any length.
 */
ALOFT_MUST_CHECK
enum aloft_err control_start(struct control *control, const char *dir, struct error *e);

/** Finish the command under way, remove the socket. NULL is fine. */
void control_stop(struct control *control);

#endif
