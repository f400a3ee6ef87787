/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "attempt/causes.h"

/* Each cause with its whole sentence. Figures: facts/ciupdate-wire.md 3.3 (window 5760, 180 s). */

static struct contact contact_with(enum contact_outcome outcome)
{
    return (struct contact){.kind = CONTACT_FILE,
                            .outcome = outcome,
                            .total_bytes = 1900000,
                            .acked_bytes = 1024,
                            .duration_ms = 1000,
                            .is_closed_by_peer = true,
                            .token_prefix = "abcdef",
                            .version = "v2",
                            .file_name = "ota.bin"};
}

static struct cause_file file_with(const char *layout, const char *head)
{
    struct cause_file f = {.layout = aloft_layout_by_name(layout), .head_len = CAUSE_HEAD_BYTES};

    assert_non_null(f.layout);
    memcpy(f.head, head, CAUSE_HEAD_BYTES);
    return f;
}

static void expect(const struct cause_facts *facts, enum attempt_state state, const char *word,
                   const char *sentence)
{
    struct cause cause;

    cause_find(facts, &cause);
    assert_string_equal(cause.sentence, sentence);
    assert_string_equal(cause.word, word);
    assert_int_equal(cause.state, state);
}

/* By the contact's outcome alone. */
static void expect_outcome(enum contact_outcome outcome, const char *word, const char *sentence)
{
    const struct contact c = contact_with(outcome);
    const struct cause_facts facts = {.contact = &c, .version = c.version};

    expect(&facts, ATTEMPT_FAILED, word, sentence);
}

static void cause__of_a_packed_file_is_a_module_that_wants_an_app_image(void **state)
{
    struct contact c = contact_with(CONTACT_FILE_CLOSED);
    const struct cause_file file = file_with("esp32c2-2mb", "ESP\x02");
    const struct cause_facts facts = {.contact = &c, .file = &file, .version = "v2"};

    (void)state;
    c.total_bytes = 500000;
    expect(&facts, ATTEMPT_FAILED, "wrong_magic",
           "closed after 1024 bytes: this module wants 0xE9 first, the file starts with 'ESP'; the "
           "layout esp32c2-2mb takes packed v2 files, so put modules of another build in a "
           "product with their own layout");
}

static void cause__of_an_app_image_is_a_module_that_wants_a_packed_file(void **state)
{
    const struct contact c = contact_with(CONTACT_FILE_CLOSED);
    const struct cause_file file = file_with("esp32c3_default", "\xE9\x05\x02\x20");
    const struct cause_facts facts = {.contact = &c, .file = &file, .version = "v2"};

    (void)state;
    expect(&facts, ATTEMPT_FAILED, "wrong_magic",
           "closed after 1024 bytes: this module wants 'ESP' (packed v2) first, the file starts "
           "with 0xE9; the layout esp32c3_default takes plain files, so put modules of another "
           "build in a product with their own layout");
}

static void cause__of_a_module_of_ours_is_not_its_magic_when_it_says_what_it_takes(void **state)
{
    struct contact c = contact_with(CONTACT_FILE_CLOSED);
    const struct cause_file file = file_with("esp32c3_default", "\xE9\x05\x02\x20");
    const struct cause_facts facts = {
        .contact = &c, .file = &file, .version = "v2", .is_ours = true};

    (void)state;
    expect(&facts, ATTEMPT_FAILED, "closed_first_window",
           "closed after 1024 of 1900000 bytes of ota.bin, within its first window: the module "
           "refused the file by its beginning, or was cut off at once; see that the file is made "
           "for this module");
}

static void cause__of_another_chip_is_told_by_the_module(void **state)
{
    struct contact c = contact_with(CONTACT_FILE_CLOSED);
    const struct cause_file file = file_with("esp32c3_default", "\xE9\x05\x02\x20");
    const struct cause_facts facts = {.contact = &c, .file = &file, .is_ours = true};

    (void)state;
    (void)snprintf(c.headers.chip, sizeof c.headers.chip, "%s", "esp32c6");
    expect(&facts, ATTEMPT_FAILED, "wrong_chip",
           "closed after 1024 bytes: this module has the chip esp32c6, the layout esp32c3_default "
           "is for esp32c3; put the device in a product of its own chip");
}

