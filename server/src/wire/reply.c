/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/loop.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

/* serving.md rule 3: after a sendfile that filled the send buffer, asking again mostly costs a
 * call for nothing, unless so much went through that the peer is as fast as we are. */
#define SENDFILE_AGAIN_BYTES (256 * 1024)

/* Stock modules offer a window of 5760 bytes (wire 3.3). A peer with less than this gets a send
 * buffer in proportion to its window; there may be tens of thousands of them, each with its buffer
 * full for minutes (serving.md rule 6). A peer with more is a program on a fast link: the kernel
 * sizes its buffer as for any other server, else it would cost three times the CPU per file. */
#define WIDE_WINDOW_BYTES 32768u
#define SMALL_SEND_BUFFER 12288u

/* So much of one TLS download at a time; then the other connections have their turn. */
#define TLS_TURN_BYTES (1024 * 1024)

#define LINGER_READS_MAX 16

enum push { PUSH_DONE, PUSH_WAIT, PUSH_CLOSED, PUSH_UNREADABLE };

static uint64_t body_len(const struct conn *conn)
{
    return conn->end - conn->start;
}

static uint64_t body_sent(const struct conn *conn)
{
    return conn->sent > conn->head_len ? conn->sent - conn->head_len : 0;
}

/* Read on until the peer has closed too: bytes left unread would make the kernel send RST, which
 * can destroy what the peer has not read yet. */
static void drain(struct loop *loop, struct conn *conn)
{
    for (int i = 0; i < LINGER_READS_MAX; i++) {
        ssize_t n = recv(conn->fd, loop->buf, sizeof loop->buf, 0);
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            break;
        }
    }
    conn_close(loop, conn);
}

static void linger(struct loop *loop, struct conn *conn)
{
    (void)shutdown(conn->fd, SHUT_WR); /* fails only when the peer is gone */
    conn->state = CONN_LINGER;
    conn_set_timer(loop, conn, TIMER_LINGER);
    conn_watch(loop, conn);
    drain(loop, conn);
}

/* Close at once with RST: what is still in the send buffer is of no use to anybody. */
static void abort_conn(struct loop *loop, struct conn *conn)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    conn_close(loop, conn);
}

static void wait_writable(struct loop *loop, struct conn *conn)
{
    conn->state = CONN_SEND;
    conn_set_timer(loop, conn, TIMER_STALL);
    conn_watch(loop, conn);
}

/* Short answers: one send, then close. */

static void finish_short(struct loop *loop, struct conn *conn)
{
    if (io_notify(conn) == IO_AGAIN) {
        wait_writable(loop, conn);
    } else if (conn->has_unread) {
        linger(loop, conn);
    } else {
        conn_close(loop, conn);
    }
}

static void push_rest(struct loop *loop, struct conn *conn)
{
    while (conn->rest_len > 0) {
        ssize_t n = io_send(conn, conn->rest, conn->rest_len);
        if (n == IO_AGAIN) {
            wait_writable(loop, conn);
            return;
        }
        if (n <= 0) {
            conn_close(loop, conn);
            return;
        }
        conn->rest_len -= (uint32_t)n;
        memmove(conn->rest, conn->rest + n, conn->rest_len);
    }
    finish_short(loop, conn);
}

static void start_short(struct loop *loop, struct conn *conn, const struct answer *answer,
                        struct contact *contact)
{
    ssize_t n = io_send(conn, answer->bytes, answer->len);

    contact->is_closed_by_peer = n == IO_FAILED || n == IO_CLOSED;
    conn_tell(loop, conn, contact);
    if (contact->is_closed_by_peer) {
        conn_close(loop, conn);
        return;
    }
    size_t done = n > 0 ? (size_t)n : 0;
    if (done < answer->len) { /* a send buffer smaller than the answer, or small TLS records */
        conn->rest_len = (uint32_t)(answer->len - done);
        conn->rest = malloc(conn->rest_len);
        if (!conn->rest) {
            conn_close(loop, conn);
            return;
        }
        memcpy(conn->rest, answer->bytes + done, conn->rest_len);
    }
    push_rest(loop, conn);
}

/* Files. */

