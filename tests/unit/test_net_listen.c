/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/auto.h"
#include "process/endpoint.h"
#include "process/net.h"

#define DEADLINE_MS 10000

static const struct aloft_addr loopback = {4, {127, 0, 0, 1}};
static const struct aloft_addr loopback_v6 = {16, {[15] = 1}};
static const struct aloft_addr broadcast = {4, {255, 255, 255, 255}};
static const struct aloft_addr gateway = {4, {192, 0, 2, 1}};

static struct net *net_with(const char *const *maps, size_t n_maps)
{
    struct net_map parsed[NET_MAPS_MAX];
    struct net_options options = {.maps = parsed, .n_maps = n_maps};
    struct net *net = NULL;

    for (size_t i = 0; i < n_maps; i++) {
        assert_err(net_map_parse(maps[i], &parsed[i], NULL), ALOFT_ERR_OK);
    }
    assert_err(net_new(&options, &net, NULL), ALOFT_ERR_OK);
    return net;
}

static int set_up(void **state)
{
    *state = net_with(NULL, 0);
    return 0;
}

static int tear_down(void **state)
{
    net_free(*state);
    return 0;
}

static void wait_once(struct net *net)
{
    struct pollfd fds[NET_POLL_MAX];
    size_t n = net_poll_set(net, fds);

    assert_true(poll(fds, n, DEADLINE_MS) > 0);
    net_poll_done(net, fds, n);
}

/* Whether something the net waits for has come already. */
static bool has_event(const struct net *net)
{
    struct pollfd fds[NET_POLL_MAX];

    return poll(fds, net_poll_set(net, fds), 0) > 0;
}

static int connect_to(uint16_t port)
{
    struct endpoint to;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    endpoint_set(&to, &loopback, port);
    assert_int_equal(connect(fd, &to.u.any, to.len), 0);
    return fd;
}

/* A socket of the test's own. @param type SOCK_STREAM: it listens. */
static int peer_socket(const struct aloft_addr *addr, int type, uint16_t *ret_port)
{
    struct endpoint at;
    int fd = socket(addr->len == 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0);

    endpoint_set(&at, addr, 0);
    assert_int_equal(bind(fd, &at.u.any, at.len), 0);
    if (type == SOCK_STREAM) {
        assert_int_equal(listen(fd, 1), 0);
    }
    assert_true(endpoint_of_socket(fd, &at));
    *ret_port = endpoint_port(&at);
    return fd;
}

static int accept_one(struct net *net, int listener)
{
    enum aloft_err err;
    int s;

    while ((err = net_accept(net, listener, &s)) == ALOFT_ERR_AGAIN) {
        wait_once(net);
    }
    assert_err(err, ALOFT_ERR_OK);
    return s;
}

static void listen__to_any_port_tells_which_and_talks_with_who_connects(void **state)
{
    struct net *net = *state;
    uint8_t buf[8];
    uint16_t port = 0;
    size_t n;
    int l, s;

    assert_err(net_listen(net, 0, &l, &port), ALOFT_ERR_OK);
    assert_int_not_equal(port, 0);
    assert_err(net_accept(net, l, &s), ALOFT_ERR_AGAIN);
    assert_int_equal(s, -1);
    AUTO_FD int peer = connect_to(port);
    s = accept_one(net, l);
    assert_err(net_ready(net, s), ALOFT_ERR_OK);
    assert_err(net_read(net, s, buf, sizeof buf, &n), ALOFT_ERR_AGAIN);
    assert_int_equal(write(peer, "ask", 3), 3);
    wait_once(net);
    assert_err(net_read(net, s, buf, sizeof buf, &n), ALOFT_ERR_OK);
    assert_int_equal(n, 3);
    assert_err(net_write(net, s, (const uint8_t *)"answer", 6, &n), ALOFT_ERR_OK);
    assert_int_equal(read(peer, buf, sizeof buf), 6);
    assert_memory_equal(buf, "answer", 6);
    net_close(net, s);
    assert_int_equal(read(peer, buf, sizeof buf), 0);
}

