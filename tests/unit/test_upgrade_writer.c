/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aloft/bytes.h"
#include "fake_port.h"
#include "upgrade/trailer.h"
#include "upgrade/writer.h"

/* The slot writer and the judge of what stands behind an image. */

static char trace[4096];
static enum aloft_err (*good_erase)(void *ctx, uint32_t addr, uint32_t len);
static enum aloft_err (*good_write)(void *ctx, uint32_t addr, const uint8_t *buf, size_t len);

static void note(char what, uint32_t addr, size_t len)
{
    size_t used = strlen(trace);

    snprintf(trace + used, sizeof trace - used, "%c%x+%zx ", what, (unsigned)addr, len);
}

static enum aloft_err traced_erase(void *ctx, uint32_t addr, uint32_t len)
{
    note('E', addr, len);
    return good_erase(ctx, addr, len);
}

static enum aloft_err traced_write(void *ctx, uint32_t addr, const uint8_t *buf, size_t len)
{
    note('W', addr, len);
    return good_write(ctx, addr, buf, len);
}

static int set_up(void **state)
{
    struct fake_port *f = fake_port_new();

    good_erase = f->port.flash.erase;
    good_write = f->port.flash.write;
    f->port.flash.erase = traced_erase;
    f->port.flash.write = traced_write;
    trace[0] = '\0';
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fake_port_free(*state);
    return 0;
}

/* Write `len` bytes in portions of `portion`, one operation per call; the operations of the flash
 * are in `trace`. */
static enum aloft_err write_all(struct fake_port *f, struct aloft_writer *w, size_t len,
                                size_t portion)
{
    uint8_t *bytes = malloc(len);
    size_t at = 0;

    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(i * 31 + 5);
    }
    while (at < len) {
        size_t used = 0;
        size_t n = len - at < portion ? len - at : portion;
        size_t n_ops = f->flash.n_erases + f->flash.n_writes;
        enum aloft_err err = aloft_writer_put(w, &f->port, bytes + at, n, at + n == len, &used);
        if (err != ALOFT_ERR_OK) {
            free(bytes);
            return err;
        }
        assert_int_equal(f->flash.n_erases + f->flash.n_writes, n_ops + 1);
        at += used;
    }
    assert_memory_equal(f->flash.bytes + w->slot.addr, bytes, len);
    free(bytes);
    return ALOFT_ERR_OK;
}

static void writer__erases_sectors_ahead_of_a_small_file(void **state)
{
    const struct aloft_slot slot = {1, 0x230000, 0x1d0000};
    struct aloft_writer w;

    aloft_writer_init(&w, &slot, 4100);
    assert_err(write_all(*state, &w, 4100, 2048), ALOFT_ERR_OK);
    assert_string_equal(trace, "E230000+1000 W230000+800 W230800+800 E231000+1000 W231000+4 ");
}

static void writer__erases_blocks_where_the_file_fills_them(void **state)
{
    const struct aloft_slot slot = {1, 0x23f000, 0x1d0000};
    struct aloft_writer w;
    struct fake_port *f = *state;

    /* A sector up to the first block, one block, and the rest in sectors. */
    aloft_writer_init(&w, &slot, 0x1000 + 0x10000 + 0x1800);
    assert_err(write_all(f, &w, 0x1000 + 0x10000 + 0x1800, 0x8000), ALOFT_ERR_OK);
    assert_string_equal(trace, "E23f000+1000 W23f000+1000 E240000+10000 W240000+8000 "
                               "W248000+8000 E250000+1000 W250000+1000 E251000+1000 "
                               "W251000+800 ");
    assert_int_equal(f->flash.bytes[0x252000], 0xFF);
}

/* The last block may be erased whole although the file ends in its last sector. */
static void writer__takes_a_block_for_a_file_that_ends_in_its_last_sector(void **state)
{
    const struct aloft_slot slot = {1, 0x230000, 0x1d0000};
    struct aloft_writer w;

    aloft_writer_init(&w, &slot, 0xF004);
    assert_err(write_all(*state, &w, 0xF004, 0x10000), ALOFT_ERR_OK);
    assert_string_equal(trace, "E230000+10000 W230000+f004 ");
}

static void writer__takes_sectors_when_the_length_is_not_known(void **state)
{
    const struct aloft_slot slot = {1, 0x230000, 0x1d0000};
    struct aloft_writer w;

    aloft_writer_init(&w, &slot, 0);
    assert_err(write_all(*state, &w, 0x1800, 0x1000), ALOFT_ERR_OK);
    assert_string_equal(trace, "E230000+1000 W230000+1000 E231000+1000 W231000+800 ");
}

