/* SPDX-License-Identifier: Apache-2.0 */
#include "update_world.h"

#include <stdio.h>
#include <string.h>

/* The version document: what a server may answer, in which form and in which pieces. */

#define DONE_MS 10000
#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define SMALL   512

/* facts/ciupdate-wire.md 2.3: what must fail. */
static void row_09_answers_without_a_fit_version_are_refused(void **state)
{
    static const struct {
        const char *answer;
        const char *reason;
    } rows[] = {
        {"HTTP/1.0 404 Not Found\r\nContent-Length: 41\r\n\r\n"
         "{\"status\": 404, \"message\": \"no release\"}",
         "HTTP_STATUS"},
        {OK_HEAD "\r\n{\"status\": 404, \"message\": \"no release\"}", "NO_VERSION"},
        {OK_HEAD "\r\n{}", "NO_VERSION"},
        {OK_HEAD "\r\n{\"rom_version\": 5}", "NO_VERSION"},
        {OK_HEAD "\r\n{\"a\": {\"rom_version\": \"v1\"}}", "NO_VERSION"},
        {OK_HEAD "\r\n{\"rom_version\": \"v1\"", "TRUNCATED"},
        {OK_HEAD "\r\n{\"rom_version\": \"v1", "TRUNCATED"},
        {OK_HEAD "\r\n", "TRUNCATED"},
        {OK_HEAD "Content-Length: 30\r\n\r\n{\"rom_version\": \"v1\"", "TRUNCATED"},
        {OK_HEAD "\r\n<html>rom_version\": \"v1\", status</html>", "SYNTAX"},
        {OK_HEAD "\r\n{\"rom_version\": \"v1 x\"}", "SYNTAX"},
        {OK_HEAD "\r\n{\"rom_version\": \"\"}", "SYNTAX"},
        {OK_HEAD "\r\n{\"rom_version\": \"v1\\r\\nX: y\"}", "SYNTAX"},
        {OK_HEAD "\r\n{\"rom_version\": "
                 "\"01234567890123456789012345678901234567890123456789012345678901234\"}",
         "SYNTAX"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_new(SMALL);
        fake_net_add_text(&w->net, rows[i].answer);
        fake_net_add(&w->net, w->answer, w->answer_len);
        assert_string_equal(world_run(w, "AT+CIUPDATE=0", DONE_MS),
                            "+CIPUPDATE:1\r\n+CIPUPDATE:2\r\n\r\nERROR\r\n");
        world_assert_failed(w, rows[i].reason);
        assert_int_equal(w->net.n_contacts, 1);
        world_assert_flash_untouched(w);
        world_free(w);
    }
}

/* facts/ciupdate-wire.md 2.3: each arrival in its table, the failing ones too. */
static void row_07_row_08_a_document_of_any_form_in_any_portions_succeeds(void **state)
{
    static const char *const bodies[] = {
        "{\"recommended_rom_version\": \"v5.0.1.0\", \"status\": 200}",
        "{\"recommended_rom_version\":\"v5.0.1.0\",\"status\":200}",
        "{\"status\": 200, \"recommended_rom_version\": \"v5.0.1.0\"}",
        "\n{ \"a\" : [{ \"rom_version\" : 1 } , null] , \"rom_version\"\t:\r\n\"v5\\u002e0.1.0\"} ",
        "{\"rom_version\": \"v5.0.1.0\", \"x_rom_version\": \"v9\"}",
    };
    char answer[300];
    (void)state;

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        size_t len =
            (size_t)snprintf(answer, sizeof answer, OK_HEAD "Content-Length: %zu\r\n\r\n%s",
                             strlen(bodies[i]), bodies[i]);
        for (size_t n = 0; n < len; n += i == 0 ? 1 : 29) {
            struct world *w = world_new(SMALL);
            struct fake_answer *script = fake_net_add(&w->net, answer, len);
            script->first = n;
            script->portion = n < 4 ? n : 4096;
            fake_net_add(&w->net, w->answer, w->answer_len);
            assert_string_equal(world_run(w, "AT+CIUPDATE=0", DONE_MS),
                                "+CIPUPDATE:1\r\n+CIPUPDATE:2\r\n+CIPUPDATE:3\r\n"
                                "+CIPUPDATE:4\r\n\r\nOK\r\n");
            world_assert_upgraded(w);
            assert_non_null(strstr(w->net.contacts[1].request, "&version=v5.0.1.0&"));
            world_free(w);
        }
    }
}

/* facts/ciupdate-wire.md 2.4: stock hangs on an open connection; a whole document is enough. */
static void version__document_is_complete_without_a_close(void **state)
{
    struct world *w = world_new(SMALL);

    (void)state;
    fake_net_add_text(&w->net, OK_HEAD "\r\n{\"rom_version\": \"v5.0.1.0\"}")->end =
        FAKE_END_SILENCE;
    fake_net_add(&w->net, w->answer, w->answer_len);
    world_run(w, "AT+CIUPDATE=0", DONE_MS);
    world_assert_upgraded(w);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_09_answers_without_a_fit_version_are_refused),
        cmocka_unit_test(row_07_row_08_a_document_of_any_form_in_any_portions_succeeds),
        cmocka_unit_test(version__document_is_complete_without_a_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
