/* SPDX-License-Identifier: Apache-2.0 */
#include "web_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialogue.h"
#include "fake_image.h"

/* POST /setotadata and /restart (facts/at-commands.md 3.3, 6.3). */

#define DONE_MS 2000

struct upload {
    struct web_world *w;
    uint8_t *image;
    size_t image_len;
    char *request;
};

static int set_up(void **state)
{
    struct upload *u = calloc(1, sizeof *u);

    u->w = web_world_new();
    web_world_start(u->w);
    u->image = fake_image_new(70000, 1, &u->image_len);
    *state = u;
    return 0;
}

static int tear_down_upload(void **state)
{
    struct upload *u = *state;

    web_world_free(u->w);
    free(u->image);
    free(u->request);
    free(u);
    return 0;
}

/* A client sends a head for `total` bytes and `len` of them; nothing has happened yet. */
static struct fake_client *begin(struct upload *u, const char *object, size_t total, size_t len)
{
    char head[256];
    int head_len = snprintf(head, sizeof head,
                            "POST /setotadata HTTP/1.1\r\nHost: 192.168.4.1\r\n%s"
                            "Content-Type: application/octet-stream;charset=UTF-8\r\n"
                            "Content-Length: %zu\r\n\r\n",
                            object, total);

    free(u->request);
    u->request = malloc((size_t)head_len + len);
    memcpy(u->request, head, (size_t)head_len);
    for (size_t i = 0; i < len; i++) {
        u->request[(size_t)head_len + i] = (char)u->image[i % u->image_len];
    }
    return fake_net_connect(&u->w->net, WEB_PORT, u->request, (size_t)head_len + len, 0);
}

static void assert_untouched(const struct upload *u)
{
    assert_int_equal(u->w->port->flash.n_erases, 0);
    assert_int_equal(u->w->port->flash.n_writes, 0);
    assert_int_equal(u->w->port->boot.n_selects, 0);
}

static void assert_upgraded(const struct upload *u)
{
    const struct aloft_slot *slot = &u->w->port->boot.spare;

    assert_int_equal(u->w->port->boot.n_selects, 1);
    assert_memory_equal(u->w->port->flash.bytes + slot->addr, u->image, u->image_len);
}

static void assert_refused(struct upload *u, const char *object, size_t total, size_t len)
{
    struct fake_client *client = begin(u, object, total, len);

    web_world_pass(u->w, DONE_MS);
    assert_string_equal(client->response, web_failed);
    assert_true(client->is_closed);
    assert_string_equal(fake_port_read(u->w->port), "+WEBSERVERRSP:3\r\n+WEBSERVERRSP:5\r\n");
    assert_untouched(u);
}

static void test_an_image_is_stored_and_selected_and_nothing_restarts(void **state)
{
    struct upload *u = *state;
    struct fake_client *client = begin(u, "Object: ota\r\n", u->image_len, u->image_len);

    web_world_pass(u->w, DONE_MS);
    assert_string_equal(client->response, web_done);
    assert_false(client->is_closed);
    assert_string_equal(fake_port_read(u->w->port), "+WEBSERVERRSP:3\r\n+WEBSERVERRSP:4\r\n");
    assert_upgraded(u);
    assert_int_equal(u->w->port->boot.n_restarts, 0);
}

static void test_an_upload_waits_for_nothing_but_its_peer(void **state)
{
    struct upload *u = *state;
    struct fake_client *client = begin(u, "Object: ota\r\n", u->image_len, u->image_len);

    fake_port_run(u->w->port, 200); /* with no more steps than the module asks for */
    assert_string_equal(client->response, web_done);
}

static void test_an_image_in_small_portions_is_stored_too(void **state)
{
    struct upload *u = *state;
    struct fake_client *client = begin(u, "object:ota \r\n", u->image_len, u->image_len);

    client->script.portion = 97;
    web_world_pass(u->w, DONE_MS);
    assert_string_equal(client->response, web_done);
    assert_upgraded(u);
}

static void test_rsp_4_comes_after_the_answer(void **state)
{
    struct upload *u = *state;
    struct fake_client *client = begin(u, "Object: ota\r\n", u->image_len, u->image_len);

    client->script.write_err = ALOFT_ERR_AGAIN;
    web_world_pass(u->w, DONE_MS);
    assert_string_equal(fake_port_read(u->w->port), "+WEBSERVERRSP:3\r\n");
    client->script.write_err = ALOFT_ERR_OK;
    web_world_pass(u->w, 10);
    assert_string_equal(client->response, web_done);
    assert_string_equal(fake_port_read(u->w->port), "+WEBSERVERRSP:4\r\n");
}

