/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <stdio.h>
#include <string.h>

#include "host/hashes.h"
#include "upgrade/engine.h"

/* AT+UPDATETLS: who may be the server of a TLS connection (facts/at-commands.md 6.1 row 11, 6.2 row
 * 28). What the port is told is seen in its connections; that it obeys is for the port's own tests.
 */

#define OK     "\r\nOK\r\n"
#define ERROR  "\r\nERROR\r\n"
#define PROMPT "\r\nOK\r\n\r\n>"

#define PIN_HEX "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define PIN_LOW "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PIN_BYTES                                                                                  \
    "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"                             \
    "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"

#define CA                                                                                         \
    "-----BEGIN CERTIFICATE-----\n"                                                                \
    "MIIBpzCCAU2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlBbG9mdCBD\nQSAx\n"                     \
    "-----END CERTIFICATE-----\n"
#define CA_LEN    "124"
#define UNTRUSTED OK_QUERY("0", "", "0", "")
#define OK_QUERY(trust, pin, ca_bytes, ca_sha256)                                                  \
    "+UPDATETLS:" trust ",\"" pin "\"," ca_bytes ",\"" ca_sha256 "\"\r\n" OK

static int set_up(void **state)
{
    *state = world_new(512);
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static void expect(struct world *w, const char *line, const char *wanted)
{
    assert_string_equal(world_run(w, line, 1), wanted);
}

/* What follows a prompt. */
static void expect_data(struct world *w, const char *data, const char *wanted)
{
    fake_port_send(w->port, data);
    assert_string_equal(fake_port_read(w->port), wanted);
}

static struct fake_setting *find_setting(const struct world *w, const char *key)
{
    for (size_t i = 0; i < FAKE_SETTINGS; i++) {
        if (strcmp(w->port->settings[i].key, key) == 0) {
            return &w->port->settings[i];
        }
    }
    return NULL;
}

static void store_ca(struct world *w)
{
    expect(w, "AT+UPDATETLS=1," CA_LEN, PROMPT);
    expect_data(w, CA, OK);
}

/* The next TLS connection, by CIUPDATE. */
static const struct fake_contact *connect_tls(struct world *w)
{
    size_t n = w->net.n_contacts;

    fake_net_add_text(&w->net, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    world_run(w, "AT+CIUPDATE=1,\"v1\"", 100);
    assert_int_equal(w->net.n_contacts, n + 1);
    assert_string_equal(w->net.contacts[n].tls_host, "tls.test");
    return &w->net.contacts[n];
}

static const char *query_of_ca(struct world *w, const char *trust)
{
    static char text[256];
    struct aloft_hash *sha256 = w->port->sha256;
    uint8_t digest[ALOFT_SHA256_BYTES];
    char hex[2 * ALOFT_SHA256_BYTES + 1];

    sha256->ops->start(sha256->state);
    sha256->ops->update(sha256->state, (const uint8_t *)CA, strlen(CA));
    sha256->ops->finish(sha256->state, digest);
    hex_encode(digest, sizeof digest, hex);
    (void)snprintf(text, sizeof text, OK_QUERY("%s", "", CA_LEN, "%s"), trust, hex);
    return text;
}

static void row_11_by_default__any_server_is_taken_and_the_log_warns(void **state)
{
    struct world *w = *state;

    expect(w, "AT+UPDATETLS?", UNTRUSTED);
    assert_int_equal(connect_tls(w)->tls_trust, ALOFT_TLS_TRUST_NONE);
    assert_false(w->net.contacts[0].has_pin);
    assert_non_null(strstr(w->port->log, "tls.unverified\n"));
}

static void row_11_a_pin__is_shown_stored_and_handed_to_each_connection(void **state)
{
    struct world *w = *state;

    expect(w, "AT+UPDATETLS=2,\"" PIN_HEX "\"", OK);
    for (int i = 0; i < 2; i++) {
        expect(w, "AT+UPDATETLS?", OK_QUERY("2", PIN_LOW, "0", ""));
        const struct fake_contact *contact = connect_tls(w);
        assert_int_equal(contact->tls_trust, ALOFT_TLS_TRUST_PIN);
        assert_memory_equal(contact->pin, PIN_BYTES, ALOFT_TLS_PIN_BYTES);
        world_reboot(w);
    }
    assert_null(strstr(w->port->log, "tls.unverified"));
}

static void row_11_a_ca__comes_in_a_data_phase_and_is_never_shown(void **state)
{
    struct world *w = *state;

    store_ca(w);
    const struct fake_setting *stored = find_setting(w, ALOFT_SETTING_TLS_CA);
    assert_int_equal(stored->len, strlen(CA));
    assert_memory_equal(stored->value, CA, strlen(CA));
    for (int i = 0; i < 2; i++) {
        expect(w, "AT+UPDATETLS?", query_of_ca(w, "1"));
        assert_int_equal(connect_tls(w)->tls_trust, ALOFT_TLS_TRUST_CA);
        world_reboot(w);
    }
    assert_null(strstr(w->port->log, "tls.unverified"));
}

static void the_list_of_versions__asks_the_same_server(void **state)
{
    struct world *w = *state;

    expect(w, "AT+UPDATETLS=2,\"" PIN_HEX "\"", OK);
    fake_net_add_text(&w->net, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    world_run(w, "AT+CIPFWVER?", 100);
    assert_int_equal(w->net.contacts[0].tls_trust, ALOFT_TLS_TRUST_PIN);
}

static void a_redirect__leads_only_to_trusted_servers(void **state)
{
    struct world *w = *state;

    expect(w, "AT+UPDATETLS=2,\"" PIN_HEX "\"", OK);
    fake_net_add_text(&w->net, "HTTP/1.1 302 Found\r\nLocation: https://other.test/x\r\n"
                               "Content-Length: 0\r\n\r\n");
    fake_net_add_text(&w->net, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    world_run(w, "AT+CIUPDATE=1,\"v1\"", 100);
    assert_string_equal(w->net.contacts[1].tls_host, "other.test");
    assert_int_equal(w->net.contacts[1].tls_trust, ALOFT_TLS_TRUST_PIN);
    assert_memory_equal(w->net.contacts[1].pin, PIN_BYTES, ALOFT_TLS_PIN_BYTES);
}

static void a_plain_connection__needs_no_trust_and_no_warning(void **state)
{
    struct world *w = *state;

    fake_net_add(&w->net, w->answer, w->answer_len);
    world_run(w, "AT+CIUPDATE=0,\"v5.0.1.0\"", 1000);
    assert_string_equal(w->net.contacts[0].tls_host, "");
    assert_null(strstr(w->port->log, "tls.unverified"));
}

static void a_ca_of_before__can_be_taken_up_again(void **state)
{
    struct world *w = *state;

    expect(w, "AT+UPDATETLS=1", ERROR); /* there is none yet */
    store_ca(w);
    expect(w, "AT+UPDATETLS=0", OK);
    expect(w, "AT+UPDATETLS?", query_of_ca(w, "0"));
    expect(w, "AT+UPDATETLS=2,\"" PIN_HEX "\"", OK);
    expect(w, "AT+UPDATETLS=1", OK);
    expect(w, "AT+UPDATETLS?", query_of_ca(w, "1"));
}

static void what_is_not_a_certificate__leaves_the_old_ca(void **state)
{
    struct world *w = *state;

    store_ca(w);
    expect(w, "AT+UPDATETLS=1,5", PROMPT);
    expect_data(w, "hello", ERROR);
    expect(w, "AT+UPDATETLS?", query_of_ca(w, "1"));
    assert_int_equal(find_setting(w, ALOFT_SETTING_TLS_CA)->len, strlen(CA));
    expect(w, "AT", OK);
}

static void a_host_that_falls_silent__gets_an_error_after_a_minute(void **state)
{
    struct world *w = *state;

    expect(w, "AT+UPDATETLS=1," CA_LEN, PROMPT);
    assert_string_equal(world_run(w, "-----BEGIN", 59000), "");
    assert_string_equal(world_run(w, "", 60001), ERROR);
    expect(w, "AT+UPDATETLS?", UNTRUSTED);
}

static void wrong_parameters__are_refused(void **state)
{
    struct world *w = *state;
    static const char *const rows[] = {
        "AT+UPDATETLS",
        "AT+UPDATETLS=",
        "AT+UPDATETLS=?",
        "AT+UPDATETLS=3",
        "AT+UPDATETLS=-1",
        "AT+UPDATETLS=\"0\"",
        "AT+UPDATETLS=0,",
        "AT+UPDATETLS=0,1",
        "AT+UPDATETLS=1,",
        "AT+UPDATETLS=1,0",
        "AT+UPDATETLS=1,8193",
        "AT+UPDATETLS=1,\"126\"",
        "AT+UPDATETLS=1,126,1",
        "AT+UPDATETLS=2",
        "AT+UPDATETLS=2,",
        "AT+UPDATETLS=2,\"\"",
        "AT+UPDATETLS=2,\"" PIN_HEX "0\"",
        "AT+UPDATETLS=2,\"0011\"",
        "AT+UPDATETLS=2,\"0011223344556677889gaabbccddeeff00112233445566778899aabbccddeeff\"",
        "AT+UPDATETLS=2,\"" PIN_HEX "\",1",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(w, rows[i], ERROR);
    }
    expect(w, "AT+UPDATETLS?", UNTRUSTED);
    assert_null(find_setting(w, "update.trust"));
}

/* Layout of trust.c: one value, stored, never renumbered. */
static void the_trust__is_one_setting_of_a_fixed_layout(void **state)
{
    struct world *w = *state;
    uint8_t wanted[68] = {1, 2};

    memcpy(wanted + 36, PIN_BYTES, ALOFT_TLS_PIN_BYTES);
    expect(w, "AT+UPDATETLS=2,\"" PIN_HEX "\"", OK);
    assert_int_equal(find_setting(w, "update.trust")->len, sizeof wanted);
    assert_memory_equal(find_setting(w, "update.trust")->value, wanted, sizeof wanted);
}

/* A pin that fell away because its record was written by a later firmware, or is damaged, would let
 * anybody in. */
static void a_record_that_cannot_be_read__trusts_nobody(void **state)
{
    struct world *w = *state;
    static const uint8_t nobody[ALOFT_TLS_PIN_BYTES];
    static const struct {
        size_t len;
        uint8_t layout;
        uint8_t trust;
    } rows[] = {{68, 2, 0}, {67, 1, 0}, {69, 1, 0}, {0, 1, 0}, {68, 1, 3}, {68, 1, 255}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(w, "AT+UPDATETLS=0", OK);
        struct fake_setting *stored = find_setting(w, "update.trust");
        stored->value[0] = rows[i].layout;
        stored->value[1] = rows[i].trust;
        stored->len = rows[i].len;
        world_reboot(w);
        const struct fake_contact *contact = connect_tls(w);
        assert_int_equal(contact->tls_trust, ALOFT_TLS_TRUST_PIN);
        assert_memory_equal(contact->pin, nobody, sizeof nobody);
    }
    expect(w, "AT+UPDATETLS=0", OK);
    assert_int_equal(connect_tls(w)->tls_trust, ALOFT_TLS_TRUST_NONE);
}

static void a_compiled_in_pin__holds_until_another_trust_is_stored(void **state)
{
    struct world *w = *state;

    w->config.trust = ALOFT_TLS_TRUST_PIN;
    w->config.pin = (const uint8_t *)PIN_BYTES;
    world_reboot(w);
    expect(w, "AT+UPDATETLS?", OK_QUERY("2", PIN_LOW, "0", ""));
    assert_int_equal(connect_tls(w)->tls_trust, ALOFT_TLS_TRUST_PIN);
    expect(w, "AT+UPDATETLS=0", OK);
    assert_int_equal(connect_tls(w)->tls_trust, ALOFT_TLS_TRUST_NONE);
    world_run(w, "AT+RESTORE", 10);
    world_reboot(w);
    assert_int_equal(connect_tls(w)->tls_trust, ALOFT_TLS_TRUST_PIN);
}

static void a_fixed_trust__is_not_the_hosts_to_change(void **state)
{
    struct world *w = *state;

    expect(w, "AT+UPDATETLS=0", OK);
    w->config.trust = ALOFT_TLS_TRUST_PIN;
    w->config.pin = (const uint8_t *)PIN_BYTES;
    w->config.is_trust_fixed = true;
    world_reboot(w);
    expect(w, "AT+UPDATETLS=0", ERROR);
    expect(w, "AT+UPDATETLS=1," CA_LEN, ERROR);
    expect(w, "AT+UPDATETLS?", OK_QUERY("2", PIN_LOW, "0", ""));
    assert_int_equal(connect_tls(w)->tls_trust, ALOFT_TLS_TRUST_PIN);
}

static void a_configuration_without_its_pin__is_refused(void **state)
{
    struct world *w = *state;

    w->config.trust = ALOFT_TLS_TRUST_PIN;
    assert_err(aloft_module_init(&w->port->module, &w->port->port, &w->config, 0), ALOFT_ERR_ARG);
}

static void without_a_buffer__there_is_no_data_phase(void **state)
{
    struct world *w = *state;

    w->config.url_buf = NULL;
    w->config.url_cap = 0;
    world_reboot(w);
    expect(w, "AT+UPDATETLS=1,1", ERROR);
}

static void while_an_upgrade_runs__the_trust_stands(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, world_version_answer)->n_ready_waits = 1000;
    expect(w, "AT+CIUPDATE=0,,,1", OK "+CIPUPDATE:1\r\n");
    expect(w, "AT+UPDATETLS=0", ERROR);
    expect(w, "AT+UPDATETLS=1," CA_LEN, ERROR);
    expect(w, "AT+UPDATETLS?", UNTRUSTED);
}

static void ignore_news(struct aloft_module *m, enum aloft_upgrade_news news)
{
    (void)m;
    (void)news;
}

/* Its hash is in use then, and its connections were made under the old trust. */
static void an_upgrade_that_began_meanwhile__wins_over_the_ca(void **state)
{
    struct world *w = *state;
    const struct aloft_upgrade_job job = {
        .version = "v1", .name = "ota", .tell = ignore_news, .mode = 0};

    fake_net_add_text(&w->net, "")->end = FAKE_END_SILENCE;
    expect(w, "AT+UPDATETLS=1," CA_LEN, PROMPT);
    assert_err(aloft_upgrade_start(&w->port->module, &job), ALOFT_ERR_OK);
    expect_data(w, CA, ERROR);
    expect(w, "AT+UPDATETLS?", UNTRUSTED);
    assert_null(find_setting(w, ALOFT_SETTING_TLS_CA));
}

/* The proof request after an upgrade began under the old trust. */
static void a_proof_request_that_runs__begins_anew_under_the_new_trust(void **state)
{
    struct world *w = *state;
    const uint8_t mode = 1;

    assert_err(w->port->port.settings.set(w->port, "upgrade.mode", &mode, 1), ALOFT_ERR_OK);
    world_reboot(w);
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
    fake_net_add_text(&w->net, "")->end = FAKE_END_SILENCE;
    fake_net_add_text(&w->net, world_version_answer);
    world_run(w, "AT", 1000);
    assert_int_equal(w->net.n_contacts, 1);
    expect(w, "AT+UPDATETLS=2,\"" PIN_HEX "\"", OK);
    assert_int_equal(w->net.n_open, 0);
    world_run(w, "AT", 5000);
    assert_int_equal(w->net.n_contacts, 2);
    assert_int_equal(w->net.contacts[1].tls_trust, ALOFT_TLS_TRUST_PIN);
}

static void what_cannot_be_stored__is_an_error_and_does_not_hold(void **state)
{
    struct world *w = *state;

    expect(w, "AT+UPDATETLS=2,\"" PIN_HEX "\"", OK);
    w->port->settings_err = ALOFT_ERR_IO;
    expect(w, "AT+UPDATETLS=0", ERROR);
    expect(w, "AT+UPDATETLS=1," CA_LEN, PROMPT);
    expect_data(w, CA, ERROR);
    assert_int_equal(connect_tls(w)->tls_trust, ALOFT_TLS_TRUST_PIN);
    assert_non_null(strstr(w->port->log, "settings.store_failed err=IO\n"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(row_11_by_default__any_server_is_taken_and_the_log_warns),
        CASE(row_11_a_pin__is_shown_stored_and_handed_to_each_connection),
        CASE(row_11_a_ca__comes_in_a_data_phase_and_is_never_shown),
        CASE(the_list_of_versions__asks_the_same_server),
        CASE(a_redirect__leads_only_to_trusted_servers),
        CASE(a_plain_connection__needs_no_trust_and_no_warning),
        CASE(a_ca_of_before__can_be_taken_up_again),
        CASE(what_is_not_a_certificate__leaves_the_old_ca),
        CASE(a_host_that_falls_silent__gets_an_error_after_a_minute),
        CASE(wrong_parameters__are_refused),
        CASE(the_trust__is_one_setting_of_a_fixed_layout),
        CASE(a_record_that_cannot_be_read__trusts_nobody),
        CASE(a_compiled_in_pin__holds_until_another_trust_is_stored),
        CASE(a_fixed_trust__is_not_the_hosts_to_change),
        CASE(a_configuration_without_its_pin__is_refused),
        CASE(without_a_buffer__there_is_no_data_phase),
        CASE(while_an_upgrade_runs__the_trust_stands),
        CASE(an_upgrade_that_began_meanwhile__wins_over_the_ca),
        CASE(a_proof_request_that_runs__begins_anew_under_the_new_trust),
        CASE(what_cannot_be_stored__is_an_error_and_does_not_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
