/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <stdio.h>
#include <string.h>

#include "upgrade/policy.h"

/* AT+CIUPDATE from the UART to the boot entry (facts/at-commands.md 2.2). What a server can do
 * wrong is in test_upgrade_faults.c. */

#define DONE_MS 10000

static int set_up(void **state)
{
    *state = world_new(70000);
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static void row_17_an_explicit_version_prints_1_and_4_then_restarts(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, w->answer_len);
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\",\"ota\"", DONE_MS),
                        "+CIPUPDATE:1\r\n+CIPUPDATE:4\r\n\r\nOK\r\n");
    world_assert_upgraded(w);
    assert_int_equal(w->port->boot.n_restarts, 1);
    assert_string_equal(w->net.contacts[0].host, "plain.test");
    assert_int_equal(w->net.contacts[0].port, 80);
    assert_string_equal(w->net.contacts[0].tls_host, "");
}

static void no_version__prints_1_to_4_then_restarts(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, world_version_answer);
    fake_net_add(&w->net, w->answer, w->answer_len);
    assert_string_equal(world_run(w, "AT+CIUPDATE", DONE_MS),
                        "+CIPUPDATE:1\r\n+CIPUPDATE:2\r\n+CIPUPDATE:3\r\n+CIPUPDATE:4\r\n"
                        "\r\nOK\r\n");
    world_assert_upgraded(w);
    assert_int_equal(w->port->boot.n_restarts, 1);
    assert_non_null(strstr(w->net.contacts[1].request, "&version=v5.0.1.0&filename=ota.bin "));
}

static void tls_mode__uses_the_tls_server_with_its_name(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, w->answer_len);
    world_run(w, "AT+CIUPDATE=1,\"v5.0.1.0\"", DONE_MS);
    world_assert_upgraded(w);
    assert_string_equal(w->net.contacts[0].tls_host, "tls.test");
    assert_int_equal(w->net.contacts[0].port, 443);
    assert_non_null(strstr(w->net.contacts[0].request,
                           "Authorization: token 89abcdef0123456789abcdef0123456789abcdef\r\n"));
}

static void nonblocking__answers_ok_at_once_and_never_restarts(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, w->answer_len);
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\",\"ota\",1", DONE_MS),
                        "\r\nOK\r\n+CIPUPDATE:1\r\n+CIPUPDATE:4\r\n");
    world_assert_upgraded(w);
    assert_int_equal(w->port->boot.n_restarts, 0);
    assert_string_equal(world_run(w, "AT+CIUPDATE?", 10), "+CIUPDATE:4\r\n\r\nOK\r\n");
}

static void nonblocking__failure_prints_minus_1_and_leaves_the_port_usable(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")->end =
        FAKE_END_SILENCE;
    w->net.answers[0].n_ready_waits = 20;
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\",,1", 10),
                        "\r\nOK\r\n+CIPUPDATE:1\r\n");
    assert_string_equal(world_run(w, "AT", 0), "\r\nOK\r\n");
    fake_port_run(w->port, DONE_MS);
    assert_string_equal(fake_port_read(w->port), "+CIPUPDATE:-1\r\n");
    assert_string_equal(world_run(w, "AT+CIUPDATE?", 10), "+CIUPDATE:-1\r\n\r\nOK\r\n");
    world_assert_failed(w, "HTTP_STATUS");
}

static void blocking__failure_prints_error_alone(void **state)
{
    struct world *w = *state;

    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\"", DONE_MS), "\r\nERROR\r\n");
    world_assert_failed(w, "RESOLVE");
    assert_string_equal(world_run(w, "AT+CIUPDATE?", 10), "+CIUPDATE:-1\r\n\r\nOK\r\n");
}

static void row_16_the_query_is_as_the_code_or_as_the_documentation(void **state)
{
    struct world *w = *state;

    assert_string_equal(world_run(w, "AT+CIUPDATE?", 10), "+CIUPDATE:0\r\n\r\nOK\r\n");
    w->config.query_as_documented = true;
    world_reboot(w);
    assert_string_equal(world_run(w, "AT+CIUPDATE?", 10), "+CIPUPDATE:0\r\n\r\nOK\r\n");
}

