/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/join_policy.h"
#include "host/files.h"
#include "serve/settings.h"
#include "temp_dir.h"

struct place {
    char dir[256];
    char file[300];
    struct settings settings;
    struct error e;
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    if (!p || temp_dir_make(p->dir) != 0) {
        return -1;
    }
    (void)snprintf(p->file, sizeof p->file, "%s/" SETTINGS_FILE_NAME, p->dir);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    temp_dir_remove(p->dir);
    free(p);
    return 0;
}

static void write_file(const struct place *p, const char *text)
{
    assert_err(file_replace(p->file, text, strlen(text), 0600, NULL), ALOFT_ERR_OK);
}

static void assert_source(const struct place *p, enum setting_id id, const char *wanted)
{
    char source[SETTING_SOURCE_BYTES];

    setting_source(&p->settings, id, source);
    assert_string_equal(source, wanted);
}

static void load__gives_the_defaults(void **state)
{
    struct place *p = *state;
    struct settings_sources sources = {.flags[SETTING_data] = p->dir};

    assert_err(server_settings_load(&sources, &p->settings, &p->e), ALOFT_ERR_OK);
    assert_string_equal(p->settings.modules, "0.0.0.0:80");
    assert_string_equal(p->settings.certificate, "");
    assert_int_equal(p->settings.join, JOIN_INVITATION);
    assert_int_equal(p->settings.upload_max_bytes, 16 * 1024 * 1024);
    assert_int_equal(p->settings.proxies.n_items, 0);
    assert_string_equal(p->settings.file, "");
    assert_source(p, SETTING_join, "default");
    assert_source(p, SETTING_data, "--data");
}

static void load__a_flag_beats_a_variable_beats_the_file(void **state)
{
    struct place *p = *state;
    char *environment[] = {(char[]){"ALOFT_SESSION_HOURS=3"}, (char[]){"ALOFT_PROVEN_MINUTES=4"},
                           (char[]){"ALOFT_JOIN="}, (char[]){"ALOFT_STOP_SECONDSX=9"}, NULL};
    struct settings_sources sources = {.flags[SETTING_data] = p->dir,
                                       .flags[SETTING_proven_minutes] = "5",
                                       .environment = environment};

    write_file(p, "session_hours = 1\nproven_minutes = 1\nattempts_keep_days = 2\njoin = open\n"
                  "proxies = 10.0.0.0/8, ::1\n");
    assert_err(server_settings_load(&sources, &p->settings, &p->e), ALOFT_ERR_OK);
    assert_int_equal(p->settings.attempts_keep_days, 2);
    assert_source(p, SETTING_attempts_keep_days, SETTINGS_FILE_NAME ":3");
    assert_int_equal(p->settings.session_hours, 3);
    assert_source(p, SETTING_session_hours, "ALOFT_SESSION_HOURS");
    assert_int_equal(p->settings.proven_minutes, 5);
    assert_source(p, SETTING_proven_minutes, "--proven-minutes");
    assert_int_equal(p->settings.join, JOIN_OPEN); /* an empty variable is none */
    assert_int_equal(p->settings.stop_seconds, 10);
    assert_int_equal(p->settings.proxies.n_items, 2);
}

static void load__takes_the_file_it_is_given(void **state)
{
    struct place *p = *state;
    char text[300];
    char *environment[] = {text, NULL};
    struct settings_sources sources = {.file = p->file};

    write_file(p, "data = elsewhere\nthreads = 7\n");
    assert_err(server_settings_load(&sources, &p->settings, &p->e), ALOFT_ERR_OK);
    assert_string_equal(p->settings.data, "elsewhere");
    (void)snprintf(text, sizeof text, "ALOFT_CONFIG=%.250s/" SETTINGS_FILE_NAME, p->dir);
    sources = (struct settings_sources){.environment = environment};
    assert_err(server_settings_load(&sources, &p->settings, &p->e), ALOFT_ERR_OK);
    assert_int_equal(p->settings.threads, 7);
    (void)remove(p->file);
    assert_err(server_settings_load(&sources, &p->settings, &p->e), ALOFT_ERR_IO);
}

