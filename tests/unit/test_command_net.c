/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialogue.h"
#include "fake_net.h"

/* Byte-exact dialogues of facts/at-commands.md 4, echo off. */

#define ERROR "\r\nERROR\r\n"
#define OK    "\r\nOK\r\n"

static const struct aloft_addr s_v4 = {4, {192, 0, 2, 11}};
static const struct aloft_addr s_v6 = {16, {0x20, 1, 0xd, 0xb8, [15] = 2}};

static void boot(struct fake_port *f)
{
    struct aloft_module_config config = fake_port_config();

    fake_port_boot(f, &config);
    fake_port_send(f, "ATE0\r\n");
    (void)fake_port_read(f);
}

static int set_up(void **state)
{
    const struct aloft_addr both[] = {s_v6, s_v4};
    struct fake_port *f = fake_port_new();
    struct fake_net *net = calloc(1, sizeof *net);

    assert_non_null(net);
    fake_net_attach(net, f);
    fake_net_name(net, "both.test", both, 2);
    fake_net_name(net, "four.test", &s_v4, 1);
    fake_net_name(net, "six.test", &s_v6, 1);
    fake_net_name(net, "slow.test", &s_v4, 1)->n_waits = 3;
    fake_net_name(net, "unknown.test", &s_v4, 0);
    boot(f);
    *state = f;
    return 0;
}

static int clean_up(void **state)
{
    struct fake_port *f = *state;

    free(f->net);
    return tear_down(state);
}

static void cipmux__is_set_and_queried(void **state)
{
    static const struct dialogue_row rows[] = {
        {"AT+CIPMUX?\r\n", "+CIPMUX:0\r\n" OK},
        {"AT+CIPMUX=1\r\n", OK},
        {"AT+CIPMUX?\r\n", "+CIPMUX:1\r\n" OK},
        {"AT+CIPMUX=2\r\n", ERROR},
        {"AT+CIPMUX=\r\n", ERROR},
        {"AT+CIPMUX=0,0\r\n", ERROR},
        {"AT+CIPMUX\r\n", ERROR},
    };

    EXPECT_ROWS(*state, rows);
    boot(*state);
    expect(*state, "AT+CIPMUX?\r\n", "+CIPMUX:0\r\n" OK);
}

static void cipdns__sets_the_servers_of_the_port(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CIPDNS?\r\n", "+CIPDNS:0\r\n" OK);
    expect(f, "AT+CIPDNS=1,\"192.0.2.53\",,\"192.0.2.54\"\r\n", OK);
    assert_int_equal(f->net->n_dns, 2);
    assert_memory_equal(&f->net->dns[1], (&(struct aloft_addr){4, {192, 0, 2, 54}}), 5);
    expect(f, "AT+CIPDNS?\r\n", "+CIPDNS:1,\"192.0.2.53\",\"192.0.2.54\"\r\n" OK);
    expect(f, "AT+CIPDNS=0,\"192.0.2.53\"\r\n", OK);
    assert_int_equal(f->net->n_dns, 0);
    expect(f, "AT+CIPDNS?\r\n", "+CIPDNS:0\r\n" OK);
    expect(f, "AT+CIPDNS=1\r\n", OK);
    expect(f, "AT+CIPDNS?\r\n", "+CIPDNS:1,\"208.67.222.222\",\"8.8.8.8\"\r\n" OK);
}

