/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "answers_world.h"

/* Wire 2.5: one ROM. */
static void version__is_the_worked_example(void **state)
{
    (void)state;
    struct catalog_draft *draft = catalog_draft_new();

    add_rom(add_product(draft, 1, TOKEN), "v5.0.1.0", true);
    publish(draft);
    ask(VERSION_REQUEST);
    assert_int_equal(answer.len, 255);
    assert_bytes("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 139\r\n"
                 "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
                 "{\"recommended_rom_version\": \"v5.0.1.0\", \"status\": 200, \"productRoms\": "
                 "[{\"version\": \"v5.0.1.0\", \"recommended\": 1, \"life_cycle\": \"release\"}]}");
    assert_null(answer.file);
    assert_int_equal(contact.outcome, CONTACT_VERSION_TOLD);
    assert_string_equal(contact.version, "v5.0.1.0");
    assert_string_equal(contact.token_prefix, "012345");
}

/* Wire 4.4: two ROMs. */
static void list__is_the_worked_example(void **state)
{
    (void)state;
    ask(LIST_REQUEST);
    assert_int_equal(answer.len, 91 + 207);
    assert_bytes("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 207\r\n"
                 "Connection: close\r\n\r\n"
                 "{\"recommended_rom_version\": \"v5.0.1.0\", \"status\": 200, \"productRoms\": "
                 "[{\"version\": \"v5.0.1.0\", \"recommended\": 1, \"life_cycle\": \"release\"}, "
                 "{\"version\": \"v5.0.0.0\", \"recommended\": 0, \"life_cycle\": \"release\"}]}");
    assert_int_equal(contact.outcome, CONTACT_LIST_TOLD);
}

static void file__is_the_worked_example(void **state)
{
    (void)state;
    ask(FILE_REQUEST "\r\n");
    assert_int_equal(answer.len, 142);
    assert_bytes(stock_file_head);
    assert_non_null(answer.file);
    assert_int_equal(answer.start, 0);
    assert_int_equal(answer.end, FILE_BYTES);
    assert_int_equal(contact.total_bytes, FILE_BYTES);
    assert_int_equal(contact.outcome, CONTACT_FILE_DELIVERED);
}

static void file__that_is_not_there_is_the_worked_error(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        enum contact_outcome outcome;
    } cases[] = {
        {"/v1/device/rom/?action=download_rom&version=v9&filename=ota.bin", CONTACT_NO_ROM},
        {"/v1/device/rom/?action=download_rom&version=v5.0.1.0&filename=x.bin", CONTACT_NO_FILE},
        {"/v1/device/rom/?action=download_rom&version=v5.0.1.0&filename=", CONTACT_NO_FILE},
        {"/v1/device/rom/?action=download_rom&version=v5.0.1.0", CONTACT_NO_FILE},
        {"/v1/device/rom/?action=download_rom&version=v5.0.1.&filename=ota.bin", CONTACT_NO_ROM},
        {"/v1/device/rom/?action=download_rom&version=v5.0.1.0&filename=mfg_nvs.bin",
         CONTACT_FILE_ERASES},
        {"/v1/device/rom/?action=download_rom&version=v9&filename=fs_storage.bin",
         CONTACT_FILE_ERASES},
        {"/v1/device/rom/?action=download_rom&version=../x&filename=../../etc/passwd",
         CONTACT_NO_ROM},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char request[1024];
        (void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" STOCK_FIELDS "\r\n",
                       cases[i].target);
        ask(request);
        assert_int_equal(answer.len, 91 + 24);
        assert_bytes(no_such_file);
        assert_null(answer.file);
        assert_int_equal(contact.outcome, cases[i].outcome);
    }
}

static void file__without_a_version_is_the_current_one(void **state)
{
    (void)state;
    ask("GET /v1/device/rom/?action=download_rom&version=&filename=ota.bin "
        "HTTP/1.1\r\n" STOCK_FIELDS "\r\n");
    assert_bytes(stock_file_head);
    assert_string_equal(contact.version, "v5.0.1.0");
    assert_false(contact.has_asked_version);
    ask(FILE_REQUEST "\r\n");
    assert_true(contact.has_asked_version);
}

