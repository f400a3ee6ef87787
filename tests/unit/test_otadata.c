/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "aloft/otadata.h"

static void entry_make__gives_the_known_crcs(void **state)
{
    (void)state;
    /* facts/esp-formats.md 8.1. */
    static const struct {
        uint32_t seq, crc;
    } rows[] = {
        {1, 0x4743989A}, {2, 0x55F63774},   {3, 0xED4A5011},          {4, 0x709D68A8},
        {5, 0xC8210FCD}, {6, 0xDA94A023},   {7, 0x6228C746},          {8, 0x3A4BD710},
        {0, 0xFFFFFFFF}, {100, 0x4BBB9FAB}, {0xFFFFFFFE, 0x99F8B879}, {0xFFFFFFFF, 0x2144DF1C},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct aloft_otadata_entry e;
        aloft_otadata_entry_make(&e, rows[i].seq, ALOFT_OTA_VALID);
        assert_int_equal(e.crc, rows[i].crc);
    }
}

/* facts/esp-formats.md 8.1: first and last 8 bytes; the 20 between are FF. */
static const struct {
    uint32_t seq, state;
    uint8_t head[4], tail[8];
} golden[] = {
    {1, ALOFT_OTA_VALID, {1, 0, 0, 0}, {2, 0, 0, 0, 0x9A, 0x98, 0x43, 0x47}},
    {1, ALOFT_OTA_UNDEFINED, {1, 0, 0, 0}, {0xFF, 0xFF, 0xFF, 0xFF, 0x9A, 0x98, 0x43, 0x47}},
    {2, ALOFT_OTA_NEW, {2, 0, 0, 0}, {0, 0, 0, 0, 0x74, 0x37, 0xF6, 0x55}},
    {3, ALOFT_OTA_ABORTED, {3, 0, 0, 0}, {4, 0, 0, 0, 0x11, 0x50, 0x4A, 0xED}},
};

static void entry__has_the_golden_bytes_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        uint8_t wanted[32], got[32];
        struct aloft_otadata_entry e;
        memset(wanted, 0xFF, sizeof wanted);
        memcpy(wanted, golden[i].head, sizeof golden[i].head);
        memcpy(wanted + 24, golden[i].tail, sizeof golden[i].tail);

        aloft_otadata_entry_make(&e, golden[i].seq, golden[i].state);
        aloft_otadata_entry_encode(&e, got);
        assert_memory_equal(got, wanted, sizeof wanted);
        memset(&e, 0, sizeof e);
        aloft_otadata_entry_parse(wanted, &e);
        assert_int_equal(e.seq, golden[i].seq);
        assert_int_equal(e.state, golden[i].state);
        aloft_otadata_entry_encode(&e, got);
        assert_memory_equal(got, wanted, sizeof wanted);
    }
}

static void entry_blank__is_erased_flash(void **state)
{
    (void)state;
    struct aloft_otadata_entry e;
    uint8_t erased[32], got[32];

    memset(erased, 0xFF, sizeof erased);
    aloft_otadata_entry_blank(&e);
    aloft_otadata_entry_encode(&e, got);
    assert_memory_equal(got, erased, sizeof erased);
    assert_true(aloft_otadata_is_rejected(&e));
    assert_false(aloft_otadata_is_valid(&e));
}