static void load__refuses_what_is_wrong_with_place_and_remedy(void **state)
{
    static const struct {
        const char *file;
        const char *sentence;
    } rows[] = {
        {"colour = red", ":1: there is no setting 'colour'; 'aloft serve --help' lists them"},
        {"join = open\n\njoin = closed", ":3: 'join' is in line 1 already: remove one of the two"},
        {"join = ope", ":1: join: 'ope' is none of open|invitation|closed"},
        {"join = open|invitation", ":1: join: 'open|invitation' is none of"},
        {"join =", ":1: join: '' is none of open|invitation|closed"},
        {"threads = 257", ":1: threads: '257' is not a number from 0 to 256 (threads)"},
        {"threads = -1", ":1: threads: '-1' is not a number"},
        {"threads = 1 ", NULL},
        {"threads =", ":1: threads: '' is not a number"},
        {"threads = 0x10", ":1: threads: '0x10' is not a number"},
        {"upload_max_bytes = 99999999999", "is not a number from 65536 to 1073741824 (bytes)"},
        {"session_hours = 0", "is not a number from 1 to 720 (hours)"},
        {"console = 8000", ":1: console: '8000' is not HOST:PORT"},
        {"console =", ":1: console: '' is not HOST:PORT"},
        {"public = host:99999", "the port must be a number from 0 to 65535"},
        {"public = host", NULL},
        {"proxies = 10.0.0.1/8", ":1: proxies: '10.0.0.1/8' has bits set behind its prefix"},
        {"cert = x.pem", "--cert and --key belong together"},
        {"key = x.pem", "--cert and --key belong together"},
        {"data =", NULL}, /* the flag names it */
    };
    struct place *p = *state;
    struct settings_sources sources = {.flags[SETTING_data] = p->dir};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_file(p, rows[i].file);
        p->settings.threads = 4711;
        enum aloft_err err = server_settings_load(&sources, &p->settings, &p->e);
        assert_int_equal(err == ALOFT_ERR_OK, rows[i].sentence == NULL);
        if (rows[i].sentence) {
            assert_non_null(strstr(p->e.sentence, rows[i].sentence));
            assert_int_equal(p->settings.threads, 4711); /* untouched */
        }
    }
}

static void load__names_the_flag_or_variable_that_is_wrong(void **state)
{
    struct place *p = *state;
    char *environment[] = {(char[]){"ALOFT_STOP_SECONDS=soon"}, NULL};
    char long_text[SETTING_TEXT_BYTES + 1];
    struct settings_sources sources = {.flags[SETTING_data] = p->dir, .environment = environment};

    assert_err(server_settings_load(&sources, &p->settings, &p->e), ALOFT_ERR_SYNTAX);
    assert_string_equal(p->e.sentence, "ALOFT_STOP_SECONDS: 'soon' is not a number from 0 to 3600 "
                                       "(seconds)");
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    sources = (struct settings_sources){.flags[SETTING_data] = p->dir,
                                        .flags[SETTING_certificate] = long_text};
    assert_err(server_settings_load(&sources, &p->settings, &p->e), ALOFT_ERR_SYNTAX);
    assert_string_equal(p->e.sentence, "--cert: the value has 1024 bytes, the limit is 1023");
    sources = (struct settings_sources){.file = NULL};
    assert_err(server_settings_load(&sources, &p->settings, &p->e), ALOFT_ERR_ARG);
}

static void value__is_what_a_file_would_say(void **state)
{
    struct place *p = *state;
    struct settings_sources sources = {.file = p->file};
    char text[8192] = "";
    size_t n = 0;

    write_file(p, "data = d\nproxies = 10.0.0.0/8, ::1\njoin = closed\ncert = c\nkey = k\n");
    assert_err(server_settings_load(&sources, &p->settings, &p->e), ALOFT_ERR_OK);
    for (enum setting_id id = 0; id < SETTINGS_COUNT; id++) {
        char key[SETTING_NAME_BYTES];
        char value[SETTING_VALUE_BYTES];
        setting_key(id, key);
        setting_value(&p->settings, id, value);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s = %s\n", key, value);
    }
    write_file(p, text);
    struct settings again = {.data = ""};
    assert_err(server_settings_load(&sources, &again, &p->e), ALOFT_ERR_OK);
    for (enum setting_id id = 0; id < SETTINGS_COUNT; id++) {
        char before[SETTING_VALUE_BYTES];
        char after[SETTING_VALUE_BYTES];
        setting_value(&p->settings, id, before);
        setting_value(&again, id, after);
        assert_string_equal(before, after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(load__gives_the_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(load__a_flag_beats_a_variable_beats_the_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(load__takes_the_file_it_is_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(load__refuses_what_is_wrong_with_place_and_remedy, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(load__names_the_flag_or_variable_that_is_wrong, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(value__is_what_a_file_would_say, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
