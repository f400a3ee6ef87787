/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialogue.h"
#include "fake_net.h"

/* Byte-exact dialogues of facts/at-commands.md 4, echo off, and what the SNTP client does between
 * them (RFC 4330). */

#define ERROR "\r\nERROR\r\n"
#define OK    "\r\nOK\r\n"

#define NTP_PORT     123
#define OWN_PORT     FAKE_NET_FREE_PORT
#define PACKET_BYTES 48
#define UPDATED      "+TIME_UPDATED\r\n"

static const struct aloft_addr s_first = {4, {192, 0, 2, 11}};
static const struct aloft_addr s_second = {16, {0x20, 1, 0xd, 0xb8, [15] = 2}};
static const struct aloft_addr s_stranger = {4, {192, 0, 2, 99}};

static int set_up(void **state)
{
    struct fake_port *f = fake_port_new();
    struct aloft_module_config config = fake_port_config();
    struct fake_net *net = calloc(1, sizeof *net);

    assert_non_null(net);
    fake_net_attach(net, f);
    fake_net_name(net, "one.test", &s_first, 1);
    fake_net_name(net, "two.test", &s_second, 1);
    f->now_ms = 1000000;
    f->wifi.status.state = ALOFT_WIFI_GOT_IP;
    fake_port_boot(f, &config);
    fake_port_run(f, 10);
    fake_port_send(f, "ATE0\r\n");
    (void)fake_port_read(f);
    *state = f;
    return 0;
}

static int clean_up(void **state)
{
    struct fake_port *f = *state;

    free(f->net);
    return tear_down(state);
}

/* The last request's answer, 1634665676.5 s; the caller changes what it likes. */
static void make_answer(const struct fake_port *f, uint8_t *packet)
{
    const struct fake_datagram *request = &f->net->sent[f->net->n_sent - 1];

    memset(packet, 0, PACKET_BYTES);
    packet[0] = 0x24;
    packet[1] = 1;
    memcpy(packet + 24, request->bytes + 40, 8);
    memcpy(packet + 40, "\xe5\x19\x83\x4c\x80\x00\x00\x00", 8);
}

static void answer_from(struct fake_port *f, const struct aloft_addr *from, uint16_t port)
{
    uint8_t packet[PACKET_BYTES];

    make_answer(f, packet);
    fake_net_datagram(f->net, OWN_PORT, from, port, packet, sizeof packet);
}

/* Runs until the module has sent `n` requests in all. */
static void run_until_sent(struct fake_port *f, size_t n, uint32_t ms)
{
    uint64_t end_ms = f->now_ms + ms;

    while (f->net->n_sent < n && f->now_ms < end_ms) {
        fake_port_run(f, 10);
    }
    assert_int_equal(f->net->n_sent, n);
}

static void systimestamp__counts_from_what_was_set(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+SYSTIMESTAMP?\r\n", "+SYSTIMESTAMP:0\r\n" OK);
    expect(f, "AT+SYSTIMESTAMP=1634665676\r\n", OK);
    expect(f, "AT+SYSTIMESTAMP?\r\n", "+SYSTIMESTAMP:1634665676\r\n" OK);
    fake_port_run(f, 61000);
    expect(f, "AT+SYSTIMESTAMP?\r\n", "+SYSTIMESTAMP:1634665737\r\n" OK);
    expect(f, "AT+SYSTIMESTAMP=2147483647\r\n", OK);
    fake_port_run(f, 1000);
    expect(f, "AT+SYSTIMESTAMP?\r\n", "+SYSTIMESTAMP:2147483648\r\n" OK);
}

static void systimestamp__refuses_what_is_no_time(void **state)
{
    static const char *const bad[] = {
        "AT+SYSTIMESTAMP=-1\r\n",  "AT+SYSTIMESTAMP=2147483648\r\n", "AT+SYSTIMESTAMP=\r\n",
        "AT+SYSTIMESTAMP=1,2\r\n", "AT+SYSTIMESTAMP=\"1\"\r\n",      "AT+SYSTIMESTAMP\r\n",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect(*state, bad[i], ERROR);
    }
}