static void tell_file(struct loop *loop, struct conn *conn, enum contact_outcome outcome,
                      bool is_closed_by_peer)
{
    struct contact *contact = &loop->contact;
    const char *version = catalog_file_version(conn->file);
    const char *name = catalog_file_name(conn->file);

    /* Who asks for the rest has the beginning; of any other range nobody knows what is missing. */
    if (outcome == CONTACT_FILE_DELIVERED && conn->end < catalog_file_size(conn->file)) {
        outcome = CONTACT_FILE_PART;
    }
    *contact = (struct contact){
        .product_id = conn->owner.product_id,
        .device_id = conn->owner.device_id,
        .total_bytes = body_len(conn),
        .sent_bytes = body_sent(conn),
        .acked_bytes = conn->acked,
        .status = body_len(conn) == catalog_file_size(conn->file) ? 200 : 206,
        .kind = CONTACT_FILE,
        .outcome = outcome,
        .agent = conn->agent,
        .is_closed_by_peer = is_closed_by_peer,
        .is_link = conn->is_link,
        .has_asked_version = conn->has_asked_version,
        .window_bytes = conn->window_bytes,
    };
    memcpy(contact->token_prefix, conn->token_prefix, sizeof contact->token_prefix);
    memcpy(contact->version, version, strlen(version) + 1);
    memcpy(contact->file_name, name, strlen(name) + 1);
    if (conn->words) {
        contact->headers = conn->words->headers;
        memcpy(contact->other_agent, conn->words->other_agent, sizeof contact->other_agent);
    }
    conn_tell(loop, conn, contact);
}

/* What the peer has acknowledged of the body. The kernel counts what is not acknowledged, in TLS
 * with the overhead of records, so this may be a little low until the end. TCP_INFO will not do:
 * a reset clears its count of segments under way. */
static void look_at_acks(struct loop *loop, struct conn *conn)
{
    int unacked;

    if (ioctl(conn->fd, SIOCOUTQ, &unacked) != 0) {
        return;
    }
    if (conn->is_ended && unacked > 0) {
        unacked--; /* the FIN has a sequence number too */
    }
    uint64_t sent = body_sent(conn);
    uint64_t acked = sent > (uint64_t)unacked ? sent - (uint64_t)unacked : 0;
    if (acked > conn->acked) {
        conn->acked = acked;
        conn->progress_ms = loop->now_ms;
    }
}

/* How long ago the peer was last heard, for an acknowledgement found by a look at the clock. */
static uint64_t last_heard_ms(const struct conn *conn)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;

    return getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_last_ack_recv
                                                                         : 0;
}

static void finish_file(struct loop *loop, struct conn *conn, enum contact_outcome outcome,
                        bool is_closed_by_peer)
{
    tell_file(loop, conn, outcome, is_closed_by_peer);
    if (outcome != CONTACT_FILE_DELIVERED) {
        abort_conn(loop, conn);
        return;
    }
    (void)io_notify(conn); /* no room for it: a bare FIN does no harm now (wire 5) */
    if (conn->has_unread) {
        linger(loop, conn);
    } else {
        conn_close(loop, conn);
    }
}

/* Sending has ended early: by the peer, by us, or by the disk. */
static void break_off(struct loop *loop, struct conn *conn, enum contact_outcome outcome)
{
    look_at_acks(loop, conn);
    finish_file(loop, conn, outcome, outcome == CONTACT_FILE_CLOSED);
}

/* Delivered means: every byte acknowledged. Most peers have it all within TIMER_ACK, and a look
 * then costs less than to be woken for each; those who need longer are listened to. */
static void await_acks(struct loop *loop, struct conn *conn)
{
    /* Over TLS the end is a record (close_notify). A module closes as soon as it has its bytes;
     * with that record unread its close would be a reset, which hides the last acknowledgements. */
    conn->is_ended = !conn->ssl && shutdown(conn->fd, SHUT_WR) == 0;
    conn->state = CONN_ACK;
    conn_set_timer(loop, conn, TIMER_ACK);
}

