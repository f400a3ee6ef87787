/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <string.h>

/* The trial of a new image: policies, the limit, and what happens when it is over. */

#define KEY     "upgrade.mode"
#define RESTART "\r\nWill force to restart!!!\r\n"
#define REFUSED "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
#define FAULT   "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"

static bool has_setting(const struct world *w)
{
    uint8_t mode = 0;
    size_t len = 1;

    return w->port->port.settings.get(w->port, KEY, &mode, &len) == ALOFT_ERR_OK;
}

/* The first boot behind an upgrade, without network yet. */
static struct world *world_on_trial(enum aloft_confirm_policy policy, uint32_t limit_s)
{
    struct world *w = world_new(512);
    uint8_t mode = 0;

    w->config.confirm.policy = policy;
    w->config.confirm.limit_s = limit_s;
    w->port->boot.is_unconfirmed = true;
    w->port->boot.reason = ALOFT_BOOT_UPGRADE;
    assert_err(w->port->port.settings.set(w->port, KEY, &mode, 1), ALOFT_ERR_OK);
    world_reboot(w);
    return w;
}

static void go_online(struct world *w)
{
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
}

static void ready__confirms_before_the_word(void **state)
{
    struct fake_port *f = fake_port_new();
    struct aloft_module_config config = fake_port_config();
    (void)state;

    f->boot.is_unconfirmed = true;
    fake_port_boot(f, &config);
    assert_int_equal(f->boot.n_confirms, 1);
    assert_int_equal(f->boot.out_len_at_confirm, 0);
    fake_port_run(f, 3600 * 1000);
    assert_int_equal(f->boot.n_confirms, 1);
    assert_int_equal(f->boot.n_rejects, 0);
    fake_port_free(f);
}

static void confirmed_image__is_on_no_trial(void **state)
{
    (void)state;
    for (int policy = ALOFT_CONFIRM_READY; policy <= ALOFT_CONFIRM_SERVER; policy++) {
        struct world *w = world_new(512);
        w->config.confirm.policy = (enum aloft_confirm_policy)policy;
        w->config.confirm.limit_s = 1;
        world_reboot(w);
        go_online(w);
        fake_port_run(w->port, 60000);
        assert_int_equal(w->port->boot.n_confirms, 0);
        assert_int_equal(w->port->boot.n_rejects, 0);
        assert_int_equal(w->port->boot.n_restarts, 0);
        assert_int_equal(w->net.n_contacts, 0);
        world_free(w);
    }
}

static void network__confirms_with_the_address(void **state)
{
    struct world *w = world_on_trial(ALOFT_CONFIRM_NETWORK, 0);
    (void)state;

    w->port->wifi.status.state = ALOFT_WIFI_CONNECTED;
    fake_port_run(w->port, 30000);
    assert_int_equal(w->port->boot.n_confirms, 0);
    go_online(w);
    fake_port_run(w->port, 1000);
    assert_int_equal(w->port->boot.n_confirms, 1);
    fake_port_run(w->port, 3600 * 1000);
    assert_int_equal(w->port->boot.n_confirms, 1);
    assert_int_equal(w->port->boot.n_rejects, 0);
    world_free(w);
}

static void network__that_stays_away_leads_back_at_the_limit(void **state)
{
    static const uint32_t limits_s[] = {30, 0};
    static const uint32_t wanted_s[] = {30, 600};
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        struct world *w = world_on_trial(ALOFT_CONFIRM_NETWORK, limits_s[i]);
        fake_port_run(w->port, wanted_s[i] * 1000 - 1000);
        assert_int_equal(w->port->boot.n_rejects, 0);
        (void)fake_port_read(w->port);
        fake_port_run(w->port, 2000);
        assert_int_equal(w->port->boot.n_rejects, 1);
        assert_int_equal(w->port->boot.n_restarts, 1);
        assert_string_equal(fake_port_read(w->port), RESTART);
        assert_string_equal(w->port->log, "boot.confirm_limit_over\n");
        assert_true(has_setting(w)); /* The image before tells the server. */
        world_free(w);
    }
}

