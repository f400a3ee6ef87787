/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "answers_world.h"

/* At-commands 2.1: what AT+USEROTA sends, and no token. */
#define USEROTA_REQUEST(target)                                                                    \
    "GET " target " HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: 192.0.2.1:8080\r\n\r\n"

static void add_link(struct catalog_draft *draft, const char *short_name, const char *version,
                     const char *file_name, int64_t expires_ms)
{
    const struct catalog_link_facts facts = {short_name, 1, version, file_name, expires_ms};

    assert_err(catalog_draft_add_link(draft, &facts, NULL), ALOFT_ERR_OK);
}

static void publish_links(void)
{
    struct catalog_draft *draft = catalog_draft_new();

    add_link(draft, "pub", "v5.0.1.0", "ota.bin", 0);
    add_rom(add_product(draft, 1, TOKEN), "v5.0.1.0", true);
    add_link(draft, "Ticket_of-32-bytes--------------", "v5.0.1.0", "ota.bin", NOW_MS + 1);
    add_link(draft, "old", "v5.0.1.0", "ota.bin", NOW_MS);
    add_link(draft, "gone", "v9", "ota.bin", 0);
    publish(draft);
}

static void link__gives_a_file_without_a_token(void **state)
{
    (void)state;
    static const char *const requests[] = {
        USEROTA_REQUEST("/ota/pub/ota.bin"),
        USEROTA_REQUEST("/ota/pub/ota.bin?x=y"),
        USEROTA_REQUEST("http://192.0.2.1:8080/ota/pub/ota.bin"),
        USEROTA_REQUEST("/ota/Ticket_of-32-bytes--------------/ota.bin"),
    };

    publish_links();
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        for (int mode = CATALOG_PLAIN; mode <= CATALOG_TLS; mode++) {
            ask_in((enum catalog_mode)mode, requests[i]);
            assert_bytes(stock_file_head);
            assert_non_null(answer.file);
            assert_int_equal(answer.end, FILE_BYTES);
            assert_int_equal(contact.kind, CONTACT_FILE);
            assert_int_equal(contact.outcome, CONTACT_FILE_DELIVERED);
            assert_int_equal(contact.product_id, 1);
            assert_true(contact.is_link);
            assert_string_equal(contact.version, "v5.0.1.0");
            assert_string_equal(contact.file_name, "ota.bin");
        }
    }
    ask("HEAD /ota/pub/ota.bin HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_bytes(stock_file_head);
    assert_null(answer.file);
    ask("GET /ota/pub/ota.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=400000-\r\n\r\n");
    assert_status(206);
    assert_int_equal(answer.start, 400000);
}

static void link__that_leads_nowhere_is_refused_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        enum contact_outcome outcome;
    } cases[] = {
        {USEROTA_REQUEST("/ota/old/ota.bin"), CONTACT_LINK_EXPIRED},
        {USEROTA_REQUEST("/ota/gone/ota.bin"), CONTACT_LINK_UNKNOWN},
        {USEROTA_REQUEST("/ota/pu/ota.bin"), CONTACT_LINK_UNKNOWN},
        {USEROTA_REQUEST("/ota/pubb/ota.bin"), CONTACT_LINK_UNKNOWN},
        {USEROTA_REQUEST("/ota/PUB/ota.bin"), CONTACT_LINK_UNKNOWN},
        {USEROTA_REQUEST("/ota/pub/ota.bi"), CONTACT_LINK_UNKNOWN},
        {USEROTA_REQUEST("/ota/pub/x/ota.bin"), CONTACT_LINK_UNKNOWN},
        {USEROTA_REQUEST("/ota/pub/"), CONTACT_LINK_UNKNOWN},
        {USEROTA_REQUEST("/ota/pub"), CONTACT_LINK_UNKNOWN},
        {USEROTA_REQUEST("/ota//ota.bin"), CONTACT_LINK_UNKNOWN},
        {USEROTA_REQUEST("/ota/../pub/ota.bin"), CONTACT_LINK_UNKNOWN},
        {USEROTA_REQUEST("/ota/Ticket_of-32-bytes---------------/ota.bin"), CONTACT_LINK_UNKNOWN},
        {USEROTA_REQUEST("/ota/"), CONTACT_NOT_HERE},
    };

    publish_links();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ask(cases[i].request);
        assert_status(404);
        assert_null(answer.file);
        assert_int_equal(contact.outcome, cases[i].outcome);
        assert_non_null(strstr(answer.bytes, "\r\nContent-Type: text/plain\r\n"));
    }
}

static void contact__names_the_user_agent(void **state)
{
    (void)state;
    static const char long_agent[] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        "0123456789abcdef0123456789abcdef";
    char request[512];

    ask(VERSION_REQUEST);
    assert_int_equal(contact.agent, CONTACT_AGENT_CIUPDATE);
    assert_string_equal(contact.other_agent, "");
    ask(LIST_REQUEST);
    assert_int_equal(contact.agent, CONTACT_AGENT_IDF);
    ask("GET / HTTP/1.0\r\nUser-Agent: a\"b\\c\r\n\r\n");
    assert_string_equal(contact_user_agent(&contact), "a?b?c");
    ask("GET / HTTP/1.0\r\n\r\n");
    assert_int_equal(contact.agent, CONTACT_AGENT_NONE);
    (void)snprintf(request, sizeof request, "GET / HTTP/1.0\r\nUser-Agent: %s\r\n\r\n", long_agent);
    ask(request);
    assert_int_equal(strlen(contact.other_agent), CONTACT_AGENT_MAX);
    assert_memory_equal(contact.other_agent, long_agent, CONTACT_AGENT_MAX);
}

static void contact__shows_texts_from_outside_only_in_plain_characters(void **state)
{
    (void)state;
    ask("GET /v1/device/rom?action=download_rom&version=a\"b\\c&filename=ota.bin "
        "HTTP/1.1\r\n" STOCK_FIELDS "\r\n");
    assert_string_equal(contact.version, "a?b?c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CATALOG(link__gives_a_file_without_a_token),
        WITH_CATALOG(link__that_leads_nowhere_is_refused_in_words),
        WITH_CATALOG(contact__names_the_user_agent),
        WITH_CATALOG(contact__shows_texts_from_outside_only_in_plain_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