static void test_a_client_that_leaves_before_the_answer_has_its_image_stored(void **state)
{
    struct upload *u = *state;
    struct fake_client *client = begin(u, "Object: ota\r\n", u->image_len, u->image_len);

    client->script.write_err = ALOFT_ERR_IO;
    web_world_pass(u->w, DONE_MS);
    assert_string_equal(fake_port_read(u->w->port), "+WEBSERVERRSP:3\r\n+WEBSERVERRSP:4\r\n");
    assert_upgraded(u);
    assert_true(client->is_closed);
}

static void test_row_36_without_object_the_answer_is_400_and_no_line_is_printed(void **state)
{
    struct upload *u = *state;
    struct fake_client *client = begin(u, "", u->image_len, u->image_len);

    web_world_pass(u->w, DONE_MS);
    assert_string_equal(client->response, web_bad);
    assert_true(client->is_closed);
    assert_string_equal(fake_port_read(u->w->port), "");
    assert_untouched(u);
}

static void test_row_38_only_ota_itself_is_the_firmware(void **state)
{
    static const char *const objects[] = {"Object: otadata\r\n", "Object: ota_1\r\n",
                                          "Object: OTA\r\n",     "Object: ot\r\n",
                                          "Object:\r\n",         "Object: \"ota\"\r\n"};
    struct upload *u = *state;

    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        assert_refused(u, objects[i], u->image_len, u->image_len);
    }
}

static void test_row_35_user_partitions_are_refused_before_anything_is_erased(void **state)
{
    struct upload *u = *state;

    assert_refused(u, "Object: mfg_nvs\r\n", 1000, 1000);
    assert_refused(u, "Object: no_such_label\r\n", 1000, 1000);
}

static void test_a_body_of_no_or_too_many_bytes_is_refused_before_erase(void **state)
{
    struct upload *u = *state;

    assert_refused(u, "Object: ota\r\n", 0, 0);
    assert_refused(u, "Object: ota\r\n", u->w->port->boot.spare.size_bytes + 1, 5000);
    assert_refused(u, "Object: ota\r\n", SIZE_MAX, 5000);
}

static void test_a_body_without_length_is_refused(void **state)
{
    struct upload *u = *state;
    struct fake_client *client =
        web_world_say(u->w, "POST /setotadata HTTP/1.1\r\nHost: m\r\nObject: ota\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n4\r\n\xe9\x01\x02\x03\r\n0\r\n\r\n");

    web_world_pass(u->w, DONE_MS);
    assert_string_equal(client->response, web_failed);
    assert_true(client->is_closed);
    assert_string_equal(fake_port_read(u->w->port), "+WEBSERVERRSP:3\r\n+WEBSERVERRSP:5\r\n");
    assert_untouched(u);
}

static void test_a_wrong_image_is_refused_before_erase(void **state)
{
    struct upload *u = *state;

    u->image[12] ^= 1; /* another chip: facts/esp-formats.md 1 */
    assert_refused(u, "Object: ota\r\n", u->image_len, u->image_len);
}

static void test_a_damaged_image_is_not_selected(void **state)
{
    struct upload *u = *state;

    u->image[u->image_len - 1] ^= 1;
    struct fake_client *client = begin(u, "Object: ota\r\n", u->image_len, u->image_len);
    web_world_pass(u->w, DONE_MS);
    assert_string_equal(client->response, web_failed);
    assert_string_equal(fake_port_read(u->w->port), "+WEBSERVERRSP:3\r\n+WEBSERVERRSP:5\r\n");
    assert_int_equal(u->w->port->boot.n_selects, 0);
}

static void test_a_refused_client_may_send_on_and_is_then_closed(void **state)
{
    struct upload *u = *state;
    struct fake_client *client = begin(u, "Object: mfg_nvs\r\n", 100000, 60000);

    web_world_pass(u->w, 50);
    assert_string_equal(client->response, web_failed);
    assert_int_equal(client->progress.n_sent, client->script.len);
    assert_false(client->is_closed);
    web_world_pass(u->w, 1000);
    assert_true(client->is_closed);
}

static void test_a_refused_client_that_never_stops_is_closed_after_5_s(void **state)
{
    struct upload *u = *state;
    struct fake_client *client = begin(u, "Object: mfg_nvs\r\n", 100000000, 60000);

    client->script.portion = 10;
    web_world_pass(u->w, 4900);
    assert_false(client->is_closed);
    web_world_pass(u->w, 200);
    assert_true(client->is_closed);
}

