/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_FAKE_NET_PRIVATE_H
#define ALOFT_TESTS_FAKE_NET_PRIVATE_H

#include "fake_net.h"

/* Between the files of the fake sockets. Kinds of sockets are told apart by their numbers, so that
 * one used as another is noticed. */

#define FAKE_FIRST_LISTENER 100
#define FAKE_FIRST_CLIENT   200
#define FAKE_FIRST_UDP      300

struct fake_net *fake_net_of(void *ctx);

/** False `*n_waits` times. */
bool fake_is_due(unsigned *n_waits);

/** One read of what a peer says. */
enum aloft_err fake_say(const struct fake_answer *answer, struct fake_progress *progress,
                        uint8_t *buf, size_t cap, size_t *ret_n);

/** One write of the module, appended to `out`, which holds `cap` bytes. */
enum aloft_err fake_hear(const struct fake_answer *answer, const uint8_t *buf, size_t len,
                         char *out, size_t cap, size_t *len_io, size_t *ret_n);

struct fake_client *fake_client_of(struct fake_net *net, int socket);

/** Close what is not an outgoing connection. */
void fake_close_other(struct fake_net *net, int socket);

/** Everything of struct aloft_port_net that does not begin with an outgoing connection. */
void fake_net_fill_other(struct aloft_port_net *net);

#endif
