/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_WIRE_LOOP_H
#define ALOFT_WIRE_LOOP_H

#include <openssl/types.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "aloft/http_head.h"
#include "attempt/contact_counts.h"
#include "wire/answer.h"
#include "wire/rules.h"
#include "wire/wire.h"

/*
 * One event loop: a thread with its own listeners, epoll set, connections, time-outs and scratch
 * memory. Nothing of a loop is touched by another thread but `wake_fd`.
 *
 * A connection carries one request and is closed: accepted -> (handshake) -> request head -> answer
 * -> waiting until the peer has acknowledged all of a file, or lingering. A version check that
 * arrives whole is accepted, read, answered and closed at once and never enters the epoll set.
 */

#define LOOP_REQUEST_MAX 4096  /**< Bytes of a request head; stock modules stay below 1024. */
#define LOOP_RECORD_MAX  16384 /**< A TLS record (RFC 8446 5.1). */

/** What an epoll event belongs to; first member of those things. */
enum source { SOURCE_WAKE, SOURCE_LISTENER, SOURCE_CONN };

enum conn_state {
    CONN_PROXY,     /**< From a named proxy only: its PROXY header is arriving. */
    CONN_HANDSHAKE, /**< TLS only. */
    CONN_HEAD,      /**< The request head is arriving. */
    CONN_SEND,      /**< The answer is leaving. */
    CONN_ACK,       /**< All of a file is sent; the peer has not acknowledged everything. */
    CONN_LINGER,    /**< Answered; reading on, so that unread bytes do not turn FIN into RST. */
};

/** Time-outs of equal length, so each list is in order of its deadlines by itself. */
enum timer { TIMER_HEAD, TIMER_STALL, TIMER_ACK, TIMER_ACK_LATE, TIMER_LINGER, N_TIMERS };

/** A request head that did not arrive at once. */
struct partial_head {
    struct aloft_http_head head;
    size_t len;
    char buf[LOOP_REQUEST_MAX];
};

/** What a download keeps of its request for the contact at its end, when there was any of it. */
struct request_words {
    struct contact_headers headers;
    char other_agent[CONTACT_AGENT_MAX + 1];
};

/** Kept small: tens of thousands of slow downloads hold one each. */
struct conn {
    enum source source;
    int fd;
    struct conn *prev; /* in its timer list; `next` also chains free ones */
    struct conn *next;
    uint64_t deadline_ms;
    uint64_t start_ms;
    uint64_t progress_ms; /* when `acked` last grew */
    SSL *ssl;             /* NULL: plain */
    struct partial_head *partial;
    struct catalog_file *file; /* held; NULL: no download */
    uint64_t start;            /* of the file's bytes that are sent */
    uint64_t end;
    uint64_t sent;               /* of head and body together */
    uint64_t acked;              /* of the body, as last seen */
    char *rest;                  /* what did not fit into the send buffer of a short answer */
    struct request_words *words; /* NULL: none sent */
    struct catalog_owner owner;
    struct contact_peer peer;
    uint32_t rest_len;
    uint32_t window_bytes; /* of the peer when the download began; 0: unknown */
    uint16_t head_len;
    uint8_t state; /* enum conn_state */
    uint8_t agent; /* enum contact_agent */
    uint8_t timer; /* enum timer; N_TIMERS: in no list */
    bool is_watched;
    bool is_our_head; /* of the file answer: with our own fields */
    bool is_notified; /* TLS close_notify has left */
    bool is_ended;    /* FIN is queued behind the last byte */
    bool is_link;
    bool has_asked_version;
    bool has_unread; /* bytes behind the request head */
    char token_prefix[CONTACT_TOKEN_PREFIX + 1];
};

struct listener {
    enum source source;
    int fd; /* -1: none */
    enum catalog_mode mode;
};

struct timer_list {
    struct conn *first;
    struct conn *last;
    uint64_t duration_ms;
};

struct conn_slab;

/** What all loops share; constant while they run, but for the rules. */
struct loop_shared {
    struct catalog *catalog;
    struct contact_queue *contacts; /* NULL: nobody wants them */
    struct gate *gate;
    pthread_mutex_t lock; /* of `rules` */
    struct rules *rules;
    atomic_uint rules_generation;
    size_t record_bytes;
    size_t max_conns; /* of one loop */
    bool is_send_buffer_fixed;
    uint64_t stop_deadline_ms; /* atomic: wire_drain() may change it while they run; 0: go on */
};

