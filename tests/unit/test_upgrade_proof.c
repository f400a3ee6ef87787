/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <string.h>

/* The proof request after an upgrade (facts/ciupdate-wire.md 7). */

#define KEY "upgrade.mode"

static bool has_setting(const struct world *w)
{
    for (size_t i = 0; i < FAKE_SETTINGS; i++) {
        if (strcmp(w->port->settings[i].key, KEY) == 0) {
            return true;
        }
    }
    return false;
}

static void reboot(struct world *w)
{
    w->port->wifi.status.state = ALOFT_WIFI_IDLE;
    world_reboot(w);
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
}

/* A module on its first boot after an upgrade by `mode`, with an address since just now. */
static struct world *world_after_upgrade(uint8_t mode)
{
    struct world *w = world_new(512);

    assert_err(w->port->port.settings.set(w->port, KEY, &mode, 1), ALOFT_ERR_OK);
    w->port->boot.reason = ALOFT_BOOT_UPGRADE;
    reboot(w);
    return w;
}

static void upgrade__leaves_the_setting_with_its_mode(void **state)
{
    struct world *w = world_new(512);
    uint8_t mode = 9;
    size_t len = 1;
    (void)state;

    fake_net_add(&w->net, w->answer, w->answer_len);
    world_run(w, "AT+CIUPDATE=1,\"v5.0.1.0\",\"ota\",1", 3000);
    world_assert_upgraded(w);
    assert_err(w->port->port.settings.get(w->port, KEY, &mode, &len), ALOFT_ERR_OK);
    assert_int_equal(mode, 1);
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
    world_run(w, "AT", 5000);
    assert_int_equal(w->net.n_contacts, 1); /* Not in the boot of the upgrade itself. */
    world_free(w);
}

static void first_boot__asks_that_server_once_and_prints_nothing(void **state)
{
    (void)state;
    for (uint8_t mode = 0; mode <= 1; mode++) {
        struct world *w = world_after_upgrade(mode);
        fake_net_add_text(&w->net, world_version_answer);
        fake_port_run(w->port, 5000);
        assert_non_null(strstr(w->net.contacts[0].request, "?is_format_simple=true HTTP/1.0\r\n"));
        assert_non_null(strstr(w->net.contacts[0].request, "Aloft-Version: v5.0.1.0\r\n"));
        assert_non_null(strstr(w->net.contacts[0].request, "Aloft-Boot: upgrade\r\n"));
        assert_string_equal(w->net.contacts[0].host, mode == 0 ? "plain.test" : "tls.test");
        assert_int_equal(w->net.n_contacts, 1);
        assert_int_equal(w->net.n_open, 0);
        assert_null(strstr(fake_port_read(w->port), "CIPUPDATE"));
        assert_false(has_setting(w));
        world_free(w);
    }
}

static void ordinary_boot__asks_nothing(void **state)
{
    struct world *w = world_new(512);
    (void)state;

    reboot(w);
    fake_net_add_text(&w->net, world_version_answer);
    fake_port_run(w->port, 60000);
    assert_int_equal(w->net.n_contacts, 0);
    world_free(w);
}

static void proof__waits_for_an_address(void **state)
{
    struct world *w = world_after_upgrade(0);
    (void)state;

    w->port->wifi.status.state = ALOFT_WIFI_CONNECTED;
    fake_net_add_text(&w->net, world_version_answer);
    fake_port_run(w->port, 60000);
    assert_int_equal(w->net.n_contacts, 0);
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
    fake_port_run(w->port, 1000);
    assert_int_equal(w->net.n_contacts, 1);
    assert_false(has_setting(w));
    world_free(w);
}

static void proof__tries_five_times_with_growing_pauses(void **state)
{
    static const unsigned starts_ms[] = {0, 2000, 6000, 14000, 30000};
    struct world *w = world_after_upgrade(0);
    size_t n_contacts = 0;
    (void)state;

    for (int i = 0; i < 10; i++) {
        fake_net_add(&w->net, "", 0)->open_err = ALOFT_ERR_CONNECT;
    }
    for (unsigned ms = 0; ms < 120000; ms += 10) {
        fake_port_run(w->port, 10);
        if (w->net.n_contacts > n_contacts) {
            assert_in_range(ms, starts_ms[n_contacts], starts_ms[n_contacts] + 100);
            n_contacts++;
        }
    }
    assert_int_equal(n_contacts, 5);
    assert_true(has_setting(w)); /* The next boot tries again. */
    reboot(w);
    fake_net_add_text(&w->net, world_version_answer);
    fake_port_run(w->port, 1000);
    assert_false(has_setting(w));
    world_free(w);
}

