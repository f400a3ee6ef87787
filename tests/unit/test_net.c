/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/address.h"
#include "process/net.h"

#define DEADLINE_MS 10000

static const struct aloft_addr loopback = {4, {127, 0, 0, 1}};

/* A listener nobody accepts on: the kernel completes connections by itself. */
struct bench {
    struct net *net;
    int listen_fd;
    uint16_t port;
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    const struct address any_port = {.host = "127.0.0.1", .port = 0};
    const struct net_options no_options = {.n_maps = 0};

    assert_non_null(b);
    assert_err(net_new(&no_options, &b->net, NULL), ALOFT_ERR_OK);
    assert_err(address_listen(&any_port, false, &b->listen_fd, &b->port, NULL), ALOFT_ERR_OK);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    net_free(b->net);
    (void)close(b->listen_fd);
    free(b);
    return 0;
}

/* Poll what the net asks for, as the process does. */
static void wait_once(struct net *net)
{
    struct pollfd fds[NET_POLL_MAX];
    size_t n = net_poll_set(net, fds);

    assert_int_equal(poll(fds, n, DEADLINE_MS), 1);
    net_poll_done(net, fds, n);
}

static int connect_to(struct bench *b)
{
    enum aloft_err err;
    int s;

    assert_err(net_open(b->net, &loopback, b->port, NULL, NULL, &s), ALOFT_ERR_OK);
    while ((err = net_ready(b->net, s)) == ALOFT_ERR_AGAIN) {
        wait_once(b->net);
    }
    assert_err(err, ALOFT_ERR_OK);
    return s;
}

static size_t n_watched(const struct net *net)
{
    struct pollfd fds[NET_POLL_MAX];

    return net_poll_set(net, fds) - 1; /* the look-up is always there */
}

/* Else bytes the module does not want yet would make the process spin. */
static void socket__is_watched_once_per_question(void **state)
{
    struct bench *b = *state;
    int s = connect_to(b);
    int peer = accept(b->listen_fd, NULL, NULL);
    uint8_t buf[8];
    size_t n;

    assert_int_equal(n_watched(b->net), 0);
    assert_err(net_read(b->net, s, buf, sizeof buf, &n), ALOFT_ERR_AGAIN);
    assert_int_equal(n_watched(b->net), 1);
    assert_int_equal(write(peer, "abc", 3), 3);
    wait_once(b->net);
    assert_int_equal(n_watched(b->net), 0);
    assert_err(net_read(b->net, s, buf, sizeof buf, &n), ALOFT_ERR_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(buf, "abc", 3);
    (void)close(peer);
}

static void read__tells_the_end_from_a_reset(void **state)
{
    struct bench *b = *state;
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    uint8_t buf[8];
    size_t n;

    for (int is_reset = 0; is_reset <= 1; is_reset++) {
        int s = connect_to(b);
        int peer = accept(b->listen_fd, NULL, NULL);
        assert_err(net_read(b->net, s, buf, sizeof buf, &n), ALOFT_ERR_AGAIN);
        if (is_reset) {
            assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        }
        (void)close(peer);
        wait_once(b->net);
        assert_err(net_read(b->net, s, buf, sizeof buf, &n),
                   is_reset ? ALOFT_ERR_IO : ALOFT_ERR_CLOSED);
        net_close(b->net, s);
    }
}

static void open__gives_out_each_socket_once_and_takes_it_back(void **state)
{
    struct bench *b = *state;
    bool is_given[NET_SOCKETS_MAX] = {false};
    int s;

    for (int i = 0; i < NET_SOCKETS_MAX; i++) {
        assert_err(net_open(b->net, &loopback, b->port, NULL, NULL, &s), ALOFT_ERR_OK);
        assert_in_range(s, 0, NET_SOCKETS_MAX - 1);
        assert_false(is_given[s]);
        is_given[s] = true;
    }
    assert_err(net_open(b->net, &loopback, b->port, NULL, NULL, &s), ALOFT_ERR_CONNECT);
    assert_int_equal(s, -1);
    net_close(b->net, 3);
    assert_err(net_open(b->net, &loopback, b->port, NULL, NULL, &s), ALOFT_ERR_OK);
    assert_int_equal(s, 3);
    net_reset(b->net);
    assert_int_equal(n_watched(b->net), 0);
}

static void socket__that_was_never_opened_is_refused(void **state)
{
    static const int strangers[] = {-1, 0, NET_SOCKETS_MAX, 1 << 30};
    struct bench *b = *state;
    uint8_t byte = 0;
    size_t n;

    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        assert_err(net_ready(b->net, strangers[i]), ALOFT_ERR_CONNECT);
        assert_err(net_read(b->net, strangers[i], &byte, 1, &n), ALOFT_ERR_IO);
        assert_err(net_write(b->net, strangers[i], &byte, 1, &n), ALOFT_ERR_IO);
        net_close(b->net, strangers[i]);
    }
}

/* Some systems name ::1 too. */
static bool has_loopback(const struct aloft_addrs *addrs)
{
    for (uint8_t i = 0; i < addrs->n; i++) {
        if (memcmp(&addrs->items[i], &loopback, sizeof loopback) == 0) {
            return true;
        }
    }
    return false;
}

static void resolve__answers_a_literal_at_once_and_a_name_later(void **state)
{
    struct bench *b = *state;
    struct aloft_addrs addrs;
    enum aloft_err err;

    assert_err(net_resolve(b->net, "10.1.2.3", &addrs), ALOFT_ERR_OK);
    assert_memory_equal(addrs.items[0].bytes, ((const uint8_t[]){10, 1, 2, 3}), 4);
    assert_err(net_resolve(b->net, "localhost", &addrs), ALOFT_ERR_AGAIN);
    while ((err = net_resolve(b->net, "localhost", &addrs)) == ALOFT_ERR_AGAIN) {
        wait_once(b->net);
    }
    assert_err(err, ALOFT_ERR_OK);
    assert_true(has_loopback(&addrs));
}

static void map_parse__takes_two_addresses(void **state)
{
    static const char *const wrong[] = {"", "a:1", "a:1=b", "a=b:1", "a:1=b:x", "=b:1"};
    struct net_map map;

    (void)state;
    assert_err(net_map_parse("iot.espressif.cn:80=127.0.0.1:8080", &map, NULL), ALOFT_ERR_OK);
    assert_string_equal(map.from.host, "iot.espressif.cn");
    assert_int_equal(map.from.port, 80);
    assert_string_equal(map.to.host, "127.0.0.1");
    assert_int_equal(map.to.port, 8080);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_err(net_map_parse(wrong[i], &map, NULL), ALOFT_ERR_SYNTAX);
    }
}

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BENCH(socket__is_watched_once_per_question),
        ON_BENCH(read__tells_the_end_from_a_reset),
        ON_BENCH(open__gives_out_each_socket_once_and_takes_it_back),
        ON_BENCH(socket__that_was_never_opened_is_refused),
        ON_BENCH(resolve__answers_a_literal_at_once_and_a_name_later),
        cmocka_unit_test(map_parse__takes_two_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