static void test_a_client_that_vanishes_leaves_the_choice_and_the_server_goes_on(void **state)
{
    struct upload *u = *state;
    struct fake_client *client = begin(u, "Object: ota\r\n", u->image_len, u->image_len - 1000);

    client->script.end = FAKE_END_RESET;
    web_world_pass(u->w, 200);
    assert_string_equal(fake_port_read(u->w->port), "+WEBSERVERRSP:3\r\n+WEBSERVERRSP:5\r\n");
    assert_true(client->is_closed);
    assert_int_equal(u->w->port->boot.n_selects, 0);
    client = begin(u, "Object: ota\r\n", u->image_len, u->image_len);
    web_world_pass(u->w, DONE_MS);
    assert_string_equal(client->response, web_done);
    assert_upgraded(u);
}

static void test_row_41_a_stalled_upload_ends_and_others_go_on(void **state)
{
    struct upload *u = *state;
    struct fake_client *client = begin(u, "Object: ota\r\n", u->image_len, u->image_len - 1000);

    web_world_pass(u->w, 100);
    struct fake_client *other = web_world_say(u->w, "GET /getversion HTTP/1.1\r\nHost: m\r\n\r\n");
    web_world_pass(u->w, ALOFT_CONFIG_STALL_MS - 500);
    assert_string_equal(client->response, "");
    assert_string_equal(other->response, "");
    web_world_pass(u->w, 500 + 1000);
    assert_string_equal(client->response, web_failed);
    assert_true(client->is_closed);
    assert_memory_equal(other->response, "HTTP/1.1 200 OK\r\n", 17);
    assert_string_equal(fake_port_read(u->w->port), "+WEBSERVERRSP:3\r\n+WEBSERVERRSP:5\r\n");
    assert_int_equal(u->w->port->boot.n_selects, 0);
}

static void test_row_19_another_upgrade_is_not_touched(void **state)
{
    struct upload *u = *state;
    struct fake_answer *answer = fake_net_add_text(&u->w->net, "");

    answer->end = FAKE_END_SILENCE;
    expect(u->w->port, "AT+CIUPDATE=0,\"v1\",\"ota\",1\r\n", "\r\nOK\r\n");
    web_world_pass(u->w, 10);
    (void)fake_port_read(u->w->port);
    struct fake_client *client = begin(u, "Object: ota\r\n", u->image_len, u->image_len);
    web_world_pass(u->w, 100);
    assert_string_equal(client->response, web_failed);
    assert_string_equal(fake_port_read(u->w->port), "+WEBSERVERRSP:3\r\n+WEBSERVERRSP:5\r\n");
    assert_true(aloft_upgrade_is_running(&u->w->port->module));
    assert_untouched(u);
}

static void test_row_19_a_command_waits_for_nobody_while_an_upload_runs(void **state)
{
    struct upload *u = *state;

    (void)begin(u, "Object: ota\r\n", u->image_len, u->image_len - 1000);
    web_world_pass(u->w, 100);
    expect(u->w->port, "AT+CIUPDATE=0,\"v1\",\"ota\",1\r\n", "+WEBSERVERRSP:3\r\n\r\nERROR\r\n");
}

static void test_stopping_the_server_ends_an_upload(void **state)
{
    struct upload *u = *state;

    (void)begin(u, "Object: ota\r\n", u->image_len, u->image_len - 1000);
    web_world_pass(u->w, 100);
    expect(u->w->port, "AT+WEBSERVER=0\r\n", "+WEBSERVERRSP:3\r\n+WEBSERVERRSP:5\r\n\r\nOK\r\n");
    assert_false(aloft_upgrade_is_running(&u->w->port->module));
    assert_int_equal(u->w->net.n_open, 0);
}

static void test_an_upload_somebody_else_cancels_is_answered(void **state)
{
    struct upload *u = *state;
    struct fake_client *client = begin(u, "Object: ota\r\n", u->image_len, u->image_len - 1000);

    web_world_pass(u->w, 100);
    aloft_upgrade_cancel(&u->w->port->module);
    web_world_pass(u->w, 100);
    assert_string_equal(client->response, web_failed);
    assert_string_equal(fake_port_read(u->w->port), "+WEBSERVERRSP:3\r\n+WEBSERVERRSP:5\r\n");
}

/* -- /restart ---------------------------------------------------------------------------------- */