static void proof__counts_a_refusal_as_an_answer_and_a_fault_not(void **state)
{
    struct world *w = world_after_upgrade(0);
    (void)state;

    fake_net_add_text(&w->net, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    fake_net_add(&w->net, world_version_answer, 200);
    fake_net_add_text(&w->net, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    fake_port_run(w->port, 1000);
    assert_true(has_setting(w));
    fake_port_run(w->port, 4000);
    assert_true(has_setting(w));
    fake_port_run(w->port, 4000);
    assert_false(has_setting(w));
    assert_int_equal(w->net.n_contacts, 3);
    world_free(w);
}

static void proof__yields_to_a_command_and_comes_back(void **state)
{
    static const char *const lines[] = {"AT+CIUPDATE=0,\"v5.0.1.0\",\"ota\",1", "AT+CIPFWVER?"};
    static const char *const starts[] = {"\r\nOK\r\n+CIPUPDATE:1\r\n", "\r\nERROR\r\n"};
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        struct world *w = world_after_upgrade(0);
        fake_net_add(&w->net, "", 0)->end = FAKE_END_SILENCE;
        fake_net_add_text(&w->net, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        fake_net_add_text(&w->net, world_version_answer);
        fake_port_run(w->port, 1000);
        assert_int_equal(w->net.n_open, 1);
        (void)fake_port_read(w->port);
        const char *out = world_run(w, lines[i], 100);
        assert_memory_equal(out, starts[i], strlen(starts[i]));
        assert_int_equal(w->net.n_open, 0);
        assert_true(has_setting(w));
        fake_port_run(w->port, 3000);
        assert_int_equal(w->net.n_contacts, 3);
        assert_false(has_setting(w));
        world_free(w);
    }
}

static void proof__does_not_count_the_tries_it_gave_up(void **state)
{
    struct world *w = world_after_upgrade(0);
    (void)state;

    for (int i = 0; i < 6; i++) {
        fake_net_add(&w->net, "", 0)->end = FAKE_END_SILENCE;
        fake_net_add_text(&w->net, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
    fake_net_add(&w->net, "", 0)->open_err = ALOFT_ERR_CONNECT;
    fake_net_add_text(&w->net, world_version_answer);
    for (int i = 0; i < 6; i++) {
        fake_port_run(w->port, 2500);
        world_run(w, "AT+CIPFWVER?", 10);
    }
    assert_int_equal(w->net.n_contacts, 12);
    fake_port_run(w->port, 5000);
    assert_false(has_setting(w));
    world_free(w);
}

static void next_upgrade__is_proven_instead_of_the_last_one(void **state)
{
    struct world *w = world_after_upgrade(0);
    (void)state;

    w->port->wifi.status.state = ALOFT_WIFI_CONNECTED;
    fake_net_add(&w->net, w->answer, w->answer_len);
    fake_net_add_text(&w->net, world_version_answer);
    world_run(w, "AT+CIUPDATE=1,\"v5.0.1.0\",\"ota\",1", 1000);
    world_assert_upgraded(w);
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
    fake_port_run(w->port, 5000);
    assert_int_equal(w->net.n_contacts, 1);
    assert_true(has_setting(w));
    world_free(w);
}

static void next_upgrade__is_proven_even_if_the_last_one_waits_for_the_client(void **state)
{
    struct world *w = world_after_upgrade(0);
    (void)state;

    w->port->wifi.status.state = ALOFT_WIFI_CONNECTED;
    fake_net_add(&w->net, w->answer, w->answer_len);
    fake_net_add_text(&w->net, world_version_answer);
    fake_port_send(w->port, "AT+CIUPDATE=1,\"v5.0.1.0\",\"ota\",1\r\n");
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
    fake_port_run(w->port, 60000);
    world_assert_upgraded(w);
    assert_true(has_setting(w));
    world_free(w);
}

/* The vendor's flow: upgrade, restart, AT+RESTORE (facts/at-commands.md 4). */
static void proof__outlives_a_restore(void **state)
{
    struct world *w = world_after_upgrade(1);
    uint8_t mode = 9;
    size_t len = 1;
    (void)state;

    w->port->wifi.status.state = ALOFT_WIFI_IDLE;
    world_run(w, "AT+CWMODE=1", 10);
    world_run(w, "AT+RESTORE", 100);
    assert_int_equal(w->port->boot.n_restarts, 1);
    assert_err(w->port->port.settings.get(w->port, "wifi.mode", &mode, &len), ALOFT_ERR_NOT_FOUND);
    reboot(w);
    fake_net_add_text(&w->net, world_version_answer);
    fake_port_run(w->port, 5000);
    assert_int_equal(w->net.n_contacts, 1);
    assert_string_equal(w->net.contacts[0].host, "tls.test");
    assert_false(has_setting(w));
    world_free(w);
}

static void restore__owes_no_proof_without_an_upgrade(void **state)
{
    struct world *w = world_new(512);
    (void)state;

    world_run(w, "AT+RESTORE", 100);
    assert_int_equal(w->port->boot.n_restarts, 1);
    assert_false(has_setting(w));
    world_free(w);
}

static void proof__ends_with_a_restart(void **state)
{
    struct world *w = world_after_upgrade(0);
    (void)state;

    fake_net_add(&w->net, "", 0)->end = FAKE_END_SILENCE;
    fake_port_run(w->port, 1000);
    assert_int_equal(w->net.n_open, 1);
    world_run(w, "AT+RST", 100);
    assert_int_equal(w->net.n_open, 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upgrade__leaves_the_setting_with_its_mode),
        cmocka_unit_test(first_boot__asks_that_server_once_and_prints_nothing),
        cmocka_unit_test(ordinary_boot__asks_nothing),
        cmocka_unit_test(proof__waits_for_an_address),
        cmocka_unit_test(proof__tries_five_times_with_growing_pauses),
        cmocka_unit_test(proof__counts_a_refusal_as_an_answer_and_a_fault_not),
        cmocka_unit_test(proof__yields_to_a_command_and_comes_back),
        cmocka_unit_test(proof__does_not_count_the_tries_it_gave_up),
        cmocka_unit_test(next_upgrade__is_proven_instead_of_the_last_one),
        cmocka_unit_test(next_upgrade__is_proven_even_if_the_last_one_waits_for_the_client),
        cmocka_unit_test(proof__outlives_a_restore),
        cmocka_unit_test(restore__owes_no_proof_without_an_upgrade),
        cmocka_unit_test(proof__ends_with_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
