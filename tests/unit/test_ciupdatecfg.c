/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <stdio.h>
#include <string.h>

#include "server_choice.h"

/* AT+CIUPDATECFG: the update server at run time. Which requests go there is seen on their wire. */

#define OK      "\r\nOK\r\n"
#define ERROR   "\r\nERROR\r\n"
#define TOKEN_A "00112233445566778899aabbccddeeff00112233"
#define TOKEN_B "FFEEDDCCBBAA99887766554433221100ffeeddcc"
#define SETTING "update.server"

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

static struct fake_setting *stored(const struct world *w)
{
    for (size_t i = 0; i < FAKE_SETTINGS; i++) {
        if (strcmp(w->port->settings[i].key, SETTING) == 0) {
            return &w->port->settings[i];
        }
    }
    return NULL;
}

static void nothing_set__shows_the_compiled_in_server_without_its_tokens(void **state)
{
    struct world *w = *state;

    expect(w, "AT+CIUPDATECFG?", "+CIUPDATECFG:\"plain.test\",80,443,\"\",\"\"\r\n" OK);
    assert_null(stored(w));
}

static void all_five__are_shown_as_they_were_set(void **state)
{
    struct world *w = *state;

    expect(w, "AT+CIUPDATECFG=\"update.example\",8080,8443,\"" TOKEN_A "\",\"" TOKEN_B "\"", OK);
    expect(w, "AT+CIUPDATECFG?",
           "+CIUPDATECFG:\"update.example\",8080,8443,\"" TOKEN_A "\",\"" TOKEN_B "\"\r\n" OK);
}