static void writer__writes_multiples_of_4_and_pads_the_end(void **state)
{
    const struct aloft_slot slot = {1, 0x230000, 0x1d0000};
    struct aloft_writer w;
    struct fake_port *f = *state;

    aloft_writer_init(&w, &slot, 23);
    assert_err(write_all(f, &w, 23, 10), ALOFT_ERR_OK);
    assert_string_equal(trace, "E230000+1000 W230000+8 W230008+8 W230010+4 W230014+4 ");
    assert_int_equal(w.written, 24);
    assert_int_equal(f->flash.bytes[0x230017], 0xFF);
    assert_int_equal(w.crc, aloft_crc32(0, f->flash.bytes + 0x230000, 24));
}

static void writer__waits_for_4_bytes(void **state)
{
    const struct aloft_slot slot = {1, 0x230000, 0x1d0000};
    struct fake_port *f = *state;
    struct aloft_writer w;
    size_t used = 1;

    aloft_writer_init(&w, &slot, 23);
    assert_err(aloft_writer_put(&w, &f->port, (const uint8_t *)"abc", 3, false, &used),
               ALOFT_ERR_OK);
    assert_int_equal(used, 0);
    assert_string_equal(trace, "");
}

static void writer__never_passes_the_end_of_the_slot(void **state)
{
    const struct aloft_slot slot = {1, 0x230000, 0x2000};
    struct fake_port *f = *state;
    struct aloft_writer w;

    aloft_writer_init(&w, &slot, 0);
    assert_err(write_all(f, &w, 0x2001, 0x1000), ALOFT_ERR_TOO_BIG);
    assert_string_equal(trace, "E230000+1000 W230000+1000 E231000+1000 W231000+1000 ");
    trace[0] = '\0';
    aloft_writer_init(&w, &slot, 0x20000); /* The engine refuses this before; so does the writer. */
    assert_err(write_all(f, &w, 0x20000, 0x1000), ALOFT_ERR_TOO_BIG);
    assert_string_equal(trace, "");
}

/* facts/esp-formats.md 1.5, 1.8 and 7 row 19. */
static enum aloft_err judge(const uint8_t *bytes, size_t len, size_t portion)
{
    struct aloft_trailer t;

    aloft_trailer_init(&t, 336);
    for (size_t at = 0; at < len; at += portion) {
        size_t n = len - at < portion ? len - at : portion;
        enum aloft_err err = aloft_trailer_feed(&t, bytes + at, n);
        if (err != ALOFT_ERR_OK) {
            return err;
        }
    }
    return aloft_trailer_finish(&t);
}

static void make_sector(uint8_t *bytes)
{
    memset(bytes, 0xFF, 10000);
    memset(bytes + 3760, 0, 1200);
    bytes[3760] = 0xE7;
    bytes[3761] = 3;
    aloft_put_le32(bytes + 3760 + 1196, aloft_crc32(0, bytes + 3760, 1196));
}

static void trailer__may_be_nothing_ff_or_a_signature_sector(void **state)
{
    static const size_t portions[] = {1, 7, 4096, 10000};
    static uint8_t bytes[10000];
    (void)state;

    for (size_t i = 0; i < sizeof portions / sizeof portions[0]; i++) {
        memset(bytes, 0xFF, sizeof bytes);
        assert_err(judge(bytes, 0, portions[i]), ALOFT_ERR_OK);
        assert_err(judge(bytes, 5, portions[i]), ALOFT_ERR_OK);
        assert_err(judge(bytes, sizeof bytes, portions[i]), ALOFT_ERR_OK);
        make_sector(bytes);
        assert_err(judge(bytes, 3760 + 4096, portions[i]), ALOFT_ERR_OK);
    }
}

static void trailer__may_be_nothing_else(void **state)
{
    static uint8_t bytes[10000];
    (void)state;

    memset(bytes, 0xFF, sizeof bytes);
    bytes[0] = 0;
    assert_err(judge(bytes, 1, 1), ALOFT_ERR_TRAILING);
    bytes[0] = 0xE7; /* A sector where none may be. */
    assert_err(judge(bytes, 1, 1), ALOFT_ERR_TRAILING);
    make_sector(bytes);
    assert_err(judge(bytes, 3760 + 4095, 512), ALOFT_ERR_TRAILING);
    assert_err(judge(bytes, 3760 + 4097, 512), ALOFT_ERR_TRAILING);
    bytes[3760 + 100] ^= 1;
    assert_err(judge(bytes, 3760 + 4096, 512), ALOFT_ERR_TRAILING);
    bytes[3760 + 100] ^= 1;
    bytes[3759] = 0;
    assert_err(judge(bytes, 3760 + 4096, 512), ALOFT_ERR_TRAILING);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(writer__erases_sectors_ahead_of_a_small_file),
        CASE(writer__erases_blocks_where_the_file_fills_them),
        CASE(writer__takes_a_block_for_a_file_that_ends_in_its_last_sector),
        CASE(writer__takes_sectors_when_the_length_is_not_known),
        CASE(writer__writes_multiples_of_4_and_pads_the_end),
        CASE(writer__waits_for_4_bytes),
        CASE(writer__never_passes_the_end_of_the_slot),
        CASE(trailer__may_be_nothing_ff_or_a_signature_sector),
        CASE(trailer__may_be_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