static void cipsntptime__is_asctime_in_the_zone(void **state)
{
    struct fake_port *f = *state;
    static const struct {
        const char *zone;
        const char *time;
    } rows[] = {
        {"0", "Tue Oct 19 17:47:56 2021"},    {"8", "Wed Oct 20 01:47:56 2021"},
        {"800", "Wed Oct 20 01:47:56 2021"},  {"-5", "Tue Oct 19 12:47:56 2021"},
        {"-500", "Tue Oct 19 12:47:56 2021"}, {"530", "Tue Oct 19 23:17:56 2021"},
        {"-330", "Tue Oct 19 14:17:56 2021"}, {"1245", "Wed Oct 20 06:32:56 2021"},
        {"15", "Tue Oct 19 18:02:56 2021"},   {"-15", "Tue Oct 19 17:32:56 2021"},
        {"14", "Wed Oct 20 07:47:56 2021"},   {"1400", "Wed Oct 20 07:47:56 2021"},
        {"-12", "Tue Oct 19 05:47:56 2021"},  {"-1200", "Tue Oct 19 05:47:56 2021"},
        {"0930", "Wed Oct 20 03:17:56 2021"},
    };

    expect(f, "AT+CIPSNTPTIME?\r\n", "+CIPSNTPTIME:Thu Jan  1 00:00:00 1970\r\n" OK);
    expect(f, "AT+SYSTIMESTAMP=1634665676\r\n", OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char input[64];
        char wanted[64];
        snprintf(input, sizeof input, "AT+CIPSNTPCFG=0,%s\r\n", rows[i].zone);
        snprintf(wanted, sizeof wanted, "+CIPSNTPTIME:%s\r\n" OK, rows[i].time);
        expect(f, input, OK);
        expect(f, "AT+CIPSNTPTIME?\r\n", wanted);
    }
    expect(f, "AT+CIPSNTPTIME\r\n", ERROR);
}

static void cipsntpcfg__is_queried_as_it_was_set(void **state)
{
    static const char *const rows[][2] = {
        {"AT+CIPSNTPCFG?\r\n", "+CIPSNTPCFG:0,0\r\n" OK},
        {"AT+CIPSNTPCFG=1,8,\"one.test\",\"two.test\"\r\n", OK},
        {"AT+CIPSNTPCFG?\r\n", "+CIPSNTPCFG:1,8,\"one.test\",\"two.test\"\r\n" OK},
        {"AT+CIPSNTPCFG=1,-330,,\"two.test\"\r\n", OK},
        {"AT+CIPSNTPCFG?\r\n", "+CIPSNTPCFG:1,-330,\"two.test\"\r\n" OK},
        {"AT+CIPSNTPCFG=1\r\n", OK},
        {"AT+CIPSNTPCFG?\r\n",
         "+CIPSNTPCFG:1,-330,\"cn.ntp.org.cn\",\"ntp.sjtu.edu.cn\",\"us.pool.ntp.org\"\r\n" OK},
        {"AT+CIPSNTPCFG=0\r\n", OK},
        {"AT+CIPSNTPCFG?\r\n", "+CIPSNTPCFG:0,-330\r\n" OK},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(*state, rows[i][0], rows[i][1]);
    }
}

#define NAME_64 "a123456789b123456789c123456789d123456789e123456789f123456789.tes"

static void cipsntpcfg__refuses_what_is_out_of_range(void **state)
{
    static const char *const bad[] = {
        "AT+CIPSNTPCFG=2\r\n",
        "AT+CIPSNTPCFG=\r\n",
        "AT+CIPSNTPCFG\r\n",
        "AT+CIPSNTPCFG=1,1401\r\n",
        "AT+CIPSNTPCFG=1,-1201\r\n",
        "AT+CIPSNTPCFG=1,60\r\n",
        "AT+CIPSNTPCFG=1,-99\r\n",
        "AT+CIPSNTPCFG=1,1275\r\n",
        "AT+CIPSNTPCFG=1,\"8\"\r\n",
        "AT+CIPSNTPCFG=1,8,one.test\r\n",
        "AT+CIPSNTPCFG=1,8,\"\"\r\n",
        "AT+CIPSNTPCFG=1,8,\"a\",\"b\",\"c\",\"d\"\r\n",
        "AT+CIPSNTPCFG=1,8,\"" NAME_64 "x\"\r\n",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect(*state, bad[i], ERROR);
        expect(*state, "AT+CIPSNTPCFG?\r\n", "+CIPSNTPCFG:0,0\r\n" OK);
    }
}

