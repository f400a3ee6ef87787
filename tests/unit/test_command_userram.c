/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "dialogue.h"

/* Byte-exact dialogues of facts/at-commands.md 4, echo off. */

#define ERROR "\r\nERROR\r\n"
#define OK    "\r\nOK\r\n"

#define RAM_BYTES 4096

static uint8_t s_ram[RAM_BYTES];

static void boot(struct fake_port *f, uint8_t *ram)
{
    struct aloft_module_config config = fake_port_config();

    config.user_ram = ram;
    config.user_ram_cap = RAM_BYTES;
    fake_port_boot(f, &config);
    fake_port_send(f, "ATE0\r\n");
    (void)fake_port_read(f);
}

static int set_up(void **state)
{
    struct fake_port *f = fake_port_new();

    memset(s_ram, 0xA5, sizeof s_ram);
    boot(f, s_ram);
    *state = f;
    return 0;
}

static void userram__is_taken_written_read_cleared_and_released(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+USERRAM?\r\n", "+USERRAM:0\r\n" OK);
    expect(f, "AT+USERRAM=1,1024\r\n", OK);
    expect(f, "AT+USERRAM?\r\n", "+USERRAM:1024\r\n" OK);
    expect(f, "AT+USERRAM=2,5\r\n", OK "\r\n>");
    expect(f, "a,\"\r\n", "\r\nWRITE OK\r\n");
    expect(f, "AT+USERRAM=2,3,1021\r\n", OK "\r\n>");
    expect(f, "xyz", "\r\nWRITE OK\r\n");
    expect(f, "AT+USERRAM=3,5\r\n", "+USERRAM:5,a,\"\r\n" OK);
    expect(f, "AT+USERRAM=3,3,1021\r\n", "+USERRAM:3,xyz" OK);
    expect(f, "AT+USERRAM=3,2,1\r\n", "+USERRAM:2,,\"" OK);
    expect(f, "AT+USERRAM=4\r\n", OK);
    assert_memory_equal(s_ram, (uint8_t[1024]){0}, 1024);
    expect(f, "AT+USERRAM?\r\n", "+USERRAM:1024\r\n" OK);
    expect(f, "AT+USERRAM=0\r\n", OK);
    expect(f, "AT+USERRAM?\r\n", "+USERRAM:0\r\n" OK);
    assert_int_equal(s_ram[1024], 0xA5);
}

static void userram__is_empty_when_it_is_taken(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+USERRAM=1,4096\r\n", OK);
    assert_memory_equal(s_ram, (uint8_t[RAM_BYTES]){0}, RAM_BYTES);
}

static void userram__refuses_what_does_not_fit(void **state)
{
    static const char *const before[] = {
        "AT+USERRAM=0\r\n",        "AT+USERRAM=2,1\r\n",    "AT+USERRAM=3,1\r\n",
        "AT+USERRAM=4\r\n",        "AT+USERRAM=1\r\n",      "AT+USERRAM=1,0\r\n",
        "AT+USERRAM=1,-1\r\n",     "AT+USERRAM=1,4097\r\n", "AT+USERRAM=1,16,0\r\n",
        "AT+USERRAM=5\r\n",        "AT+USERRAM=-1\r\n",     "AT+USERRAM=\r\n",
        "AT+USERRAM=1,\"16\"\r\n", "AT+USERRAM\r\n",
    };
    static const char *const after[] = {
        "AT+USERRAM=1,16\r\n",
        "AT+USERRAM=0,16\r\n",
        "AT+USERRAM=4,16\r\n",
        "AT+USERRAM=2\r\n",
        "AT+USERRAM=2,0\r\n",
        "AT+USERRAM=2,17\r\n",
        "AT+USERRAM=2,1,16\r\n",
        "AT+USERRAM=2,1,-1\r\n",
        "AT+USERRAM=2,2147483647,16\r\n",
        "AT+USERRAM=2,16,2147483647\r\n",
        "AT+USERRAM=3,17\r\n",
        "AT+USERRAM=3,16,1\r\n",
        "AT+USERRAM=3,1,0,0\r\n",
    };

    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        expect(*state, before[i], ERROR);
    }
    expect(*state, "AT+USERRAM=1,16\r\n", OK);
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
        expect(*state, after[i], ERROR);
    }
    expect(*state, "AT+USERRAM=4\r\n", OK);
}

static void userram__without_memory_is_an_error(void **state)
{
    boot(*state, NULL);
    expect(*state, "AT+USERRAM?\r\n", "+USERRAM:0\r\n" OK);
    expect(*state, "AT+USERRAM=1,1\r\n", ERROR);
}

/* Over a UART that takes little at a time: lines of at most 1024 bytes, no byte lost. */
static void userram__reads_more_than_the_uart_takes_at_once(void **state)
{
    struct fake_port *f = *state;
    static char wanted[RAM_BYTES + 100];
    size_t len = 0;

    expect(f, "AT+USERRAM=1,4000\r\n", OK);
    for (size_t i = 0; i < 4000; i++) {
        s_ram[i] = (uint8_t)('!' + i % 90);
    }
    static const size_t lines[] = {1024, 1024, 952};
    for (size_t i = 0, at = 1000; i < 3; at += lines[i++]) {
        len += (size_t)snprintf(wanted + len, 32, "+USERRAM:%zu,", lines[i]);
        memcpy(wanted + len, s_ram + at, lines[i]);
        len += lines[i];
    }
    memcpy(wanted + len, OK, sizeof OK);
    f->uart.room = 0;
    fake_port_send(f, "AT+USERRAM=3,3000,1000\r\n");
    for (unsigned i = 0; i < 100; i++) {
        f->uart.room = 37;
        (void)aloft_module_step(&f->module, f->now_ms);
    }
    assert_string_equal(fake_port_read(f), wanted);
    f->uart.room = FAKE_UART_UNLIMITED;
    expect(f, "AT\r\n", OK);
}

/* What else the module has to say waits for the end of the line it would have broken. */
static void userram__no_line_stands_within_the_data(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+USERRAM=1,40\r\n", OK);
    memset(s_ram, 'x', 40);
    f->uart.room = 20;
    fake_port_send(f, "AT+USERRAM=3,40\r\n");
    assert_string_equal(fake_port_read(f), "+USERRAM:40,xxxxxxxx");
    aloft_at_print(&f->module, "WIFI DISCONNECT\r\n");
    f->uart.room = FAKE_UART_UNLIMITED;
    fake_port_run(f, 10);
    assert_string_equal(fake_port_read(f),
                        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxWIFI DISCONNECT\r\n" OK);
}

static void userram__write_ends_when_the_host_falls_silent(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+USERRAM=1,16\r\n", OK);
    expect(f, "AT+USERRAM=2,4\r\n", OK "\r\n>");
    expect(f, "ab", "");
    fake_port_run(f, 60001);
    assert_string_equal(fake_port_read(f), ERROR);
    expect(f, "AT\r\n", OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(userram__is_taken_written_read_cleared_and_released, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(userram__is_empty_when_it_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(userram__refuses_what_does_not_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(userram__without_memory_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(userram__reads_more_than_the_uart_takes_at_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(userram__no_line_stands_within_the_data, set_up, tear_down),
        cmocka_unit_test_setup_teardown(userram__write_ends_when_the_host_falls_silent, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