/* facts/at-commands.md 8, item 5, and 2.2. */
static void parameters__that_are_wrong_are_refused_without_traffic(void **state)
{
    struct world *w = *state;
    static const char text65[] =
        "0123456789012345678901234567890123456789012345678901234567890123x";
    char line[200];
    const char *lines[] = {
        "AT+CIUPDATE=2",
        "AT+CIUPDATE=-1",
        "AT+CIUPDATE=",
        "AT+CIUPDATE=,\"v1\"",
        "AT+CIUPDATE=\"0\"",
        "AT+CIUPDATE=x",
        "AT+CIUPDATE=0,v1",
        "AT+CIUPDATE=0,1",
        "AT+CIUPDATE=0,\"v1\",ota",
        "AT+CIUPDATE=0,,,",
        "AT+CIUPDATE=0,\"v\",\"ota\",",
        "AT+CIUPDATE=0,,,2",
        "AT+CIUPDATE=0,,,\"1\"",
        "AT+CIUPDATE=0,,,0,1",
        "AT+CIUPDATE=0,\"v 1\"",
        "AT+CIUPDATE=0,\"v1\\&filename=x\"",
        "AT+CIUPDATE=0,\"v1/..\",\"ota\",1",
        "AT+CIUPDATE=?",
        line,
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        snprintf(line, sizeof line, "AT+CIUPDATE=0,\"%s\"", text65);
        assert_string_equal(world_run(w, lines[i], 300), "\r\nERROR\r\n");
    }
    snprintf(line, sizeof line, "AT+CIUPDATE=0,,\"%s\"", text65);
    assert_string_equal(world_run(w, line, 300), "\r\nERROR\r\n");
    assert_int_equal(w->net.n_contacts, 0);
    world_assert_flash_untouched(w);
    assert_string_equal(world_run(w, "AT+CIUPDATE?", 10), "+CIUPDATE:0\r\n\r\nOK\r\n");
}

/* `""` counts as omitted, a trailing comma as one more omitted parameter. */
static void parameters__that_are_left_out_have_their_defaults(void **state)
{
    static const char *const lines[] = {
        "AT+CIUPDATE=0",   "AT+CIUPDATE=0,",          "AT+CIUPDATE=0,\"\"",
        "AT+CIUPDATE=0,,", "AT+CIUPDATE=0,\"\",\"\"", "AT+CIUPDATE=0,,\"ota\",0",
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        w->port->boot.n_selects = 0;
        world_reboot(w);
        fake_net_add_text(&w->net, world_version_answer);
        fake_net_add(&w->net, w->answer, w->answer_len);
        assert_string_equal(world_run(w, lines[i], DONE_MS),
                            "+CIPUPDATE:1\r\n+CIPUPDATE:2\r\n+CIPUPDATE:3\r\n+CIPUPDATE:4\r\n"
                            "\r\nOK\r\n");
        world_assert_upgraded(w);
    }
}

/* facts/at-commands.md 6.1, rows 1 and 18. */
static void row_01_row_18_a_name_other_than_ota_is_refused_before_traffic(void **state)
{
    static const char *const names[] = {"otadata", "ota_1", "OTA", "mfg_nvs", "client_ca", "ota "};
    struct world *w = *state;
    char line[80];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(line, sizeof line, "AT+CIUPDATE=0,\"v5.0.1.0\",\"%s\"", names[i]);
        assert_string_equal(world_run(w, line, 300), "\r\nERROR\r\n");
    }
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,,\"mfg_nvs\",1", 300),
                        "\r\nOK\r\n+CIPUPDATE:-1\r\n");
    assert_int_equal(w->net.n_contacts, 0);
    world_assert_failed(w, "NOT_FOUND");
    world_assert_flash_untouched(w);
}

/* Until user partitions have a safe replacement they are refused, and keep what they hold. */
static void row_02_a_user_partition_keeps_its_content(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, w->answer_len);
    memset(w->port->flash.bytes + 0x1f000, 0x5A, 0x1f000); /* mfg_nvs of the C3 */
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\",\"mfg_nvs\"", DONE_MS),
                        "\r\nERROR\r\n");
    world_assert_flash_untouched(w);
    assert_int_equal(w->port->flash.bytes[0x1f000], 0x5A);
}