static void route__follows_path_and_query(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        enum contact_kind kind;
        uint16_t status;
    } cases[] = {
        {"/v1/device/rom", CONTACT_LIST, 200},
        {"/v1/device/rom/", CONTACT_LIST, 200},
        {"/v1/device/rom?", CONTACT_LIST, 200},
        {"/v1/device/rom?x=1", CONTACT_LIST, 200},
        {"/v1/device/rom?is_format_simple=true", CONTACT_VERSION, 200},
        {"/v1/device/rom/?a=b&is_format_simple=true&c", CONTACT_VERSION, 200},
        {"/v1/device/rom/?is_format_simple=false", CONTACT_LIST, 200},
        {"/v1/device/rom/?xis_format_simple=true", CONTACT_LIST, 200},
        {"http://other/v1/device/rom/?is_format_simple=true", CONTACT_VERSION, 200},
        {FILE_TARGET, CONTACT_FILE, 200},
        {"/v1/device/rom/?filename=ota.bin&z=1&version=v5.0.0.0&action=download_rom", CONTACT_FILE,
         200},
        {"/", CONTACT_OTHER, 404},
        {"/v1/device/rom//", CONTACT_OTHER, 404},
        {"/v1/device/roms", CONTACT_OTHER, 404},
        {"/v1/device/ro", CONTACT_OTHER, 404},
        {"/V1/device/rom", CONTACT_OTHER, 404},
        {"http://other", CONTACT_OTHER, 404},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char request[1024];
        (void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" STOCK_FIELDS "\r\n",
                       cases[i].target);
        ask(request);
        assert_int_equal(contact.kind, cases[i].kind);
        assert_int_equal(contact.status, cases[i].status);
    }
}

static void token__decides_what_is_answered(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        uint16_t status;
        enum contact_outcome outcome;
    } cases[] = {
        {"", 401, CONTACT_NO_TOKEN},
        {"Authorization: Bearer x\r\n", 401, CONTACT_NO_TOKEN},
        {"Authorization: token (null)\r\n", 404, CONTACT_BAD_TOKEN},
        {"Authorization: token " TOKEN "0\r\n", 404, CONTACT_BAD_TOKEN},
        {"Authorization: token ffffffffffffffffffffffffffffffffffffffff\r\n", 404,
         CONTACT_UNKNOWN_TOKEN},
        {"Authorization: token " EMPTY_TOKEN "\r\n", 404, CONTACT_NO_CURRENT},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char request[512];
        (void)snprintf(request, sizeof request,
                       "GET /v1/device/rom/?is_format_simple=true HTTP/1.0\r\n%s\r\n",
                       cases[i].field);
        ask(request);
        assert_status(cases[i].status);
        assert_int_equal(contact.outcome, cases[i].outcome);
        assert_null(strstr(answer.bytes, "rom_version\": "));
    }
}

static void token__of_the_other_mode_is_unknown(void **state)
{
    (void)state;
    ask_in(CATALOG_TLS, VERSION_REQUEST);
    assert_status(404);
    assert_int_equal(contact.outcome, CONTACT_UNKNOWN_TOKEN);
    assert_int_equal(contact.mode, CATALOG_TLS);
}

static void list__of_a_product_without_roms_is_empty(void **state)
{
    (void)state;
    ask("GET /v1/device/rom HTTP/1.0\r\nAuthorization: token " EMPTY_TOKEN "\r\n\r\n");
    assert_non_null(strstr(answer.bytes, "\r\n\r\n{\"status\": 200, \"productRoms\": []}"));
}

static size_t count(const char *bytes, size_t len, const char *text)
{
    size_t n = 0;
    const char *end = bytes + len;
    const char *at;

    while ((at = memmem(bytes, (size_t)(end - bytes), text, strlen(text)))) {
        n++;
        bytes = at + 1;
    }
    return n;
}