static void listen__on_a_taken_port_is_refused(void **state)
{
    uint16_t port, again;
    int l, second;

    assert_err(net_listen(*state, 0, &l, &port), ALOFT_ERR_OK);
    assert_err(net_listen(*state, port, &second, &again), ALOFT_ERR_CONNECT);
    assert_int_equal(second, -1);
    net_close(*state, l);
    assert_err(net_listen(*state, port, &second, &again), ALOFT_ERR_OK);
    assert_int_equal(again, port);
}

static void accept__without_a_free_socket_waits_until_one_is_closed(void **state)
{
    struct net *net = *state;
    int peers[NET_SOCKETS_MAX];
    uint16_t port;
    int l, s, extra;

    assert_err(net_listen(net, 0, &l, &port), ALOFT_ERR_OK);
    for (int i = 0; i < NET_SOCKETS_MAX - 1; i++) {
        peers[i] = connect_to(port);
        s = accept_one(net, l);
    }
    int late = connect_to(port);
    assert_err(net_accept(net, l, &extra), ALOFT_ERR_AGAIN);
    assert_false(has_event(net)); /* else the process would spin */
    net_close(net, s);
    wait_once(net);
    assert_err(net_accept(net, l, &extra), ALOFT_ERR_OK);
    (void)close(late);
    for (int i = 0; i < NET_SOCKETS_MAX - 1; i++) {
        (void)close(peers[i]);
    }
}

static void link__is_needed_by_connections_the_module_opened_only(void **state)
{
    struct net *net = *state;
    uint16_t port;
    int l, u, out;

    assert_err(net_listen(net, 0, &l, &port), ALOFT_ERR_OK);
    assert_err(net_udp_open(net, NULL, 0, &u), ALOFT_ERR_OK);
    assert_err(net_open(net, &loopback, port, NULL, NULL, &out), ALOFT_ERR_OK);
    int in = accept_one(net, l);
    assert_false(net_needs_link(net, l));
    assert_false(net_needs_link(net, u));
    assert_false(net_needs_link(net, in));
    assert_true(net_needs_link(net, out));
    assert_false(net_needs_link(net, -1));
    assert_false(net_needs_link(net, NET_SOCKETS_MAX));
}

static void own_port__that_is_mapped_is_elsewhere_but_keeps_its_number(void **state)
{
    const char *const maps[] = {"own:80=127.0.0.1:0", "own:53=127.0.0.1:0"};
    struct net *net = net_with(maps, 2);
    uint16_t port;
    int l, u;

    (void)state;
    assert_err(net_listen(net, 80, &l, &port), ALOFT_ERR_OK);
    assert_int_equal(port, 80);
    assert_err(net_udp_open(net, NULL, 53, &u), ALOFT_ERR_OK);
    net_free(net);
}

static void own__is_not_a_name_that_leads_anywhere(void **state)
{
    const char *const map = "own:80=127.0.0.1:8080";
    struct net *net = net_with(&map, 1);
    struct aloft_addrs addrs;

    (void)state;
    assert_err(net_resolve(net, "own", &addrs), ALOFT_ERR_AGAIN);
    net_free(net);
}

static uint16_t receive(struct net *net, int socket, uint8_t *buf, size_t cap, size_t *ret_n,
                        struct aloft_addr *ret_from)
{
    enum aloft_err err;
    uint16_t port = 0;

    while ((err = net_udp_receive(net, socket, buf, cap, ret_n, ret_from, &port)) ==
           ALOFT_ERR_AGAIN) {
        wait_once(net);
    }
    assert_err(err, ALOFT_ERR_OK);
    return port;
}

static void udp__client_reaches_both_families(void **state)
{
    const struct aloft_addr *const peers[] = {&loopback, &loopback_v6};
    struct net *net = *state;
    struct aloft_addr from;
    uint8_t buf[8];
    uint16_t port;
    size_t n;
    int u;

    assert_err(net_udp_open(net, NULL, 0, &u), ALOFT_ERR_OK);
    for (size_t i = 0; i < 2; i++) {
        struct endpoint sender = {.len = sizeof sender.u};
        AUTO_FD int peer = peer_socket(peers[i], SOCK_DGRAM, &port);
        assert_err(net_udp_send(net, u, peers[i], port, (const uint8_t *)"ping", 4), ALOFT_ERR_OK);
        assert_int_equal(recvfrom(peer, buf, sizeof buf, 0, &sender.u.any, &sender.len), 4);
        assert_int_equal(sendto(peer, "pong", 4, 0, &sender.u.any, sender.len), 4);
        assert_int_equal(receive(net, u, buf, sizeof buf, &n, &from), port);
        assert_int_equal(n, 4);
        assert_memory_equal(buf, "pong", 4);
        assert_true(endpoint_is_same_addr(&from, peers[i]));
    }
}

