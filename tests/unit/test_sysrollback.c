/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <string.h>

#include "aloft/app_image.h"

/* AT+SYSROLLBACK (facts/at-commands.md 4), on the slots of the C3. */

#define OK          "\r\nOK\r\n"
#define ERROR       "\r\nERROR\r\n"
#define VERIFY_MS   200
#define VERSION_OFF 0x30

static int set_up(void **state)
{
    *state = world_new(40000);
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static uint8_t *slot_bytes(struct world *w, const struct aloft_slot *slot)
{
    return w->port->flash.bytes + slot->addr;
}

static void put_image(struct world *w, const struct aloft_slot *slot)
{
    memcpy(slot_bytes(w, slot), w->image, w->image_len);
}

static void set_version(struct world *w, const struct aloft_slot *slot, const char *version)
{
    memset(slot_bytes(w, slot) + VERSION_OFF, 0, 32);
    memcpy(slot_bytes(w, slot) + VERSION_OFF, version, strlen(version));
}

static void query__names_the_running_slot_and_then_the_other(void **state)
{
    struct world *w = *state;

    put_image(w, &w->port->boot.running);
    put_image(w, &w->port->boot.spare);
    set_version(w, &w->port->boot.running, "v5.0.1.0");
    set_version(w, &w->port->boot.spare, "v4.1.1.0");
    assert_string_equal(world_run(w, "AT+SYSROLLBACK?", 10),
                        "+SYSROLLBACK:0x60000,\"v5.0.1.0\",0x230000,\"v4.1.1.0\"\r\n" OK);
    set_version(w, &w->port->boot.spare, "v4.1.1.0-71-g05ade88d-dirty-long"); /* all 32 bytes */
    assert_string_equal(
        world_run(w, "AT+SYSROLLBACK?", 10),
        "+SYSROLLBACK:0x60000,\"v5.0.1.0\",0x230000,\"v4.1.1.0-71-g05ade88d-dirty-long\"\r\n" OK);
}

static void query__leaves_a_version_empty_where_none_can_be_read(void **state)
{
    struct world *w = *state;

    put_image(w, &w->port->boot.running);
    set_version(w, &w->port->boot.running, "v5.0.1.0");
    assert_string_equal(world_run(w, "AT+SYSROLLBACK?", 10),
                        "+SYSROLLBACK:0x60000,\"v5.0.1.0\",0x230000,\"\"\r\n" OK);
    put_image(w, &w->port->boot.spare);
    set_version(w, &w->port->boot.spare, "v1\r\nready\r\n");
    assert_string_equal(world_run(w, "AT+SYSROLLBACK?", 10),
                        "+SYSROLLBACK:0x60000,\"v5.0.1.0\",0x230000,\"\"\r\n" OK);
}

static void query__without_two_slots_is_an_error(void **state)
{
    struct world *w = *state;

    w->port->boot.running_err = ALOFT_ERR_NOT_FOUND;
    assert_string_equal(world_run(w, "AT+SYSROLLBACK?", 10), ERROR);
    w->port->boot.running_err = ALOFT_ERR_OK;
    w->port->boot.spare_err = ALOFT_ERR_NO_SLOT;
    assert_string_equal(world_run(w, "AT+SYSROLLBACK?", 10), ERROR);
    assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), ERROR);
    assert_int_equal(w->port->boot.n_selects, 0);
}

static void other_forms__are_errors(void **state)
{
    struct world *w = *state;

    put_image(w, &w->port->boot.spare);
    assert_string_equal(world_run(w, "AT+SYSROLLBACK=?", VERIFY_MS), ERROR);
    assert_string_equal(world_run(w, "AT+SYSROLLBACK=1", VERIFY_MS), ERROR);
    assert_int_equal(w->port->boot.n_selects, 0);
}

static void execute__selects_the_other_slot_and_restarts(void **state)
{
    struct world *w = *state;

    put_image(w, &w->port->boot.spare);
    assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), OK);
    world_assert_upgraded(w); /* also: not a byte of the slot was touched */
    world_assert_flash_untouched(w);
    assert_int_equal(w->port->boot.n_restarts, 1);
    assert_int_equal(w->net.n_contacts, 0);
}

/* The facts say nothing of an image that is not confirmed: it is the one that needs a way back.
 * What it goes back to is not put on trial. */