static void cause__first_window_ends_where_the_module_has_read_on(void **state)
{
    struct contact c = contact_with(CONTACT_FILE_CLOSED);
    const struct cause_facts facts = {.contact = &c};

    (void)state;
    c.acked_bytes = 11520;
    (void)snprintf(c.file_name, sizeof c.file_name, "%s", "client_ca.bin");
    expect(&facts, ATTEMPT_FAILED, "closed_first_window",
           "closed after 11520 of 1900000 bytes of client_ca.bin, within its first window: the "
           "module refused the file by its beginning, or was cut off at once; see that the file is "
           "made for this module");
    c.acked_bytes = 11521;
    expect(&facts, ATTEMPT_FAILED, "closed",
           "closed after 11521 of 1900000 bytes of client_ca.bin, at 11521 bytes per second: the "
           "module stopped reading, as it does when it is restarted or loses its network; let it "
           "try again");
    c.window_bytes = 65535;
    expect(&facts, ATTEMPT_FAILED, "closed_first_window",
           "closed after 11521 of 1900000 bytes of client_ca.bin, within its first window: the "
           "module refused the file by its beginning, or was cut off at once; see that the file is "
           "made for this module");
}

static void cause__of_a_large_file_is_the_room_in_the_layout(void **state)
{
    struct contact c = contact_with(CONTACT_FILE_CLOSED);
    struct cause_file file = file_with("esp32c3_default", "\xE9\x05\x02\x20");
    const struct cause_facts facts = {.contact = &c, .file = &file};

    (void)state;
    c.total_bytes = aloft_layout_target_bytes(file.layout) + 1;
    expect(&facts, ATTEMPT_FAILED, "too_big",
           "closed after 1024 bytes: ota.bin has 1900545 bytes, a module of layout esp32c3_default "
           "has room for 1900544; deploy a smaller file");
    (void)snprintf(c.file_name, sizeof c.file_name, "%s", "client_ca.bin");
    file.layout = aloft_layout_by_name("esp32c3_v3");
    c.total_bytes = 0x2001;
    expect(&facts, ATTEMPT_FAILED, "too_big",
           "closed after 1024 bytes: client_ca.bin has 8193 bytes, a module of layout "
           "esp32c3_v3 has room for 8192; deploy a smaller file");
}

static void cause__of_a_slow_download_is_the_rate_it_needed(void **state)
{
    struct contact c = contact_with(CONTACT_FILE_CLOSED);
    const struct cause_facts facts = {.contact = &c, .since_ms = 172000};

    (void)state;
    c.acked_bytes = 1600000;
    c.duration_ms = 160000;
    expect(&facts, ATTEMPT_FAILED, "too_slow",
           "closed after 1600000 of 1900000 bytes: the module's 180 s were over; it got 10000 "
           "bytes per second and needed 12666; serve it from nearer by, or over a better network");
    c.outcome = CONTACT_FILE_STALLED;
    expect(&facts, ATTEMPT_FAILED, "too_slow",
           "went silent after 1600000 of 1900000 bytes: the module's 180 s were over; it got 10000 "
           "bytes per second and needed 12666; serve it from nearer by, or over a better network");
}

static void cause__of_a_silence_is_power_or_network(void **state)
{
    (void)state;
    expect_outcome(CONTACT_FILE_STALLED, "stalled",
                   "went silent after 1024 of 1900000 bytes of ota.bin and was given up: the "
                   "module lost its power or its network; let it try again");
}

static void cause__of_what_the_server_did_says_so(void **state)
{
    (void)state;
    expect_outcome(CONTACT_FILE_STOPPED, "server_stopped",
                   "cut after 1024 of 1900000 bytes of ota.bin: the server was stopped; let the "
                   "module try again, and give downloads more time with stop-seconds");
    expect_outcome(CONTACT_FILE_UNREADABLE, "unreadable",
                   "cut after 1024 bytes: ota.bin of v2 is missing or damaged on the server; "
                   "deploy it again");
    expect_outcome(CONTACT_LIMITED, "limited",
                   "asked too often and was told to wait: let its host MCU ask less often");
    expect_outcome(CONTACT_FULL, "full",
                   "asked while the server had as many downloads as it may have: let the module "
                   "ask again later, or raise downloads-max");
}

static void cause__of_a_token_names_its_first_digits_only(void **state)
{
    (void)state;
    expect_outcome(CONTACT_UNKNOWN_TOKEN, "unknown_token",
                   "unknown token abcdef…: no product or device has it; add a product with this "
                   "token, or give the module the right one");
    expect_outcome(CONTACT_BAD_TOKEN, "bad_token",
                   "sent a token that is not 40 lower-case hex digits: build the module with the "
                   "token of its product");
    expect_outcome(CONTACT_NO_TOKEN, "no_token",
                   "sent no token: build the module with the token of its product");
}

