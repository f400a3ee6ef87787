/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/files.h"
#include "process/flash_file.h"

#define FLASH_BYTES 0x8000u

struct place {
    char folder[64];
    char path[96];
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    uint8_t blank[FLASH_BYTES];

    assert_non_null(p);
    (void)snprintf(p->folder, sizeof p->folder, "/tmp/aloft-flash-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    (void)snprintf(p->path, sizeof p->path, "%s/file", p->folder);
    memset(blank, 0xFF, sizeof blank);
    assert_err(file_replace(p->path, blank, sizeof blank, 0600, NULL), ALOFT_ERR_OK);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    (void)unlink(p->path);
    assert_int_equal(rmdir(p->folder), 0);
    free(p);
    return 0;
}

static struct flash_file *open_file(const struct place *p)
{
    struct flash_file *f = NULL;

    assert_err(flash_file_open(p->path, FLASH_BYTES, &f, NULL), ALOFT_ERR_OK);
    return f;
}

static void assert_file(const struct place *p, uint32_t addr, const void *wanted, size_t len)
{
    uint8_t *bytes = NULL;
    size_t n_bytes;

    assert_err(file_load(p->path, FLASH_BYTES, &bytes, &n_bytes, NULL), ALOFT_ERR_OK);
    assert_int_equal(n_bytes, FLASH_BYTES);
    assert_memory_equal(bytes + addr, wanted, len);
    free(bytes);
}

/* Another process looks at the file while it is open: that is what a kill would leave. */
static void operations__are_in_the_file_when_they_return(void **state)
{
    const uint8_t data[] = {1, 2, 3, 4};
    const uint8_t erased[] = {0xFF, 0xFF, 0xFF, 0xFF};
    struct flash_file *f = open_file(*state);

    assert_err(flash_program(flash_file_model(f), 0x1FFC, data, sizeof data), ALOFT_ERR_OK);
    assert_err(flash_program(flash_file_model(f), 0x2000, data, sizeof data), ALOFT_ERR_OK);
    assert_file(*state, 0x1FFC, data, sizeof data);
    assert_file(*state, 0x2000, data, sizeof data);
    assert_err(flash_erase(flash_file_model(f), 0x2000, 0x1000), ALOFT_ERR_OK);
    assert_file(*state, 0x1FFC, data, sizeof data);
    assert_file(*state, 0x2000, erased, sizeof erased);
    flash_file_close(f);
}

static void program__only_clears_bits(void **state)
{
    const uint8_t first[] = {0xF0, 0xFF, 0xFF, 0xFF};
    const uint8_t second[] = {0x30, 0x0F, 0xFF, 0xFF};
    struct flash_file *f = open_file(*state);

    assert_err(flash_program(flash_file_model(f), 0, first, sizeof first), ALOFT_ERR_OK);
    assert_err(flash_program(flash_file_model(f), 0, second, sizeof second), ALOFT_ERR_OK);
    assert_file(*state, 0, second, sizeof second);
    flash_file_close(f);
}

/* In a child process, whose words on stderr are read through a pipe. */
static void program__of_a_0_to_1_ends_the_process_loudly(void **state)
{
    const uint8_t zero[] = {0, 0, 0, 0};
    const uint8_t one[] = {1, 0, 0, 0};
    struct flash_file *f = open_file(*state);
    char words[1024] = "";
    int ends[2];
    int status;

    assert_err(flash_program(flash_file_model(f), 0x1000, zero, sizeof zero), ALOFT_ERR_OK);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        (void)dup2(ends[1], STDERR_FILENO);
        enum aloft_err err = flash_program(flash_file_model(f), 0x1000, one, sizeof one);
        _exit(err == ALOFT_ERR_OK ? 0 : 1);
    }
    (void)close(ends[1]);
    assert_true(read(ends[0], words, sizeof words - 1) > 0);
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(words, "flash.violation addr=0x1000"));
    assert_file(*state, 0x1000, zero, sizeof zero);
    flash_file_close(f);
}

static void open__locks_the_file(void **state)
{
    const struct place *p = *state;
    struct flash_file *f = open_file(p);
    struct flash_file *other = NULL;

    assert_err(flash_file_open(p->path, FLASH_BYTES, &other, NULL), ALOFT_ERR_BUSY);
    flash_file_close(f);
    f = open_file(p);
    flash_file_close(f);
}

static void open__refuses_another_size(void **state)
{
    const struct place *p = *state;
    struct flash_file *f = NULL;

    assert_err(flash_file_open(p->path, FLASH_BYTES * 2, &f, NULL), ALOFT_ERR_TOO_BIG);
    assert_err(flash_file_open(p->path, FLASH_BYTES / 2, &f, NULL), ALOFT_ERR_TOO_BIG);
    assert_err(flash_file_open(p->folder, FLASH_BYTES, &f, NULL), ALOFT_ERR_IO);
    assert_err(flash_file_open("/nonexistent/flash", FLASH_BYTES, &f, NULL), ALOFT_ERR_IO);
}

static void make__does_not_touch_what_is_there(void **state)
{
    const struct place *p = *state;
    const struct aloft_layout *layout = aloft_layout_by_name("esp32c3_default");
    struct error e;

    assert_err(flash_file_make(p->path, layout, p->path, &e), ALOFT_ERR_MAGIC);
    assert_non_null(strstr(e.sentence, "esp32c3_default"));
    struct flash_file *f = open_file(p);
    flash_file_close(f);
}

#define ON_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FILE(operations__are_in_the_file_when_they_return),
        ON_FILE(program__only_clears_bits),
        ON_FILE(program__of_a_0_to_1_ends_the_process_loudly),
        ON_FILE(open__locks_the_file),
        ON_FILE(open__refuses_another_size),
        ON_FILE(make__does_not_touch_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
