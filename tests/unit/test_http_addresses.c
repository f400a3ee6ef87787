/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <string.h>

#include "aloft/config.h"

/* Names with several addresses (facts/at-commands.md 6.1, row 22). */

#define UPDATE  "AT+CIUPDATE=0,\"v5.0.1.0\""
#define DONE_MS 10000
#define SMALL   512

static struct aloft_addrs two_addresses(void)
{
    return (struct aloft_addrs){2, {{16, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}, {4, {192, 0, 2, 7}}}};
}

/* Whatever the first address does before it is connected, the second is tried. */
static void row_22_the_next_address_is_tried(void **state)
{
    static const struct fake_answer firsts[] = {
        {.open_err = ALOFT_ERR_CONNECT},
        {.ready_err = ALOFT_ERR_CONNECT, .n_ready_waits = 3},
        {.ready_err = ALOFT_ERR_TLS},
        {.n_ready_waits = 1u << 30},
    };
    (void)state;

    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        struct world *w = world_new(SMALL);
        *fake_net_add(&w->net, "", 0) = firsts[i];
        w->net.answers[0].addrs = two_addresses();
        fake_net_add(&w->net, w->answer, w->answer_len);
        (void)world_run(w, UPDATE, ALOFT_CONFIG_STALL_MS + DONE_MS);
        world_assert_upgraded(w);
        assert_int_equal(w->net.n_contacts, 2);
        assert_int_equal(w->net.contacts[0].addr.len, 16);
        assert_int_equal(w->net.contacts[1].addr.len, 4);
        world_free(w);
    }
}

static void row_22_the_last_address_that_fails_ends_it(void **state)
{
    struct world *w = world_new(SMALL);

    (void)state;
    fake_net_add(&w->net, "", 0)->open_err = ALOFT_ERR_CONNECT;
    w->net.answers[0].addrs = two_addresses();
    fake_net_add(&w->net, "", 0)->ready_err = ALOFT_ERR_CONNECT;
    assert_string_equal(world_run(w, UPDATE, DONE_MS), "+CIPUPDATE:1\r\n\r\nERROR\r\n");
    world_assert_failed(w, "CONNECT");
    assert_int_equal(w->net.n_contacts, 2);
    world_free(w);
}

/* An address that answered is the one: a file is not fetched twice. */
static void row_22_an_address_that_connected_is_kept(void **state)
{
    struct world *w = world_new(SMALL);

    (void)state;
    fake_net_add_text(&w->net, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")->addrs =
        two_addresses();
    (void)world_run(w, UPDATE, DONE_MS);
    world_assert_failed(w, "HTTP_STATUS");
    assert_int_equal(w->net.n_contacts, 1);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_22_the_next_address_is_tried),
        cmocka_unit_test(row_22_the_last_address_that_fails_ends_it),
        cmocka_unit_test(row_22_an_address_that_connected_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
