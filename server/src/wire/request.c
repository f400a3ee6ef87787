/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/loop.h"

#include <stdlib.h>
#include <string.h>

/* A contact about something that never became a request; nothing is sent. */
static void tell_and_close(struct loop *loop, struct conn *conn, enum contact_outcome outcome,
                           enum contact_tls_reason reason)
{
    struct contact *contact = &loop->contact;

    *contact = (struct contact){.kind = CONTACT_OTHER, .outcome = outcome, .tls_reason = reason};
    contact->is_closed_by_peer = outcome != CONTACT_REQUEST_LATE && outcome != CONTACT_BAD_PROXY;
    conn_tell(loop, conn, contact);
    conn_close(loop, conn);
}

static void answer(struct loop *loop, struct conn *conn, const struct aloft_http_head *head,
                   const char *buf, size_t len)
{
    loop_take_snapshot(loop);
    const struct answer_request request = {
        .catalog = loop->shared->catalog,
        .snapshot = loop->snapshot,
        .mode = conn->ssl ? CATALOG_TLS : CATALOG_PLAIN,
        .head = head,
        .buf = buf,
        .now_ms = loop->wall_ms,
        .gate = loop->shared->gate,
        .peer = &conn->peer,
        .monotonic_ms = loop->now_ms,
    };
    loop->contact = (struct contact){0};
    answer_request(&request, &loop->contact, &loop->answer);
    conn->has_unread = len > head->head_len || head->content_length > 0 || head->is_chunked;
    free(conn->partial); /* the download may last; the request is done with (serving.md rule 5) */
    conn->partial = NULL;
    reply_start(loop, conn, &loop->answer, &loop->contact);
}

static void refuse(struct loop *loop, struct conn *conn, enum contact_outcome outcome)
{
    loop->contact = (struct contact){0};
    answer_refuse(outcome, &loop->contact, &loop->answer);
    conn->has_unread = true; /* the peer may still be sending */
    reply_start(loop, conn, &loop->answer, &loop->contact);
}

/* Keep what has arrived of a head until the rest comes. */
static void keep(struct loop *loop, struct conn *conn, size_t len)
{
    if (len > 0) {
        conn->partial = malloc(sizeof *conn->partial);
        if (!conn->partial) {
            conn_close(loop, conn);
            return;
        }
        conn->partial->head = loop->head;
        conn->partial->len = len;
        memcpy(conn->partial->buf, loop->buf, len);
    }
    conn_watch(loop, conn);
}

/* True when the head needs more bytes and may get them. */
static bool look(struct loop *loop, struct conn *conn, struct aloft_http_head *head,
                 const char *buf, size_t len)
{
    switch (aloft_http_head_parse(head, buf, len)) {
    case ALOFT_ERR_OK:
        answer(loop, conn, head, buf, len);
        return false;
    case ALOFT_ERR_AGAIN:
        if (len < LOOP_REQUEST_MAX) {
            return true;
        }
        refuse(loop, conn, CONTACT_REQUEST_TOO_BIG);
        return false;
    case ALOFT_ERR_TOO_BIG:
        refuse(loop, conn, CONTACT_REQUEST_TOO_BIG);
        return false;
    default:
        refuse(loop, conn, CONTACT_BAD_REQUEST);
        return false;
    }
}

static void close_unasked(struct loop *loop, struct conn *conn, bool has_begun)
{
    if (has_begun) {
        tell_and_close(loop, conn, CONTACT_REQUEST_CUT, CONTACT_TLS_OTHER);
    } else {
        conn_close(loop, conn); /* connected and said nothing: a look at the port, no contact */
    }
}

/* Edge triggered: read until there is no more. The first bytes go through the loop's own buffer,
 * which is enough for a request that arrives whole. */
static void read_head(struct loop *loop, struct conn *conn)
{
    size_t len = 0;

    if (!conn->partial) {
        aloft_http_head_init(&loop->head, ALOFT_HTTP_REQUEST);
    }
    for (;;) {
        struct partial_head *partial = conn->partial;
        char *buf = partial ? partial->buf : loop->buf;
        size_t *at = partial ? &partial->len : &len;
        ssize_t n = io_recv(conn, buf + *at, LOOP_REQUEST_MAX - *at);
        if (n == IO_AGAIN) {
            keep(loop, conn, len);
            return;
        }
        if (n < 0 || n == IO_CLOSED) {
            close_unasked(loop, conn, *at > 0);
            return;
        }
        *at += (size_t)n;
        if (!look(loop, conn, partial ? &partial->head : &loop->head, buf, *at)) {
            return;
        }
    }
}

static void shake_hands(struct loop *loop, struct conn *conn)
{
    enum contact_tls_reason reason = CONTACT_TLS_OTHER;
    int rc = io_handshake(conn, &reason);

    if (rc == IO_FAILED) {
        tell_and_close(loop, conn, CONTACT_TLS_FAILED, reason);
    } else if (rc == IO_AGAIN) {
        conn_watch(loop, conn);
    } else {
        conn->state = CONN_HEAD;
        read_head(loop, conn);
    }
}

void request_start(struct loop *loop, struct conn *conn)
{
    conn->state = conn->ssl ? CONN_HANDSHAKE : CONN_HEAD;
    if (proxied_is_named(loop, &conn->peer)) {
        conn->state = CONN_PROXY;
    }
    request_continue(loop, conn);
}

void request_continue(struct loop *loop, struct conn *conn)
{
    if (conn->state == CONN_PROXY && !proxied_continue(loop, conn)) {
        return;
    }
    if (conn->state == CONN_HANDSHAKE) {
        shake_hands(loop, conn);
    } else {
        read_head(loop, conn);
    }
}

void request_give_up(struct loop *loop, struct conn *conn, enum contact_outcome outcome)
{
    tell_and_close(loop, conn, outcome, CONTACT_TLS_OTHER);
}

void request_expire(struct loop *loop, struct conn *conn)
{
    tell_and_close(loop, conn, CONTACT_REQUEST_LATE, CONTACT_TLS_OTHER);
}