static void cipdns__is_stored_if_sysstore_is_on(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CIPDNS=1,\"192.0.2.1\",\"192.0.2.2\",\"192.0.2.3\"\r\n", OK);
    f->net->n_dns = 0;
    boot(f);
    assert_int_equal(f->net->n_dns, 3);
    expect(f, "AT+CIPDNS?\r\n", "+CIPDNS:1,\"192.0.2.1\",\"192.0.2.2\",\"192.0.2.3\"\r\n" OK);
    expect(f, "AT+SYSSTORE=0\r\n", OK);
    expect(f, "AT+CIPDNS=1,\"192.0.2.9\"\r\n", OK);
    boot(f);
    expect(f, "AT+CIPDNS?\r\n", "+CIPDNS:1,\"192.0.2.1\",\"192.0.2.2\",\"192.0.2.3\"\r\n" OK);
    expect(f, "AT+CIPDNS=0\r\n", OK);
    f->net->n_dns = 0;
    boot(f);
    expect(f, "AT+CIPDNS?\r\n", "+CIPDNS:0\r\n" OK);
}

static void cipdns__refuses_what_cannot_be(void **state)
{
    struct fake_port *f = *state;
    static const struct dialogue_row rows[] = {
        {"AT+CIPDNS=2\r\n", ERROR},
        {"AT+CIPDNS=\r\n", ERROR},
        {"AT+CIPDNS\r\n", ERROR},
        {"AT+CIPDNS=1,\"name.test\"\r\n", ERROR},
        {"AT+CIPDNS=1,\"192.0.2.256\"\r\n", ERROR},
        {"AT+CIPDNS=1,192.0.2.1\r\n", ERROR},
        {"AT+CIPDNS=1,\"192.0.2.1\",\"192.0.2.1\"\r\n", ERROR},
        {"AT+CIPDNS=1,\"192.0.2.1\",\"192.0.2.2\",\"192.0.2.3\",\"192.0.2.4\"\r\n", ERROR},
        {"AT+CIPDNS?\r\n", "+CIPDNS:0\r\n" OK},
    };

    EXPECT_ROWS(f, rows);
    f->net->dns_err = ALOFT_ERR_UNSUPPORTED;
    expect(f, "AT+CIPDNS=1,\"192.0.2.1\"\r\n", ERROR);
    expect(f, "AT+CIPDNS?\r\n", "+CIPDNS:0\r\n" OK);
    f->port.net.set_dns = NULL;
    expect(f, "AT+CIPDNS=0\r\n", ERROR);
    expect(f, "AT+CIPDNS?\r\n", "+CIPDNS:0\r\n" OK);
}

static void cipdomain__prints_the_address(void **state)
{
    static const struct dialogue_row rows[] = {
        {"AT+CIPDOMAIN=\"four.test\"\r\n", "+CIPDOMAIN:\"192.0.2.11\"\r\n" OK},
        {"AT+CIPDOMAIN=\"six.test\"\r\n", "+CIPDOMAIN:\"2001:db8::2\"\r\n" OK},
        {"AT+CIPDOMAIN=\"both.test\"\r\n", "+CIPDOMAIN:\"192.0.2.11\"\r\n" OK},
        {"AT+CIPDOMAIN=\"both.test\",1\r\n", "+CIPDOMAIN:\"192.0.2.11\"\r\n" OK},
        {"AT+CIPDOMAIN=\"both.test\",2\r\n", "+CIPDOMAIN:\"192.0.2.11\"\r\n" OK},
        {"AT+CIPDOMAIN=\"both.test\",3\r\n", "+CIPDOMAIN:\"2001:db8::2\"\r\n" OK},
        {"AT+CIPDOMAIN=\"four.test\",3\r\n", ERROR},
        {"AT+CIPDOMAIN=\"six.test\",2\r\n", ERROR},
        {"AT+CIPDOMAIN=\"unknown.test\"\r\n", ERROR},
        {"AT+CIPDOMAIN=\"\"\r\n", ERROR},
        {"AT+CIPDOMAIN=\"four.test\",0\r\n", ERROR},
        {"AT+CIPDOMAIN=\"four.test\",4\r\n", ERROR},
        {"AT+CIPDOMAIN=\"four.test\",1,1\r\n", ERROR},
        {"AT+CIPDOMAIN=four.test\r\n", ERROR},
        {"AT+CIPDOMAIN?\r\n", ERROR},
    };

    EXPECT_ROWS(*state, rows);
}

