/* SPDX-License-Identifier: Apache-2.0 */

/* Connections from a named proxy: first its PROXY header, which says whose connection it is. The
 * bytes are looked at before they are taken, so that what follows stays where the request or the
 * TLS handshake will look for it. */

#include "wire/loop.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "aloft/proxy_head.h"

bool proxied_is_named(const struct loop *loop, const struct contact_peer *peer)
{
    return loop->rules->proxies.n_items > 0 &&
           networks_hold(&loop->rules->proxies, peer->address, peer->is_v6);
}

static void take_source(struct conn *conn, const struct aloft_proxy_head *head)
{
    conn->peer = (struct contact_peer){.port = head->source_port};
    if (head->is_v6) {
        peer_set_v6(&conn->peer, head->source);
    } else {
        memcpy(conn->peer.address, head->source, sizeof(uint32_t));
    }
}

/* Bytes that are only looked at hide the end behind them. `n_seen`: more may have come since. */
static bool is_at_end(struct loop *loop, const struct conn *conn, ssize_t n_seen)
{
    struct pollfd peer = {.fd = conn->fd, .events = POLLRDHUP};

    return poll(&peer, 1, 0) == 1 &&
           recv(conn->fd, loop->buf, ALOFT_PROXY_HEAD_MAX, MSG_PEEK) == n_seen;
}

bool proxied_continue(struct loop *loop, struct conn *conn)
{
    struct aloft_proxy_head head;
    ssize_t n = recv(conn->fd, loop->buf, ALOFT_PROXY_HEAD_MAX, MSG_PEEK);

    if (n <= 0) {
        if (n < 0 && errno == EAGAIN) {
            conn_watch(loop, conn);
        } else {
            conn_close(loop, conn); /* said nothing, as a check of health does */
        }
        return false;
    }
    switch (aloft_proxy_head_parse((const uint8_t *)loop->buf, (size_t)n, &head)) {
    case ALOFT_ERR_OK:
        break;
    case ALOFT_ERR_AGAIN:
        conn_watch(loop, conn);
        if (is_at_end(loop, conn, n)) {
            request_give_up(loop, conn, CONTACT_REQUEST_CUT);
        }
        return false;
    default:
        request_give_up(loop, conn, CONTACT_BAD_PROXY);
        return false;
    }
    if (recv(conn->fd, loop->buf, head.head_len, 0) != (ssize_t)head.head_len) {
        conn_close(loop, conn); /* they were there a moment ago: the peer has reset it */
        return false;
    }
    if (head.has_source) {
        take_source(conn, &head);
    }
    conn->state = conn->ssl ? CONN_HANDSHAKE : CONN_HEAD;
    return true;
}
