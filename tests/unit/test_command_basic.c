/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "dialogue.h"

/* Byte-exact dialogues of facts/at-commands.md 4, echo off unless said otherwise. */

#define ERROR "\r\nERROR\r\n"
#define OK    "\r\nOK\r\n"

static int set_up(void **state)
{
    struct fake_port *f = fake_port_new();

    boot_chip(f, "esp32c3");
    *state = f;
    return 0;
}

static void echo__is_on_at_boot_and_switched_by_ate(void **state)
{
    struct fake_port *f = *state;
    struct aloft_module_config config = fake_port_config();

    fake_port_boot(f, &config);
    expect(f, "AT\r\n", "AT\r\n" OK);
    expect(f, "ATE0\r\n", "ATE0\r\n" OK);
    expect(f, "AT\r\n", OK);
    expect(f, "ATE1\r\n", OK);
    expect(f, "AT\r\n", "AT\r\n" OK);
    expect(f, "ATE\r\n", "ATE\r\n" ERROR);
    expect(f, "ATE2\r\n", "ATE2\r\n" ERROR);
}

static void gmr__prints_four_lines(void **state)
{
    expect(*state, "AT+GMR\r\n",
           "AT version:5.1.0.0-dev(0123abc - ESP32C3 - Nov 22 2026 12:34:56)\r\n"
           "SDK version:v5.4.4\r\n"
           "compile time(89abcde):Nov 22 2026 12:34:56\r\n"
           "Bin version:v5.0.1.0(MINI-1)\r\n" OK);
}

static void rst__restarts_after_ok(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+RST\r\n", OK);
    assert_int_equal(f->boot.n_restarts, 1);
}