/* The host MCU may be in the middle of a command; it reads why there is no answer. */
static void limit__ends_a_running_command(void **state)
{
    struct world *w = world_on_trial(ALOFT_CONFIRM_NETWORK, 20);
    (void)state;

    world_run(w, "AT+CWMODE=1", 10);
    fake_port_send(w->port, "AT+CWJAP=\"ap\",\"password\",,,,,,60\r\n");
    (void)fake_port_read(w->port);
    fake_port_run(w->port, 21000);
    assert_string_equal(fake_port_read(w->port), RESTART);
    assert_int_equal(w->port->boot.n_restarts, 1);
    world_free(w);
}

/* A slow start: the limit is over before the module says its first word. */
static void limit__over_at_boot_leads_back_without_ready(void **state)
{
    struct fake_port *f = fake_port_new();
    struct aloft_module_config config = fake_port_config();
    (void)state;

    config.confirm.policy = ALOFT_CONFIRM_NETWORK;
    config.confirm.limit_s = 5;
    f->boot.is_unconfirmed = true;
    assert_err(aloft_module_init(&f->module, &f->port, &config, f->now_ms), ALOFT_ERR_OK);
    f->now_ms += 6000;
    fake_port_run(f, 1000);
    assert_int_equal(f->boot.n_rejects, 1);
    assert_int_equal(f->boot.n_restarts, 1);
    assert_string_equal(fake_port_read(f), RESTART);
    fake_port_free(f);
}

/* Nothing else would boot: the image that runs is better than none. */
static void limit__without_a_way_back_goes_on_trying(void **state)
{
    struct world *w = world_on_trial(ALOFT_CONFIRM_NETWORK, 30);
    (void)state;

    w->port->boot.reject_err = ALOFT_ERR_STATE;
    fake_port_run(w->port, 95000);
    assert_int_equal(w->port->boot.n_rejects, 3); /* Once a limit. */
    assert_int_equal(w->port->boot.n_restarts, 0);
    assert_non_null(strstr(w->port->log, "boot.reject_failed err=STATE\n"));
    go_online(w);
    fake_port_run(w->port, 1000);
    assert_int_equal(w->port->boot.n_confirms, 1);
    fake_port_run(w->port, 60000);
    assert_int_equal(w->port->boot.n_rejects, 3);
    world_free(w);
}

static void confirmation__that_cannot_be_written_is_tried_again(void **state)
{
    struct world *w = world_on_trial(ALOFT_CONFIRM_NETWORK, 30);
    (void)state;

    w->port->boot.confirm_err = ALOFT_ERR_FLASH;
    go_online(w);
    fake_port_run(w->port, 1000);
    assert_int_equal(w->port->boot.n_confirms, 1);
    w->port->boot.reject_err = ALOFT_ERR_FLASH;
    w->port->boot.confirm_err = ALOFT_ERR_OK;
    fake_port_run(w->port, 62000);
    assert_int_equal(w->port->boot.n_confirms, 2);
    assert_false(w->port->boot.is_unconfirmed);
    world_free(w);
}

static void server__confirms_with_any_answer_of_its_own(void **state)
{
    const char *const answers[] = {world_version_answer, REFUSED};
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        struct world *w = world_on_trial(ALOFT_CONFIRM_SERVER, 60);
        go_online(w);
        fake_net_add_text(&w->net, answers[i]);
        fake_port_run(w->port, 2000);
        assert_int_equal(w->net.n_contacts, 1);
        assert_non_null(strstr(w->net.contacts[0].request, "Aloft-Boot: upgrade\r\n"));
        assert_int_equal(w->port->boot.n_confirms, 1);
        assert_false(has_setting(w));
        fake_port_run(w->port, 120000);
        assert_int_equal(w->port->boot.n_rejects, 0);
        assert_int_equal(w->net.n_contacts, 1);
        world_free(w);
    }
}

