/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process/ping.h"

/* The system as the tests want it: a socket is one end of a pair, the other end is the test's. */
static int s_far_fd = -1;
static int s_errno_of[SOCK_RAW + 1]; /* by type; 0 = allowed */
static int s_connect_errno;
static int s_protocol;
static uint64_t s_now_ms;

static const struct aloft_addr host = {4, {192, 0, 2, 7}};
static const struct aloft_addr host_v6 = {16, {0x20, 0x01, 0x0d, 0xb8, [15] = 7}};

int __wrap_socket(int domain, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t len);
uint64_t __wrap_clock_monotonic_ms(void);

int __wrap_socket(int domain, int type, int protocol)
{
    int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    int pair[2];

    assert_int_equal(domain, protocol == IPPROTO_ICMP ? AF_INET : AF_INET6);
    s_protocol = protocol;
    if (s_errno_of[kind] != 0) {
        errno = s_errno_of[kind];
        return -1;
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    if (s_far_fd >= 0) {
        (void)close(s_far_fd);
    }
    s_far_fd = pair[1];
    return pair[0];
}

int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    (void)fd;
    (void)addr;
    (void)len;
    errno = s_connect_errno;
    return s_connect_errno == 0 ? 0 : -1;
}

uint64_t __wrap_clock_monotonic_ms(void)
{
    return s_now_ms;
}

static int set_up(void **state)
{
    struct ping *p = calloc(1, sizeof *p);

    assert_non_null(p);
    ping_init(p);
    memset(s_errno_of, 0, sizeof s_errno_of);
    s_connect_errno = 0;
    s_now_ms = 5000;
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    ping_stop(*state);
    free(*state);
    (void)close(s_far_fd);
    s_far_fd = -1;
    return 0;
}

static void hear(uint8_t *echo)
{
    uint8_t more[64];

    assert_int_equal(recv(s_far_fd, echo, 16, MSG_TRUNC), 16);
    assert_int_equal(recv(s_far_fd, more, sizeof more, 0), -1);
}

static void say(const uint8_t *bytes, size_t len)
{
    assert_int_equal(send(s_far_fd, bytes, len, 0), (ssize_t)len);
}

static void echo__goes_out_as_rfc_792_says(void **state)
{
    uint8_t echo[16];
    uint32_t ms;
    uint32_t sum = 0;

    assert_err(ping_ask(*state, &host, &ms), ALOFT_ERR_AGAIN);
    assert_int_equal(s_protocol, IPPROTO_ICMP);
    hear(echo);
    assert_int_equal(echo[0], 8);
    assert_int_equal(echo[1], 0);
    for (size_t i = 0; i < sizeof echo; i += 2) {
        sum += (uint32_t)(echo[i] << 8 | echo[i + 1]);
    }
    assert_int_equal((sum & 0xFFFF) + (sum >> 16), 0xFFFF);
}

static void answer__ends_it_with_the_time_it_took(void **state)
{
    static const struct aloft_addr *const hosts[] = {&host, &host_v6};
    struct ping *p = *state;
    uint8_t echo[16];
    uint32_t ms = 0;

    for (size_t i = 0; i < 2; i++) {
        assert_err(ping_ask(p, hosts[i], &ms), ALOFT_ERR_AGAIN);
        hear(echo);
        assert_int_equal(echo[0], i == 0 ? 8 : 128);
        assert_err(ping_ask(p, hosts[i], &ms), ALOFT_ERR_AGAIN);
        assert_true(ping_fd(p) >= 0);
        echo[0] = i == 0 ? 0 : 129;
        say(echo, sizeof echo);
        s_now_ms += 37;
        assert_err(ping_ask(p, hosts[i], &ms), ALOFT_ERR_OK);
        assert_int_equal(ms, 37);
        assert_int_equal(ping_fd(p), -1);
        assert_int_equal(ping_wait_ms(p), UINT32_MAX);
    }
}

/* One's own echo on loopback, another one's answer, a late answer to the one before, a short one.
 */