static void test_row_44_restart_is_answered_and_then_takes_place(void **state)
{
    struct upload *u = *state;

    web_world_expect(u->w, "POST /restart HTTP/1.1\r\nHost: m\r\n\r\n", web_done);
    assert_int_equal(u->w->port->boot.n_restarts, 0);
    web_world_pass(u->w, 500);
    assert_int_equal(u->w->port->boot.n_restarts, 1);
    assert_int_equal(u->w->net.n_open, 0);
    assert_string_equal(fake_port_read(u->w->port), "");
}

static void test_row_44_a_stopped_server_keeps_its_promise_to_restart(void **state)
{
    struct upload *u = *state;

    web_world_expect(u->w, "POST /restart HTTP/1.1\r\nHost: m\r\n\r\n", web_done);
    expect(u->w->port, "AT+WEBSERVER=0\r\n", "\r\nOK\r\n");
    fake_port_run(u->w->port, 1000);
    assert_int_equal(u->w->port->boot.n_restarts, 1);
}

static void test_row_44_restart_is_refused_while_an_upgrade_runs(void **state)
{
    struct upload *u = *state;

    fake_net_add_text(&u->w->net, "")->end = FAKE_END_SILENCE;
    expect(u->w->port, "AT+CIUPDATE=0,\"v1\",\"ota\",1\r\n", "\r\nOK\r\n");
    web_world_expect(u->w, "POST /restart HTTP/1.1\r\nHost: m\r\n\r\n", web_failed);
    web_world_pass(u->w, 1000);
    assert_int_equal(u->w->port->boot.n_restarts, 0);
}

static void test_row_34_other_sites_pages_cannot_restart_the_module(void **state)
{
    struct upload *u = *state;

    web_world_expect(
        u->w, "POST /restart HTTP/1.1\r\nHost: m\r\nOrigin: http://evil.test\r\n\r\n",
        web_answer("403 Forbidden", "text/html", "This request comes from another site"));
    web_world_pass(u->w, 1000);
    assert_int_equal(u->w->port->boot.n_restarts, 0);
}

static bool not_yet(struct aloft_module *m, void *ctx)
{
    (void)m;
    (void)ctx;
    return false;
}

/* Anybody in the network could bring the old image back. */
static void test_row_44_restart_is_refused_while_the_image_is_on_trial(void **state)
{
    struct upload *u = *state;

    u->w->port->module.config.confirm.check = not_yet;
    u->w->port->module.upgrade.confirm.is_due = true;
    web_world_expect(u->w, "POST /restart HTTP/1.1\r\nHost: m\r\n\r\n", web_failed);
    web_world_pass(u->w, 1000);
    assert_int_equal(u->w->port->boot.n_restarts, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_upload)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_an_image_is_stored_and_selected_and_nothing_restarts),
        TEST(test_an_upload_waits_for_nothing_but_its_peer),
        TEST(test_an_image_in_small_portions_is_stored_too),
        TEST(test_rsp_4_comes_after_the_answer),
        TEST(test_a_client_that_leaves_before_the_answer_has_its_image_stored),
        TEST(test_row_36_without_object_the_answer_is_400_and_no_line_is_printed),
        TEST(test_row_38_only_ota_itself_is_the_firmware),
        TEST(test_row_35_user_partitions_are_refused_before_anything_is_erased),
        TEST(test_a_body_of_no_or_too_many_bytes_is_refused_before_erase),
        TEST(test_a_body_without_length_is_refused),
        TEST(test_a_wrong_image_is_refused_before_erase),
        TEST(test_a_damaged_image_is_not_selected),
        TEST(test_a_refused_client_may_send_on_and_is_then_closed),
        TEST(test_a_refused_client_that_never_stops_is_closed_after_5_s),
        TEST(test_a_client_that_vanishes_leaves_the_choice_and_the_server_goes_on),
        TEST(test_row_41_a_stalled_upload_ends_and_others_go_on),
        TEST(test_row_19_another_upgrade_is_not_touched),
        TEST(test_row_19_a_command_waits_for_nobody_while_an_upload_runs),
        TEST(test_stopping_the_server_ends_an_upload),
        TEST(test_an_upload_somebody_else_cancels_is_answered),
        TEST(test_row_44_restart_is_answered_and_then_takes_place),
        TEST(test_row_44_a_stopped_server_keeps_its_promise_to_restart),
        TEST(test_row_44_restart_is_refused_while_an_upgrade_runs),
        TEST(test_row_34_other_sites_pages_cannot_restart_the_module),
        TEST(test_row_44_restart_is_refused_while_the_image_is_on_trial),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
