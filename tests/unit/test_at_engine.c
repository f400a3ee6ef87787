/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "dialogue.h"

/* Byte-exact dialogues; the sections named are of facts/at-commands.md. */

#define BUSY   "\r\nbusy p...\r\n"
#define ERROR  "\r\nERROR\r\n"
#define OK     "\r\nOK\r\n"
#define PROMPT "\r\nOK\r\n\r\n>"

/* An integrator's commands, to play every part a handler can play. */

static uint8_t s_data[16];

static enum aloft_reply run_long(struct aloft_module *m, const struct aloft_params *params)
{
    (void)m;
    (void)params;
    return ALOFT_REPLY_LATER;
}

static const char *s_kept;

static enum aloft_reply keep_text(struct aloft_module *m, const struct aloft_params *params)
{
    (void)m;
    s_kept = params->items[0].text;
    return ALOFT_REPLY_LATER;
}

static enum aloft_reply data_is_there(struct aloft_module *m, uint8_t *buf, size_t len)
{
    aloft_at_print(m, "\r\nRecv ");
    aloft_at_print_int(m, (int32_t)len);
    aloft_at_print(m, " bytes\r\n");
    return buf[0] == '!' ? ALOFT_REPLY_LATER : ALOFT_REPLY_OK;
}

static enum aloft_reply take_data(struct aloft_module *m, const struct aloft_params *params)
{
    return aloft_at_take_data(m, s_data, (size_t)params->items[0].number, 60000, data_is_there);
}

static enum aloft_reply finish_at_once(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    aloft_at_finish(m, ALOFT_REPLY_OK);
    return ALOFT_REPLY_LATER;
}

static enum aloft_reply say_nothing(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    aloft_at_print(m, "+QUIET:1\r\n");
    return ALOFT_REPLY_SILENT;
}

static enum aloft_reply show_form(struct aloft_module *m, const struct aloft_params *params)
{
    aloft_at_print(m, "+FORM:");
    aloft_at_print_int(m, params->count);
    aloft_at_print(m, "\r\n");
    return ALOFT_REPLY_OK;
}

static enum aloft_reply my_gmr(struct aloft_module *m, const struct aloft_params *params)
{
    (void)params;
    aloft_at_print(m, "mine\r\n");
    return ALOFT_REPLY_OK;
}

static const struct aloft_command s_commands[] = {
    {"+LONG", NULL, NULL, NULL, run_long},
    {"+KEEP", NULL, NULL, keep_text, NULL},
    {"+DATA", NULL, NULL, take_data, NULL},
    {"+ONCE", NULL, NULL, NULL, finish_at_once},
    {"+QUIET", NULL, NULL, NULL, say_nothing},
    {"+FORM", show_form, show_form, show_form, show_form},
    {"+GMR", NULL, NULL, NULL, my_gmr},
};

static struct aloft_module_config config_with_commands(void)
{
    struct aloft_module_config config = fake_port_config();

    config.commands = s_commands;
    config.n_commands = sizeof s_commands / sizeof s_commands[0];
    return config;
}

static int set_up(void **state)
{
    struct fake_port *f = fake_port_new();
    struct aloft_module_config config = config_with_commands();

    fake_port_boot(f, &config);
    *state = f;
    return 0;
}

/* 1.9, 8.2 */
static void boot__prints_ready_and_drops_what_came_before(void **state)
{
    (void)state;
    struct fake_port *f = fake_port_new();
    struct aloft_module_config config = fake_port_config();

    assert_err(aloft_module_init(&f->module, &f->port, &config, 0), ALOFT_ERR_OK);
    aloft_module_feed(&f->module, (const uint8_t *)"AT\r\n", 4);
    assert_string_equal(fake_port_read(f), "");
    (void)aloft_module_step(&f->module, 1);
    assert_string_equal(fake_port_read(f), "\r\nready\r\n");
    expect(f, "AT\r\n", "AT\r\n" OK);
    fake_port_free(f);
}