static void cause__of_what_is_not_there_names_it(void **state)
{
    (void)state;
    expect_outcome(CONTACT_NO_CURRENT, "no_current",
                   "asked for the current version: the product has none; choose one");
    expect_outcome(CONTACT_NO_ROM, "unknown_version",
                   "asked for ota.bin of v2: the product has no such version; deploy it, or name "
                   "one it has");
    expect_outcome(CONTACT_NO_FILE, "no_file",
                   "asked for ota.bin of v2: this version has no such file; deploy a version with "
                   "it");
    expect_outcome(CONTACT_FILE_ERASES, "erased_for_nothing",
                   "asked for ota.bin: there is no such file, and stock firmware has erased that "
                   "partition before it asked; never name this partition in AT+CIUPDATE");
    expect_outcome(CONTACT_BAD_RANGE, "bad_range",
                   "asked for bytes past the end of ota.bin of v2: the file has changed since its "
                   "first part; let the module begin again");
    expect_outcome(CONTACT_LINK_UNKNOWN, "link_unknown",
                   "asked for a link that is not here, with the file ota.bin: make a link and take "
                   "its address as it is");
    expect_outcome(CONTACT_LINK_EXPIRED, "link_expired",
                   "asked for ota.bin of v2 by a link that has expired: make a new link");
}