static void hear_peer(struct loop *loop, struct conn *conn, uint32_t events)
{
    if (!(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) {
        return; /* room in the send buffer is no news any more */
    }
    look_at_acks(loop, conn);
    if (conn->acked == body_len(conn)) {
        finish_file(loop, conn, CONTACT_FILE_DELIVERED, true);
    } else if (events & (EPOLLERR | EPOLLHUP)) {
        finish_file(loop, conn, CONTACT_FILE_CLOSED, true);
    }
}

static const char *head_bytes(const struct conn *conn, char scratch[ALOFT_FILE_HEAD_MAX + 1])
{
    if (!conn->is_our_head) {
        return catalog_file_answer(conn->file)->bytes;
    }
    (void)answer_file_head(conn->file, conn->start, conn->end, scratch);
    return scratch;
}

static enum push send_head(struct conn *conn)
{
    char scratch[ALOFT_FILE_HEAD_MAX + 1];
    const char *head = head_bytes(conn, scratch);

    /* The socket is corked: the head waits in the kernel for the first bytes of the body. */
    ssize_t n = send(conn->fd, head + conn->sent, conn->head_len - conn->sent, MSG_NOSIGNAL);
    if (n < 0) {
        return errno == EAGAIN ? PUSH_WAIT : PUSH_CLOSED;
    }
    conn->sent += (uint64_t)n;
    return conn->sent == conn->head_len ? PUSH_DONE : PUSH_WAIT;
}

static enum push push_plain(struct conn *conn)
{
    if (conn->sent < conn->head_len) {
        enum push result = send_head(conn);
        if (result != PUSH_DONE) {
            return result;
        }
    }
    int fd = catalog_file_fd(conn->file);
    while (body_sent(conn) < body_len(conn)) {
        off_t at = (off_t)(conn->start + body_sent(conn));
        ssize_t n = sendfile(conn->fd, fd, &at, body_len(conn) - body_sent(conn));
        if (n < 0 && errno == EAGAIN) {
            return PUSH_WAIT;
        }
        if (n <= 0) { /* 0: the blob has shrunk */
            return n == 0 || errno == EIO ? PUSH_UNREADABLE : PUSH_CLOSED;
        }
        conn->sent += (uint64_t)n;
        if (n < SENDFILE_AGAIN_BYTES && body_sent(conn) < body_len(conn)) {
            return PUSH_WAIT;
        }
    }
    return PUSH_DONE;
}

/* The bytes of the next record: head and first body bytes together (wire 5: a module's read gives
 * one record at most), later the file itself. A retry gives the same bytes, as OpenSSL wants. Read
 * and not mapped: a mapped blob that is cut or unreadable on the disk would be SIGBUS, the end of
 * the whole server. Returns the length; 0 = unreadable. */
static size_t read_record(struct loop *loop, const struct conn *conn)
{
    char scratch[ALOFT_FILE_HEAD_MAX + 1];
    uint64_t left = body_len(conn) - body_sent(conn);
    size_t head_left = conn->sent < conn->head_len ? conn->head_len - (size_t)conn->sent : 0;
    size_t room = loop->shared->record_bytes - head_left;
    size_t body = left < room ? (size_t)left : room;
    off_t at = (off_t)(conn->start + body_sent(conn));

    if (head_left > 0) {
        memcpy(loop->record, head_bytes(conn, scratch) + conn->sent, head_left);
    }
    ssize_t n = pread(catalog_file_fd(conn->file), loop->record + head_left, body, at);
    return n == (ssize_t)body ? head_left + body : 0;
}

static enum push push_tls(struct loop *loop, struct conn *conn)
{
    uint64_t turn_end = conn->sent + TLS_TURN_BYTES;

    while (conn->sent < conn->head_len + body_len(conn)) {
        size_t len = read_record(loop, conn);
        if (len == 0) {
            return PUSH_UNREADABLE;
        }
        ssize_t n = io_send(conn, loop->record, len);
        if (n == IO_AGAIN) {
            return PUSH_WAIT;
        }
        if (n <= 0) {
            return PUSH_CLOSED;
        }
        conn->sent += (uint64_t)n;
        if (conn->sent >= turn_end) {
            conn_watch_again(loop, conn);
            return PUSH_WAIT;
        }
    }
    return PUSH_DONE;
}

static void push_file(struct loop *loop, struct conn *conn)
{
    switch (conn->ssl ? push_tls(loop, conn) : push_plain(conn)) {
    case PUSH_DONE:
        await_acks(loop, conn);
        break;
    case PUSH_WAIT:
        wait_writable(loop, conn);
        break;
    case PUSH_CLOSED:
        break_off(loop, conn, CONTACT_FILE_CLOSED);
        break;
    case PUSH_UNREADABLE:
        break_off(loop, conn, CONTACT_FILE_UNREADABLE);
        break;
    }
}

static void fit_send_buffer(const struct loop *loop, struct conn *conn)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;

    if (loop->shared->is_send_buffer_fixed ||
        getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0) {
        return;
    }
    conn->window_bytes = info.tcpi_snd_wnd;
    if (info.tcpi_snd_wnd == 0 || info.tcpi_snd_wnd >= WIDE_WINDOW_BYTES) {
        return; /* 0: a kernel that does not tell */
    }
    unsigned bytes = 2 * info.tcpi_snd_wnd;
    bytes = bytes < SMALL_SEND_BUFFER ? SMALL_SEND_BUFFER : bytes;
    (void)setsockopt(conn->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes); /* else it is larger */
}