/* Wire 2.3 and 4.3: 1024 bytes in all, 8000 bytes of body, newest first, entries whole. */
static void documents__are_trimmed_to_what_modules_hold(void **state)
{
    (void)state;
    struct catalog_draft *draft = catalog_draft_new();
    struct catalog_product *product = add_product(draft, 1, TOKEN);

    for (int i = 300; i > 0; i--) {
        char version[80];
        (void)snprintf(version, sizeof version, "v%d.%050d", i, i);
        add_rom(product, version, i == 1);
    }
    publish(draft);
    ask(VERSION_REQUEST);
    assert_true(answer.len <= 1024 && answer.len > 1024 - 150);
    assert_memory_equal(answer.bytes + answer.len - 3, "}]}", 3);
    const char *key = memmem(answer.bytes, answer.len, "rom_version\": \"v1.0", 18);
    const char *status = memmem(answer.bytes, answer.len, "status", 6);
    assert_non_null(key);
    assert_true(key < status);
    ask(LIST_REQUEST);
    const char *body = (const char *)memmem(answer.bytes, answer.len, "\r\n\r\n", 4) + 4;
    size_t body_len = answer.len - (size_t)(body - answer.bytes);
    assert_true(body_len <= 8000 && body_len > 8000 - 150);
    assert_true(count(answer.bytes, answer.len, "\"version\": \"") > 60);
    assert_non_null(memmem(body, body_len, "\"version\": \"v300.0", 18));
    assert_int_equal(count(body, body_len, "\"version\": \""),
                     count(body, body_len, "\", \"recommended\": "));
}

/* Entries of every length, so that one of them ends at the limit exactly. */
static void documents__never_pass_the_limit_by_a_byte(void **state)
{
    (void)state;
    size_t longest = 0;

    for (int width = 1; width <= 60; width++) {
        struct catalog_draft *draft = catalog_draft_new();
        struct catalog_product *product = add_product(draft, 1, TOKEN);
        for (int i = 15; i > 0; i--) {
            char version[80];
            (void)snprintf(version, sizeof version, "v%d.%0*d", i, i == 15 ? width : 20, i);
            add_rom(product, version, i == 1);
        }
        publish(draft);
        ask(VERSION_REQUEST);
        assert_true(answer.len <= ALOFT_VERSION_ANSWER_MAX);
        longest = answer.len > longest ? answer.len : longest;
    }
    assert_true(longest >= ALOFT_VERSION_ANSWER_MAX - 1); /* one digit was kept in reserve */
}

/* Wire 3.3: `status` in no head, Content-Length the first to end in that text. */
static void heads__hold_nothing_a_stock_parser_stumbles_over(void **state)
{
    (void)state;
    static const char *const requests[] = {
        VERSION_REQUEST,
        LIST_REQUEST,
        FILE_REQUEST "\r\n",
        FILE_REQUEST "Aloft-Device: 1\r\n\r\n",
        FILE_REQUEST "Range: bytes=5-\r\n\r\n",
        FILE_REQUEST "Range: bytes=2000000-\r\n\r\n",
        "POST / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        ask(requests[i]);
        const char *end = memmem(answer.bytes, answer.len, "\r\n\r\n", 4);
        size_t head_len = (size_t)(end - answer.bytes) + 4;
        assert_true(head_len <= ALOFT_FILE_HEAD_MAX);
        assert_int_equal(count(answer.bytes, head_len, "status"), 0);
        assert_int_equal(count(answer.bytes, head_len, "Content-Length: "), 1);
        assert_int_equal(count(answer.bytes, head_len, "Connection: close\r\n"), 1);
        if (head_len < answer.len) {
            char first = answer.bytes[head_len]; /* no magic begins so */
            assert_true(first == '{' || (first >= 'a' && first <= 'z'));
        }
    }
}