static void udp_receive__drops_what_is_longer_than_the_buffer(void **state)
{
    struct net *net = *state;
    struct aloft_addr from;
    uint8_t buf[4];
    uint16_t port;
    size_t n;
    int u;

    assert_err(net_udp_open(net, &loopback, 0, &u), ALOFT_ERR_OK);
    AUTO_FD int peer = peer_socket(&loopback, SOCK_DGRAM, &port);
    assert_err(net_udp_send(net, u, &loopback, port, (const uint8_t *)"hello", 5), ALOFT_ERR_OK);
    struct endpoint sender = {.len = sizeof sender.u};
    assert_int_equal(recvfrom(peer, buf, sizeof buf, 0, &sender.u.any, &sender.len), 4);
    assert_int_equal(sendto(peer, "12345", 5, 0, &sender.u.any, sender.len), 5);
    assert_int_equal(sendto(peer, "1234", 4, 0, &sender.u.any, sender.len), 4);
    (void)receive(net, u, buf, sizeof buf, &n, &from);
    assert_int_equal(n, 4);
    assert_memory_equal(buf, "1234", 4);
    assert_err(net_udp_receive(net, u, buf, sizeof buf, &n, NULL, NULL), ALOFT_ERR_AGAIN);
    assert_int_equal(sendto(peer, "", 0, 0, &sender.u.any, sender.len), 0);
    wait_once(net);
    assert_err(net_udp_receive(net, u, buf, sizeof buf, &n, NULL, NULL), ALOFT_ERR_OK);
    assert_int_equal(n, 0);
}

/* facts/at-commands.md 3.5: a station address this machine does not have. */
static void udp__of_a_foreign_address_is_bound_to_the_bind_address(void **state)
{
    struct endpoint sender = {.len = sizeof sender.u};
    struct net *net = *state;
    struct aloft_addr from;
    uint8_t byte;
    uint16_t port;
    int u;

    AUTO_FD int probe = peer_socket(&loopback, SOCK_DGRAM, &port);
    assert_err(net_udp_open(net, &gateway, 0, &u), ALOFT_ERR_OK);
    assert_err(net_udp_send(net, u, &loopback, port, (const uint8_t *)"x", 1), ALOFT_ERR_OK);
    assert_int_equal(recvfrom(probe, &byte, 1, 0, &sender.u.any, &sender.len), 1);
    endpoint_get(&sender, &from, &port);
    assert_true(endpoint_is_same_addr(&from, &loopback));
}

static void udp__to_mapped_places_arrives_and_the_answer_comes_from_the_place_asked(void **state)
{
    char maps[3][64];
    const char *const list[] = {maps[0], maps[1], maps[2]};
    struct aloft_addr from;
    struct aloft_addrs name;
    uint8_t buf[8];
    uint16_t port;
    size_t n;
    int u;

    (void)state;
    AUTO_FD int phone = peer_socket(&loopback, SOCK_DGRAM, &port);
    (void)snprintf(maps[0], sizeof maps[0], "255.255.255.255:8266=127.0.0.1:%u", port);
    (void)snprintf(maps[1], sizeof maps[1], "192.0.2.1:8266=127.0.0.1:%u", port);
    (void)snprintf(maps[2], sizeof maps[2], "pool.example:123=127.0.0.1:%u", port);
    struct net *net = net_with(list, 3);
    assert_err(net_udp_open(net, &gateway, 0, &u), ALOFT_ERR_OK);
    assert_err(net_udp_send(net, u, &broadcast, 8266, (const uint8_t *)"b", 1), ALOFT_ERR_OK);
    assert_err(net_udp_send(net, u, &gateway, 8266, (const uint8_t *)"g", 1), ALOFT_ERR_OK);
    assert_err(net_resolve(net, "pool.example", &name), ALOFT_ERR_OK);
    assert_err(net_udp_send(net, u, &name.items[0], 123, (const uint8_t *)"n", 1), ALOFT_ERR_OK);
    assert_err(net_udp_send(net, u, &name.items[0], 124, (const uint8_t *)"n", 1), ALOFT_ERR_IO);
    struct endpoint sender = {.len = sizeof sender.u};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(recvfrom(phone, buf, sizeof buf, 0, &sender.u.any, &sender.len), 1);
        assert_int_equal(buf[0], "bgn"[i]);
    }
    assert_int_equal(sendto(phone, "received", 8, 0, &sender.u.any, sender.len), 8);
    assert_int_equal(receive(net, u, buf, sizeof buf, &n, &from), 8266);
    assert_true(endpoint_is_same_addr(&from, &gateway));
    assert_int_equal(n, 8);
    net_free(net);
}

