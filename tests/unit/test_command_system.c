/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "dialogue.h"

/* Byte-exact dialogues of facts/at-commands.md 4, echo off. */

#define ERROR "\r\nERROR\r\n"
#define OK    "\r\nOK\r\n"

static int set_up(void **state)
{
    struct fake_port *f = fake_port_new();
    struct aloft_module_config config = fake_port_config();

    fake_port_boot(f, &config);
    fake_port_send(f, "ATE0\r\n");
    (void)fake_port_read(f);
    *state = f;
    return 0;
}

static void reboot(struct fake_port *f)
{
    struct aloft_module_config config = fake_port_config();

    fake_port_boot(f, &config);
    fake_port_send(f, "ATE0\r\n");
    (void)fake_port_read(f);
}

static void sleep__is_set_and_queried(void **state)
{
    static const struct dialogue_row rows[] = {
        {"AT+SLEEP?\r\n", "+SLEEP:0\r\n" OK},
        {"AT+SLEEP=3\r\n", OK},
        {"AT+SLEEP?\r\n", "+SLEEP:3\r\n" OK},
        {"AT+SLEEP=0\r\n", OK},
        {"AT+SLEEP?\r\n", "+SLEEP:0\r\n" OK},
        {"AT+SLEEP=4\r\n", ERROR},
        {"AT+SLEEP=-1\r\n", ERROR},
        {"AT+SLEEP=1,1\r\n", ERROR},
        {"AT+SLEEP=\r\n", ERROR},
        {"AT+SLEEP\r\n", ERROR},
        {"AT+SLEEP=\"1\"\r\n", ERROR},
    };

    EXPECT_ROWS(*state, rows);
}

static void sysram__prints_free_memory_and_the_least_ever(void **state)
{
    struct fake_port *f = *state;

    f->memory_now = 148408;
    f->memory_least = 84044;
    expect(f, "AT+SYSRAM?\r\n", "+SYSRAM:148408,84044\r\n" OK);
    f->memory_now = UINT32_MAX;
    expect(f, "AT+SYSRAM?\r\n", "+SYSRAM:4294967295,84044\r\n" OK);
    expect(f, "AT+SYSRAM\r\n", ERROR);
    f->port.free_memory = NULL;
    expect(f, "AT+SYSRAM?\r\n", ERROR);
}

static void sysmsg__is_stored_if_sysstore_is_on(void **state)
{
    struct fake_port *f = *state;
    static const struct dialogue_row first[] = {
        {"AT+SYSMSG?\r\n", "+SYSMSG:0\r\n" OK},
        {"AT+SYSMSG=8\r\n", ERROR},
        {"AT+SYSMSG=-1\r\n", ERROR},
        {"AT+SYSMSG=5\r\n", OK},
        {"AT+SYSMSG?\r\n", "+SYSMSG:5\r\n" OK},
    };
    static const struct dialogue_row second[] = {
        {"AT+SYSMSG?\r\n", "+SYSMSG:5\r\n" OK},
        {"AT+SYSSTORE=0\r\n", OK},
        {"AT+SYSMSG=2\r\n", OK},
        {"AT+SYSMSG?\r\n", "+SYSMSG:2\r\n" OK},
    };

    EXPECT_ROWS(f, first);
    reboot(f);
    EXPECT_ROWS(f, second);
    reboot(f);
    expect(f, "AT+SYSMSG?\r\n", "+SYSMSG:5\r\n" OK);
}

static void userdocs__are_two_lines_for_the_chip(void **state)
{
    expect(
        *state, "AT+USERDOCS?\r\n",
        "+USERDOCS:\"https://docs.espressif.com/projects/esp-at/en/latest/esp32c3/index.html\"\r\n"
        "+USERDOCS:\"https://docs.espressif.com/projects/esp-at/zh_CN/latest/esp32c3/index.html\""
        "\r\n" OK);
    expect(*state, "AT+USERDOCS\r\n", ERROR);
}

static void userwkmcucfg__checks_every_number(void **state)
{
    static const char *const bad[] = {
        "AT+USERWKMCUCFG=1\r\n",
        "AT+USERWKMCUCFG=2\r\n",
        "AT+USERWKMCUCFG=1,0,18,1,100\r\n",
        "AT+USERWKMCUCFG=1,3,18,1,100\r\n",
        "AT+USERWKMCUCFG=1,1,49,1,100\r\n",
        "AT+USERWKMCUCFG=1,1,-1,1,100\r\n",
        "AT+USERWKMCUCFG=1,1,18,2,100\r\n",
        "AT+USERWKMCUCFG=1,2,0,1,100\r\n",
        "AT+USERWKMCUCFG=1,2,2,1,100\r\n",
        "AT+USERWKMCUCFG=1,2,1,256,100\r\n",
        "AT+USERWKMCUCFG=1,1,18,1,60001\r\n",
        "AT+USERWKMCUCFG=1,1,18,1,100,8\r\n",
        "AT+USERWKMCUCFG=1,1,18,1,100,\r\n",
        "AT+USERWKMCUCFG=1,1,18,1,100,1,1\r\n",
        "AT+USERWKMCUCFG=0,1\r\n",
        "AT+USERWKMCUCFG?\r\n",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect(*state, bad[i], ERROR);
    }
    expect(*state, "AT+USERWKMCUCFG=1,2,1,255,60000,7\r\n", OK);
    expect(*state, "AT+USERWKMCUCFG=0\r\n", OK);
    expect(*state, "AT+USERWKMCUCFG=1,1,18,1,10000\r\n", OK);
}

/* What a host MCU is told when it changes its mind, or has said that it sleeps. */
static void userwkmcucfg__is_refused_while_on_or_while_the_host_sleeps(void **state)
{
    static const struct dialogue_row rows[] = {
        {"AT+USERMCUSLEEP=0\r\n", ERROR},
        {"AT+USERWKMCUCFG=1,1,18,1,10000,3\r\n", OK},
        {"AT+USERWKMCUCFG=1,1,18,1,10000,3\r\n", ERROR},
        {"AT+USERMCUSLEEP=2\r\n", ERROR},
        {"AT+USERMCUSLEEP=1\r\n", OK},
        {"AT+USERWKMCUCFG=0\r\n", ERROR},
        {"AT+USERMCUSLEEP=0\r\n", OK},
        {"AT+SLEEP=1\r\n", OK},
        {"AT+USERWKMCUCFG=0\r\n", ERROR},
        {"AT+SLEEP=0\r\n", OK},
        {"AT+USERWKMCUCFG=0\r\n", OK},
        {"AT+USERWKMCUCFG=0\r\n", OK},
        {"AT+USERMCUSLEEP=1\r\n", ERROR},
    };

    EXPECT_ROWS(*state, rows);
}

/* Without its bit neither command says anything about the host MCU. */
static void usermcusleep__counts_only_if_it_was_chosen(void **state)
{
    static const struct dialogue_row rows[] = {
        {"AT+USERWKMCUCFG=1,1,18,1,10000,4\r\n", OK},
        {"AT+USERMCUSLEEP=1\r\n", OK},
        {"AT+SLEEP=2\r\n", OK},
        {"AT+USERWKMCUCFG=0\r\n", OK},
    };

    EXPECT_ROWS(*state, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sleep__is_set_and_queried, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sysram__prints_free_memory_and_the_least_ever, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(sysmsg__is_stored_if_sysstore_is_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(userdocs__are_two_lines_for_the_chip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(userwkmcucfg__checks_every_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(userwkmcucfg__is_refused_while_on_or_while_the_host_sleeps,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(usermcusleep__counts_only_if_it_was_chosen, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
