/* SPDX-License-Identifier: Apache-2.0 */
#include "answers_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

const char stock_file_head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000\r\n"
    "Cache-Control: no-store, no-transform\r\nConnection: close\r\n\r\n";
const char no_such_file[] =
    "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 24\r\n"
    "Connection: close\r\n\r\nno such version or file\n";

static struct catalog *catalog;
static struct catalog_snapshot *snapshot;
static const struct contact_peer peer = {.address = {192, 0, 2, 7}, .port = 40112};
struct gate *gate;
uint64_t monotonic_ms;
char answers_path[64];

void add_rom(struct catalog_product *product, const char *version, bool is_current)
{
    const struct catalog_file_facts file = {"ota.bin", answers_path, FILE_BYTES, SHA};
    struct catalog_rom *rom;

    assert_err(catalog_draft_add_rom(product, version, "release", is_current, &rom, NULL),
               ALOFT_ERR_OK);
    assert_err(catalog_draft_add_file(rom, &file, NULL), ALOFT_ERR_OK);
}

struct catalog_product *add_product(struct catalog_draft *draft, int64_t id, const char *token)
{
    struct catalog_product *product = NULL;

    assert_err(catalog_draft_add_product(draft, id, &product, NULL), ALOFT_ERR_OK);
    assert_err(catalog_token_set(catalog, CATALOG_PLAIN, token, ALOFT_TOKEN_CHARS,
                                 (struct catalog_owner){id, 0}, 0),
               ALOFT_ERR_OK);
    return product;
}

void publish(struct catalog_draft *draft)
{
    assert_err(catalog_publish(catalog, draft, NULL), ALOFT_ERR_OK);
    catalog_snapshot_release(snapshot);
    snapshot = catalog_get(catalog);
}

int answers_set_up(void **state)
{
    (void)state;
    (void)snprintf(answers_path, sizeof answers_path, "test_wire_answers.%ld.bin", (long)getpid());
    int fd = open(answers_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || ftruncate(fd, FILE_BYTES) != 0 || close(fd) != 0) {
        return -1;
    }
    catalog = catalog_new(NULL);
    struct catalog_draft *draft = catalog_draft_new();
    struct catalog_product *product = add_product(draft, 1, TOKEN);
    add_rom(product, "v5.0.1.0", true);
    add_rom(product, "v5.0.0.0", false);
    (void)add_product(draft, 2, EMPTY_TOKEN);
    publish(draft);
    return 0;
}

int answers_tear_down(void **state)
{
    (void)state;
    catalog_snapshot_release(snapshot);
    snapshot = NULL;
    catalog_free(catalog);
    return unlink(answers_path);
}

struct contact contact;
struct answer answer;

void ask_in(enum catalog_mode mode, const char *text)
{
    static struct aloft_http_head head;
    const struct answer_request request = {catalog, snapshot, mode,  &head,       text,
                                           NOW_MS,  gate,     &peer, monotonic_ms};

    aloft_http_head_init(&head, ALOFT_HTTP_REQUEST);
    assert_err(aloft_http_head_parse(&head, text, strlen(text)), ALOFT_ERR_OK);
    contact = (struct contact){0};
    answer_request(&request, &contact, &answer);
}

void ask(const char *text)
{
    ask_in(CATALOG_PLAIN, text);
}

void assert_bytes(const char *wanted)
{
    assert_int_equal(answer.len, strlen(wanted));
    assert_memory_equal(answer.bytes, wanted, answer.len);
}

void assert_status(uint16_t status)
{
    char line[32];

    assert_int_equal(contact.status, status);
    (void)snprintf(line, sizeof line, "HTTP/1.1 %u ", status);
    assert_memory_equal(answer.bytes, line, strlen(line));
}