static void cipsntpcfg__takes_three_names_of_64_bytes(void **state)
{
    static const char names[] = "\"" NAME_64 "\",\"" NAME_64 "\",\"" NAME_64 "\"";
    char text[300];

    (void)snprintf(text, sizeof text, "AT+CIPSNTPCFG=1,-1145,%s\r\n", names);
    expect(*state, text, OK);
    (void)snprintf(text, sizeof text, "+CIPSNTPCFG:1,-1145,%s\r\n" OK, names);
    expect(*state, "AT+CIPSNTPCFG?\r\n", text);
}

/* They lie among the settings, but no restart brings them back. */
static void cipsntpcfg__is_off_after_a_restart(void **state)
{
    struct fake_port *f = *state;
    struct aloft_module_config config = fake_port_config();

    expect(f, "AT+CIPSNTPCFG=1,8,\"one.test\"\r\n", OK);
    fake_port_boot(f, &config);
    fake_port_run(f, 10);
    fake_port_send(f, "ATE0\r\n");
    (void)fake_port_read(f);
    expect(f, "AT+CIPSNTPCFG?\r\n", "+CIPSNTPCFG:0,0\r\n" OK);
    fake_port_run(f, 20000);
    assert_int_equal(f->net->n_sent, 0);
}

static void cipsntpcfg__is_an_error_if_the_names_cannot_be_kept(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CIPSNTPCFG=1,8,\"one.test\"\r\n", OK);
    f->settings_err = ALOFT_ERR_FLASH;
    expect(f, "AT+CIPSNTPCFG=1,8,\"two.test\"\r\n", ERROR);
    expect(f, "AT+CIPSNTPCFG=1,8,\"one.test\"\r\n", OK); /* nothing to write */
}

static void cipsntpcfg__without_udp_is_an_error(void **state)
{
    struct fake_port *f = *state;

    f->port.net.udp_open = NULL;
    expect(f, "AT+CIPSNTPCFG=1\r\n", ERROR);
    expect(f, "AT+CIPSNTPCFG=0,8\r\n", OK);
}

static void cipsntpintv__is_set_and_queried(void **state)
{
    static const char *const rows[][2] = {
        {"AT+CIPSNTPINTV?\r\n", "+CIPSNTPINTV:3600\r\n" OK},
        {"AT+CIPSNTPINTV=15\r\n", OK},
        {"AT+CIPSNTPINTV?\r\n", "+CIPSNTPINTV:15\r\n" OK},
        {"AT+CIPSNTPINTV=4294967\r\n", OK},
        {"AT+CIPSNTPINTV?\r\n", "+CIPSNTPINTV:4294967\r\n" OK},
        {"AT+CIPSNTPINTV=14\r\n", ERROR},
        {"AT+CIPSNTPINTV=4294968\r\n", ERROR},
        {"AT+CIPSNTPINTV=\r\n", ERROR},
        {"AT+CIPSNTPINTV=15,1\r\n", ERROR},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(*state, rows[i][0], rows[i][1]);
    }
}

static void sntp__sets_the_clock_and_says_so(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CIPSNTPCFG=1,8,\"one.test\"\r\n", OK);
    run_until_sent(f, 1, 1000);
    const struct fake_datagram *request = &f->net->sent[0];
    assert_int_equal(request->port, NTP_PORT);
    assert_memory_equal(&request->addr, &s_first, sizeof s_first);
    assert_int_equal(request->len, PACKET_BYTES);
    assert_int_equal(request->bytes[0], 0x23);
    answer_from(f, &s_first, NTP_PORT);
    fake_port_run(f, 1);
    assert_string_equal(fake_port_read(f), UPDATED);
    expect(f, "AT+SYSTIMESTAMP?\r\n", "+SYSTIMESTAMP:1634665676\r\n" OK);
    fake_port_run(f, 500);
    expect(f, "AT+CIPSNTPTIME?\r\n", "+CIPSNTPTIME:Wed Oct 20 01:47:57 2021\r\n" OK);
    assert_int_equal(f->net->n_open, 0);
}

/* The answer took 2 s there and back: 1634665676.5 + 1 s. */
static void sntp__counts_half_of_the_way(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CIPSNTPCFG=1,0,\"one.test\"\r\n", OK);
    run_until_sent(f, 1, 1000);
    fake_port_run(f, 2000);
    answer_from(f, &s_first, NTP_PORT);
    fake_port_run(f, 1);
    assert_string_equal(fake_port_read(f), UPDATED);
    expect(f, "AT+SYSTIMESTAMP?\r\n", "+SYSTIMESTAMP:1634665677\r\n" OK);
}

