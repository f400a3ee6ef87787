/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "wifi_dialogue.h"

#include "command/wifi.h"

/* Joining for provisioning: facts/at-commands.md 3.4, steps 6 and 7. */

static const struct aloft_wifi_join wish = {
    .ssid = "cafe", .password = "espresso", .min_auth = ALOFT_WIFI_WEP};

static void begin(struct fake_port *f)
{
    assert_err(aloft_wifi_provision_begin(&f->module, &wish), ALOFT_ERR_OK);
}

static void provision__prints_the_lines_and_no_result(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=3\r\n", OK);
    begin(f);
    assert_string_equal(f->wifi.join.ssid, "cafe");
    assert_string_equal(f->wifi.join.password, "espresso");
    assert_int_equal(f->wifi.join.min_auth, ALOFT_WIFI_WEP);
    expect(f, "AT\r\n", OK); /* No command waits. */
    set_status(f, ALOFT_WIFI_CONNECTED);
    expect_after(f, 20, "WIFI CONNECTED\r\n");
    assert_false(aloft_wifi_has_ip(&f->module));
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI GOT IP\r\n");
    assert_true(aloft_wifi_has_ip(&f->module));
}

static void provision__leaves_the_present_access_point(void **state)
{
    struct fake_port *f = *state;

    wifi_join(f);
    begin(f);
    expect_after(f, 20, "WIFI DISCONNECT\r\n");
    expect(f, "AT+CWSTATE?\r\n", "+CWSTATE:3,\"cafe\"\r\n" OK);
}

static void provision__tries_without_end_whatever_cwreconncfg_says(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=3\r\nAT+CWRECONNCFG=0,2\r\n", OK OK);
    begin(f);
    for (unsigned n = 0; n < 10; n++) {
        f->wifi.status.state = ALOFT_WIFI_DISCONNECTED;
        f->wifi.status.fail = ALOFT_WIFI_FAIL_PASSWORD;
        expect_after(f, 20 + 500, "");
        fake_port_run(f, 250);
        assert_int_equal(f->wifi.n_joins, 2 + n);
    }
    fake_port_run(f, 15000 + 1000); /* One that hangs. */
    assert_int_equal(f->wifi.n_leaves, 1);
    assert_int_equal(f->wifi.n_joins, 12);
}

static void provision__stores_what_worked(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=3\r\n", OK);
    begin(f);
    wifi_boot(f);
    assert_int_equal(f->wifi.n_joins, 0);
    begin(f);
    fake_port_run(f, 16000); /* The first try fails, the second works. */
    assert_int_equal(f->wifi.n_joins, 2);
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 250, "WIFI CONNECTED\r\nWIFI GOT IP\r\n");
    wifi_boot(f);
    assert_string_equal(f->wifi.join.ssid, "cafe");
    assert_string_equal(f->wifi.join.password, "espresso");
    assert_int_equal(f->wifi.join.min_auth, ALOFT_WIFI_WEP);
}

static void provision__stores_nothing_with_sysstore_0(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=3\r\nAT+SYSSTORE=0\r\n", OK OK);
    begin(f);
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n");
    wifi_boot(f);
    assert_int_equal(f->wifi.n_joins, 0);
}

static void provision__stopped_tries_no_more_and_stores_nothing(void **state)
{
    struct fake_port *f = *state;

    wifi_join(f);
    begin(f);
    expect_after(f, 20, "WIFI DISCONNECT\r\n");
    aloft_wifi_provision_stop(&f->module);
    assert_int_equal(f->wifi.n_leaves, 1);
    expect_after(f, 60000, "");
    assert_int_equal(f->wifi.n_joins, 2);
    expect(f, "AT+CWSTATE?\r\n", "+CWSTATE:4,\"cafe\"\r\n" OK);
    wifi_boot(f); /* The one that worked is still the stored one. */
    assert_string_equal(f->wifi.join.ssid, "home");
}

static void provision__stopped_without_an_address_loses_the_link(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=3\r\n", OK);
    begin(f);
    set_status(f, ALOFT_WIFI_CONNECTED);
    expect_after(f, 20, "WIFI CONNECTED\r\n");
    aloft_wifi_provision_stop(&f->module);
    expect_after(f, 20, "WIFI DISCONNECT\r\n");
}

