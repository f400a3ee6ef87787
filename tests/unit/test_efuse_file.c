/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/files.h"
#include "process/efuse_file.h"
#include "temp_dir.h"

struct place {
    char folder[256];
    char path[300];
    const struct aloft_chip *chip;
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    assert_non_null(p);
    assert_int_equal(temp_dir_make(p->folder), 0);
    (void)snprintf(p->path, sizeof p->path, "%s/flash.efuse", p->folder);
    p->chip = aloft_chip_by_name("esp32c3");
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    temp_dir_remove(p->folder);
    free(p);
    return 0;
}

static struct efuse_file *open_file(const struct place *p, bool is_wanted)
{
    struct efuse_file *file;
    struct error e = {0};

    if (efuse_file_open(p->path, is_wanted, p->chip, &file, &e) != ALOFT_ERR_OK) {
        fail_msg("%s", e.sentence);
    }
    return file;
}

static void assert_content(const struct place *p, const char *wanted)
{
    uint8_t *text;
    size_t len;

    assert_err(file_load(p->path, 4096, &text, &len, NULL), ALOFT_ERR_OK);
    assert_string_equal((char *)text, wanted);
    free(text);
}

static void file__is_there_only_once_it_was_wanted(void **state)
{
    struct place *p = *state;
    struct efuse_file *file = open_file(p, false);

    assert_null(file);
    assert_null(efuse_file_model(file));
    assert_int_equal(access(p->path, F_OK), -1);
    file = open_file(p, true);
    assert_non_null(file);
    efuse_file_close(file);
    assert_content(p, "secure_version_bits=00000000\n");
    file = open_file(p, false);
    assert_non_null(file);
    efuse_file_close(file);
}

static void burnt_bits__stay_for_the_next_process(void **state)
{
    struct place *p = *state;
    struct efuse_file *file = open_file(p, true);

    assert_err(efuse_raise(efuse_file_model(file), 3), ALOFT_ERR_OK);
    assert_content(p, "secure_version_bits=00000007\n");
    efuse_file_close(file);
    file = open_file(p, true);
    assert_int_equal(efuse_version(efuse_file_model(file)), 3);
    assert_err(efuse_raise(efuse_file_model(file), 17), ALOFT_ERR_RANGE);
    assert_err(efuse_raise(efuse_file_model(file), 16), ALOFT_ERR_OK);
    efuse_file_close(file);
    assert_content(p, "secure_version_bits=0000ffff\n");
}

static void bits__that_cannot_be_stored_are_not_burnt(void **state)
{
    struct place *p = *state;
    struct efuse_file *file = open_file(p, true);

    temp_dir_remove(p->folder);
    assert_int_not_equal(efuse_raise(efuse_file_model(file), 1), ALOFT_ERR_OK);
    assert_int_equal(efuse_version(efuse_file_model(file)), 0);
    efuse_file_close(file);
}

static void other_content__is_refused_with_a_sentence(void **state)
{
    static const char *const texts[] = {
        "",
        "secure_version_bits=",
        "secure_version_bits=1\n",
        "secure_version_bits=0000000g\n",
        "secure_version_bits=00000001",
        "secure_version_bits=00000001\n\n",
        "secure_version_bits=0x000001\n",
        "secure_version_bits=-0000001\n",
        "secure_version_bits= 0000001\n",
        "secure_version_bits=000000001\n",
        "secure_version_bits=00010000\n", /* more than the C3 has */
        "bits=00000001\n",
        "secure_version_bits=00000001\nsecure_version_bits=1\n",
    };
    struct place *p = *state;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct efuse_file *file;
        struct error e = {0};
        assert_err(file_replace(p->path, texts[i], strlen(texts[i]), 0644, NULL), ALOFT_ERR_OK);
        if (efuse_file_open(p->path, true, p->chip, &file, &e) == ALOFT_ERR_OK) {
            fail_msg("taken: '%s'", texts[i]);
        }
        assert_null(file);
        assert_non_null(strstr(e.sentence, "flash.efuse"));
    }
    assert_err(file_replace(p->path, "secure_version_bits=ffffffff\n", 29, 0644, NULL),
               ALOFT_ERR_OK);
    p->chip = aloft_chip_by_name("esp32");
    struct efuse_file *file = open_file(p, false);
    assert_int_equal(efuse_version(efuse_file_model(file)), 32);
    efuse_file_close(file);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(file__is_there_only_once_it_was_wanted),
        CASE(burnt_bits__stay_for_the_next_process),
        CASE(bits__that_cannot_be_stored_are_not_burnt),
        CASE(other_content__is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
