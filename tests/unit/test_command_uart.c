/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "dialogue.h"

/* Byte-exact dialogues of facts/at-commands.md 4, echo off. */

#define ERROR "\r\nERROR\r\n"
#define OK    "\r\nOK\r\n"

static int set_up(void **state)
{
    struct fake_port *f = fake_port_new();

    boot_chip(f, "esp32c3");
    *state = f;
    return 0;
}

static void uart_cur__sends_ok_at_the_old_rate(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+UART_CUR?\r\n", "+UART_CUR:115200,8,1,0,0\r\n" OK);
    f->uart.is_draining = true;
    expect(f, "AT+UART_CUR=921600,7,3,2,1\r\n", OK);
    assert_int_equal(f->uart.n_formats, 0);
    f->uart.is_draining = false;
    fake_port_run(f, 10);
    assert_int_equal(f->uart.n_formats, 1);
    assert_int_equal(f->uart.out_len_at_format, f->uart.out_len);
    expect(f, "AT+UART_CUR?\r\n", "+UART_CUR:921600,7,3,2,1\r\n" OK);
}

static void uart_cur__switches_also_if_the_uart_never_drains(void **state)
{
    struct fake_port *f = *state;

    f->uart.is_draining = true;
    expect(f, "AT+UART_CUR=9600,8,1,0,0\r\n", OK);
    fake_port_run(f, 3100);
    assert_int_equal(f->uart.format.baud, 9600);
}

static void uart_cur__wants_exactly_five_numbers_in_range(void **state)
{
    struct fake_port *f = *state;
    static const struct {
        const char *chip;
        const char *values;
        bool is_good;
    } rows[] = {
        {"esp32c3", "80,5,1,0,0", true},       {"esp32c3", "5000000,8,3,2,3", true},
        {"esp32c2", "2500000,8,1,0,0", true},  {"esp32c2", "2500001,8,1,0,0", false},
        {"esp32c3", "79,8,1,0,0", false},      {"esp32c3", "5000001,8,1,0,0", false},
        {"esp32c3", "115200,4,1,0,0", false},  {"esp32c3", "115200,9,1,0,0", false},
        {"esp32c3", "115200,8,0,0,0", false},  {"esp32c3", "115200,8,4,0,0", false},
        {"esp32c3", "115200,8,1,-1,0", false}, {"esp32c3", "115200,8,1,3,0", false},
        {"esp32c3", "115200,8,1,0,4", false},  {"esp32c3", "115200,8,1,0", false},
        {"esp32c3", "115200,8,1,0,0,", false}, {"esp32c3", "115200,8,1,0,", false},
        {"esp32c3", "115200,8,,0,0", false},   {"esp32c3", "\"115200\",8,1,0,0", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char input[64];
        boot_chip(f, rows[i].chip);
        f->uart.n_formats = 0;
        snprintf(input, sizeof input, "AT+UART_CUR=%s\r\n", rows[i].values);
        expect(f, input, rows[i].is_good ? OK : ERROR);
        assert_int_equal(f->uart.n_formats, rows[i].is_good);
    }
}

static void uart_def__is_stored_and_switched_to(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+UART_DEF?\r\n", "+UART_DEF:115200,8,1,0,0\r\n" OK);
    expect(f, "AT+UART_DEF=921600,7,3,2,1\r\n", OK);
    fake_port_run(f, 10);
    assert_int_equal(f->uart.format.baud, 921600);
    expect(f, "AT+UART_CUR=9600,8,1,0,0\r\n", OK);
    fake_port_run(f, 10);
    expect(f, "AT+UART_CUR?\r\n", "+UART_CUR:9600,8,1,0,0\r\n" OK);
    expect(f, "AT+UART_DEF?\r\n", "+UART_DEF:921600,7,3,2,1\r\n" OK);
}

/* The port starts as the factory made it; the stored format is in force before `ready`. */
static void uart_def__is_applied_before_ready(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+UART_DEF=57600,8,1,1,3\r\n", OK);
    fake_port_run(f, 10);
    f->uart.format = (struct aloft_uart_format){115200, 8, 1, 0, 0};
    size_t out_len = f->uart.out_len;
    boot_chip(f, "esp32c3");
    assert_int_equal(f->uart.out_len_at_format, out_len);
    assert_int_equal(f->uart.format.baud, 57600);
    assert_int_equal(f->uart.format.parity, 1);
    assert_int_equal(f->uart.format.flow, 3);
}

static void uart_def__is_stored_whatever_sysstore_says(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+SYSSTORE=0\r\n", OK);
    expect(f, "AT+UART_DEF=57600,8,1,0,0\r\n", OK);
    boot_chip(f, "esp32c3");
    expect(f, "AT+UART_DEF?\r\n", "+UART_DEF:57600,8,1,0,0\r\n" OK);
}

static void uart_def__is_an_error_if_it_cannot_be_stored(void **state)
{
    struct fake_port *f = *state;

    f->settings_err = ALOFT_ERR_FLASH;
    expect(f, "AT+UART_DEF=57600,8,1,0,0\r\n", ERROR);
    fake_port_run(f, 10);
    assert_int_equal(f->uart.n_formats, 0);
}

static void uart_def__is_forgotten_by_restore(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+UART_DEF=57600,8,1,0,0\r\n", OK);
    expect(f, "AT+RESTORE\r\n", OK);
    f->uart.format = (struct aloft_uart_format){115200, 8, 1, 0, 0};
    boot_chip(f, "esp32c3");
    expect(f, "AT+UART_DEF?\r\n", "+UART_DEF:115200,8,1,0,0\r\n" OK);
    assert_int_equal(f->uart.format.baud, 115200);
}

static void uart__is_an_alias_of_uart_def(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+UART=57600,8,1,0,0\r\n", OK);
    fake_port_run(f, 10);
    expect(f, "AT+UART?\r\n", "+UART:57600,8,1,0,0\r\n" OK);
    expect(f, "AT+UART_DEF?\r\n", "+UART_DEF:57600,8,1,0,0\r\n" OK);
    expect(f, "AT+UART=57600,8,1,0\r\n", ERROR);
    expect(f, "AT+UART_DEF=57600,8,1,0,4\r\n", ERROR);
}

/* Written by another release, or damaged: the factory's format is the safe one. */
static void uart_def__of_another_layout_is_not_applied(void **state)
{
    struct fake_port *f = *state;

    memcpy(f->settings[0].key, "uart.def", sizeof "uart.def");
    memcpy(f->settings[0].value, "\x02\x00\xe1\x00\x00\x08\x01\x00\x00", 9);
    f->settings[0].len = 9;
    boot_chip(f, "esp32c3");
    assert_int_equal(f->uart.n_formats, 0);
    expect(f, "AT+UART_DEF?\r\n", "+UART_DEF:115200,8,1,0,0\r\n" OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(uart_cur__sends_ok_at_the_old_rate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(uart_cur__switches_also_if_the_uart_never_drains, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(uart_cur__wants_exactly_five_numbers_in_range, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(uart_def__is_stored_and_switched_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(uart_def__is_applied_before_ready, set_up, tear_down),
        cmocka_unit_test_setup_teardown(uart_def__is_stored_whatever_sysstore_says, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(uart_def__is_an_error_if_it_cannot_be_stored, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(uart_def__is_forgotten_by_restore, set_up, tear_down),
        cmocka_unit_test_setup_teardown(uart__is_an_alias_of_uart_def, set_up, tear_down),
        cmocka_unit_test_setup_teardown(uart_def__of_another_layout_is_not_applied, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