static void provision__stopped_once_it_worked_stays_joined_and_stored(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=3\r\n", OK);
    begin(f);
    set_status(f, ALOFT_WIFI_GOT_IP); /* Not seen by a step yet. */
    aloft_wifi_provision_stop(&f->module);
    expect_after(f, 250, "WIFI CONNECTED\r\nWIFI GOT IP\r\n");
    aloft_wifi_provision_stop(&f->module);
    assert_int_equal(f->wifi.n_leaves, 0);
    wifi_boot(f);
    assert_string_equal(f->wifi.join.ssid, "cafe");
}

static void provision__is_refused_while_cwjap_runs_or_without_a_station(void **state)
{
    struct fake_port *f = *state;

    assert_err(aloft_wifi_provision_begin(&f->module, &wish), ALOFT_ERR_STATE);
    expect(f, "AT+CWMODE=2\r\n", OK);
    assert_err(aloft_wifi_provision_begin(&f->module, &wish), ALOFT_ERR_STATE);
    expect(f, "AT+CWMODE=3\r\n", OK);
    expect(f, "AT+CWJAP=\"home\",\"secret12\"\r\n", "");
    assert_err(aloft_wifi_provision_begin(&f->module, &wish), ALOFT_ERR_STATE);
    assert_string_equal(f->wifi.join.ssid, "home");
    set_status(f, ALOFT_WIFI_GOT_IP);
    expect_after(f, 20, "WIFI CONNECTED\r\nWIFI GOT IP\r\n" OK);
}

static void provision__refused_by_the_port_is_over(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=3\r\n", OK);
    f->wifi.join_err = ALOFT_ERR_IO;
    assert_err(aloft_wifi_provision_begin(&f->module, &wish), ALOFT_ERR_IO);
    f->wifi.status.state = ALOFT_WIFI_IDLE;
    expect_after(f, 5000, "");
    assert_int_equal(f->wifi.n_joins, 1);
}

static void provision__gives_way_to_commands(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=3\r\n", OK);
    begin(f);
    expect(f, "AT+CWQAP\r\n", OK);
    expect_after(f, 5000, "");
    assert_int_equal(f->wifi.n_joins, 1);
    begin(f);
    expect(f, "AT+CWJAP=\"home\",\"secret12\"\r\n", "");
    unsigned n_leaves = f->wifi.n_leaves;
    aloft_wifi_provision_stop(&f->module); /* Not its join any more. */
    assert_int_equal(f->wifi.n_leaves, n_leaves);
    f->wifi.status.state = ALOFT_WIFI_DISCONNECTED;
    expect_after(f, 20, "+CWJAP:4\r\n" ERROR);
    expect_after(f, 5000, "");
    assert_int_equal(f->wifi.n_joins, 3);
}

static void provision__is_replaced_by_the_next(void **state)
{
    struct fake_port *f = *state;
    struct aloft_wifi_join other = {.ssid = "other"};

    expect(f, "AT+CWMODE=3\r\n", OK);
    begin(f);
    assert_err(aloft_wifi_provision_begin(&f->module, &other), ALOFT_ERR_OK);
    assert_string_equal(f->wifi.join.ssid, "other");
    assert_int_equal(f->wifi.n_joins, 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, wifi_set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(provision__prints_the_lines_and_no_result),
        CASE(provision__leaves_the_present_access_point),
        CASE(provision__tries_without_end_whatever_cwreconncfg_says),
        CASE(provision__stores_what_worked),
        CASE(provision__stores_nothing_with_sysstore_0),
        CASE(provision__stopped_tries_no_more_and_stores_nothing),
        CASE(provision__stopped_without_an_address_loses_the_link),
        CASE(provision__stopped_once_it_worked_stays_joined_and_stored),
        CASE(provision__is_refused_while_cwjap_runs_or_without_a_station),
        CASE(provision__refused_by_the_port_is_over),
        CASE(provision__gives_way_to_commands),
        CASE(provision__is_replaced_by_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