static void omitted_and_empty__are_as_compiled_in(void **state)
{
    struct world *w = *state;
    static const char *const rows[][2] = {
        {"AT+CIUPDATECFG=\"192.0.2.7\"", "\"192.0.2.7\",80,443,\"\",\"\""},
        {"AT+CIUPDATECFG=\"2001:db8::7\",1", "\"2001:db8::7\",1,443,\"\",\"\""},
        {"AT+CIUPDATECFG=,8080", "\"plain.test\",8080,443,\"\",\"\""},
        {"AT+CIUPDATECFG=\"\",,65535", "\"plain.test\",80,65535,\"\",\"\""},
        {"AT+CIUPDATECFG=\"h\",,,\"\",\"" TOKEN_A "\"", "\"h\",80,443,\"\",\"" TOKEN_A "\""},
        {"AT+CIUPDATECFG=\"h\",,,\"" TOKEN_A "\",", "\"h\",80,443,\"" TOKEN_A "\",\"\""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char wanted[160];
        (void)snprintf(wanted, sizeof wanted, "+CIUPDATECFG:%s\r\n" OK, rows[i][1]);
        expect(w, rows[i][0], OK);
        expect(w, "AT+CIUPDATECFG?", wanted);
    }
}

static void an_empty_host_alone__goes_back_to_the_compiled_in_server(void **state)
{
    struct world *w = *state;

    expect(w, "AT+CIUPDATECFG=\"update.example\",8080", OK);
    assert_non_null(stored(w));
    expect(w, "AT+CIUPDATECFG=\"\"", OK);
    assert_null(stored(w));
    expect(w, "AT+CIUPDATECFG?", "+CIUPDATECFG:\"plain.test\",80,443,\"\",\"\"\r\n" OK);
}

static void what_is_not_a_server__is_refused_and_changes_nothing(void **state)
{
    struct world *w = *state;
    static const char *const rows[] = {
        "AT+CIUPDATECFG",
        "AT+CIUPDATECFG=?",
        "AT+CIUPDATECFG=update.example",
        "AT+CIUPDATECFG=1",
        "AT+CIUPDATECFG=\"two words\"",
        "AT+CIUPDATECFG=\"user@host\"",
        "AT+CIUPDATECFG=\"host/path\"",
        "AT+CIUPDATECFG=\"host:80\"",
        "AT+CIUPDATECFG=\"[2001:db8::7]\"",
        "AT+CIUPDATECFG=\"fe80::1%25eth0\"",
        "AT+CIUPDATECFG=\"1111:2222:3333:4444:5555:6666:7777:8888:9999:0\"",
        "AT+CIUPDATECFG=\".example\"",
        "AT+CIUPDATECFG=\"-example\"",
        "AT+CIUPDATECFG=\"h\xC3\xB6\"",
        "AT+CIUPDATECFG=\"h\",0",
        "AT+CIUPDATECFG=\"h\",65536",
        "AT+CIUPDATECFG=\"h\",-1",
        "AT+CIUPDATECFG=\"h\",\"80\"",
        "AT+CIUPDATECFG=\"h\",80,0",
        "AT+CIUPDATECFG=\"h\",80,443,\"0123\"",
        "AT+CIUPDATECFG=\"h\",80,443,\"" TOKEN_A "0\"",
        "AT+CIUPDATECFG=\"h\",80,443,\"0011223344556677889gaabbccddeeff00112233\"",
        "AT+CIUPDATECFG=\"h\",80,443,,0",
        "AT+CIUPDATECFG=\"h\",80,443,\"" TOKEN_A "\",\"" TOKEN_B "\",",
    };

    expect(w, "AT+CIUPDATECFG=\"before.example\",81", OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(w, rows[i], ERROR);
    }
    expect(w, "AT+CIUPDATECFG?", "+CIUPDATECFG:\"before.example\",81,443,\"\",\"\"\r\n" OK);
}

static void a_wrong_parameter__is_named_by_its_error_code(void **state)
{
    struct world *w = *state;

    expect(w, "AT+SYSLOG=1", OK);
    expect(w, "AT+CIUPDATECFG=\"a b\"", "ERR CODE:0x01070000\r\n" ERROR);
    expect(w, "AT+CIUPDATECFG=\"h\",0", "ERR CODE:0x01070001\r\n" ERROR);
    expect(w, "AT+CIUPDATECFG=\"h\",80,443,\"" TOKEN_A "0\"", "ERR CODE:0x01040003\r\n" ERROR);
    expect(w, "AT+CIUPDATECFG=\"h\",80,443,,\"0\"", "ERR CODE:0x01070004\r\n" ERROR);
    expect(w, "AT+CIUPDATECFG=,,,,,", "ERR CODE:0x01060506\r\n" ERROR);
}

static void a_host__has_up_to_127_bytes(void **state)
{
    struct world *w = *state;
    char line[200];

    (void)snprintf(line, sizeof line, "AT+CIUPDATECFG=\"%0127d\"", 0);
    expect(w, line, OK);
    (void)snprintf(line, sizeof line, "+CIUPDATECFG:\"%0127d\",80,443,\"\",\"\"\r\n" OK, 0);
    expect(w, "AT+CIUPDATECFG?", line);
    (void)snprintf(line, sizeof line, "AT+CIUPDATECFG=\"%0128d\"", 0);
    expect(w, line, ERROR);
}

/* One value, so that a power cut leaves the old or the new server; layout of server_choice.c. */
static void the_choice__is_one_setting_of_a_fixed_layout(void **state)
{
    struct world *w = *state;
    uint8_t wanted[212] = {1, 'u', '.', 't'};

    wanted[128] = 0x90; /* 8080, 8443 */
    wanted[129] = 0x1F;
    wanted[130] = 0xFB;
    wanted[131] = 0x20;
    memcpy(wanted + 132, TOKEN_A, 40);
    memcpy(wanted + 172, TOKEN_B, 40);
    expect(w, "AT+CIUPDATECFG=\"u.t\",8080,8443,\"" TOKEN_A "\",\"" TOKEN_B "\"", OK);
    assert_int_equal(stored(w)->len, sizeof wanted);
    assert_memory_equal(stored(w)->value, wanted, sizeof wanted);
}

static void a_stored_layout_of_the_future__is_as_nothing_set(void **state)
{
    struct world *w = *state;
    static const struct {
        uint8_t layout;
        size_t len;
    } rows[] = {{2, 212}, {1, 211}, {1, 213}, {1, 0}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(w, "AT+CIUPDATECFG=\"u.t\"", OK);
        stored(w)->value[0] = rows[i].layout;
        stored(w)->len = rows[i].len;
        expect(w, "AT+CIUPDATECFG?", "+CIUPDATECFG:\"plain.test\",80,443,\"\",\"\"\r\n" OK);
    }
}

/* A server that vanished at the restart would leave the proof without its address. */
static void the_choice__survives_a_restart_whatever_sysstore_says(void **state)
{
    struct world *w = *state;

    expect(w, "AT+SYSSTORE=0", OK);
    expect(w, "AT+CIUPDATECFG=\"update.example\",8080", OK);
    world_run(w, "AT+RST", 10);
    world_reboot(w);
    expect(w, "AT+CIUPDATECFG?", "+CIUPDATECFG:\"update.example\",8080,443,\"\",\"\"\r\n" OK);
}

static void restore__brings_the_compiled_in_server_back(void **state)
{
    struct world *w = *state;

    expect(w, "AT+CIUPDATECFG=\"update.example\",8080", OK);
    world_run(w, "AT+RESTORE", 10);
    world_reboot(w);
    expect(w, "AT+CIUPDATECFG?", "+CIUPDATECFG:\"plain.test\",80,443,\"\",\"\"\r\n" OK);
}

static void a_setting_that_cannot_be_stored__is_an_error_and_the_old_one_stands(void **state)
{
    struct world *w = *state;

    expect(w, "AT+CIUPDATECFG=\"old.example\"", OK);
    w->port->settings_err = ALOFT_ERR_IO;
    expect(w, "AT+CIUPDATECFG=\"new.example\",80,443,\"" TOKEN_A "\"", ERROR);
    expect(w, "AT+CIUPDATECFG?", "+CIUPDATECFG:\"old.example\",80,443,\"\",\"\"\r\n" OK);
    assert_string_equal(w->port->log, "settings.store_failed err=IO\n");
}

static void while_an_upgrade_runs__the_choice_stands(void **state)
{
    struct world *w = *state;

    fake_net_add_text(&w->net, world_version_answer)->end = FAKE_END_SILENCE;
    w->net.answers[0].n_ready_waits = 1000;
    expect(w, "AT+CIUPDATE=0,,,1", OK "+CIPUPDATE:1\r\n");
    expect(w, "AT+CIUPDATECFG=\"update.example\"", ERROR);
    expect(w, "AT+CIUPDATECFG?", "+CIUPDATECFG:\"plain.test\",80,443,\"\",\"\"\r\n" OK);
}

static void a_mode_that_is_not_built_in__stays_so(void **state)
{
    struct world *w = *state;
    struct aloft_server_choice choice;
    struct aloft_server server;

    w->config.tls.host = NULL;
    world_reboot(w);
    expect(w, "AT+CIUPDATECFG=\"update.example\",81,444", OK);
    aloft_server_get(&w->port->module, 1, &choice, &server);
    assert_null(server.host);
    aloft_server_get(&w->port->module, 0, &choice, &server);
    assert_string_equal(server.host, "update.example");
    assert_int_equal(server.port, 81);
    assert_string_equal(server.token, w->config.plain.token);
}

#define NOT_FOUND "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
#define SET_ALL   "AT+CIUPDATECFG=\"update.example\",8080,8443,\"" TOKEN_A "\",\"" TOKEN_B "\""

static void assert_contact(const struct world *w, size_t i, const char *host, uint16_t port)
{
    assert_true(i < w->net.n_contacts);
    assert_string_equal(w->net.contacts[i].host, host);
    assert_int_equal(w->net.contacts[i].port, port);
}

static void assert_asked(const struct world *w, size_t i, const char *text)
{
    if (strstr(w->net.contacts[i].request, text) == NULL) {
        fail_msg("no %s in %s", text, w->net.contacts[i].request);
    }
}

static void an_upgrade__asks_the_chosen_server_of_its_mode(void **state)
{
    struct world *w = *state;

    expect(w, SET_ALL, OK);
    fake_net_add_text(&w->net, NOT_FOUND);
    fake_net_add_text(&w->net, NOT_FOUND);
    world_run(w, "AT+CIUPDATE=0", 100);
    world_run(w, "AT+CIUPDATE=1", 100);
    assert_contact(w, 0, "update.example", 8080);
    assert_asked(w, 0, "\r\nHost: update.example:8080\r\n");
    assert_asked(w, 0, "\r\nAuthorization: token " TOKEN_A "\r\n");
    assert_string_equal(w->net.contacts[0].tls_host, "");
    assert_contact(w, 1, "update.example", 8443);
    assert_asked(w, 1, "\r\nHost: update.example:8443\r\n");
    assert_asked(w, 1, "\r\nAuthorization: token " TOKEN_B "\r\n");
    assert_string_equal(w->net.contacts[1].tls_host, "update.example");
}

static void a_choice_taken_back__leaves_the_compiled_in_server(void **state)
{
    struct world *w = *state;

    expect(w, SET_ALL, OK);
    expect(w, "AT+CIUPDATECFG=\"\"", OK);
    fake_net_add_text(&w->net, NOT_FOUND);
    world_run(w, "AT+CIUPDATE=0", 100);
    assert_contact(w, 0, "plain.test", 80);
    assert_asked(w, 0, "\r\nAuthorization: token 0123456789abcdef0123456789abcdef01234567\r\n");
}

static void an_ipv6_literal__stands_in_brackets_in_the_host_field(void **state)
{
    struct world *w = *state;

    expect(w, "AT+CIUPDATECFG=\"2001:db8::7\",8080", OK);
    fake_net_add_text(&w->net, NOT_FOUND);
    world_run(w, "AT+CIUPDATE=0", 100);
    assert_contact(w, 0, "2001:db8::7", 8080);
    assert_asked(w, 0, "\r\nHost: [2001:db8::7]:8080\r\n");
}

/* facts/at-commands.md 6.1, row 15: stock ignores configured ports here. */
static void row_15_the_list_of_versions__comes_from_the_chosen_server_and_port(void **state)
{
    struct world *w = *state;

    expect(w, SET_ALL, OK);
    fake_net_add_text(&w->net, NOT_FOUND);
    world_run(w, "AT+CIPFWVER?", 100);
    assert_contact(w, 0, "update.example", 8443);
    assert_asked(w, 0, "\r\nAuthorization: token " TOKEN_B "\r\n");
}

/* The token is the chosen server's: the compiled-in one is a stranger then. */
static void a_redirect__keeps_the_token_on_the_chosen_host_only(void **state)
{
    struct world *w = *state;

    expect(w, SET_ALL, OK);
    fake_net_add_text(&w->net, "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n");
    fake_net_add_text(&w->net, "HTTP/1.1 302 Found\r\nLocation: http://plain.test/y\r\n"
                               "Content-Length: 0\r\n\r\n");
    fake_net_add_text(&w->net, NOT_FOUND);
    world_run(w, "AT+CIUPDATE=0", 100);
    assert_contact(w, 1, "update.example", 8080);
    assert_asked(w, 1, "\r\nAuthorization: token " TOKEN_A "\r\n");
    assert_contact(w, 2, "plain.test", 80);
    assert_null(strstr(w->net.contacts[2].request, "Authorization"));
}

static void owe_proof(struct world *w)
{
    const uint8_t mode = 0;

    assert_err(w->port->port.settings.set(w->port, "upgrade.mode", &mode, 1), ALOFT_ERR_OK);
    world_reboot(w);
    w->port->wifi.status.state = ALOFT_WIFI_GOT_IP;
}

static void the_proof_after_an_upgrade__goes_to_the_chosen_server(void **state)
{
    struct world *w = *state;

    expect(w, SET_ALL, OK);
    owe_proof(w);
    fake_net_add_text(&w->net, world_version_answer);
    world_run(w, "AT", 1000);
    assert_contact(w, 0, "update.example", 8080);
    assert_asked(w, 0, "\r\nAuthorization: token " TOKEN_A "\r\n");
}

static void a_proof_that_runs__begins_anew_at_the_new_server(void **state)
{
    struct world *w = *state;

    owe_proof(w);
    fake_net_add_text(&w->net, "")->end = FAKE_END_SILENCE;
    fake_net_add_text(&w->net, world_version_answer);
    world_run(w, "AT", 1000);
    assert_contact(w, 0, "plain.test", 80);
    expect(w, SET_ALL, OK);
    assert_int_equal(w->net.n_open, 0);
    world_run(w, "AT", 5000);
    assert_contact(w, 1, "update.example", 8080);
}

static void tokens__never_reach_the_log(void **state)
{
    struct world *w = *state;

    expect(w, "AT+CIUPDATECFG=\"h\",80,443,\"" TOKEN_A "\",\"" TOKEN_B "\"", OK);
    expect(w, "AT+CIUPDATECFG?",
           "+CIUPDATECFG:\"h\",80,443,\"" TOKEN_A "\",\"" TOKEN_B "\"\r\n" OK);
    assert_string_equal(w->port->log, "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(nothing_set__shows_the_compiled_in_server_without_its_tokens),
        CASE(all_five__are_shown_as_they_were_set),
        CASE(omitted_and_empty__are_as_compiled_in),
        CASE(an_empty_host_alone__goes_back_to_the_compiled_in_server),
        CASE(what_is_not_a_server__is_refused_and_changes_nothing),
        CASE(a_wrong_parameter__is_named_by_its_error_code),
        CASE(a_host__has_up_to_127_bytes),
        CASE(the_choice__is_one_setting_of_a_fixed_layout),
        CASE(a_stored_layout_of_the_future__is_as_nothing_set),
        CASE(the_choice__survives_a_restart_whatever_sysstore_says),
        CASE(restore__brings_the_compiled_in_server_back),
        CASE(a_setting_that_cannot_be_stored__is_an_error_and_the_old_one_stands),
        CASE(while_an_upgrade_runs__the_choice_stands),
        CASE(a_mode_that_is_not_built_in__stays_so),
        CASE(an_upgrade__asks_the_chosen_server_of_its_mode),
        CASE(a_choice_taken_back__leaves_the_compiled_in_server),
        CASE(an_ipv6_literal__stands_in_brackets_in_the_host_field),
        CASE(row_15_the_list_of_versions__comes_from_the_chosen_server_and_port),
        CASE(a_redirect__keeps_the_token_on_the_chosen_host_only),
        CASE(the_proof_after_an_upgrade__goes_to_the_chosen_server),
        CASE(a_proof_that_runs__begins_anew_at_the_new_server),
        CASE(tokens__never_reach_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