struct loop {
    struct loop_shared *shared;
    pthread_t thread;
    int epoll_fd;
    enum source wake_source;
    int wake_fd;
    struct listener listeners[2];
    struct catalog_snapshot *snapshot;
    uint64_t generation; /* of `snapshot` */
    struct rules *rules;
    unsigned rules_generation;
    uint64_t now_ms; /* read once per round */
    int64_t wall_ms;
    uint64_t accept_again_ms; /* 0: listeners are not paused */
    bool is_stopping;
    struct timer_list timers[N_TIMERS];
    struct conn *free_conns;
    struct conn_slab *slabs;
    size_t n_conns;
    struct contact_counts counts;
    struct aloft_http_head head;
    struct answer answer;
    struct contact contact;
    char buf[LOOP_REQUEST_MAX];
    uint8_t record[LOOP_RECORD_MAX]; /* head and first body bytes of a TLS download */
};

/**
 * Ready to run on the listening sockets.
 *
 * @param fds  Plain and TLS, -1 = none; taken over, also on failure.
 */
ALOFT_MUST_CHECK
enum aloft_err loop_open(struct loop *loop, struct loop_shared *shared, const int fds[2],
                         struct error *e);

/** Until told to stop and the last connection is gone or cut. */
void loop_run(struct loop *loop);

void loop_close(struct loop *loop);

/** Let go of the catalog's snapshot for a newer one, if there is. */
void loop_take_snapshot(struct loop *loop);

/* Connections; each function may close the connection, so the caller is done with it. */

/** Report what happens on it from now on, once each (edge triggered); again is fine. */
void conn_watch(struct loop *loop, struct conn *conn);

/** Ask to be called again although nothing new happens: the socket is still writable. */
void conn_watch_again(struct loop *loop, struct conn *conn);

/** Start a time-out, instead of the one that runs. */
void conn_set_timer(struct loop *loop, struct conn *conn, enum timer timer);

/** Give back all it has. */
void conn_close(struct loop *loop, struct conn *conn);

/** Fill in peer, times and mode, and hand the contact on. */
void conn_tell(struct loop *loop, const struct conn *conn, struct contact *contact);

/* request.c: from the first byte to the answer. */
void request_start(struct loop *loop, struct conn *conn);
void request_continue(struct loop *loop, struct conn *conn);
/** Its time is over. */
void request_expire(struct loop *loop, struct conn *conn);
/** A named proxy does not say for whom it comes (CONTACT_BAD_PROXY), or not to its end (_CUT). */
void request_give_up(struct loop *loop, struct conn *conn, enum contact_outcome outcome);

/* proxied.c */

/** Does a connection from here begin with a PROXY header? */
bool proxied_is_named(const struct loop *loop, const struct contact_peer *peer);
/** True: the header is taken, the connection is where one without it would begin. */
bool proxied_continue(struct loop *loop, struct conn *conn);
/** An IPv6 address, which may hold an IPv4 one. */
void peer_set_v6(struct contact_peer *peer, const uint8_t address[16]);

/* reply.c: from the answer to the close. */
void reply_start(struct loop *loop, struct conn *conn, struct answer *answer,
                 struct contact *contact);
void reply_continue(struct loop *loop, struct conn *conn, uint32_t events);
void reply_expire(struct loop *loop, struct conn *conn);
/** The server stops: cut it and say so. */
void reply_cut(struct loop *loop, struct conn *conn);

/* io.c: the same calls for plain and TLS. */

/** Instead of a number of bytes. */
enum { IO_CLOSED = 0, IO_AGAIN = -1, IO_FAILED = -2 };

ssize_t io_recv(struct conn *conn, void *buf, size_t len);
/** TLS: one record at most. */
ssize_t io_send(struct conn *conn, const void *buf, size_t len);
/** TLS: 1 done, IO_AGAIN or IO_FAILED with the reason. */
int io_handshake(struct conn *conn, enum contact_tls_reason *ret_reason);
/** TLS: send close_notify once; a bare FIN is a read error for modules (wire 5). 1 or IO_AGAIN. */
int io_notify(struct conn *conn);
/** 0x0303, 0x0304; 0 = plain. */
uint16_t io_tls_version(const struct conn *conn);

/* tls.c */
ALOFT_MUST_CHECK
enum aloft_err tls_context_new(const struct wire_options *options, SSL_CTX **ret_context,
                               struct error *e);

#endif
