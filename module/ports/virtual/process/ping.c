/* SPDX-License-Identifier: Apache-2.0 */
#include "process/ping.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/auto.h"
#include "host/clock.h"
#include "host/log.h"

#define HEAD_BYTES     8 /* type, code, checksum, id, sequence number: both families */
#define ECHO_BYTES     (HEAD_BYTES + PING_TOKEN_BYTES)
#define ANSWER_BYTES   256
#define IPV4_BYTES     4
#define IPV4_HEAD_MIN  20
#define ANSWERS_MAX    16 /* of other echoes that one call skips */
#define CHECKSUM_FIELD 2

void ping_init(struct ping *p)
{
    *p = (struct ping){.fd = -1};
}

void ping_stop(struct ping *p)
{
    if (p->fd >= 0) {
        (void)close(p->fd);
        p->fd = -1;
    }
}

/* RFC 1071; the length is even. */
static uint16_t checksum(const uint8_t *buf, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i += 2) {
        sum += (uint32_t)(buf[i] << 8 | buf[i + 1]);
    }
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)~sum;
}

static bool is_v4(const struct ping *p)
{
    return p->to.len == IPV4_BYTES;
}

static bool send_echo(const struct ping *p)
{
    uint8_t echo[ECHO_BYTES] = {is_v4(p) ? ICMP_ECHO : ICMP6_ECHO_REQUEST};

    echo[4] = (uint8_t)(p->id >> 8);
    echo[5] = (uint8_t)p->id;
    echo[6] = (uint8_t)(p->seq >> 8);
    echo[7] = (uint8_t)p->seq;
    memcpy(echo + HEAD_BYTES, p->token, sizeof p->token);
    if (is_v4(p)) { /* the kernel does it for the other family */
        uint16_t sum = checksum(echo, sizeof echo);
        echo[CHECKSUM_FIELD] = (uint8_t)(sum >> 8);
        echo[CHECKSUM_FIELD + 1] = (uint8_t)sum;
    }
    return send(p->fd, echo, sizeof echo, MSG_NOSIGNAL) == (ssize_t)sizeof echo;
}

static enum aloft_err refuse(const char *what, const char *remedy)
{
    log_warn("ping.refused", "error=\"%s: %s\" remedy=\"%s\"", what, strerror(errno), remedy);
    return ALOFT_ERR_IO;
}

static enum aloft_err start(struct ping *p, const struct aloft_addr *to)
{
    struct endpoint at;
    int protocol = to->len == IPV4_BYTES ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    const int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;

    endpoint_set(&at, to, 0);
    p->to = *to;
    p->seq++;
    p->fd = socket(at.u.any.sa_family, SOCK_DGRAM | flags, protocol);
    p->is_raw = p->fd < 0;
    if (p->is_raw) {
        p->fd = socket(at.u.any.sa_family, SOCK_RAW | flags, protocol);
    }
    if (p->fd < 0) {
        return refuse("the system allows no echo requests",
                      "sysctl net.ipv4.ping_group_range='0 2147483647'");
    }
    p->id = (uint16_t)getpid();
    p->sent_ms = clock_monotonic_ms();
    if (getrandom(p->token, sizeof p->token, 0) != (ssize_t)sizeof p->token ||
        connect(p->fd, &at.u.any, at.len) != 0 || !send_echo(p)) {
        enum aloft_err err = refuse("cannot send an echo request", "is there a way to that host?");
        ping_stop(p);
        return err;
    }
    p->is_watched = true;
    return ALOFT_ERR_AGAIN;
}

/* Raw sockets show the IPv4 header, and everybody's answers. */
static bool is_answer(const struct ping *p, const uint8_t *buf, size_t len)
{
    if (p->is_raw && is_v4(p)) {
        size_t head = len >= IPV4_HEAD_MIN ? (size_t)(buf[0] & 0x0F) * 4 : len;
        if (head > len) {
            return false;
        }
        buf += head;
        len -= head;
    }
    return len >= ECHO_BYTES && buf[0] == (is_v4(p) ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) &&
           buf[6] == (uint8_t)(p->seq >> 8) && buf[7] == (uint8_t)p->seq &&
           memcmp(buf + HEAD_BYTES, p->token, sizeof p->token) == 0;
}

static enum aloft_err receive(struct ping *p)
{
    uint8_t buf[ANSWER_BYTES];

    for (int i = 0; i < ANSWERS_MAX; i++) {
        ssize_t n = recv(p->fd, buf, sizeof buf, 0);
        if (n < 0) { /* EAGAIN, or an error that came back from the way: no answer either */
            return errno == EAGAIN || errno == EINTR ? ALOFT_ERR_AGAIN : ALOFT_ERR_TIMEOUT;
        }
        if (is_answer(p, buf, (size_t)n)) {
            return ALOFT_ERR_OK;
        }
    }
    return ALOFT_ERR_AGAIN;
}

enum aloft_err ping_ask(struct ping *p, const struct aloft_addr *to, uint32_t *ret_ms)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t age_ms = now_ms - p->sent_ms;

    if (p->fd >= 0 &&
        (!endpoint_is_same_addr(&p->to, to) || age_ms >= PING_TIMEOUT_MS + PING_KEPT_MS)) {
        ping_stop(p);
    }
    if (p->fd < 0) {
        return start(p, to);
    }
    enum aloft_err err = receive(p);
    if (err == ALOFT_ERR_AGAIN && age_ms >= PING_TIMEOUT_MS) {
        err = ALOFT_ERR_TIMEOUT;
    }
    if (err == ALOFT_ERR_AGAIN) {
        p->is_watched = true;
        return err;
    }
    ping_stop(p);
    if (err == ALOFT_ERR_OK) {
        *ret_ms = (uint32_t)age_ms;
    }
    return err;
}

int ping_fd(const struct ping *p)
{
    return p->is_watched ? p->fd : -1;
}

void ping_wake(struct ping *p)
{
    p->is_watched = false;
}

uint32_t ping_wait_ms(const struct ping *p)
{
    uint64_t age_ms = clock_monotonic_ms() - p->sent_ms;

    /* Once due, only whoever asks again is served: waking for nobody would spin. */
    return p->fd >= 0 && age_ms < PING_TIMEOUT_MS ? (uint32_t)(PING_TIMEOUT_MS - age_ms)
                                                  : UINT32_MAX;
}