static void cause__of_a_handshake_is_the_reason_and_its_remedy(void **state)
{
    static const struct {
        enum contact_tls_reason reason;
        const char *sentence;
    } rows[] = {
        {CONTACT_TLS_OTHER, "the TLS handshake failed: no reason known"},
        {CONTACT_TLS_CLOSED, "the TLS handshake failed: closed in the middle of it; the module "
                             "lost its network or ran out of memory: let it try again"},
        {CONTACT_TLS_NOT_TLS, "the TLS handshake failed: what came is no TLS; plain requests "
                              "belong to the plain port"},
        {CONTACT_TLS_PROTOCOL, "the TLS handshake failed: unsupported protocol version; the "
                               "server speaks TLS 1.2 and 1.3"},
        {CONTACT_TLS_CIPHER, "the TLS handshake failed: no shared cipher; the module needs a "
                             "suite with ECDHE and AES-GCM"},
        {CONTACT_TLS_CERTIFICATE, "the TLS handshake failed: the module refused the certificate; "
                                  "give it this server's pin or the CA of its certificate"},
        {CONTACT_TLS_ALERT, "the TLS handshake failed: the module broke it off with an alert"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct contact c = contact_with(CONTACT_TLS_FAILED);
        const struct cause_facts facts = {.contact = &c};
        c.tls_reason = rows[i].reason;
        expect(&facts, ATTEMPT_FAILED, "tls_refused", rows[i].sentence);
    }
}

static void cause__of_a_module_that_came_back_depends_on_how_sure_it_is(void **state)
{
    struct contact c = contact_with(CONTACT_VERSION_TOLD);
    struct cause_facts facts = {.situation = CAUSE_BACK_AGAIN,
                                .contact = &c,
                                .version = "v2",
                                .total_bytes = 262144,
                                .since_ms = 12000,
                                .is_same_sure = true};

    (void)state;
    (void)snprintf(c.headers.version, sizeof c.headers.version, "%s", "v1");
    expect(&facts, ATTEMPT_FAILED, "refused_after_last_byte",
           "all 262144 bytes arrived, but the module came back after 12 s for the same version: "
           "its own verification refused the image after the last byte, or its host MCU ordered "
           "the same upgrade once more");
    facts.is_same_sure = false;
    expect(&facts, ATTEMPT_FAILED, "refused_after_last_byte",
           "all 262144 bytes arrived, but the module came back after 12 s for the same version: "
           "its own verification refused the image after the last byte, or it is another module, "
           "as the product's token behind one address does not tell them apart");
    facts.situation = CAUSE_BACK_OLD;
    expect(&facts, ATTEMPT_FAILED, "refused_after_last_byte",
           "all 262144 bytes arrived, but the module came back after 12 s, still on v1 and not "
           "restarted: its own verification refused the image after the last byte");
    facts.situation = CAUSE_ROLLED;
    expect(&facts, ATTEMPT_FAILED, "rolled_back",
           "v2 was delivered, but the module came back with v1 after a rollback: the new version "
           "did not start, or did not confirm itself");
}

static void cause__of_silence_depends_on_what_the_module_can_say(void **state)
{
    struct cause_facts facts = {
        .situation = CAUSE_SILENCE, .version = "v2", .total_bytes = 262144, .since_ms = 600000};

    (void)state;
    expect(&facts, ATTEMPT_DELIVERED, "not_proven",
           "all 262144 bytes arrived; stock firmware says nothing after its restart, so delivered "
           "is all that can be seen of v2");
    facts.is_ours = true;
    expect(&facts, ATTEMPT_DELIVERED, "not_proven",
           "all 262144 bytes arrived 600 s ago, but the module did not come back on v2: it is off, "
           "without network, or did not take the new version");
    facts.situation = CAUSE_NO_FILE;
    expect(&facts, ATTEMPT_ABANDONED, "never_came",
           "was told v2, but did not come for the file within 180 s: its host MCU only asked, or "
           "the module lost its power or network while it erased");
    facts.situation = CAUSE_NO_REST;
    expect(&facts, ATTEMPT_ABANDONED, "only_a_part",
           "got a part of v2, but did not come for the rest within 180 s");
}

static void cause__is_empty_when_nothing_is_wrong(void **state)
{
    struct contact c = contact_with(CONTACT_FILE_DELIVERED);
    struct cause_facts facts = {.contact = &c, .version = "v2"};

    (void)state;
    c.acked_bytes = c.total_bytes;
    expect(&facts, ATTEMPT_DELIVERED, "",
           "got ota.bin of v2: all 1900000 bytes acknowledged in 1000 ms, 1900000 bytes per "
           "second");
    c.outcome = CONTACT_FILE_PART;
    expect(&facts, ATTEMPT_RUNNING, "", "got a part of ota.bin of v2, 1900000 bytes");
    c.outcome = CONTACT_VERSION_TOLD;
    expect(&facts, ATTEMPT_RUNNING, "", "was told v2, has not come for the file yet");
    facts.situation = CAUSE_PROVEN;
    expect(&facts, ATTEMPT_PROVEN, "", "runs v2 now: proven");
}

static void cause__survives_texts_that_are_not_there(void **state)
{
    const struct contact c = {.outcome = CONTACT_FILE_CLOSED};
    const struct cause_facts facts = {.contact = &c};

    (void)state;
    expect(&facts, ATTEMPT_FAILED, "closed_first_window",
           "closed after 0 of 0 bytes of a file without a name, within its first window: the "
           "module refused the file by its beginning, or was cut off at once; see that the file is "
           "made for this module");
    assert_string_equal(cause_word_of("stalled"), "stalled");
    assert_string_equal(cause_word_of("none of ours"), "");
    assert_int_equal(attempt_state_of("failed"), ATTEMPT_FAILED);
    assert_int_equal(attempt_state_of("none of ours"), ATTEMPT_STATES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cause__of_a_packed_file_is_a_module_that_wants_an_app_image),
        cmocka_unit_test(cause__of_an_app_image_is_a_module_that_wants_a_packed_file),
        cmocka_unit_test(cause__of_a_module_of_ours_is_not_its_magic_when_it_says_what_it_takes),
        cmocka_unit_test(cause__of_another_chip_is_told_by_the_module),
        cmocka_unit_test(cause__first_window_ends_where_the_module_has_read_on),
        cmocka_unit_test(cause__of_a_large_file_is_the_room_in_the_layout),
        cmocka_unit_test(cause__of_a_slow_download_is_the_rate_it_needed),
        cmocka_unit_test(cause__of_a_silence_is_power_or_network),
        cmocka_unit_test(cause__of_what_the_server_did_says_so),
        cmocka_unit_test(cause__of_a_token_names_its_first_digits_only),
        cmocka_unit_test(cause__of_what_is_not_there_names_it),
        cmocka_unit_test(cause__of_a_handshake_is_the_reason_and_its_remedy),
        cmocka_unit_test(cause__of_a_module_that_came_back_depends_on_how_sure_it_is),
        cmocka_unit_test(cause__of_silence_depends_on_what_the_module_can_say),
        cmocka_unit_test(cause__is_empty_when_nothing_is_wrong),
        cmocka_unit_test(cause__survives_texts_that_are_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