static void boot__confirms_the_image_just_before_ready(void **state)
{
    (void)state;
    struct fake_port *f = fake_port_new();
    struct aloft_module_config config = fake_port_config();

    f->boot.is_unconfirmed = true;
    assert_err(aloft_module_init(&f->module, &f->port, &config, 0), ALOFT_ERR_OK);
    assert_int_equal(f->boot.n_confirms, 0);
    f->boot.confirm_err = ALOFT_ERR_FLASH;
    (void)aloft_module_step(&f->module, 0);
    assert_int_equal(f->boot.n_confirms, 1);
    assert_int_equal(f->boot.out_len_at_confirm, 0);
    assert_string_equal(fake_port_read(f), "\r\nready\r\n");
    assert_string_equal(f->log, "boot.confirm_failed err=FLASH\n");
    fake_port_free(f);
}

static void init__refuses_an_unknown_chip_and_a_port_with_a_hole(void **state)
{
    (void)state;
    struct fake_port *f = fake_port_new();
    struct aloft_module_config config = fake_port_config();

    config.chip_name = "esp8266";
    assert_err(aloft_module_init(&f->module, &f->port, &config, 0), ALOFT_ERR_ARG);
    config.chip_name = NULL;
    assert_err(aloft_module_init(&f->module, &f->port, &config, 0), ALOFT_ERR_ARG);
    config = fake_port_config();
    config.confirm.policy = (enum aloft_confirm_policy)3;
    assert_err(aloft_module_init(&f->module, &f->port, &config, 0), ALOFT_ERR_ARG);
    config = fake_port_config();
    f->port.settings.remove_all = NULL;
    assert_err(aloft_module_init(&f->module, &f->port, &config, 0), ALOFT_ERR_ARG);
    fake_port_free(f);
}

static void init__needs_no_log(void **state)
{
    (void)state;
    struct fake_port *f = fake_port_new();
    struct aloft_module_config config = fake_port_config();

    f->port.log = NULL;
    f->boot.is_unconfirmed = true;
    f->boot.confirm_err = ALOFT_ERR_FLASH;
    fake_port_boot(f, &config);
    expect(f, "AT\r\n", "AT\r\n" OK);
    fake_port_free(f);
}

/* 1.3 to 1.5, 8.1: lines and what comes back, echo on. */
static void line__gets_its_answer_behind_its_echo(void **state)
{
    struct fake_port *f = *state;
    static const char *const rows[][2] = {
        {"AT\r\n", "AT\r\n" OK},
        {"AT+FAKE\r\n", "AT+FAKE\r\n" ERROR},
        {"AT \r\n", "AT \r\n" ERROR},
        {" AT\r\n", " AT\r\n" ERROR},
        {"at\r\n", "at\r\n" ERROR},
        {"At\r\n", "At\r\n" ERROR},
        {"AT+gmr\r\n", "AT+gmr\r\n" ERROR},
        {"\r\n", "\r\n" ERROR},
        {"A\r\n", "A\r\n" ERROR},
        {"AT\rAT\r\n", "AT\rAT\r\n" ERROR},
        {"AT\n", "AT\n"},
        {"AT\r\n", "AT\r\n" ERROR}, /* Behind the AT and LF of the row above. */
        {"AT+GMR=?\r\n", "AT+GMR=?\r\n" ERROR},
        {"AT+GMR?\r\n", "AT+GMR?\r\n" ERROR},
        {"AT+GMR=1\r\n", "AT+GMR=1\r\n" ERROR},
        {"AT+FORM\r\n", "AT+FORM\r\n+FORM:0\r\n" OK},
        {"AT+FORM?\r\n", "AT+FORM?\r\n+FORM:0\r\n" OK},
        {"AT+FORM=?\r\n", "AT+FORM=?\r\n+FORM:0\r\n" OK},
        {"AT+FORM=\r\n", "AT+FORM=\r\n+FORM:1\r\n" OK},
        {"AT+FORM=1,\"x\",\r\n", "AT+FORM=1,\"x\",\r\n+FORM:3\r\n" OK},
        {"AT+FORM=??\r\n", "AT+FORM=??\r\n+FORM:1\r\n" OK},
        {"AT+FORM? \r\n", "AT+FORM? \r\n" ERROR},
        {"AT+FORM??\r\n", "AT+FORM??\r\n" ERROR},
        {"AT+FORM=1,2,3,4,5,6,7,8,9,10,11,12,13\r\n",
         "AT+FORM=1,2,3,4,5,6,7,8,9,10,11,12,13\r\n" ERROR},
        {"AT+GMR\r\n", "AT+GMR\r\nmine\r\n" OK}, /* The integrator's own comes first. */
        {"AT+ONCE\r\n", "AT+ONCE\r\n" OK},
        {"AT+QUIET\r\n", "AT+QUIET\r\n+QUIET:1\r\n"},
        {"AT\r\nAT\r\n", "AT\r\n" OK "AT\r\n" OK},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(f, rows[i][0], rows[i][1]);
    }
}