static void execute__gives_up_an_unconfirmed_image(void **state)
{
    struct world *w = *state;

    put_image(w, &w->port->boot.spare);
    w->port->boot.is_unconfirmed = true;
    assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), OK);
    assert_int_equal(w->port->boot.n_rejects, 1);
    assert_int_equal(w->port->boot.n_selects, 0);
    assert_int_equal(w->port->boot.n_restarts, 1);
}

static void execute__selects_where_an_unconfirmed_image_cannot_be_given_up(void **state)
{
    struct world *w = *state;

    put_image(w, &w->port->boot.spare);
    w->port->boot.is_unconfirmed = true;
    w->port->boot.reject_err = ALOFT_ERR_FLASH;
    assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), ERROR);
    assert_int_equal(w->port->boot.n_selects, 0);
    w->port->boot.reject_err = ALOFT_ERR_STATE; /* no valid entry beside its own */
    assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), OK);
    assert_int_equal(w->port->boot.n_selects, 1);
    assert_int_equal(w->port->boot.n_restarts, 1);
}

/* Only the verified image of the slot is gone back to. */
static void execute__gives_nothing_up_for_what_would_not_boot(void **state)
{
    struct world *w = *state;

    w->port->boot.is_unconfirmed = true;
    assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), ERROR);
    assert_int_equal(w->port->boot.n_rejects, 0);
    assert_int_equal(w->port->boot.n_selects, 0);
}

static void execute__reads_a_portion_a_step(void **state)
{
    struct world *w = *state;
    unsigned n_steps = 0;

    put_image(w, &w->port->boot.spare);
    fake_port_send(w->port, "AT+SYSROLLBACK\r\n");
    for (; w->port->boot.n_selects == 0; n_steps++) {
        assert_in_range(n_steps, 0, 1000);
        if (n_steps == 3) {
            fake_port_send(w->port, "AT\r\n");
            assert_string_equal(fake_port_read(w->port), "\r\nbusy p...\r\n");
        }
        (void)aloft_module_step(&w->port->module, w->port->now_ms);
    }
    assert_true(n_steps >= w->image_len / ALOFT_CONFIG_HTTP_BYTES);
}

static void execute__refuses_what_would_not_boot(void **state)
{
    struct world *w = *state;
    uint8_t *bytes = slot_bytes(w, &w->port->boot.spare);
    const size_t offs[] = {0, 1, 12, 40, 20000, w->image_len - 33, w->image_len - 1};

    assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), ERROR); /* erased */
    for (size_t i = 0; i < sizeof offs / sizeof offs[0]; i++) {
        put_image(w, &w->port->boot.spare);
        bytes[offs[i]] ^= 0x40;
        assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), ERROR);
    }
    memset(bytes, 0xFF, w->image_len);
    memcpy(bytes, w->image, w->image_len / 2); /* an upgrade that broke off */
    assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), ERROR);
    assert_int_equal(w->port->boot.n_selects, 0);
    assert_int_equal(w->port->boot.n_restarts, 0);
    assert_int_equal(w->port->module.upgrade.n_unexpected, 0);
}

/* Segments may say that the image is longer than its slot: nothing behind the slot is read. */
static void execute__reads_nothing_behind_the_slot(void **state)
{
    struct world *w = *state;

    put_image(w, &w->port->boot.spare);
    w->port->boot.spare.size_bytes = 0x8000;
    assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), ERROR);
    assert_non_null(strstr(w->port->log, " err=TOO_BIG "));
}

static void execute__fails_where_the_slot_cannot_be_selected(void **state)
{
    struct world *w = *state;

    put_image(w, &w->port->boot.spare);
    w->port->boot.select_err = ALOFT_ERR_SECURE_VERSION;
    assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), ERROR);
    assert_int_equal(w->port->boot.n_restarts, 0);
}

static void execute__waits_for_no_upgrade(void **state)
{
    struct world *w = *state;

    put_image(w, &w->port->boot.spare);
    fake_net_add(&w->net, w->answer, 2000)->end = FAKE_END_SILENCE;
    world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\",\"ota\",1", 100);
    assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), ERROR);
    assert_int_equal(w->net.n_open, 1); /* it goes on */
    assert_int_equal(w->port->boot.n_selects, 0);
}