static void sntp__asks_again_after_the_interval(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CIPSNTPINTV=60\r\n", OK);
    expect(f, "AT+CIPSNTPCFG=1,0,\"one.test\"\r\n", OK);
    run_until_sent(f, 1, 1000);
    answer_from(f, &s_first, NTP_PORT);
    fake_port_run(f, 59000);
    assert_int_equal(f->net->n_sent, 1);
    run_until_sent(f, 2, 2000);
    assert_memory_not_equal(f->net->sent[0].bytes + 40, f->net->sent[1].bytes + 40, 8);
    answer_from(f, &s_first, NTP_PORT);
    fake_port_run(f, 1);
    assert_string_equal(fake_port_read(f), UPDATED UPDATED);
    expect(f, "AT+CIPSNTPINTV=15\r\n", OK);
    run_until_sent(f, 3, 16000);
}

/* Whoever does not see the request cannot set the clock. */
static void sntp__hears_only_the_server_it_asked(void **state)
{
    struct fake_port *f = *state;
    uint8_t packet[PACKET_BYTES];

    expect(f, "AT+CIPSNTPCFG=1,0,\"one.test\"\r\n", OK);
    run_until_sent(f, 1, 1000);
    answer_from(f, &s_stranger, NTP_PORT);
    answer_from(f, &s_first, NTP_PORT + 1);
    make_answer(f, packet);
    packet[31] ^= 1;
    fake_net_datagram(f->net, OWN_PORT, &s_first, NTP_PORT, packet, sizeof packet);
    fake_net_datagram(f->net, OWN_PORT, &s_first, NTP_PORT, packet, 47);
    fake_port_run(f, 1000);
    assert_string_equal(fake_port_read(f), "");
    answer_from(f, &s_first, NTP_PORT);
    fake_port_run(f, 1);
    assert_string_equal(fake_port_read(f), UPDATED);
}

static void sntp__asks_the_next_server_when_one_is_silent(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CIPSNTPCFG=1,0,\"one.test\",\"unknown.test\",\"two.test\"\r\n", OK);
    run_until_sent(f, 1, 1000);
    run_until_sent(f, 2, 6000);
    assert_memory_equal(&f->net->sent[1].addr, &s_second, sizeof s_second);
    assert_int_equal(f->net->n_open, 1);
    answer_from(f, &s_second, NTP_PORT);
    fake_port_run(f, 1);
    assert_string_equal(fake_port_read(f), UPDATED);
    assert_string_equal(f->log, "sntp.failed err=TIMEOUT\nsntp.failed err=RESOLVE\n");
}

/* RFC 4330 10: never more often than every 15 s, and less and less often without an answer. */
static void sntp__pauses_twice_as_long_after_each_failure(void **state)
{
    struct fake_port *f = *state;
    static const uint32_t pauses_ms[] = {15000,  30000,  60000,  120000,
                                         240000, 480000, 960000, 960000};

    expect(f, "AT+CIPSNTPCFG=1,0,\"one.test\"\r\n", OK);
    run_until_sent(f, 1, 1000);
    for (size_t i = 0; i < sizeof pauses_ms / sizeof pauses_ms[0]; i++) {
        fake_port_run(f, 5000 + pauses_ms[i] - 1000);
        assert_int_equal(f->net->n_sent, i + 1);
        run_until_sent(f, i + 2, 2000);
    }
}

static void sntp__leaves_a_server_alone_that_denies(void **state)
{
    struct fake_port *f = *state;
    uint8_t packet[PACKET_BYTES];

    expect(f, "AT+CIPSNTPCFG=1,0,\"one.test\"\r\n", OK);
    run_until_sent(f, 1, 1000);
    make_answer(f, packet);
    packet[1] = 0;
    memcpy(packet + 12, "DENY", 4);
    fake_net_datagram(f->net, OWN_PORT, &s_first, NTP_PORT, packet, sizeof packet);
    fake_port_run(f, 3600000);
    assert_int_equal(f->net->n_sent, 1);
    assert_string_equal(fake_port_read(f), "");
    expect(f, "AT+CIPSNTPCFG=1,0,\"one.test\"\r\n", OK);
    run_until_sent(f, 2, 1000);
}