static void answers__to_others_do_not_count(void **state)
{
    struct ping *p = *state;
    uint8_t first[16], echo[16], wrong[16];
    uint32_t ms;

    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_AGAIN);
    hear(first);
    s_now_ms += PING_TIMEOUT_MS;
    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_TIMEOUT);
    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_AGAIN);
    hear(echo);
    first[0] = 0;
    say(first, sizeof first);
    say(echo, sizeof echo);
    for (size_t at = 6; at < sizeof wrong; at++) {
        memcpy(wrong, echo, sizeof wrong);
        wrong[0] = 0;
        wrong[at] ^= 0x01;
        say(wrong, sizeof wrong);
        assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_AGAIN);
    }
    wrong[sizeof wrong - 1] ^= 0x01;
    say(wrong, sizeof wrong - 1);
    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_AGAIN);
    say(wrong, sizeof wrong);
    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_OK);
}

static void raw__is_tried_when_the_other_kind_is_not_allowed(void **state)
{
    struct ping *p = *state;
    uint8_t packet[24 + 16] = {0x46}; /* an IPv4 header of 6 words */
    uint32_t ms;

    s_errno_of[SOCK_DGRAM] = EACCES;
    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_AGAIN);
    hear(packet + 24);
    packet[24] = 0;
    say(packet, 10); /* not even a header */
    say(packet, 20); /* the header says more */
    say(packet + 24, 16);
    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_AGAIN);
    say(packet, sizeof packet);
    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_OK);
}

static void echo__that_cannot_be_sent_is_an_error(void **state)
{
    uint32_t ms;

    s_connect_errno = ENETUNREACH;
    assert_err(ping_ask(*state, &host, &ms), ALOFT_ERR_IO);
    s_connect_errno = 0;
    s_errno_of[SOCK_DGRAM] = EACCES;
    s_errno_of[SOCK_RAW] = EPERM;
    assert_err(ping_ask(*state, &host, &ms), ALOFT_ERR_IO);
    assert_int_equal(ping_fd(*state), -1);
}

static void silence__ends_it_after_a_time(void **state)
{
    struct ping *p = *state;
    uint32_t ms;

    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_AGAIN);
    assert_int_equal(ping_wait_ms(p), PING_TIMEOUT_MS);
    s_now_ms += PING_TIMEOUT_MS - 1;
    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_AGAIN);
    assert_int_equal(ping_wait_ms(p), 1);
    s_now_ms += 1;
    assert_int_equal(ping_wait_ms(p), UINT32_MAX); /* nobody may ask again: no spinning */
    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_TIMEOUT);
}

static void outcome__of_a_ping_that_was_given_up_is_not_the_next_ones(void **state)
{
    struct ping *p = *state;
    uint8_t echo[16];
    uint32_t ms;

    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_AGAIN);
    hear(echo);
    echo[0] = 0;
    say(echo, sizeof echo);
    s_now_ms += PING_TIMEOUT_MS + PING_KEPT_MS;
    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_AGAIN);
    hear(echo);
    assert_err(ping_ask(p, &host_v6, &ms), ALOFT_ERR_AGAIN);
    hear(echo);
    assert_int_equal(echo[0], 128);
}

static void ping__is_watched_once_per_question(void **state)
{
    struct ping *p = *state;
    uint32_t ms;

    assert_int_equal(ping_fd(p), -1);
    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_AGAIN);
    assert_true(ping_fd(p) >= 0);
    ping_wake(p);
    assert_int_equal(ping_fd(p), -1);
    assert_err(ping_ask(p, &host, &ms), ALOFT_ERR_AGAIN);
    assert_true(ping_fd(p) >= 0);
}

#define WITH_PING(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PING(echo__goes_out_as_rfc_792_says),
        WITH_PING(answer__ends_it_with_the_time_it_took),
        WITH_PING(answers__to_others_do_not_count),
        WITH_PING(raw__is_tried_when_the_other_kind_is_not_allowed),
        WITH_PING(echo__that_cannot_be_sent_is_an_error),
        WITH_PING(silence__ends_it_after_a_time),
        WITH_PING(outcome__of_a_ping_that_was_given_up_is_not_the_next_ones),
        WITH_PING(ping__is_watched_once_per_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