static void map__leads_an_ipv6_literal_to_ipv6(void **state)
{
    struct aloft_addrs addrs;
    char map[64];
    const char *const list[] = {map};
    uint16_t port;
    int s;

    (void)state;
    int server = peer_socket(&loopback_v6, SOCK_STREAM, &port);
    (void)snprintf(map, sizeof map, "[2001:db8::1]:80=[::1]:%u", port);
    struct net *net = net_with(list, 1);
    assert_err(net_resolve(net, "2001:DB8:0::1", &addrs), ALOFT_ERR_OK);
    assert_int_equal(addrs.items[0].len, 16);
    assert_err(net_open(net, &addrs.items[0], 80, NULL, NULL, &s), ALOFT_ERR_OK);
    while (net_ready(net, s) == ALOFT_ERR_AGAIN) {
        wait_once(net);
    }
    assert_err(net_ready(net, s), ALOFT_ERR_OK);
    net_free(net);
    (void)close(server);
}

static void socket__of_another_kind_is_refused(void **state)
{
    struct net *net = *state;
    uint8_t byte = 0;
    uint16_t port;
    size_t n;
    int l, u, s;

    assert_err(net_listen(net, 0, &l, &port), ALOFT_ERR_OK);
    assert_err(net_udp_open(net, NULL, 0, &u), ALOFT_ERR_OK);
    assert_err(net_read(net, l, &byte, 1, &n), ALOFT_ERR_IO);
    assert_err(net_write(net, u, &byte, 1, &n), ALOFT_ERR_IO);
    assert_err(net_accept(net, u, &s), ALOFT_ERR_AGAIN);
    assert_err(net_udp_send(net, l, &loopback, port, &byte, 1), ALOFT_ERR_IO);
    assert_err(net_udp_receive(net, l, &byte, 1, &n, NULL, NULL), ALOFT_ERR_AGAIN);
    assert_err(net_udp_receive(net, -1, &byte, 1, &n, NULL, NULL), ALOFT_ERR_AGAIN);
    assert_err(net_accept(net, NET_SOCKETS_MAX, &s), ALOFT_ERR_AGAIN);
}

#define WITH_NET(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NET(listen__to_any_port_tells_which_and_talks_with_who_connects),
        WITH_NET(listen__on_a_taken_port_is_refused),
        WITH_NET(accept__without_a_free_socket_waits_until_one_is_closed),
        WITH_NET(link__is_needed_by_connections_the_module_opened_only),
        cmocka_unit_test(own_port__that_is_mapped_is_elsewhere_but_keeps_its_number),
        cmocka_unit_test(own__is_not_a_name_that_leads_anywhere),
        WITH_NET(udp__client_reaches_both_families),
        WITH_NET(udp_receive__drops_what_is_longer_than_the_buffer),
        WITH_NET(udp__of_a_foreign_address_is_bound_to_the_bind_address),
        cmocka_unit_test(udp__to_mapped_places_arrives_and_the_answer_comes_from_the_place_asked),
        cmocka_unit_test(map__leads_an_ipv6_literal_to_ipv6),
        WITH_NET(socket__of_another_kind_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