static void server__that_fails_or_hides_is_asked_until_the_limit(void **state)
{
    struct world *w = world_on_trial(ALOFT_CONFIRM_SERVER, 600);
    (void)state;

    go_online(w);
    fake_net_add_text(&w->net, FAULT);
    for (int i = 0; i < 15; i++) {
        fake_net_add(&w->net, "", 0)->open_err = ALOFT_ERR_CONNECT;
    }
    fake_port_run(w->port, 599000);
    assert_int_equal(w->net.n_contacts, 14); /* Pauses of 2, 4, 8, 16, 32, then 64 s. */
    assert_int_equal(w->port->boot.n_confirms, 0);
    assert_int_equal(w->port->boot.n_rejects, 0);
    fake_port_run(w->port, 2000);
    assert_int_equal(w->port->boot.n_rejects, 1);
    assert_int_equal(w->port->boot.n_restarts, 1);
    assert_true(has_setting(w));
    assert_int_equal(w->net.n_open, 0);
    world_free(w);
}

/* Behind AT+SYSROLLBACK, or an upgrade by another door: nothing is owed, and yet asked for. */
static void server__is_asked_without_an_upgrade_that_owes_a_proof(void **state)
{
    struct world *w = world_new(512);
    (void)state;

    w->config.confirm.policy = ALOFT_CONFIRM_SERVER;
    w->config.plain.host = NULL;
    w->port->boot.is_unconfirmed = true;
    world_reboot(w);
    go_online(w);
    fake_net_add_text(&w->net, world_version_answer);
    fake_port_run(w->port, 2000);
    assert_int_equal(w->net.n_contacts, 1);
    assert_string_equal(w->net.contacts[0].host, "tls.test");
    assert_int_equal(w->port->boot.n_confirms, 1);
    world_free(w);
}

/* The firmware before had a plain server, this one has only the other. */
static void server__of_a_mode_that_is_gone_is_replaced_by_the_other(void **state)
{
    for (uint8_t mode = 0; mode <= 1; mode++) {
        struct world *w = world_new(512);
        (void)state;
        w->config.confirm.policy = ALOFT_CONFIRM_SERVER;
        *(mode == 0 ? &w->config.plain : &w->config.tls) = (struct aloft_server){.host = NULL};
        w->port->boot.is_unconfirmed = true;
        assert_err(w->port->port.settings.set(w->port, KEY, &mode, 1), ALOFT_ERR_OK);
        world_reboot(w);
        go_online(w);
        fake_net_add_text(&w->net, world_version_answer);
        fake_port_run(w->port, 2000);
        assert_int_equal(w->net.n_contacts, 1);
        assert_string_equal(w->net.contacts[0].host, mode == 0 ? "tls.test" : "plain.test");
        assert_int_equal(w->port->boot.n_confirms, 1);
        assert_false(has_setting(w));
        world_free(w);
    }
}

/* A refusal is not to end the request that the trial waits for. */
static void server__is_asked_on_behind_refused_upgrades(void **state)
{
    struct world *w = world_on_trial(ALOFT_CONFIRM_SERVER, 60);
    (void)state;

    go_online(w);
    fake_net_add(&w->net, "", 0)->end = FAKE_END_SILENCE;
    fake_net_add_text(&w->net, world_version_answer);
    fake_port_run(w->port, 1000);
    assert_int_equal(w->net.n_contacts, 1);
    (void)fake_port_read(w->port); /* Of Wi-Fi. */
    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\"", 100), "\r\nERROR\r\n");
    assert_int_equal(w->net.n_open, 1);
    w->port->boot.spare_err = ALOFT_ERR_NO_SLOT;
    assert_string_equal(world_run(w, "AT+SYSROLLBACK", 100), "\r\nERROR\r\n");
    assert_int_equal(w->net.n_open, 1);
    fake_port_run(w->port, 57000);
    assert_int_equal(w->net.n_contacts, 2); /* The silent one was given up. */
    assert_int_equal(w->port->boot.n_confirms, 1);
    assert_int_equal(w->port->boot.n_rejects, 0);
    world_free(w);
}