static void sntp__waits_for_an_address_of_the_station(void **state)
{
    struct fake_port *f = *state;

    f->wifi.status.state = ALOFT_WIFI_IDLE;
    fake_port_run(f, 10);
    assert_string_equal(fake_port_read(f), "WIFI DISCONNECT\r\n");
    expect(f, "AT+CIPSNTPCFG=1,0,\"one.test\"\r\n", OK);
    fake_port_run(f, 20000);
    assert_int_equal(f->net->n_sent, 0);
    f->wifi.status.state = ALOFT_WIFI_GOT_IP;
    run_until_sent(f, 1, 1000);
}

static void sntp__ends_when_it_is_switched_off(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CIPSNTPCFG=1,0,\"one.test\"\r\n", OK);
    run_until_sent(f, 1, 1000);
    expect(f, "AT+CIPSNTPCFG=0\r\n", OK);
    assert_int_equal(f->net->n_open, 0);
    fake_port_run(f, 60000);
    assert_int_equal(f->net->n_sent, 1);
    expect(f, "AT+CIPSNTPCFG=1,0,\"one.test\"\r\n", OK);
    run_until_sent(f, 2, 1000);
    expect(f, "AT+RST\r\n", OK);
    assert_int_equal(f->net->n_open, 0);
}

static void sntp__goes_on_when_a_request_cannot_leave(void **state)
{
    struct fake_port *f = *state;

    f->net->udp_open_err = ALOFT_ERR_CONNECT;
    expect(f, "AT+CIPSNTPCFG=1,0,\"one.test\"\r\n", OK);
    fake_port_run(f, 1000);
    f->net->udp_open_err = ALOFT_ERR_OK;
    f->net->udp_send_err = ALOFT_ERR_IO;
    fake_port_run(f, 16000);
    assert_string_equal(f->log, "sntp.failed err=CONNECT\nsntp.failed err=IO\n");
    assert_int_equal(f->net->n_open, 0);
    f->net->udp_send_err = ALOFT_ERR_OK;
    run_until_sent(f, 1, 31000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(systimestamp__counts_from_what_was_set, set_up, clean_up),
        cmocka_unit_test_setup_teardown(systimestamp__refuses_what_is_no_time, set_up, clean_up),
        cmocka_unit_test_setup_teardown(cipsntptime__is_asctime_in_the_zone, set_up, clean_up),
        cmocka_unit_test_setup_teardown(cipsntpcfg__is_queried_as_it_was_set, set_up, clean_up),
        cmocka_unit_test_setup_teardown(cipsntpcfg__refuses_what_is_out_of_range, set_up, clean_up),
        cmocka_unit_test_setup_teardown(cipsntpcfg__takes_three_names_of_64_bytes, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(cipsntpcfg__is_off_after_a_restart, set_up, clean_up),
        cmocka_unit_test_setup_teardown(cipsntpcfg__is_an_error_if_the_names_cannot_be_kept, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(cipsntpcfg__without_udp_is_an_error, set_up, clean_up),
        cmocka_unit_test_setup_teardown(cipsntpintv__is_set_and_queried, set_up, clean_up),
        cmocka_unit_test_setup_teardown(sntp__sets_the_clock_and_says_so, set_up, clean_up),
        cmocka_unit_test_setup_teardown(sntp__counts_half_of_the_way, set_up, clean_up),
        cmocka_unit_test_setup_teardown(sntp__asks_again_after_the_interval, set_up, clean_up),
        cmocka_unit_test_setup_teardown(sntp__hears_only_the_server_it_asked, set_up, clean_up),
        cmocka_unit_test_setup_teardown(sntp__asks_the_next_server_when_one_is_silent, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(sntp__pauses_twice_as_long_after_each_failure, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(sntp__leaves_a_server_alone_that_denies, set_up, clean_up),
        cmocka_unit_test_setup_teardown(sntp__waits_for_an_address_of_the_station, set_up,
                                        clean_up),
        cmocka_unit_test_setup_teardown(sntp__ends_when_it_is_switched_off, set_up, clean_up),
        cmocka_unit_test_setup_teardown(sntp__goes_on_when_a_request_cannot_leave, set_up,
                                        clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
