/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_FAKE_NET_H
#define ALOFT_TESTS_FAKE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_port.h"

/*
 * Scripted sockets for a fake port; what the module asked and wrote is kept. A test that uses a
 * socket it does not have, or one of the wrong kind, ends the test program.
 *
 * Out: the n-th connection gets the n-th answer, in the portions and with the end it names.
 * In: clients of the module's listeners say their bytes in the same manner.
 * UDP: datagrams to the module wait until it asks; those it sends are listed.
 */

#define FAKE_NET_MAX            16
#define FAKE_NET_REQUEST_BYTES  16384
#define FAKE_NET_RESPONSE_BYTES 65536
#define FAKE_NET_CLIENTS        12
#define FAKE_NET_LISTENERS      2
#define FAKE_NET_UDP            4
#define FAKE_NET_DATAGRAMS      64
#define FAKE_NET_DATAGRAM_BYTES 512
#define FAKE_NET_NAMES          8
#define FAKE_NET_FREE_PORT      49152 /**< First of those given where port 0 was asked for. */

enum fake_end {
    FAKE_END_FIN,
    FAKE_END_RESET,
    FAKE_END_SILENCE,
};

/** What a peer says, and how. */
struct fake_answer {
    const void *bytes; /**< Borrowed. */
    size_t len;
    size_t first;   /**< Bytes of the first portion; 0 = `portion`. */
    size_t portion; /**< Bytes of each further portion; 0 = all. One read gets at most one. */
    enum fake_end end;
    struct aloft_addrs addrs; /**< Of its host; none = 192.0.2.1. A name of `names` comes first. */
    enum aloft_err resolve_err;
    enum aloft_err open_err;
    enum aloft_err ready_err;
    enum aloft_err write_err;
    unsigned n_resolve_waits; /**< AGAINs before the outcome. */
    unsigned n_ready_waits;
    size_t write_portion; /**< Bytes one write takes; 0 = all. */
};

/** How far a peer has come with what it says. */
struct fake_progress {
    size_t n_sent;
    size_t portion_left;
    bool has_paused;
};

struct fake_contact {
    char host[256];
    struct aloft_addr addr;
    uint16_t port;
    char tls_host[256]; /**< Empty = plain. */
    enum aloft_tls_trust tls_trust;
    bool has_pin;
    uint8_t pin[ALOFT_TLS_PIN_BYTES];
    char request[FAKE_NET_REQUEST_BYTES + 1];
    size_t request_len;
    struct fake_progress progress;
    bool is_open;
};

/** A client of one of the module's listeners. */
struct fake_client {
    uint16_t port;             /**< The listener's. */
    struct fake_answer script; /**< bytes to end, write_err and write_portion count. Its end is
                                  SILENCE at first: the client keeps the connection. */
    struct fake_progress progress;
    char response[FAKE_NET_RESPONSE_BYTES + 1]; /**< What the module wrote, NUL behind it. */
    size_t response_len;
    bool is_accepted;
    bool is_closed; /**< By the module. */
};

struct fake_listener {
    bool is_open;
    uint16_t port;
};

struct fake_datagram {
    uint16_t own_port;      /**< Of the module's socket. */
    struct aloft_addr addr; /**< The other end. */
    uint16_t port;
    uint8_t bytes[FAKE_NET_DATAGRAM_BYTES + 1]; /**< NUL behind them. */
    size_t len;
};

struct fake_udp {
    bool is_open;
    uint16_t port;
    struct aloft_addr local; /**< `len` 0 = all interfaces. */
};

/** A name that resolve() knows whatever the script of the next connection says. */
struct fake_name {
    const char *host; /**< Borrowed. */
    struct aloft_addrs addrs;
    enum aloft_err err;
    unsigned n_waits; /**< AGAINs before the outcome. */
};

struct fake_ping {
    struct aloft_addr to; /**< Of the last one. */
    unsigned n_pings;     /**< That had an outcome. */
    enum aloft_err err;
    unsigned n_waits; /**< AGAINs before the outcome. */
    uint32_t ms;
};

struct fake_net {
    struct fake_answer answers[FAKE_NET_MAX];
    size_t n_answers;
    struct fake_contact contacts[FAKE_NET_MAX];
    size_t n_contacts; /**< Connections opened, or tried. */
    struct fake_name names[FAKE_NET_NAMES];
    size_t n_names;
    struct fake_listener listeners[FAKE_NET_LISTENERS];
    struct fake_client clients[FAKE_NET_CLIENTS];
    size_t n_clients;
    struct fake_udp udp[FAKE_NET_UDP];
    struct fake_datagram arriving[FAKE_NET_DATAGRAMS];
    size_t n_arriving; /**< Not yet received by the module. */
    struct fake_datagram sent[FAKE_NET_DATAGRAMS];
    size_t n_sent;
    struct fake_ping ping;
    struct aloft_addr dns[3]; /**< Of set_dns(). */
    uint8_t n_dns;
    enum aloft_err dns_err;
    enum aloft_err listen_err;
    enum aloft_err udp_open_err;
    enum aloft_err udp_send_err; /**< AGAIN: full, for as long as it stands here. */
    bool is_full;                /**< accept() finds no socket free. */
    size_t n_open;               /**< Sockets of all kinds not closed. */
};

/** Give `f` these sockets; `net` is zeroed and must outlive `f->module`. */
void fake_net_attach(struct fake_net *net, struct fake_port *f);

/** Script the next connection; the caller changes what it likes. */
struct fake_answer *fake_net_add(struct fake_net *net, const void *bytes, size_t len);
struct fake_answer *fake_net_add_text(struct fake_net *net, const char *text);

/** Make a name known with these addresses (none: it fails unless the caller adds some). */
struct fake_name *fake_net_name(struct fake_net *net, const char *host,
                                const struct aloft_addr *addrs, size_t n_addrs);

/**
 * A client connects to the module's listener on `port` and says `bytes`.
 *
 * @param portion  Bytes of one read, with an AGAIN between two; 0 = all at once.
 * @return The caller changes what it likes; it waits to be accepted.
 */
struct fake_client *fake_net_connect(struct fake_net *net, uint16_t port, const void *bytes,
                                     size_t len, size_t portion);
struct fake_client *fake_net_connect_text(struct fake_net *net, uint16_t port, const char *text);

/** Say more; what was said before must have been read. */
void fake_client_say(struct fake_client *client, const void *bytes, size_t len);

/** What the module wrote is taken: the response begins anew. */
void fake_client_forget_response(struct fake_client *client);

/** A datagram arrives for the module's socket on `own_port`. */
void fake_net_datagram(struct fake_net *net, uint16_t own_port, const struct aloft_addr *from,
                       uint16_t port, const void *bytes, size_t len);

#endif