static void server__that_is_not_configured_leads_back(void **state)
{
    struct world *w = world_new(512);
    (void)state;

    w->config.confirm.policy = ALOFT_CONFIRM_SERVER;
    w->config.confirm.limit_s = 30;
    w->config.plain.host = NULL;
    w->config.tls.host = NULL;
    w->port->boot.is_unconfirmed = true;
    world_reboot(w);
    go_online(w);
    fake_port_run(w->port, 31000);
    assert_int_equal(w->port->boot.n_rejects, 1);
    world_free(w);
}

/* More tries than a byte counts; this port resolves no name. */
static void server__is_asked_for_a_whole_night(void **state)
{
    struct fake_port *f = fake_port_new();
    struct aloft_module_config config = fake_port_config();
    (void)state;

    config.confirm.policy = ALOFT_CONFIRM_SERVER;
    config.confirm.limit_s = 40000;
    f->boot.is_unconfirmed = true;
    f->wifi.status.state = ALOFT_WIFI_GOT_IP;
    fake_port_boot(f, &config);
    fake_port_run(f, 39999 * 1000);
    assert_int_equal(f->boot.n_rejects, 0);
    assert_int_equal(f->module.upgrade.proof.tries, UINT8_MAX);
    fake_port_run(f, 2000);
    assert_int_equal(f->boot.n_rejects, 1);
    fake_port_free(f);
}

static bool answer_of(struct aloft_module *m, void *ctx)
{
    (void)m;
    return *(bool *)ctx;
}

static void check__is_asked_until_it_says_true(void **state)
{
    struct world *w = world_new(512);
    bool is_good = false;
    (void)state;

    w->config.confirm.check = answer_of;
    w->config.confirm.check_ctx = &is_good;
    w->port->boot.is_unconfirmed = true;
    world_reboot(w);
    fake_port_run(w->port, 5000);
    assert_int_equal(w->port->boot.n_confirms, 0);
    is_good = true;
    fake_port_run(w->port, 1000);
    assert_int_equal(w->port->boot.n_confirms, 1);
    world_free(w);
}

/* The host MCU says so and restarts the module in the same breath. */
static void check__that_became_true_just_before_a_restart_counts(void **state)
{
    struct world *w = world_new(512);
    bool is_good = false;
    (void)state;

    w->config.confirm.check = answer_of;
    w->config.confirm.check_ctx = &is_good;
    w->port->boot.is_unconfirmed = true;
    world_reboot(w);
    is_good = true;
    fake_port_send(w->port, "AT+RST\r\n");
    assert_int_equal(w->port->boot.n_restarts, 1);
    assert_int_equal(w->port->boot.n_confirms, 1);
    world_free(w);
}

static void check__that_says_true_at_once_confirms_before_ready(void **state)
{
    struct fake_port *f = fake_port_new();
    struct aloft_module_config config = fake_port_config();
    bool is_good = true;
    (void)state;

    config.confirm.check = answer_of;
    config.confirm.check_ctx = &is_good;
    f->boot.is_unconfirmed = true;
    fake_port_boot(f, &config);
    assert_int_equal(f->boot.n_confirms, 1);
    assert_int_equal(f->boot.out_len_at_confirm, 0);
    fake_port_free(f);
}

static bool count_calls(struct aloft_module *m, void *ctx)
{
    (void)m;
    ++*(unsigned *)ctx;
    return false;
}

/* However busy the module is. */
static void check__is_asked_four_times_a_second(void **state)
{
    struct world *w = world_new(512);
    unsigned n_calls = 0;
    (void)state;

    w->config.confirm.check = count_calls;
    w->config.confirm.check_ctx = &n_calls;
    w->port->boot.is_unconfirmed = true;
    world_reboot(w);
    n_calls = 0;
    world_run(w, "AT", 10000); /* a step in each ms */
    assert_in_range(n_calls, 39, 41);
    world_free(w);
}