/* =0 and =1 exist on C2 and C3 only; there is no download mode here. */
static void rst__takes_its_mode_on_c2_and_c3_only(void **state)
{
    struct fake_port *f = *state;
    static const struct {
        const char *chip;
        const char *input;
        bool restarts;
    } rows[] = {
        {"esp32c3", "AT+RST=0\r\n", true},      {"esp32c2", "AT+RST=0\r\n", true},
        {"esp32", "AT+RST=0\r\n", false},       {"esp32c6", "AT+RST=0\r\n", false},
        {"esp32c3", "AT+RST=1\r\n", false},     {"esp32c3", "AT+RST=2\r\n", false},
        {"esp32c3", "AT+RST=\r\n", false},      {"esp32c3", "AT+RST=0,0\r\n", false},
        {"esp32c3", "AT+RST=\"0\"\r\n", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        boot_chip(f, rows[i].chip);
        f->boot.n_restarts = 0;
        expect(f, rows[i].input, rows[i].restarts ? OK : ERROR);
        assert_int_equal(f->boot.n_restarts, rows[i].restarts);
    }
}

static void restore__erases_the_settings_and_restarts(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+CWMODE=1\r\n", OK);
    assert_string_equal(f->settings[0].key, "wifi.mode");
    expect(f, "AT+RESTORE\r\n", OK);
    assert_string_equal(f->settings[0].key, "");
    assert_int_equal(f->boot.n_restarts, 1);
}

static void restore__is_an_error_if_the_settings_stay(void **state)
{
    struct fake_port *f = *state;

    f->settings_err = ALOFT_ERR_FLASH;
    expect(f, "AT+RESTORE\r\n", ERROR);
    assert_int_equal(f->boot.n_restarts, 0);
    assert_string_equal(f->log, "settings.remove_failed err=FLASH\n");
}

static void cmd__lists_all_commands_from_zero(void **state)
{
    struct fake_port *f = *state;

    fake_port_send(f, "AT+CMD?\r\n");
    fake_port_run(f, 100);
    const char *text = fake_port_read(f);
    static const char start[] = "+CMD:0,\"AT\",0,0,0,1\r\n"
                                "+CMD:1,\"ATE0\",0,0,0,1\r\n"
                                "+CMD:2,\"ATE1\",0,0,0,1\r\n"
                                "+CMD:3,\"AT+GMR\",0,0,0,1\r\n"
                                "+CMD:4,\"AT+RST\",0,0,1,1\r\n"
                                "+CMD:5,\"AT+RESTORE\",0,0,0,1\r\n"
                                "+CMD:6,\"AT+CMD\",0,1,0,0\r\n"
                                "+CMD:7,\"AT+SYSLOG\",0,1,1,0\r\n"
                                "+CMD:8,\"AT+SYSSTORE\",0,1,1,0\r\n"
                                "+CMD:9,\"AT+UART\",0,1,1,0\r\n"
                                "+CMD:10,\"AT+UART_CUR\",0,1,1,0\r\n";
    assert_memory_equal(text, start, sizeof start - 1);
    assert_string_equal(text + strlen(text) - strlen(OK), OK);
}

static enum aloft_reply answer_ok(struct aloft_module *m, const struct aloft_params *params)
{
    (void)m;
    (void)params;
    return ALOFT_REPLY_OK;
}

#define N_OWN 100

/* Several times the TX buffer, over a UART that takes little at a time. */
static void cmd__goes_on_when_there_is_room_again(void **state)
{
    struct fake_port *f = *state;
    struct aloft_module_config config = fake_port_config();
    static struct aloft_command own[N_OWN];
    unsigned n_lines = 0;

    for (size_t i = 0; i < N_OWN; i++) {
        own[i] = (struct aloft_command){.name = "+A_RATHER_LONG_NAME", .test = answer_ok};
    }
    config.commands = own;
    config.n_commands = N_OWN;
    fake_port_boot(f, &config);
    f->uart.room = 0;
    fake_port_send(f, "ATE0\r\nAT+CMD?\r\nAT\r\n");
    for (unsigned i = 0; i < 200; i++) {
        f->uart.room = 100;
        (void)aloft_module_step(&f->module, f->now_ms);
    }
    const char *text = fake_port_read(f);
    for (const char *at = text; (at = strstr(at, "+CMD:")) != NULL; at++) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, "+CMD:%u,\"AT", n_lines++);
        assert_memory_equal(at, wanted, strlen(wanted));
    }
    assert_true(n_lines > N_OWN + 10);
    assert_non_null(strstr(text, "+CMD:99,\"AT+A_RATHER_LONG_NAME\",1,0,0,0\r\n"));
    assert_non_null(strstr(text, "\r\nbusy p...\r\n"));
    assert_string_equal(text + strlen(text) - strlen(OK), OK);
    f->uart.room = FAKE_UART_UNLIMITED;
    expect(f, "AT\r\n", OK);
}

static void syslog_and_sysstore__are_set_and_queried(void **state)
{
    struct fake_port *f = *state;
    static const char *const rows[][2] = {
        {"AT+SYSLOG?\r\n", "+SYSLOG:0\r\n" OK},
        {"AT+SYSLOG=1\r\n", OK},
        {"AT+SYSLOG?\r\n", "+SYSLOG:1\r\n" OK},
        {"AT+SYSLOG=0\r\n", OK},
        {"AT+SYSLOG=2\r\n", ERROR},
        {"AT+SYSLOG=-1\r\n", ERROR},
        {"AT+SYSLOG\r\n", ERROR},
        {"AT+SYSSTORE?\r\n", "+SYSSTORE:1\r\n" OK},
        {"AT+SYSSTORE=0\r\n", OK},
        {"AT+SYSSTORE?\r\n", "+SYSSTORE:0\r\n" OK},
        {"AT+SYSSTORE=2\r\n", ERROR},
        {"AT+SYSSTORE=0,\r\n", ERROR},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(f, rows[i][0], rows[i][1]);
    }
    boot_chip(f, "esp32c3");
    expect(f, "AT+SYSSTORE?\r\n", "+SYSSTORE:1\r\n" OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(echo__is_on_at_boot_and_switched_by_ate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gmr__prints_four_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rst__restarts_after_ok, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rst__takes_its_mode_on_c2_and_c3_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(restore__erases_the_settings_and_restarts, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(restore__is_an_error_if_the_settings_stay, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(cmd__lists_all_commands_from_zero, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cmd__goes_on_when_there_is_room_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(syslog_and_sysstore__are_set_and_queried, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