/* The other slot holds what the next restart boots: that is no way back. */
static void execute__is_refused_while_an_upgrade_waits_for_its_restart(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, w->answer_len);
    world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\",\"ota\",1", 3000);
    world_assert_upgraded(w);
    assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), ERROR);
    assert_int_equal(w->port->boot.n_selects, 1);
    assert_int_equal(w->port->boot.n_restarts, 0);
}

/* The two share a buffer. What a proof is owed for is settled after the restart. */
static void execute__takes_the_buffer_from_a_proof(void **state)
{
    struct world *w = *state;
    uint8_t mode = 0;
    size_t len = 1;

    assert_err(w->port->port.settings.set(w->port, "upgrade.mode", &mode, 1), ALOFT_ERR_OK);
    world_reboot(w);
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
    fake_net_add(&w->net, "", 0)->end = FAKE_END_SILENCE;
    fake_net_add_text(&w->net, world_version_answer);
    put_image(w, &w->port->boot.spare);
    world_run(w, "AT", 1000);
    assert_int_equal(w->net.n_open, 1);
    assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), OK);
    assert_int_equal(w->net.n_open, 0);
    assert_int_equal(w->net.n_contacts, 1);
    assert_err(w->port->port.settings.get(w->port, "upgrade.mode", &mode, &len), ALOFT_ERR_OK);
}

/* What it took it gives back. */
static void execute__that_fails_lets_the_proof_try_again(void **state)
{
    struct world *w = *state;
    uint8_t mode = 0;

    assert_err(w->port->port.settings.set(w->port, "upgrade.mode", &mode, 1), ALOFT_ERR_OK);
    world_reboot(w);
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
    fake_net_add(&w->net, "", 0)->end = FAKE_END_SILENCE;
    fake_net_add_text(&w->net, world_version_answer);
    world_run(w, "AT", 1000);
    assert_int_equal(w->net.n_open, 1);
    assert_string_equal(world_run(w, "AT+SYSROLLBACK", VERIFY_MS), ERROR); /* nothing there */
    assert_int_equal(w->net.n_open, 0);
    world_run(w, "AT", 3000);
    assert_int_equal(w->net.n_contacts, 2);
    assert_int_equal(w->net.n_open, 0);
}

/* Nor does a proof that becomes possible meanwhile begin. */
static void execute__keeps_the_buffer_from_a_proof(void **state)
{
    struct world *w = *state;
    uint8_t mode = 0;

    assert_err(w->port->port.settings.set(w->port, "upgrade.mode", &mode, 1), ALOFT_ERR_OK);
    world_reboot(w);
    fake_net_add_text(&w->net, world_version_answer);
    put_image(w, &w->port->boot.spare);
    w->port->boot.select_err = ALOFT_ERR_FLASH;
    fake_port_send(w->port, "AT+SYSROLLBACK\r\n");
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
    w->port->now_ms += 1000; /* past the proof's next look */
    while (w->port->boot.n_selects == 0 && w->port->log[0] == '\0') {
        assert_int_equal(w->net.n_contacts, 0);
        (void)aloft_module_step(&w->port->module, w->port->now_ms);
    }
    world_run(w, "AT", 1000);
    assert_int_equal(w->net.n_contacts, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(query__names_the_running_slot_and_then_the_other),
        CASE(query__leaves_a_version_empty_where_none_can_be_read),
        CASE(query__without_two_slots_is_an_error),
        CASE(other_forms__are_errors),
        CASE(execute__selects_the_other_slot_and_restarts),
        CASE(execute__gives_up_an_unconfirmed_image),
        CASE(execute__selects_where_an_unconfirmed_image_cannot_be_given_up),
        CASE(execute__gives_nothing_up_for_what_would_not_boot),
        CASE(execute__reads_a_portion_a_step),
        CASE(execute__refuses_what_would_not_boot),
        CASE(execute__reads_nothing_behind_the_slot),
        CASE(execute__fails_where_the_slot_cannot_be_selected),
        CASE(execute__waits_for_no_upgrade),
        CASE(execute__is_refused_while_an_upgrade_waits_for_its_restart),
        CASE(execute__takes_the_buffer_from_a_proof),
        CASE(execute__that_fails_lets_the_proof_try_again),
        CASE(execute__keeps_the_buffer_from_a_proof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
