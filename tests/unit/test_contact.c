/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "attempt/contact_queue.h"

/* A contact in which every placeholder has a value. */
static struct contact example(enum contact_outcome outcome)
{
    return (struct contact){
        .outcome = outcome,
        .total_bytes = 1048576,
        .acked_bytes = 1024,
        .duration_ms = 812,
        .token_prefix = "3f2a1c",
        .version = "v1.1.0.0",
        .file_name = "ota.bin",
        .tls_reason = CONTACT_TLS_PROTOCOL,
        .headers = {.version = "v1.2.0.0"},
    };
}

static const struct {
    enum contact_outcome outcome;
    bool is_failure;
    const char *sentence;
} sentences[] = {
    {CONTACT_VERSION_TOLD, false, "asked for the current version: v1.1.0.0"},
    {CONTACT_PROVEN, false, "runs v1.2.0.0 now: proven"},
    {CONTACT_LIST_TOLD, false, "asked for the list of versions"},
    {CONTACT_HEAD_TOLD, false, "asked for the head of ota.bin of v1.1.0.0, without the bytes"},
    {CONTACT_FILE_DELIVERED, false,
     "got ota.bin of v1.1.0.0, all 1048576 bytes acknowledged in 812 ms"},
    {CONTACT_FILE_PART, false,
     "got a part of ota.bin of v1.1.0.0, 1048576 bytes acknowledged in 812 ms"},
    {CONTACT_FILE_CLOSED, true,
     "closed after 1024 of 1048576 bytes of ota.bin: the module stopped reading"},
    {CONTACT_FILE_STALLED, true, "went silent after 1024 of 1048576 bytes of ota.bin: given up"},
    {CONTACT_FILE_STOPPED, true,
     "cut after 1024 of 1048576 bytes of ota.bin: the server was stopped"},
    {CONTACT_NO_TOKEN, true, "sent no token"},
    {CONTACT_BAD_TOKEN, true, "sent a token that is not 40 lower-case hex digits"},
    {CONTACT_UNKNOWN_TOKEN, true, "unknown token 3f2a1c…: no product has it"},
    {CONTACT_NO_CURRENT, true, "asked for the current version: the product has none"},
    {CONTACT_NO_ROM, true, "asked for ota.bin of v1.1.0.0: the product has no such version"},
    {CONTACT_NO_FILE, true, "asked for ota.bin of v1.1.0.0: this version has no such file"},
    {CONTACT_FILE_ERASES, true,
     "asked for ota.bin of v1.1.0.0: there is no such file, and stock firmware has erased that "
     "partition before it asked"},
    {CONTACT_FILE_UNREADABLE, true,
     "asked for ota.bin of v1.1.0.0: the blob is missing or damaged on the server"},
    {CONTACT_BAD_RANGE, true, "asked for bytes past the end of ota.bin of v1.1.0.0"},
    {CONTACT_LIMITED, true, "asks too often: told to wait"},
    {CONTACT_FULL, true,
     "asked while the server had as many downloads as it may have: told to wait"},
    {CONTACT_LINK_UNKNOWN, true, "asked for a link that is not here: ota.bin"},
    {CONTACT_LINK_EXPIRED, true, "asked for ota.bin of v1.1.0.0 by a link that has expired"},
    {CONTACT_NOT_HERE, true, "asked for something that is not here"},
    {CONTACT_BAD_METHOD, true, "sent a request that is neither GET nor HEAD"},
    {CONTACT_BAD_REQUEST, true, "sent a request that is broken or ambiguous"},
    {CONTACT_REQUEST_TOO_BIG, true, "sent a request head that is too long"},
    {CONTACT_REQUEST_CUT, true, "closed in the middle of its request"},
    {CONTACT_REQUEST_LATE, true, "did not finish its request in time"},
    {CONTACT_TLS_FAILED, true, "the TLS handshake failed: unsupported protocol version"},
    {CONTACT_BAD_PROXY, true, "came from a named proxy without a PROXY header that says for whom"},
};