static void line__too_long_is_swallowed_and_refused(void **state)
{
    struct fake_port *f = *state;
    char input[300];

    fake_port_send(f, "ATE0\r\nAT+SYSLOG=1\r\n");
    (void)fake_port_read(f);
    snprintf(input, sizeof input, "AT+FORM=\"%.*s\"\r\n", 246,
             "                                  "
             "                                                                                  "
             "                                                                                  "
             "                                                                                  ");
    assert_int_equal(strlen(input), 256 + 2);
    expect(f, input, "+FORM:1\r\n" OK);
    snprintf(input, sizeof input, "AT%0255d\r\n", 0);
    expect(f, input, "ERR CODE:0x01020000\r\n" ERROR);
    expect(f, "AT\r\n", OK);
}

/* It must not matter in which portions the bytes arrive. */
static void feed__bytewise_equals_feed_at_once(void **state)
{
    struct fake_port *f = *state;
    static const char input[] =
        "AT\r\nAT+FAKE\r\nAT\rAT\r\nAT+SYSLOG=1\r\nAT+DATA=3\r\nx\r\nATE0\r\n"
        "AT+DATA=1\r\n!\r\nAT\r\n";
    char whole[1024];

    fake_port_send(f, input);
    snprintf(whole, sizeof whole, "%s", fake_port_read(f));
    assert_non_null(strstr(whole, "Recv 3 bytes"));
    struct aloft_module_config config = config_with_commands();
    fake_port_boot(f, &config);
    for (size_t i = 0; i < sizeof input - 1; i++) {
        aloft_module_feed(&f->module, (const uint8_t *)input + i, 1);
        (void)aloft_module_step(&f->module, f->now_ms);
    }
    assert_string_equal(fake_port_read(f), whole);
}

/* 1.3, last row. */
static void lower_case__is_taken_if_configured(void **state)
{
    (void)state;
    struct fake_port *f = fake_port_new();
    struct aloft_module_config config = config_with_commands();

    config.accepts_lower_case = true;
    fake_port_boot(f, &config);
    expect(f, "at+gmr\r\n", "at+gmr\r\nmine\r\n" OK);
    expect(f, "aT+Form=?\r\n", "aT+Form=?\r\n+FORM:0\r\n" OK);
    fake_port_free(f);
}

