/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_FAKE_NET_H
#define ALOFT_TESTS_FAKE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_port.h"

/* Scripted sockets for a fake port: the n-th connection gets the n-th answer, in the portions and
 * with the end it names; what the module asked is kept. */

#define FAKE_NET_MAX           16
#define FAKE_NET_REQUEST_BYTES 2048

enum fake_end {
    FAKE_END_FIN,
    FAKE_END_RESET,
    FAKE_END_SILENCE,
};

struct fake_answer {
    const void *bytes; /**< Borrowed. */
    size_t len;
    size_t first;   /**< Bytes of the first portion; 0 = `portion`. */
    size_t portion; /**< Bytes of each further portion; 0 = all. One read gets at most one. */
    enum fake_end end;
    enum aloft_err resolve_err;
    enum aloft_err open_err;
    enum aloft_err ready_err;
    enum aloft_err write_err;
    unsigned n_resolve_waits; /**< AGAINs before the outcome. */
    unsigned n_ready_waits;
    size_t write_portion; /**< Bytes one write takes; 0 = all. */
};

struct fake_contact {
    char host[256];
    char tls_host[256]; /**< Empty = plain. */
    uint16_t port;
    char request[FAKE_NET_REQUEST_BYTES + 1];
    size_t request_len;
    size_t n_sent; /**< Of the answer. */
    size_t portion_left;
    bool has_paused;
    bool is_open;
};

struct fake_net {
    struct fake_answer answers[FAKE_NET_MAX];
    size_t n_answers;
    struct fake_contact contacts[FAKE_NET_MAX];
    size_t n_contacts; /**< Connections opened, or tried. */
    size_t n_open;     /**< Sockets not closed. */
};

/** Give `f` these sockets; `net` is zeroed and must outlive `f->module`. */
void fake_net_attach(struct fake_net *net, struct fake_port *f);

/** Script the next connection; the caller changes what it likes. */
struct fake_answer *fake_net_add(struct fake_net *net, const void *bytes, size_t len);
struct fake_answer *fake_net_add_text(struct fake_net *net, const char *text);

#endif