static void keep_words(struct conn *conn, const struct contact *contact)
{
    conn->agent = (uint8_t)contact->agent;
    conn->is_link = contact->is_link;
    conn->has_asked_version = contact->has_asked_version;
    memcpy(conn->token_prefix, contact->token_prefix, sizeof conn->token_prefix);
    if (contact_has_words(contact)) {
        conn->words = malloc(sizeof *conn->words);
        if (conn->words) { /* without memory the contact only says less */
            conn->words->headers = contact->headers;
            memcpy(conn->words->other_agent, contact->other_agent, sizeof conn->words->other_agent);
        }
    }
}

static void start_file(struct loop *loop, struct conn *conn, const struct answer *answer,
                       const struct contact *contact)
{
    conn->file = catalog_file_hold(answer->file);
    gate_enter(loop->shared->gate);
    conn->start = answer->start;
    conn->end = answer->end;
    conn->head_len = (uint16_t)answer->len;
    conn->is_our_head = answer->bytes == answer->scratch;
    conn->owner = (struct catalog_owner){contact->product_id, contact->device_id};
    conn->progress_ms = loop->now_ms;
    keep_words(conn, contact);
    fit_send_buffer(loop, conn);
    push_file(loop, conn);
}

void reply_start(struct loop *loop, struct conn *conn, struct answer *answer,
                 struct contact *contact)
{
    if (answer->file) {
        start_file(loop, conn, answer, contact);
    } else {
        start_short(loop, conn, answer, contact);
    }
}

void reply_continue(struct loop *loop, struct conn *conn, uint32_t events)
{
    if (conn->state == CONN_LINGER) {
        drain(loop, conn);
    } else if (conn->state == CONN_ACK) {
        hear_peer(loop, conn, events);
    } else if (!conn->file) {
        push_rest(loop, conn);
    } else if (events & (EPOLLERR | EPOLLHUP)) {
        break_off(loop, conn, CONTACT_FILE_CLOSED);
    } else if (events & EPOLLOUT) {
        push_file(loop, conn);
    }
}

/* No news for the length of a timer; slow is fine, dead is not. */
static void expire_file(struct loop *loop, struct conn *conn)
{
    look_at_acks(loop, conn);
    if (conn->state == CONN_ACK && conn->acked == body_len(conn)) {
        /* Since then it was our turn to look. The first look comes soon; asking would cost a fast
         * download 3 % of its CPU (make bench). */
        uint64_t waited_ms = conn->timer == TIMER_ACK_LATE ? last_heard_ms(conn) : 0;
        uint64_t lasted_ms = loop->now_ms - conn->start_ms;
        conn->start_ms += waited_ms < lasted_ms ? waited_ms : lasted_ms;
        finish_file(loop, conn, CONTACT_FILE_DELIVERED, false);
    } else if (loop->now_ms - conn->progress_ms >= loop->rules->stall_timeout_ms) {
        finish_file(loop, conn, CONTACT_FILE_STALLED, false);
    } else if (conn->state == CONN_ACK) {
        conn_set_timer(loop, conn, TIMER_ACK_LATE);
        conn_watch(loop, conn);
    } else {
        conn_set_timer(loop, conn, TIMER_STALL);
    }
}

void reply_expire(struct loop *loop, struct conn *conn)
{
    if (conn->file && conn->state != CONN_LINGER) {
        expire_file(loop, conn);
    } else {
        abort_conn(loop, conn);
    }
}

void reply_cut(struct loop *loop, struct conn *conn)
{
    if (!conn->file || conn->state == CONN_LINGER) {
        conn_close(loop, conn);
        return;
    }
    look_at_acks(loop, conn);
    bool has_all = conn->state == CONN_ACK && conn->acked == body_len(conn);
    finish_file(loop, conn, has_all ? CONTACT_FILE_DELIVERED : CONTACT_FILE_STOPPED, false);
}