/* 1.5, 1.6 */
static void syslog__puts_the_error_code_before_the_result(void **state)
{
    struct fake_port *f = *state;
    static const char *const rows[][2] = {
        {"AT+SYSLOG=1\r\n", "AT+SYSLOG=1\r\n" OK},
        {"AT+FAKE\r\n", "AT+FAKE\r\nERR CODE:0x01090000\r\n" ERROR},
        {"XX\r\n", "XX\r\nERR CODE:0x01030000\r\n" ERROR},
        {"AT+GMR?\r\n", "AT+GMR?\r\nERR CODE:0x010c0000\r\n" ERROR},
        {"AT+SYSLOG=\r\n", "AT+SYSLOG=\r\nERR CODE:0x01050000\r\n" ERROR},
        {"AT+SYSLOG=\"1\"\r\n", "AT+SYSLOG=\"1\"\r\nERR CODE:0x01050000\r\n" ERROR},
        {"AT+SYSLOG=1,2\r\n", "AT+SYSLOG=1,2\r\nERR CODE:0x01060102\r\n" ERROR},
        {"AT+SYSLOG=2\r\n", "AT+SYSLOG=2\r\nERR CODE:0x01070000\r\n" ERROR},
        {"AT+SYSLOG=x\r\n", "AT+SYSLOG=x\r\nERR CODE:0x01080000\r\n" ERROR},
        {"AT+DATA=0\r\n", "AT+DATA=0\r\nERR CODE:0x010a0000\r\n" ERROR},
        {"AT+LONG\r\n", "AT+LONG\r\n"},
        {"AT\r\n", "AT\r\nERR CODE:0x010b0000\r\n" BUSY},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(f, rows[i][0], rows[i][1]);
    }
    aloft_at_finish(&f->module, ALOFT_REPLY_ERROR);
    expect(f, "", "ERR CODE:0x010a0000\r\n" ERROR);
}

/* 1.7, 8.11 */
static void busy__answers_each_line_until_the_command_ends(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+LONG\r\nAT\r\nAT+GMR\r\nAT+", "AT+LONG\r\nAT\r\n" BUSY "AT+GMR\r\n" BUSY "AT+");
    aloft_at_finish(&f->module, ALOFT_REPLY_LATER);
    expect(f, "\r\n", "\r\n" BUSY);
    expect(f, "surplus", "surplus");
    aloft_at_finish(&f->module, ALOFT_REPLY_OK);
    expect(f, "", OK);
    expect(f, "AT\r\n", "AT\r\n" OK);
    aloft_at_finish(&f->module, ALOFT_REPLY_OK);
    expect(f, "", "");
}

static void busy__takes_exactly_at_rst_for_a_forced_restart(void **state)
{
    struct fake_port *f = *state;

    expect(f, "ATE0\r\n", "ATE0\r\n" OK);
    expect(f, "AT+LONG\r\nAT+RST \r\nAT+RST=0\r\n", BUSY BUSY);
    assert_int_equal(f->boot.n_restarts, 0);
    expect(f, "AT+RST\r\nAT\r\n", "\r\nWill force to restart!!!\r\n");
    assert_int_equal(f->boot.n_restarts, 1);
    fake_port_run(f, 10000);
    expect(f, "AT\r\n", "");
    assert_int_equal(f->boot.n_restarts, 1);
}

static void restart__waits_for_the_uart_but_not_for_ever(void **state)
{
    struct fake_port *f = *state;

    f->uart.is_draining = true;
    expect(f, "AT+RST\r\n", "AT+RST\r\n" OK);
    fake_port_run(f, 2999);
    assert_int_equal(f->boot.n_restarts, 0);
    fake_port_run(f, 1);
    assert_int_equal(f->boot.n_restarts, 1);
}

static void restart__follows_as_soon_as_all_bytes_are_out(void **state)
{
    struct fake_port *f = *state;

    f->uart.room = 10;
    expect(f, "AT+RST\r\n", "AT+RST\r\n\r\n");
    fake_port_run(f, 100);
    assert_int_equal(f->boot.n_restarts, 0);
    f->uart.room = FAKE_UART_UNLIMITED;
    fake_port_run(f, 10);
    assert_string_equal(fake_port_read(f), "OK\r\n");
    assert_int_equal(f->boot.n_restarts, 1);
}