static void sentence__says_each_outcome_in_plain_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++) {
        struct contact contact = example(sentences[i].outcome);
        char text[CONTACT_SENTENCE_BYTES];
        assert_int_equal(sentences[i].outcome, i); /* none left out */
        contact_sentence(&contact, text, sizeof text);
        assert_string_equal(text, sentences[i].sentence);
        assert_int_equal(contact_is_failure(&contact), sentences[i].is_failure);
    }
    assert_int_equal(sizeof sentences / sizeof sentences[0], CONTACT_BAD_PROXY + 1);
}

static void sentence__is_cut_when_there_is_no_room(void **state)
{
    (void)state;
    struct contact contact = example(CONTACT_VERSION_TOLD);
    char text[20];

    contact_sentence(&contact, text, sizeof text);
    assert_string_equal(text, "asked for the curre");
}

/* The longest values the wire lets through fit without a cut. */
static void sentence__has_room_for_the_longest_values(void **state)
{
    (void)state;
    struct contact contact = {.outcome = CONTACT_FILE_UNREADABLE};
    char text[CONTACT_SENTENCE_BYTES];

    memset(contact.version, 'v', sizeof contact.version - 1);
    memset(contact.file_name, 'f', sizeof contact.file_name - 1);
    contact_sentence(&contact, text, sizeof text);
    assert_non_null(strstr(text, "damaged on the server"));
}

static void sentence__names_what_was_not_said(void **state)
{
    (void)state;
    struct contact contact = {.outcome = CONTACT_NO_FILE};
    char text[CONTACT_SENTENCE_BYTES];

    contact_sentence(&contact, text, sizeof text);
    assert_string_equal(text, "asked for a file without a name of the current version: this "
                              "version has no such file");
}

static void user_agent__of_stock_modules_is_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum contact_agent agent;
    } known[] = {
        {"", CONTACT_AGENT_NONE},
        {"Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/30.0.1599.101 Safari/537.36",
         CONTACT_AGENT_CIUPDATE},
        {"ESP32 HTTP Client/1.0", CONTACT_AGENT_IDF},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct contact contact = {.agent = contact_agent_of(known[i].text, strlen(known[i].text))};
        assert_int_equal(contact.agent, known[i].agent);
        assert_string_equal(contact_user_agent(&contact), known[i].text);
    }
    struct contact other = {.agent = contact_agent_of("curl/8", 6), .other_agent = "curl/8"};
    assert_int_equal(other.agent, CONTACT_AGENT_OTHER);
    assert_string_equal(contact_user_agent(&other), "curl/8");
}

static void peer__is_written_as_people_write_it(void **state)
{
    (void)state;
    struct contact_peer v4 = {.address = {192, 0, 2, 7}, .port = 40112};
    struct contact_peer v6 = {.address = {0x20, 1, 0xD, 0xB8, [15] = 1}, .port = 80, .is_v6 = true};
    char text[CONTACT_ADDRESS_BYTES];

    contact_peer_text(&v4, text, sizeof text);
    assert_string_equal(text, "192.0.2.7:40112");
    contact_peer_text(&v6, text, sizeof text);
    assert_string_equal(text, "[2001:db8::1]:80");
}

/* The queue. What the handler saw is read after contact_queue_free(), which joins its thread. */

#define N_PUSHED 20000

struct seen {
    uint64_t n;
    uint64_t last;
    bool is_ordered;
};

static void count(void *ctx, struct contact *contacts, size_t n_contacts)
{
    struct seen *seen = ctx;

    for (size_t i = 0; i < n_contacts; i++) {
        seen->is_ordered = seen->is_ordered && contacts[i].sent_bytes > seen->last;
        seen->last = contacts[i].sent_bytes;
    }
    seen->n += n_contacts;
}

static void queue__hands_over_in_order_or_counts_what_it_dropped(void **state)
{
    (void)state;
    struct seen seen = {.is_ordered = true};
    const struct contact_queue_options options = {count, &seen, CONTACT_LOG_NONE, 1};
    struct contact_queue *queue = contact_queue_new(&options, NULL);

    assert_non_null(queue);
    for (uint64_t i = 1; i <= N_PUSHED; i++) {
        struct contact contact = {.sent_bytes = i};
        contact_queue_push(queue, &contact);
    }
    uint64_t dropped = contact_queue_dropped(queue);
    contact_queue_free(queue);
    assert_true(seen.is_ordered);
    assert_int_equal(seen.n + dropped, N_PUSHED);
}