static void row_17_all_news_are_an_option(void **state)
{
    struct world *w = *state;

    w->config.prints_all_news = true;
    world_reboot(w);
    fake_net_add(&w->net, w->answer, w->answer_len);
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\"", DONE_MS),
                        "+CIPUPDATE:1\r\n+CIPUPDATE:2\r\n+CIPUPDATE:3\r\n+CIPUPDATE:4\r\n"
                        "\r\nOK\r\n");
    world_assert_upgraded(w);
}

/* facts/at-commands.md 6.1, row 21: judged before anything is erased. */
static void row_21_the_policy_refuses_an_image_untouched(void **state)
{
    static const struct {
        struct aloft_upgrade_policy policy;
        bool is_taken;
    } rows[] = {
        {{NULL, NULL}, true},         {{"esp-at", NULL}, true}, {{"esp-a", NULL}, false},
        {{"esp-at2", NULL}, false},   {{NULL, "v0.0.1"}, true}, {{NULL, "0.0.1.1"}, false},
        {{"esp-at", "v0.0.1"}, true}, {{"x", "v0.0.1"}, false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_new(512);
        w->config.upgrade_policy = rows[i].policy;
        world_reboot(w);
        fake_net_add(&w->net, w->answer, w->answer_len);
        (void)world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\"", DONE_MS);
        if (rows[i].is_taken) {
            world_assert_upgraded(w);
        } else {
            world_assert_failed(w, "POLICY");
            world_assert_flash_untouched(w);
        }
        world_free(w);
    }
}

static void row_21_versions_are_compared_number_by_number(void **state)
{
    static const struct {
        const char *version;
        const char *minimum;
        bool is_taken;
    } rows[] = {
        {"v5.0.1.0", "v5.0.1.0", true},
        {"v5.0.1.0", "5.0.1", true},
        {"5.0.1", "v5.0.1.0", true},
        {"v5.0.1.0", "v5.0.1.1", false},
        {"v10.0.0.0", "v9.9.9.9", true},
        {"v5.0.10", "v5.0.9", true},
        {"v5.0.9", "v5.0.10", false},
        {"v5.0.1.0-dev", "v5.0.1.0", true},
        {"v5.0.1.0-dev", "v5.0.2", false},
        {"", "v0", false},
        {"unknown", "v0", false},
        {"V1", "1", true},
        {"1.", "1", true},
        {"1..5", "1.1", false},
        {"99999999999", "4294967295", true},
        {"4294967294", "99999999999", false},
        {"v1", "", true},
    };
    struct aloft_app_desc desc = {.project_name = "esp-at"};
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct aloft_upgrade_policy policy = {.minimum_version = rows[i].minimum};
        snprintf(desc.version, sizeof desc.version, "%s", rows[i].version);
        enum aloft_err err = aloft_policy_judge(&policy, &desc);
        if (err != (rows[i].is_taken ? ALOFT_ERR_OK : ALOFT_ERR_POLICY)) {
            fail_msg("%s with %s: %s", rows[i].version, rows[i].minimum, aloft_err_name(err));
        }
    }
}

static void tls_mode__without_a_tls_server_is_refused(void **state)
{
    struct world *w = *state;

    w->config.tls.host = NULL;
    world_reboot(w);
    assert_string_equal(world_run(w, "AT+CIUPDATE=1,\"v5.0.1.0\"", 300), "\r\nERROR\r\n");
    world_assert_failed(w, "UNSUPPORTED");
    world_assert_flash_untouched(w);
}

static void row_19_a_second_start_is_refused_while_one_runs(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, w->answer_len)->n_ready_waits = 20;
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\",\"ota\",1", 10),
                        "\r\nOK\r\n+CIPUPDATE:1\r\n");
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\"", 0), "\r\nERROR\r\n");
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\",,1", 0), "\r\nERROR\r\n");
    assert_string_equal(world_run(w, "AT+CIPFWVER?", 0), "\r\nERROR\r\n");
    assert_string_equal(world_run(w, "AT+CIUPDATE?", 0), "+CIUPDATE:1\r\n\r\nOK\r\n");
    fake_port_run(w->port, DONE_MS);
    assert_string_equal(fake_port_read(w->port), "+CIPUPDATE:4\r\n");
    world_assert_upgraded(w);
}

static void blocking__answers_busy_to_other_lines(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, w->answer_len)->n_ready_waits = 20;
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\"", 10), "+CIPUPDATE:1\r\n");
    fake_port_send(w->port, "AT+GMR\r\n");
    assert_string_equal(fake_port_read(w->port), "\r\nbusy p...\r\n");
    fake_port_run(w->port, DONE_MS);
    assert_string_equal(fake_port_read(w->port), "+CIPUPDATE:4\r\n\r\nOK\r\n");
    world_assert_upgraded(w);
}