/* 1.4, 1.5 and 2.1: prompt, exact length, no echo. */
static void data__is_taken_raw_and_not_echoed(void **state)
{
    struct fake_port *f = *state;

    expect(f, "AT+DATA=8\r\n", "AT+DATA=8\r\n" PROMPT);
    expect(f, "AT\r\n\\\"", "");
    expect(f, ",", "");
    expect(f, "x", "\r\nRecv 8 bytes\r\n" OK);
    assert_memory_equal(s_data, "AT\r\n\\\",x", 8);
    expect(f, "AT\r\n", "AT\r\n" OK);
}

/* 2.1, step 5: the CRLF a host appends. */
static void data__surplus_is_discarded_with_busy_per_line(void **state)
{
    struct fake_port *f = *state;

    expect(f, "ATE0\r\nAT+DATA=4\r\n", "ATE0\r\n" OK PROMPT);
    expect(f, "!abc\r\nmore\r\nrest", "\r\nRecv 4 bytes\r\n" BUSY BUSY);
    aloft_at_finish(&f->module, ALOFT_REPLY_ERROR);
    expect(f, "AT\r\n", ERROR OK);
}

/* Section 6, row 23. */
static void data__ends_after_a_silence(void **state)
{
    struct fake_port *f = *state;

    expect(f, "ATE0\r\nAT+DATA=4\r\n", "ATE0\r\n" OK PROMPT);
    fake_port_run(f, 59000);
    expect(f, "a", "");
    fake_port_run(f, 59999);
    expect(f, "", "");
    fake_port_run(f, 1);
    assert_string_equal(fake_port_read(f), ERROR);
    expect(f, "AT\r\n", OK);
}

static void tx__keeps_order_while_the_uart_is_slow(void **state)
{
    struct fake_port *f = *state;
    char all[256] = "";

    f->uart.room = 0;
    expect(f, "AT+FORM=1,2\r\nAT+FAKE\r\n", "");
    for (unsigned i = 0; i < 20; i++) {
        f->uart.room = 5;
        assert_in_range(aloft_module_step(&f->module, f->now_ms), 0, 250);
        strncat(all, fake_port_read(f), 5);
    }
    assert_string_equal(all, "AT+FORM=1,2\r\n+FORM:2\r\n" OK "AT+FAKE\r\n" ERROR);
}

static void tx__loses_whole_pieces_when_the_host_never_reads(void **state)
{
    struct fake_port *f = *state;

    expect(f, "ATE0\r\n", "ATE0\r\n" OK);
    f->uart.room = 0;
    for (size_t i = 0; i < 1000; i++) {
        fake_port_send(f, "AT\r\n");
    }
    assert_int_equal(aloft_at_print_room(&f->module), ALOFT_CONFIG_TX_BYTES % strlen(OK));
    f->uart.room = FAKE_UART_UNLIMITED;
    (void)aloft_module_step(&f->module, f->now_ms);
    const char *text = fake_port_read(f);
    assert_int_equal(strlen(text), ALOFT_CONFIG_TX_BYTES / strlen(OK) * strlen(OK));
    expect(f, "AT\r\n", OK);
}

static void print__writes_numbers_addresses_and_quotes(void **state)
{
    struct fake_port *f = *state;
    struct aloft_module *m = &f->module;

    aloft_at_print_int(m, INT32_MIN);
    aloft_at_print(m, " ");
    aloft_at_print_int(m, INT32_MAX);
    aloft_at_print(m, " ");
    aloft_at_print_int(m, 0);
    aloft_at_print(m, " ");
    aloft_at_print_hex(m, 0xABC, 8);
    aloft_at_print(m, " ");
    aloft_at_print_hex(m, 0xFFFFFFFF, 1);
    aloft_at_print(m, " ");
    aloft_at_print_ipv4(m, (const uint8_t *)"\xff\x00\x0a\x63");
    aloft_at_print(m, " ");
    aloft_at_print_mac(m, (const uint8_t *)"\xAB\xcd\x00\x01\x02\x0f");
    aloft_at_print(m, " ");
    aloft_at_print_quoted(m, "a\"b\\c,d");
    (void)aloft_module_step(m, f->now_ms);
    assert_string_equal(fake_port_read(f), "-2147483648 2147483647 0 00000abc ffffffff 255.0.10.99 "
                                           "ab:cd:00:01:02:0f \"a\\\"b\\\\c\\,d\"");
}