static const char device[] = "240ac4000001";

/* Every third one has words, so that each cell holds both kinds in turn. */
static void count_words(void *ctx, struct contact *contacts, size_t n_contacts)
{
    int *n_wrong = ctx;

    for (size_t i = 0; i < n_contacts; i++) {
        bool is_third = contacts[i].sent_bytes % 3 == 0;
        *n_wrong += strcmp(contacts[i].headers.device, is_third ? device : "") != 0;
        *n_wrong += strcmp(contacts[i].other_agent, is_third ? "curl/8" : "") != 0;
        *n_wrong += strcmp(contacts[i].version, "v1") != 0;
    }
}

static void queue__keeps_the_words_of_each_contact_apart(void **state)
{
    (void)state;
    int n_wrong = 0;
    const struct contact_queue_options options = {count_words, &n_wrong, CONTACT_LOG_NONE, 0};
    struct contact_queue *queue = contact_queue_new(&options, NULL);
    const struct contact without = {.version = "v1"};
    struct contact with = {.version = "v1", .other_agent = "curl/8"};

    assert_non_null(queue);
    memcpy(with.headers.device, device, sizeof device);
    for (uint64_t i = 0; i < N_PUSHED; i++) {
        struct contact contact = i % 3 == 0 ? with : without;
        contact.sent_bytes = i;
        contact_queue_push(queue, &contact);
    }
    contact_queue_free(queue);
    assert_int_equal(n_wrong, 0);
}

struct gate {
    pthread_mutex_t lock;
    uint64_t n;
};

static void wait_at_gate(void *ctx, struct contact *contacts, size_t n_contacts)
{
    struct gate *gate = ctx;

    (void)contacts;
    (void)pthread_mutex_lock(&gate->lock);
    gate->n += n_contacts;
    (void)pthread_mutex_unlock(&gate->lock);
}

static void queue__drops_and_never_blocks_when_the_writer_is_stuck(void **state)
{
    (void)state;
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, 0};
    const struct contact_queue_options options = {wait_at_gate, &gate, CONTACT_LOG_NONE, 0};
    struct contact_queue *queue = contact_queue_new(&options, NULL);
    struct contact contact = {.kind = CONTACT_OTHER};

    assert_non_null(queue);
    (void)pthread_mutex_lock(&gate.lock);
    for (int i = 0; i < N_PUSHED; i++) {
        contact_queue_push(queue, &contact);
    }
    uint64_t dropped = contact_queue_dropped(queue);
    (void)pthread_mutex_unlock(&gate.lock);
    contact_queue_free(queue);
    assert_true(dropped > 0);
    assert_int_equal(gate.n + dropped, N_PUSHED);
}

static void *push_many(void *queue)
{
    struct contact contact = {.kind = CONTACT_OTHER};

    for (int i = 0; i < N_PUSHED; i++) {
        contact_queue_push(queue, &contact);
    }
    return NULL;
}

static void queue__loses_nothing_uncounted_between_threads(void **state)
{
    (void)state;
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, 0};
    const struct contact_queue_options options = {wait_at_gate, &gate, CONTACT_LOG_NONE, 0};
    struct contact_queue *queue = contact_queue_new(&options, NULL);
    pthread_t threads[4];

    assert_non_null(queue);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, push_many, queue), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    uint64_t dropped = contact_queue_dropped(queue);
    contact_queue_free(queue);
    assert_int_equal(gate.n + dropped, 4 * N_PUSHED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentence__says_each_outcome_in_plain_words),
        cmocka_unit_test(sentence__is_cut_when_there_is_no_room),
        cmocka_unit_test(sentence__has_room_for_the_longest_values),
        cmocka_unit_test(sentence__names_what_was_not_said),
        cmocka_unit_test(user_agent__of_stock_modules_is_a_number),
        cmocka_unit_test(peer__is_written_as_people_write_it),
        cmocka_unit_test(queue__hands_over_in_order_or_counts_what_it_dropped),
        cmocka_unit_test(queue__keeps_the_words_of_each_contact_apart),
        cmocka_unit_test(queue__drops_and_never_blocks_when_the_writer_is_stuck),
        cmocka_unit_test(queue__loses_nothing_uncounted_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