static void check__adds_to_the_policy_and_the_limit(void **state)
{
    struct world *w = world_on_trial(ALOFT_CONFIRM_NETWORK, 30);
    bool is_good = false;
    (void)state;

    w->config.confirm.check = answer_of;
    w->config.confirm.check_ctx = &is_good;
    world_reboot(w);
    go_online(w);
    fake_net_add_text(&w->net, world_version_answer);
    fake_port_run(w->port, 29000);
    assert_int_equal(w->port->boot.n_confirms, 0);
    assert_int_equal(w->net.n_contacts, 0); /* Not proven before it is confirmed. */
    fake_port_run(w->port, 2000);
    assert_int_equal(w->port->boot.n_rejects, 1);
    world_free(w);
}

/* The server said yes, the check did not: the image before still owes the server its word. */
static void check__that_fails_behind_the_server_leaves_the_proof_owed(void **state)
{
    struct world *w = world_on_trial(ALOFT_CONFIRM_SERVER, 30);
    bool is_good = false;
    (void)state;

    w->config.confirm.check = answer_of;
    w->config.confirm.check_ctx = &is_good;
    world_reboot(w);
    go_online(w);
    fake_net_add_text(&w->net, world_version_answer);
    fake_port_run(w->port, 31000);
    assert_int_equal(w->net.n_contacts, 1);
    assert_int_equal(w->port->boot.n_rejects, 1);
    assert_true(has_setting(w));

    w->port->boot.is_unconfirmed = false;
    w->port->boot.reason = ALOFT_BOOT_ROLLBACK;
    w->port->wifi.status.state = ALOFT_WIFI_IDLE;
    world_reboot(w);
    go_online(w);
    fake_net_add_text(&w->net, world_version_answer);
    fake_port_run(w->port, 2000);
    assert_non_null(strstr(w->net.contacts[0].request, "Aloft-Boot: rollback\r\n"));
    assert_false(has_setting(w));
    world_free(w);
}

static void trial__refuses_upgrades_until_it_is_over(void **state)
{
    struct world *w = world_on_trial(ALOFT_CONFIRM_NETWORK, 0);
    (void)state;

    assert_string_equal(world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\"", 300), "\r\nERROR\r\n");
    go_online(w);
    fake_net_add_text(&w->net, world_version_answer); /* the proof */
    fake_port_run(w->port, 1000);
    fake_net_add(&w->net, w->answer, w->answer_len);
    world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\"", 3000);
    assert_int_equal(w->port->boot.n_selects, 1);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready__confirms_before_the_word),
        cmocka_unit_test(confirmed_image__is_on_no_trial),
        cmocka_unit_test(network__confirms_with_the_address),
        cmocka_unit_test(network__that_stays_away_leads_back_at_the_limit),
        cmocka_unit_test(limit__ends_a_running_command),
        cmocka_unit_test(limit__over_at_boot_leads_back_without_ready),
        cmocka_unit_test(limit__without_a_way_back_goes_on_trying),
        cmocka_unit_test(confirmation__that_cannot_be_written_is_tried_again),
        cmocka_unit_test(server__confirms_with_any_answer_of_its_own),
        cmocka_unit_test(server__that_fails_or_hides_is_asked_until_the_limit),
        cmocka_unit_test(server__is_asked_without_an_upgrade_that_owes_a_proof),
        cmocka_unit_test(server__of_a_mode_that_is_gone_is_replaced_by_the_other),
        cmocka_unit_test(server__is_asked_on_behind_refused_upgrades),
        cmocka_unit_test(server__that_is_not_configured_leads_back),
        cmocka_unit_test(server__is_asked_for_a_whole_night),
        cmocka_unit_test(check__is_asked_until_it_says_true),
        cmocka_unit_test(check__that_became_true_just_before_a_restart_counts),
        cmocka_unit_test(check__that_says_true_at_once_confirms_before_ready),
        cmocka_unit_test(check__is_asked_four_times_a_second),
        cmocka_unit_test(check__adds_to_the_policy_and_the_limit),
        cmocka_unit_test(check__that_fails_behind_the_server_leaves_the_proof_owed),
        cmocka_unit_test(trial__refuses_upgrades_until_it_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