static void cipdomain__is_busy_while_it_looks(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CIPDOMAIN=\"slow.test\"\r\n", "");
    expect(f, "AT+CIPDOMAIN=\"four.test\"\r\n", "\r\nbusy p...\r\n");
    fake_port_run(f, 1000);
    assert_string_equal(fake_port_read(f), "+CIPDOMAIN:\"192.0.2.11\"\r\n" OK);
}

static void cipdomain__ends_if_the_port_does_not(void **state)
{
    struct fake_port *f = *state;

    f->net->names[3].n_waits = 1000000;
    expect(f, "AT+CIPDOMAIN=\"slow.test\"\r\n", "");
    fake_port_run(f, 20100);
    assert_string_equal(fake_port_read(f), ERROR);
}

static void ping__prints_the_time(void **state)
{
    struct fake_port *f = *state;

    f->net->ping = (struct fake_ping){.n_waits = 2, .ms = 27};
    expect(f, "AT+PING=\"both.test\"\r\n", "");
    fake_port_run(f, 1000);
    assert_string_equal(fake_port_read(f), "+PING:27\r\n" OK);
    assert_memory_equal(&f->net->ping.to, &s_v4, sizeof s_v4);
    f->net->ping.ms = 0;
    expect(f, "AT+PING=\"six.test\"\r\n", "+PING:0\r\n" OK);
    assert_memory_equal(&f->net->ping.to, &s_v6, sizeof s_v6);
}

/* So says the vendor's manual also for a name nobody knows. */
static void ping__without_an_answer_is_a_timeout(void **state)
{
    struct fake_port *f = *state;

    f->net->ping.err = ALOFT_ERR_TIMEOUT;
    expect(f, "AT+PING=\"four.test\"\r\n", "+PING:TIMEOUT\r\n" ERROR);
    f->net->ping.err = ALOFT_ERR_IO;
    expect(f, "AT+PING=\"four.test\"\r\n", "+PING:TIMEOUT\r\n" ERROR);
    expect(f, "AT+PING=\"unknown.test\"\r\n", "+PING:TIMEOUT\r\n" ERROR);
}

static void ping__refuses_what_is_no_host(void **state)
{
    struct fake_port *f = *state;
    static const struct dialogue_row rows[] = {
        {"AT+PING=\"\"\r\n", ERROR},
        {"AT+PING=\r\n", ERROR},
        {"AT+PING=four.test\r\n", ERROR},
        {"AT+PING=1\r\n", ERROR},
        {"AT+PING=\"four.test\",1\r\n", ERROR},
        {"AT+PING?\r\n", ERROR},
    };

    EXPECT_ROWS(f, rows);
    f->port.net.ping = NULL;
    expect(f, "AT+PING=\"four.test\"\r\n", ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cipmux__is_set_and_queried, set_up, clean_up),
        cmocka_unit_test_setup_teardown(cipdns__sets_the_servers_of_the_port, set_up, clean_up),
        cmocka_unit_test_setup_teardown(cipdns__is_stored_if_sysstore_is_on, set_up, clean_up),
        cmocka_unit_test_setup_teardown(cipdns__refuses_what_cannot_be, set_up, clean_up),
        cmocka_unit_test_setup_teardown(cipdomain__prints_the_address, set_up, clean_up),
        cmocka_unit_test_setup_teardown(cipdomain__is_busy_while_it_looks, set_up, clean_up),
        cmocka_unit_test_setup_teardown(cipdomain__ends_if_the_port_does_not, set_up, clean_up),
        cmocka_unit_test_setup_teardown(ping__prints_the_time, set_up, clean_up),
        cmocka_unit_test_setup_teardown(ping__without_an_answer_is_a_timeout, set_up, clean_up),
        cmocka_unit_test_setup_teardown(ping__refuses_what_is_no_host, set_up, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
