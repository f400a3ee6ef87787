/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/files.h"
#include "process/identity.h"
#include "process/settings.h"

struct place {
    char folder[64];
    char path[96];
    struct settings *settings;
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    assert_non_null(p);
    (void)snprintf(p->folder, sizeof p->folder, "/tmp/aloft-settings-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    (void)snprintf(p->path, sizeof p->path, "%s/file", p->folder);
    assert_err(settings_load(p->path, &p->settings, NULL), ALOFT_ERR_OK);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    settings_free(p->settings);
    (void)unlink(p->path);
    assert_int_equal(rmdir(p->folder), 0);
    free(p);
    return 0;
}

static void reload(struct place *p)
{
    settings_free(p->settings);
    p->settings = NULL;
    assert_err(settings_load(p->path, &p->settings, NULL), ALOFT_ERR_OK);
}

static void write_file(const struct place *p, const char *text)
{
    assert_err(file_replace(p->path, text, strlen(text), 0600, NULL), ALOFT_ERR_OK);
}

static void set__survives_a_reload_byte_for_byte(void **state)
{
    struct place *p = *state;
    const uint8_t value[] = {0x00, 0x0A, '=', 0xFF};
    uint8_t got[8];
    size_t len = sizeof got;

    assert_err(settings_set(p->settings, "wifi.join", value, sizeof value, NULL), ALOFT_ERR_OK);
    assert_err(settings_set(p->settings, "empty", "", 0, NULL), ALOFT_ERR_OK);
    reload(p);
    assert_err(settings_get(p->settings, "wifi.join", got, &len), ALOFT_ERR_OK);
    assert_int_equal(len, sizeof value);
    assert_memory_equal(got, value, sizeof value);
    len = sizeof got;
    assert_err(settings_get(p->settings, "empty", got, &len), ALOFT_ERR_OK);
    assert_int_equal(len, 0);
}

static void set__keeps_the_longest_value_beside_others(void **state)
{
    struct place *p = *state;
    uint8_t value[SETTINGS_VALUE_BYTES];
    uint8_t got[sizeof value];
    size_t len = sizeof got;

    for (size_t i = 0; i < sizeof value; i++) {
        value[i] = (uint8_t)(i * 7);
    }
    assert_err(settings_set(p->settings, "a", "1", 1, NULL), ALOFT_ERR_OK);
    assert_err(settings_set(p->settings, "tls.ca", value, sizeof value, NULL), ALOFT_ERR_OK);
    assert_err(settings_set(p->settings, "b", "2", 1, NULL), ALOFT_ERR_OK);
    assert_err(settings_remove(p->settings, "a", NULL), ALOFT_ERR_OK);
    reload(p);
    assert_err(settings_get(p->settings, "tls.ca", got, &len), ALOFT_ERR_OK);
    assert_int_equal(len, sizeof value);
    assert_memory_equal(got, value, sizeof value);
    len = sizeof got;
    assert_err(settings_get(p->settings, "b", got, &len), ALOFT_ERR_OK);
    assert_int_equal(got[0], '2');
}

static void set__replaces_the_old_value(void **state)
{
    struct place *p = *state;
    uint8_t got[8];
    size_t len = sizeof got;

    assert_err(settings_set(p->settings, "a", "long", 4, NULL), ALOFT_ERR_OK);
    assert_err(settings_set(p->settings, "a", "x", 1, NULL), ALOFT_ERR_OK);
    reload(p);
    assert_err(settings_get(p->settings, "a", got, &len), ALOFT_ERR_OK);
    assert_int_equal(len, 1);
    assert_int_equal(got[0], 'x');
}

static void get__needs_room_for_the_whole_value(void **state)
{
    struct place *p = *state;
    uint8_t got[3] = {0};
    size_t len = sizeof got;

    assert_err(settings_set(p->settings, "a", "long", 4, NULL), ALOFT_ERR_OK);
    assert_err(settings_get(p->settings, "a", got, &len), ALOFT_ERR_TOO_BIG);
    assert_err(settings_get(p->settings, "b", got, &len), ALOFT_ERR_NOT_FOUND);
}

static void remove__takes_one_and_clear_takes_all(void **state)
{
    struct place *p = *state;
    uint8_t got[8];
    size_t len = sizeof got;

    assert_err(settings_set(p->settings, "a", "1", 1, NULL), ALOFT_ERR_OK);
    assert_err(settings_set(p->settings, "b", "2", 1, NULL), ALOFT_ERR_OK);
    assert_err(settings_set(p->settings, "c", "3", 1, NULL), ALOFT_ERR_OK);
    assert_err(settings_remove(p->settings, "a", NULL), ALOFT_ERR_OK);
    assert_err(settings_remove(p->settings, "never", NULL), ALOFT_ERR_OK);
    reload(p);
    assert_err(settings_get(p->settings, "a", got, &len), ALOFT_ERR_NOT_FOUND);
    assert_err(settings_get(p->settings, "b", got, &len), ALOFT_ERR_OK);
    assert_err(settings_clear(p->settings, NULL), ALOFT_ERR_OK);
    reload(p);
    assert_err(settings_get(p->settings, "b", got, &len), ALOFT_ERR_NOT_FOUND);
    assert_err(settings_get(p->settings, "c", got, &len), ALOFT_ERR_NOT_FOUND);
}

static void set__refuses_what_passes_a_limit(void **state)
{
    struct place *p = *state;
    uint8_t value[SETTINGS_VALUE_BYTES + 1] = {0};
    char key[8];

    assert_err(settings_set(p->settings, "a", value, sizeof value, NULL), ALOFT_ERR_TOO_BIG);
    assert_err(settings_set(p->settings, "a", value, sizeof value - 1, NULL), ALOFT_ERR_OK);
    assert_err(settings_set(p->settings, "sixteen-bytes-xx", "", 0, NULL), ALOFT_ERR_TOO_BIG);
    for (int i = 1; i < SETTINGS_MAX; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        assert_err(settings_set(p->settings, key, value, sizeof value - 1, NULL), ALOFT_ERR_OK);
    }
    assert_err(settings_set(p->settings, "more", "", 0, NULL), ALOFT_ERR_TOO_BIG);
    reload(p); /* the fullest file is still one of ours */
}

/* The folder is away for a moment: what could not be stored must not seem to be. */
static void change__that_cannot_be_stored_did_not_happen(void **state)
{
    struct place *p = *state;
    char away[80];
    uint8_t got[8];
    size_t len = sizeof got;

    (void)snprintf(away, sizeof away, "%s-away", p->folder);
    assert_err(settings_set(p->settings, "a", "1", 1, NULL), ALOFT_ERR_OK);
    assert_int_equal(rename(p->folder, away), 0);
    assert_err(settings_set(p->settings, "a", "2", 1, NULL), ALOFT_ERR_IO);
    assert_err(settings_set(p->settings, "b", "3", 1, NULL), ALOFT_ERR_IO);
    assert_err(settings_remove(p->settings, "a", NULL), ALOFT_ERR_IO);
    assert_err(settings_clear(p->settings, NULL), ALOFT_ERR_IO);
    assert_int_equal(rename(away, p->folder), 0);
    assert_err(settings_get(p->settings, "b", got, &len), ALOFT_ERR_NOT_FOUND);
    assert_err(settings_get(p->settings, "a", got, &len), ALOFT_ERR_OK);
    assert_int_equal(got[0], '1');
    assert_err(settings_set(p->settings, "a", "2", 1, NULL), ALOFT_ERR_OK);
    reload(p);
    assert_err(settings_get(p->settings, "a", got, &len), ALOFT_ERR_OK);
    assert_int_equal(got[0], '2');
}

static void load__names_the_line_it_cannot_read(void **state)
{
    static const char *const texts[] = {
        "a=00\nb\n",    "a=00\n=00\n",  "a=00\nb=0\n",
        "a=00\nb=0g\n", "a=00\nb=g0\n", "a=00\nsixteen-bytes-xx=00\n",
    };
    struct place *p = *state;
    struct settings *s = NULL;
    struct error e;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_file(p, texts[i]);
        assert_err(settings_load(p->path, &s, &e), ALOFT_ERR_SYNTAX);
        assert_non_null(strstr(e.sentence, "line 2 "));
    }
}