/* While a command runs its texts stay, whatever comes in meanwhile. */
static void params__stay_until_a_command_that_takes_long_ends(void **state)
{
    struct fake_port *f = *state;
    static const size_t lens[] = {1, 100, 246};

    fake_port_send(f, "ATE0\r\n");
    (void)fake_port_read(f);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        char text[257] = {0};
        char input[300];
        memset(text, 'k', lens[i]);
        (void)snprintf(input, sizeof input, "AT+KEEP=\"%s\"\r\n", text);
        expect(f, input, "");
        expect(f, "AT\r\n", "\r\nbusy p...\r\n");
        (void)snprintf(input, sizeof input, "AT+FORM=\"%s\"\r\n", text);
        expect(f, input, "\r\nbusy p...\r\n");
        fake_port_send(f, "AT+GM"); /* unfinished when the command ends: lost with it */
        assert_string_equal(s_kept, text);
        aloft_at_finish(&f->module, ALOFT_REPLY_OK);
        fake_port_run(f, 1);
        assert_string_equal(fake_port_read(f), OK);
        expect(f, "AT\r\n", OK);
    }
}

/* Also behind a command of 256 bytes. */
static void busy__restarts_behind_the_longest_command(void **state)
{
    struct fake_port *f = *state;
    char input[300];

    fake_port_send(f, "ATE0\r\n");
    (void)fake_port_read(f);
    (void)snprintf(input, sizeof input, "AT+KEEP=\"%0*d\"\r\n", 246, 0);
    assert_int_equal(strlen(input), 258);
    expect(f, input, "");
    expect(f, "AT+RSTX\r\n", "\r\nbusy p...\r\n");
    expect(f, "AT+RST?=123456789\r\n", "\r\nbusy p...\r\n");
    assert_int_equal(strlen(s_kept), 246);
    expect(f, "AT+RST\r\n", "\r\nWill force to restart!!!\r\n");
    assert_int_equal(f->boot.n_restarts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot__prints_ready_and_drops_what_came_before),
        cmocka_unit_test(boot__confirms_the_image_just_before_ready),
        cmocka_unit_test(init__refuses_an_unknown_chip_and_a_port_with_a_hole),
        cmocka_unit_test(init__needs_no_log),
        cmocka_unit_test_setup_teardown(line__gets_its_answer_behind_its_echo, set_up, tear_down),
        cmocka_unit_test_setup_teardown(line__too_long_is_swallowed_and_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(feed__bytewise_equals_feed_at_once, set_up, tear_down),
        cmocka_unit_test(lower_case__is_taken_if_configured),
        cmocka_unit_test_setup_teardown(syslog__puts_the_error_code_before_the_result, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(busy__answers_each_line_until_the_command_ends, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(busy__takes_exactly_at_rst_for_a_forced_restart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(params__stay_until_a_command_that_takes_long_ends, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(busy__restarts_behind_the_longest_command, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(restart__waits_for_the_uart_but_not_for_ever, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(restart__follows_as_soon_as_all_bytes_are_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(data__is_taken_raw_and_not_echoed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(data__surplus_is_discarded_with_busy_per_line, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(data__ends_after_a_silence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tx__keeps_order_while_the_uart_is_slow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tx__loses_whole_pieces_when_the_host_never_reads, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(print__writes_numbers_addresses_and_quotes, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