static void is_valid__needs_sequence_state_and_crc(void **state)
{
    (void)state;
    static const struct {
        uint32_t seq, state, crc_error;
        bool is_rejected, is_valid;
    } rows[] = {
        {1, ALOFT_OTA_VALID, 0, false, true},
        {1, ALOFT_OTA_NEW, 0, false, true},
        {1, ALOFT_OTA_UNDEFINED, 0, false, true},
        {1, ALOFT_OTA_PENDING_VERIFY, 0, false, true},
        {0, ALOFT_OTA_VALID, 0, false, true},
        {1, ALOFT_OTA_VALID, 1, false, false},
        {1, ALOFT_OTA_INVALID, 0, true, false},
        {1, ALOFT_OTA_ABORTED, 0, true, false},
        {0xFFFFFFFF, ALOFT_OTA_VALID, 0, true, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct aloft_otadata_entry e;
        aloft_otadata_entry_make(&e, rows[i].seq, rows[i].state);
        e.crc ^= rows[i].crc_error;
        assert_int_equal(aloft_otadata_is_rejected(&e), rows[i].is_rejected);
        assert_int_equal(aloft_otadata_is_valid(&e), rows[i].is_valid);
    }
}

static void slot__wraps_at_sequence_zero(void **state)
{
    (void)state;
    struct aloft_otadata_entry e = {.seq = 0};
    assert_int_equal(aloft_otadata_slot(&e, 2), 1); /* 0xFFFFFFFF mod 2 */
    assert_int_equal(aloft_otadata_slot(&e, 5), 0);
    e.seq = 3;
    assert_int_equal(aloft_otadata_slot(&e, 2), 0);
    assert_int_equal(aloft_otadata_slot(&e, 3), 2);
}

static void slot_state__takes_the_first_fitting_entry(void **state)
{
    (void)state;
    struct aloft_otadata d;

    aloft_otadata_entry_make(&d.entry[0], 1, ALOFT_OTA_INVALID);
    aloft_otadata_entry_make(&d.entry[1], 3, ALOFT_OTA_VALID);
    assert_int_equal(aloft_otadata_slot_state(&d, 0, 2), ALOFT_OTA_INVALID);
    assert_int_equal(aloft_otadata_slot_state(&d, 1, 2), ALOFT_OTA_UNDEFINED);
    d.entry[0].crc ^= 1;
    assert_int_equal(aloft_otadata_slot_state(&d, 0, 2), ALOFT_OTA_VALID);
}

/* facts/esp-formats.md 8.2, set-boot sequences of 5.4/5.5; 0 = blank. */
static const struct {
    uint32_t n_slots;
    uint32_t slot;
    uint32_t seqs[2];
} sequence[] = {
    {2, 1, {2, 0}}, {2, 0, {2, 3}}, {2, 1, {4, 3}}, {2, 1, {4, 4}}, {2, 0, {4, 5}},
    {3, 0, {1, 0}}, {3, 2, {1, 3}}, {3, 1, {5, 3}}, {3, 0, {5, 7}}, {3, 0, {7, 7}},
};

static void check_sequence(uint32_t entry_state)
{
    struct aloft_otadata d;
    uint32_t n_slots = 0;

    for (size_t i = 0; i < sizeof sequence / sizeof sequence[0]; i++) {
        if (sequence[i].n_slots != n_slots) {
            n_slots = sequence[i].n_slots;
            aloft_otadata_entry_blank(&d.entry[0]);
            aloft_otadata_entry_blank(&d.entry[1]);
        }
        int index = -1;
        struct aloft_otadata_entry e;
        assert_err(aloft_otadata_next(&d, sequence[i].slot, n_slots, entry_state, &index, &e),
                   ALOFT_ERR_OK);
        assert_in_range(index, 0, 1);
        d.entry[index] = e;
        assert_int_equal(e.state, entry_state);
        for (int k = 0; k < 2; k++) {
            uint32_t wanted = sequence[i].seqs[k] ? sequence[i].seqs[k] : 0xFFFFFFFF;
            assert_int_equal(d.entry[k].seq, wanted);
            assert_int_equal(aloft_otadata_is_valid(&d.entry[k]), sequence[i].seqs[k] != 0);
        }
    }
}

static void next__follows_the_known_sequences(void **state)
{
    (void)state;
    check_sequence(ALOFT_OTA_UNDEFINED);
    check_sequence(ALOFT_OTA_NEW);
}

/* facts/esp-formats.md 8.2, compressed method: after a packed update [1 | 1]. */
static void next__repeats_the_sequence_of_a_single_slot(void **state)
{
    (void)state;
    struct aloft_otadata d;
    struct aloft_otadata_entry e;
    int index = -1;

    aloft_otadata_entry_make(&d.entry[0], 1, ALOFT_OTA_VALID);
    aloft_otadata_entry_blank(&d.entry[1]);
    assert_err(aloft_otadata_next(&d, 0, 1, ALOFT_OTA_NEW, &index, &e), ALOFT_ERR_OK);
    assert_int_equal(index, 1);
    assert_int_equal(e.seq, 1);
}

static void next__keeps_the_label_of_its_sector(void **state)
{
    (void)state;
    struct aloft_otadata d;
    struct aloft_otadata_entry e;
    int index = -1;

    aloft_otadata_entry_make(&d.entry[0], 1, ALOFT_OTA_VALID);
    aloft_otadata_entry_blank(&d.entry[1]);
    memset(d.entry[1].label, 0x41, sizeof d.entry[1].label);
    assert_err(aloft_otadata_next(&d, 1, 2, ALOFT_OTA_NEW, &index, &e), ALOFT_ERR_OK);
    assert_int_equal(index, 1);
    assert_memory_equal(e.label, d.entry[1].label, sizeof e.label);
}

static void next__refuses_what_cannot_be_said(void **state)
{
    (void)state;
    struct aloft_otadata d;
    struct aloft_otadata_entry e;
    int index = -1;

    aloft_otadata_entry_blank(&d.entry[1]);
    aloft_otadata_entry_make(&d.entry[0], 0xFFFFFFFE, ALOFT_OTA_VALID); /* slot 1 of 2 */
    assert_err(aloft_otadata_next(&d, 0, 2, ALOFT_OTA_NEW, &index, &e), ALOFT_ERR_RANGE);
    assert_err(aloft_otadata_next(&d, 2, 2, ALOFT_OTA_NEW, &index, &e), ALOFT_ERR_RANGE);
    assert_err(aloft_otadata_next(&d, 0, 0, ALOFT_OTA_NEW, &index, &e), ALOFT_ERR_RANGE);
    assert_err(aloft_otadata_next(&d, 1, 2, ALOFT_OTA_NEW, &index, &e), ALOFT_ERR_OK);
    assert_int_equal(e.seq, 0xFFFFFFFE);
}

/* facts/esp-formats.md 8.2: with [- | 2/PENDING] the app may not refuse itself, because no other
 * entry is valid; with [1/VALID | 2/PENDING] it may, and the other one rules. */
static void mark_invalid__leaves_the_other_entry_in_charge(void **state)
{
    (void)state;
    struct aloft_otadata d;

    aloft_otadata_entry_blank(&d.entry[0]);
    aloft_otadata_entry_make(&d.entry[1], 2, ALOFT_OTA_PENDING_VERIFY);
    assert_int_equal(aloft_otadata_active(&d), 1);
    assert_false(aloft_otadata_is_valid(&d.entry[0]));

    aloft_otadata_entry_make(&d.entry[0], 1, ALOFT_OTA_VALID);
    assert_true(aloft_otadata_is_valid(&d.entry[0]));
    d.entry[1].state = ALOFT_OTA_INVALID;
    assert_int_equal(aloft_otadata_active(&d), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entry_make__gives_the_known_crcs),
        cmocka_unit_test(entry__has_the_golden_bytes_both_ways),
        cmocka_unit_test(entry_blank__is_erased_flash),
        cmocka_unit_test(is_valid__needs_sequence_state_and_crc),
        cmocka_unit_test(slot__wraps_at_sequence_zero),
        cmocka_unit_test(slot_state__takes_the_first_fitting_entry),
        cmocka_unit_test(next__follows_the_known_sequences),
        cmocka_unit_test(next__repeats_the_sequence_of_a_single_slot),
        cmocka_unit_test(next__keeps_the_label_of_its_sector),
        cmocka_unit_test(next__refuses_what_cannot_be_said),
        cmocka_unit_test(mark_invalid__leaves_the_other_entry_in_charge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