static void file__tells_our_module_more(void **state)
{
    (void)state;
    ask(FILE_REQUEST "Aloft-Device: 240ac4000001\r\nAloft-Version: v5.0.0.0\r\n\r\n");
    assert_bytes("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                 "Content-Length: 1000000\r\nCache-Control: no-store, no-transform\r\n"
                 "Connection: close\r\nETag: " ETAG "\r\nAloft-Sha256: " SHA "\r\n"
                 "Accept-Ranges: bytes\r\n\r\n");
    assert_string_equal(contact.headers.device, "240ac4000001");
    assert_string_equal(contact.headers.version, "v5.0.0.0");
    assert_string_equal(contact.headers.chip, "");
}

static void headers__that_break_the_rules_are_ignored(void **state)
{
    (void)state;
    ask(FILE_REQUEST
        "Aloft-Device: 12345678901234567890123456789012345678901234567890123456789012345\r\n"
        "Aloft-Chip: esp\"32\r\nALOFT-module: MINI-1\r\nAloft-Boot:\r\nAloft-Caps: r\xC3\xA4\r\n"
        "Aloft-Other: x\r\n\r\n");
    assert_string_equal(contact.headers.device, "");
    assert_string_equal(contact.headers.chip, "");
    assert_string_equal(contact.headers.module_name, "MINI-1");
    assert_string_equal(contact.headers.boot, "");
    assert_string_equal(contact.headers.caps, "");
}

static void range__gives_a_part(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "Range: bytes=400000-\r\n",
        "If-Range: " ETAG "\r\nRange: bytes=400000-\r\n",
    };

    for (size_t i = 0; i < 2; i++) {
        char request[1024];
        (void)snprintf(request, sizeof request, FILE_REQUEST "%s\r\n", fields[i]);
        ask(request);
        assert_status(206);
        assert_int_equal(answer.start, 400000);
        assert_int_equal(answer.end, FILE_BYTES);
        assert_non_null(strstr(answer.bytes, "\r\nContent-Length: 600000\r\n"));
        assert_non_null(strstr(answer.bytes, "\r\nContent-Range: bytes 400000-999999/1000000\r\n"));
        assert_int_equal(contact.total_bytes, 600000);
    }
}

static void range__of_another_file_gives_the_whole(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "If-Range: \"ffffffffffffffffffffffffffffffff\"\r\nRange: bytes=400000-\r\n",
        "If-Range: W/" ETAG "\r\nRange: bytes=400000-\r\n",
        "If-Range: " ETAG "\r\n",
        "Range: bytes=0-1,5-6\r\n",
        "Range: lines=1-\r\n",
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char request[1024];
        (void)snprintf(request, sizeof request, FILE_REQUEST "%s\r\n", fields[i]);
        ask(request);
        assert_status(200);
        assert_int_equal(answer.start, 0);
        assert_int_equal(answer.end, FILE_BYTES);
    }
}

static void range__past_the_end_is_refused(void **state)
{
    (void)state;
    ask(FILE_REQUEST "Range: bytes=1000000-\r\n\r\n");
    assert_status(416);
    assert_non_null(strstr(answer.bytes, "\r\nContent-Range: bytes */1000000\r\n"));
    assert_null(answer.file);
    assert_int_equal(contact.outcome, CONTACT_BAD_RANGE);
}

static void head__gives_the_same_head_and_no_body(void **state)
{
    (void)state;
    ask("HEAD " FILE_TARGET " HTTP/1.1\r\n" STOCK_FIELDS "\r\n");
    assert_bytes(stock_file_head);
    assert_null(answer.file);
    ask("HEAD /v1/device/rom/?is_format_simple=true HTTP/1.0\r\n" STOCK_FIELDS "\r\n");
    assert_int_equal(answer.len, 116);
    ask("HEAD /nothing HTTP/1.0\r\n\r\n");
    assert_bytes("HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n"
                 "Connection: close\r\n\r\n");
}

static void ask_out(struct gate_limits limits)
{
    gate = gate_new(NULL);
    assert_non_null(gate);
    gate_set(gate, &limits);
}

/* Wire 2.5: `status` without a version, the whole in one write; and never at the file, because
 * stock firmware has erased its slot by then. */