/* facts/at-commands.md 8, item 11. */
static void at_rst__forces_a_restart_and_leaves_the_boot_entry(void **state)
{
    struct world *w = *state;
    struct fake_answer *answer = fake_net_add(&w->net, w->answer, 2000);

    answer->end = FAKE_END_SILENCE;
    fake_port_send(w->port, "AT+CIUPDATE=0,\"v5.0.1.0\"\r\n");
    fake_port_run(w->port, 100);
    assert_int_equal(w->port->flash.n_erases, 1);
    (void)fake_port_read(w->port);
    assert_string_equal(world_run(w, "AT+RST", 100), "\r\nWill force to restart!!!\r\n");
    assert_int_equal(w->port->boot.n_restarts, 1);
    assert_int_equal(w->port->boot.n_selects, 0);
    assert_int_equal(w->net.n_open, 0);
}

static void restart__ends_a_nonblocking_upgrade(void **state)
{
    static const char *const lines[] = {"AT+RST", "AT+RESTORE"};
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        struct world *w = world_new(4096);
        fake_net_add(&w->net, w->answer, 2000)->end = FAKE_END_SILENCE;
        world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\",\"ota\",1", 100);
        assert_int_equal(w->port->flash.n_erases, 1);
        assert_string_equal(world_run(w, lines[i], 100), "\r\nOK\r\n");
        assert_int_equal(w->port->boot.n_restarts, 1);
        assert_int_equal(w->port->boot.n_selects, 0);
        assert_int_equal(w->net.n_open, 0);
        world_free(w);
    }
}

static void refusals__come_before_any_traffic(void **state)
{
    struct world *w = *state;

    w->port->boot.spare_err = ALOFT_ERR_NO_SLOT;
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\"", 300), "\r\nERROR\r\n");
    world_assert_failed(w, "NO_SLOT");
    w->port->boot.spare_err = ALOFT_ERR_OK;
    w->port->boot.is_unconfirmed = true;
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\"", 300), "\r\nERROR\r\n");
    world_assert_failed(w, "NOT_CONFIRMED");
    assert_int_equal(w->net.n_contacts, 0);
    world_assert_flash_untouched(w);
}

static void finished_upgrade__is_not_overwritten_before_its_restart(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, w->answer_len);
    world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\",\"ota\",1", DONE_MS);
    world_assert_upgraded(w);
    unsigned n_erases = w->port->flash.n_erases;
    fake_net_add(&w->net, w->answer, w->answer_len);
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\"", DONE_MS), "\r\nERROR\r\n");
    assert_int_equal(w->port->flash.n_erases, n_erases);
    assert_int_equal(w->net.n_contacts, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(row_17_an_explicit_version_prints_1_and_4_then_restarts),
        CASE(no_version__prints_1_to_4_then_restarts),
        CASE(tls_mode__uses_the_tls_server_with_its_name),
        CASE(nonblocking__answers_ok_at_once_and_never_restarts),
        CASE(nonblocking__failure_prints_minus_1_and_leaves_the_port_usable),
        CASE(blocking__failure_prints_error_alone),
        CASE(row_16_the_query_is_as_the_code_or_as_the_documentation),
        CASE(parameters__that_are_wrong_are_refused_without_traffic),
        CASE(parameters__that_are_left_out_have_their_defaults),
        CASE(row_01_row_18_a_name_other_than_ota_is_refused_before_traffic),
        CASE(row_02_a_user_partition_keeps_its_content),
        CASE(row_17_all_news_are_an_option),
        CASE(row_21_the_policy_refuses_an_image_untouched),
        CASE(row_21_versions_are_compared_number_by_number),
        CASE(tls_mode__without_a_tls_server_is_refused),
        CASE(row_19_a_second_start_is_refused_while_one_runs),
        CASE(blocking__answers_busy_to_other_lines),
        CASE(at_rst__forces_a_restart_and_leaves_the_boot_entry),
        CASE(restart__ends_a_nonblocking_upgrade),
        CASE(refusals__come_before_any_traffic),
        CASE(finished_upgrade__is_not_overwritten_before_its_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