static void save__keeps_the_file_from_others(void **state)
{
    struct place *p = *state;
    struct stat st;

    assert_err(settings_set(p->settings, "password", "s", 1, NULL), ALOFT_ERR_OK);
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void identity__survives_save_and_load(void **state)
{
    struct place *p = *state;
    const struct identity saved = {"esp32c3_default", {0x02, 0xAB, 0x00, 0x01, 0xFE, 0xFF}};
    struct identity loaded;

    assert_err(identity_load(p->path, &loaded, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(identity_save(p->path, &saved, NULL), ALOFT_ERR_OK);
    assert_err(identity_load(p->path, &loaded, NULL), ALOFT_ERR_OK);
    assert_string_equal(loaded.layout, saved.layout);
    assert_memory_equal(loaded.mac, saved.mac, sizeof saved.mac);
}

static void identity__refuses_a_damaged_file(void **state)
{
    static const char *const texts[] = {
        "",
        "layout=esp32c3_default\n",
        "layout=esp32c3_default\nmac=02:ab:00:01:fe\n",
        "layout=esp32c3_default\nmac=03:ab:00:01:fe:ff\n",
        "layout=a-name-that-is-longer-than-any-layout-is\nmac=02:ab:00:01:fe:ff\n",
    };
    struct place *p = *state;
    struct identity loaded;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_file(p, texts[i]);
        assert_err(identity_load(p->path, &loaded, NULL), ALOFT_ERR_SYNTAX);
    }
}

static void mac_parse__takes_six_bytes_of_one_station(void **state)
{
    static const struct {
        const char *text;
        enum aloft_err err;
    } cases[] = {
        {"AA:bb:00:01:fe:FF", ALOFT_ERR_OK},      {"AB:bb:00:01:fe:FF", ALOFT_ERR_SYNTAX},
        {"AA:bb:00:01:fe:F", ALOFT_ERR_SYNTAX},   {"AA:bb:00:01:fe:FFF", ALOFT_ERR_SYNTAX},
        {"AA-bb-00-01-fe-FF", ALOFT_ERR_SYNTAX},  {"AA:bb:00:01:fe:F ", ALOFT_ERR_SYNTAX},
        {"AA:bb:00:01:fe:G0", ALOFT_ERR_SYNTAX},  {"AA: b:00:01:fe:00", ALOFT_ERR_SYNTAX},
        {"AA:bb:00:01:fe:00:", ALOFT_ERR_SYNTAX}, {"", ALOFT_ERR_SYNTAX},
    };
    const uint8_t wanted[] = {0xAA, 0xBB, 0x00, 0x01, 0xFE, 0xFF};
    uint8_t mac[6];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_err(mac_parse(cases[i].text, mac, NULL), cases[i].err);
    }
    assert_err(mac_parse(cases[0].text, mac, NULL), ALOFT_ERR_OK);
    assert_memory_equal(mac, wanted, sizeof wanted);
}

static void mac_make__is_a_local_station_and_not_always_the_same(void **state)
{
    uint8_t a[6];
    uint8_t b[6];

    (void)state;
    mac_make(a);
    mac_make(b);
    assert_int_equal(a[0] & 3, 2);
    assert_memory_not_equal(a, b, sizeof a);
}

#define ON_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FILE(set__survives_a_reload_byte_for_byte),
        ON_FILE(set__keeps_the_longest_value_beside_others),
        ON_FILE(set__replaces_the_old_value),
        ON_FILE(get__needs_room_for_the_whole_value),
        ON_FILE(remove__takes_one_and_clear_takes_all),
        ON_FILE(set__refuses_what_passes_a_limit),
        ON_FILE(change__that_cannot_be_stored_did_not_happen),
        ON_FILE(load__names_the_line_it_cannot_read),
        ON_FILE(save__keeps_the_file_from_others),
        ON_FILE(identity__survives_save_and_load),
        ON_FILE(identity__refuses_a_damaged_file),
        cmocka_unit_test(mac_parse__takes_six_bytes_of_one_station),
        cmocka_unit_test(mac_make__is_a_local_station_and_not_always_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