static void gate__refuses_documents_and_never_files(void **state)
{
    (void)state;
    ask_out(
        (struct gate_limits){.product_per_min = 2, .first_pause_ms = 5000, .max_pause_ms = 5000});
    ask(VERSION_REQUEST);
    assert_int_equal(contact.outcome, CONTACT_VERSION_TOLD);
    ask(LIST_REQUEST);
    assert_int_equal(contact.outcome, CONTACT_LIST_TOLD);
    static const char *const documents[] = {VERSION_REQUEST, LIST_REQUEST};
    for (size_t i = 0; i < 2; i++) {
        ask(documents[i]);
        assert_bytes("HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n"
                     "Content-Length: 45\r\nRetry-After: 5\r\nConnection: close\r\n\r\n"
                     "{\"status\": 429, \"message\": \"asked too often\"}");
        assert_int_equal(contact.outcome, CONTACT_LIMITED);
        assert_int_equal(contact.product_id, 1);
    }
    ask(FILE_REQUEST "\r\n");
    assert_bytes(stock_file_head);
    gate_free(gate);
    gate = NULL;
}

static void gate__refuses_documents_while_there_are_too_many_downloads(void **state)
{
    (void)state;
    ask_out((struct gate_limits){.max_downloads = 1});
    gate_enter(gate);
    ask(VERSION_REQUEST);
    assert_bytes("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
                 "Content-Length: 62\r\nRetry-After: 60\r\nConnection: close\r\n\r\n"
                 "{\"status\": 503, \"message\": \"too many downloads at the moment\"}");
    assert_int_equal(contact.outcome, CONTACT_FULL);
    ask(FILE_REQUEST "\r\n");
    assert_bytes(stock_file_head);
    gate_free(gate);
    gate = NULL;
}

static void method__other_than_get_and_head_is_refused(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "get", "GETT", "GE"};

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        char request[512];
        (void)snprintf(request, sizeof request,
                       "%s /v1/device/rom HTTP/1.0\r\nAuthorization: token " TOKEN "\r\n\r\n",
                       methods[i]);
        ask(request);
        assert_status(405);
        assert_non_null(strstr(answer.bytes, "\r\nAllow: GET, HEAD\r\n"));
    }
}

static void file__whose_blob_is_gone_is_an_error_of_ours(void **state)
{
    (void)state;
    assert_int_equal(truncate(answers_path, 10), 0);
    ask(FILE_REQUEST "\r\n");
    assert_status(500);
    assert_int_equal(contact.outcome, CONTACT_FILE_UNREADABLE);
    assert_null(answer.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CATALOG(version__is_the_worked_example),
        WITH_CATALOG(list__is_the_worked_example),
        WITH_CATALOG(file__is_the_worked_example),
        WITH_CATALOG(file__that_is_not_there_is_the_worked_error),
        WITH_CATALOG(file__without_a_version_is_the_current_one),
        WITH_CATALOG(route__follows_path_and_query),
        WITH_CATALOG(token__decides_what_is_answered),
        WITH_CATALOG(token__of_the_other_mode_is_unknown),
        WITH_CATALOG(list__of_a_product_without_roms_is_empty),
        WITH_CATALOG(documents__are_trimmed_to_what_modules_hold),
        WITH_CATALOG(documents__never_pass_the_limit_by_a_byte),
        WITH_CATALOG(heads__hold_nothing_a_stock_parser_stumbles_over),
        WITH_CATALOG(file__tells_our_module_more),
        WITH_CATALOG(headers__that_break_the_rules_are_ignored),
        WITH_CATALOG(range__gives_a_part),
        WITH_CATALOG(range__of_another_file_gives_the_whole),
        WITH_CATALOG(range__past_the_end_is_refused),
        WITH_CATALOG(head__gives_the_same_head_and_no_body),
        WITH_CATALOG(gate__refuses_documents_and_never_files),
        WITH_CATALOG(gate__refuses_documents_while_there_are_too_many_downloads),
        WITH_CATALOG(method__other_than_get_and_head_is_refused),
        WITH_CATALOG(file__whose_blob_is_gone_is_an_error_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
